"""Record what this version leaves in a state file, into `data/states/<version>/`: once per release, for ever after read
by test_upgrade.py.

On the real engine, against the sandbox, with each way in which a caller ID gets into a state. A folder has:

    stack.json        what `pulumi stack export` wrote
    Pulumi.test.yaml  the stack's config, with the salt that its secrets need (the passphrase is harness.PASSPHRASE)
    program.py        the program, without the harness's header
    twilio.json       the sandbox's account, as it was then

The sandbox has another port each time: in its place the files have SANDBOX. Nothing else in them is of the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from pulumi_twilio_caller_id.sandbox.store import CallerId, State
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack
from tests.support.machine import ROOT, heed_interrupts

STATES = ROOT / "tests" / "data" / "states"
SANDBOX = "http://sandbox.invalid"
PLACES = ("sourcePosition", "stackTrace")
"""What a state has of where the program, the SDK and the engine were."""

SUBACCOUNT = "AC" + "5" * 32
TOKEN = "subaccount-token-canary"

IMPORTED, ADOPTED, SEEN, BY_FILE, BY_FILE_UNNAMED = ("PN" + digit * 32 for digit in "abcde")

VERIFIED = {
    IMPORTED: ("+14155550110", "Imported"),
    ADOPTED: ("+14155550111", "Adopted"),
    SEEN: ("+14155550112", "Seen"),
    BY_FILE: ("+14155550113", "By file"),
    BY_FILE_UNNAMED: ("+493090182000", "+493090182000"),
}

SECRET_NUMBER = "+14155550104"
SECRET_NAME = "Private line canary"

PROGRAM = f"""\
import os

config = pulumi.Config()
subaccount = config.require("subaccount")
token = config.require_secret("subaccountToken")

plain = OutgoingCallerId("plain", phone_number="+14155550101")
OutgoingCallerId("named", phone_number="(415) 555-0102", friendly_name="Front desk")
OutgoingCallerId(
    "everything",
    phone_number="+14155550103",
    friendly_name='All "inputs", ünïcode \\U0001f4de',
    call_delay=0,
    extension="12w3#",
    status_callback="https://example.com/ended",
    status_callback_method="GET",
    account_sid=subaccount,
    adopt=False,
    opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m")),
)
hidden = OutgoingCallerId(
    "hidden", phone_number=config.require_secret("number"), friendly_name=Output.secret(config.require_secret("name"))
)
OutgoingCallerId(
    "imported", phone_number="+14155550110", friendly_name="Imported", opts=ResourceOptions(import_="{IMPORTED}")
)
OutgoingCallerId("adopted", phone_number="+14155550111", adopt=True)
seen = OutgoingCallerId.get("seen", "{SEEN}")

by_environment = Provider("by-environment", account_sid=os.environ["TWILIO_ACCOUNT_SID"])
by_arguments = Provider(
    "by-arguments", account_sid=subaccount, auth_token=token, api_url=os.environ["TWILIO_API_URL"], preflight=False
)
office = pulumi.ComponentResource("my:Office", "office")
OutgoingCallerId("same", phone_number="+14155550105", opts=ResourceOptions(provider=by_environment, parent=office))
OutgoingCallerId(
    "sub", phone_number="+14155550106", friendly_name="Sub", opts=ResourceOptions(provider=by_arguments, parent=office)
)

pulumi.export("sid", plain.sid)
pulumi.export("name", plain.friendly_name)
pulumi.export("uri", plain.uri)
pulumi.export("hidden", hidden.phone_number)
pulumi.export("seen", seen.phone_number)
"""


def sandbox_at(state: Path) -> Sandbox:
    """The Twilio that a state was recorded against, or one that has the same account. Callbacks lead nowhere."""
    return Sandbox(
        state=state, subaccounts={SUBACCOUNT: TOKEN}, callbacks="lost", delays=Delays(queued=0, rings=0, talks=0)
    )


def current_version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def record(work: Path, target: Path) -> None:
    account = work / "twilio.json"
    with sandbox_at(account) as fresh:
        main = fresh.account_sid
    times = {"created": 1_700_000_000.0, "updated": 1_700_000_000.0}
    seeded = [
        CallerId(sid=sid, account_sid=main, phone_number=number, friendly_name=name, **times)
        for sid, (number, name) in VERIFIED.items()
    ]
    account.write_text(State(caller_ids=seeded).model_dump_json(), encoding="utf-8")
    with sandbox_at(account) as sandbox:
        stack = Stack(work / "stack", sandbox.environment)
        for key, value in (("subaccount", SUBACCOUNT), ("twilio:accountSid", sandbox.account_sid)):
            stack.pulumi("config", "set", key, value)
        secrets = {
            "twilio:authToken": sandbox.auth_token,
            "subaccountToken": TOKEN,
            "number": SECRET_NUMBER,
            "name": SECRET_NAME,
        }
        for key, value in secrets.items():
            stack.pulumi("config", "set", "--secret", key, value)
        stack.program(PROGRAM)
        stack.up()

        (stack.project / "by_file.json").write_text(import_file(stack, "by_file.py"), encoding="utf-8")
        stack.pulumi("import", "--file", "by_file.json", "--generate-code=false", "--protect=false", "--yes")
        declared = (stack.project / "by_file.py").read_text(encoding="utf-8")
        exported = stack.export()
        url = sandbox.url

    for resource in exported["deployment"]["resources"]:
        for name in PLACES:
            resource.pop(name, None)
    remembered = State.model_validate_json(account.read_bytes())
    kept = State(accounts=remembered.accounts, caller_ids=remembered.caller_ids).model_dump_json(indent=1) + "\n"
    config = (stack.project / "Pulumi.test.yaml").read_text(encoding="utf-8")
    target.mkdir(parents=True)
    for name, text in {
        "stack.json": json.dumps(exported, indent=1, ensure_ascii=False) + "\n",
        "Pulumi.test.yaml": config,
        "program.py": PROGRAM + "\n" + declared,
        "twilio.json": kept,
    }.items():
        (target / name).write_text(text.replace(url, SANDBOX), encoding="utf-8")


def import_file(stack: Stack, program: str) -> str:
    """The import file of two numbers, the program for them beside it."""
    numbers = [f"--phone-number={VERIFIED[sid][0]}" for sid in (BY_FILE, BY_FILE_UNNAMED)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pulumi_twilio_caller_id",
            "import-file",
            *numbers,
            "--no-protect",
            "--program",
            program,
        ],
        cwd=stack.project,
        env=stack.variables(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    heed_interrupts()
    place = STATES / current_version()
    if place.exists():
        sys.exit(
            f"error: {place.relative_to(ROOT)} is there already, and stands for what users of that version have.\n"
            "       Raise the version in pyproject.toml first; or, if it is not released yet, delete the folder."
        )
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), place)
    sys.stdout.write(f"recorded: {place.relative_to(ROOT)}\n")
