"""What the native provider does otherwise than the dynamic one. The other tests are about both: `--shell native`."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.cli.import_format import NATIVE_TYPE
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.native_stack import NativeStack
from tests.support.stored import stored

NUMBER, OTHER = "+14155550101", "+14155550102"


@pytest.fixture
def stack_class() -> type[NativeStack]:
    return NativeStack


def test_the_first_number(stack: Stack, sandbox: Sandbox) -> None:
    """A preview needs no credentials and places no call; the state has secrets encrypted, in inputs and outputs."""
    stack.program(
        'desk = OutgoingCallerId("desk", phone_number="(415) 555-0101", friendly_name=Output.secret("Front desk"),'
        ' opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m")))\n'
        'pulumi.export("sid", desk.sid)\n'
        'pulumi.export("number", desk.phone_number)\n'
    )
    preview = stack.preview(env={"TWILIO_ACCOUNT_SID": "", "TWILIO_AUTH_TOKEN": ""}).output
    assert "`pulumi up` will call +1 415-555-0101 (someone must key in a 6-digit code within 8 min)" in preview
    assert "US is assumed, as the number does not begin with + (twilio:defaultRegion)" in preview
    assert "no credentials; `pulumi up` will need them" in preview
    assert [] == sandbox.calls

    stack.up()
    [record] = sandbox.caller_ids
    assert {"sid": record.sid, "number": NUMBER} == stack.outputs()
    desk = stack.resources()["desk"]
    assert ({"phone_number", "friendly_name"}, record.sid) == (set(desk["inputs"]), desk["id"])
    assert [] == stored("Front desk", stack)
    assert [NUMBER] == [call.to for call in sandbox.calls]

    stack.refresh("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_each_change_is_named(stack: Stack, sandbox: Sandbox) -> None:
    """So `replace_on_changes` works, which it does not with a dynamic provider."""
    program = 'OutgoingCallerId("desk", phone_number="{}", friendly_name="{}", adopt=True, opts=ResourceOptions({}))\n'
    stack.program(program.format(NUMBER, "Desk", ""))
    stack.up()
    stack.program(program.format(NUMBER, "Lobby", ""))
    assert 'friendly_name: "Desk" => "Lobby"' in stack.preview("--diff").output
    stack.program(program.format(NUMBER, "Lobby", 'replace_on_changes=["friendlyName"]'))
    assert {"desk": "replace"} == stack.planned()
    stack.program(program.format(OTHER, "Lobby", ""))
    preview = stack.preview("--diff").output
    assert f'phone_number : "{NUMBER}" => "{OTHER}"' in preview or f'phone_number: "{NUMBER}" => "{OTHER}"' in preview
    assert "then delete +1 415-555-0101 (PN" in preview
    stack.up()
    assert [NUMBER, OTHER] == [call.to for call in sandbox.calls]


def test_a_change_that_the_program_has_made_a_replacement(stack: Stack, sandbox: Sandbox) -> None:
    """The provider calls it an update, so Pulumi's own decision must not leave the number behind at Twilio."""
    options = 'opts=ResourceOptions(replace_on_changes=["friendlyName"], delete_before_replace=True)'
    stack.program(f'OutgoingCallerId("desk", phone_number="{NUMBER}", {options})\n')
    stack.up()
    [old] = sandbox.caller_ids
    stack.program(f'OutgoingCallerId("desk", phone_number="{NUMBER}", friendly_name="Desk", {options})\n')
    stack.up()
    [new] = sandbox.caller_ids
    assert ("Desk", new.sid) == (new.friendly_name, stack.resources()["desk"]["id"])
    assert (old.sid != new.sid, [NUMBER, NUMBER]) == (True, [call.to for call in sandbox.calls])


def test_pulumi_imports_a_number_by_its_sid(stack: Stack, sandbox: Sandbox) -> None:
    """`pulumi import TYPE NAME ID`, and the option `import_` in a program. The state is as if it had been created."""
    records = [sandbox.add_caller_id(NUMBER, "Desk"), sandbox.add_caller_id(OTHER, "Lobby")]
    options = ["--generate-code=false", "--yes", "--skip-preview", "--protect=false"]
    missing = stack.pulumi("import", NATIVE_TYPE, "desk", "PN" + "0" * 32, *options, ok=False)
    assert f"There is no OutgoingCallerId PN{'0' * 32} in account {sandbox.account_sid} (20404).\n" in missing.output
    assert "Traceback" not in missing.output
    stack.pulumi("import", NATIVE_TYPE, "desk", records[0].sid, *options)
    assert {"phone_number": NUMBER, "friendly_name": "Desk"} == stack.resources()["desk"]["inputs"]

    stack.program(
        f'OutgoingCallerId("desk", phone_number="{NUMBER}", friendly_name="Desk")\n'
        f'OutgoingCallerId("lobby", phone_number="{OTHER}", opts=ResourceOptions(import_="{records[1].sid}"))\n'
    )
    assert {"lobby": "import"} == stack.planned()
    stack.up()
    assert {it.sid for it in records} == {it["id"] for it in stack.resources().values()}
    stack.refresh("--expect-no-changes")
    assert [] == sandbox.calls


def test_one_number_is_not_imported_twice(stack: Stack, sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id(NUMBER)
    again = f'OutgoingCallerId("{{}}", phone_number="{NUMBER}", opts=ResourceOptions(import_="{record.sid}"))\n'
    stack.program(again.format("desk") + again.format("front"))
    told = stack.up(ok=False).output.lower()
    assert "declare each number once" in told
    assert [record] == sandbox.caller_ids


def test_a_provider_of_the_program(stack: Stack, sandbox: Sandbox) -> None:
    """It has its own settings and the environment's, not the stack's config. Its secrets are encrypted in any case."""
    stack.configure({"twilio:adopt": "true"})
    sandbox.add_caller_id(NUMBER)
    stack.program(
        f'main = Provider("main", account_sid="{sandbox.account_sid}", auth_token="{sandbox.auth_token}",'
        ' unverified="await", default_region="DE", notify=["json://canary@127.0.0.1:9/"])\n'
        'OutgoingCallerId("berlin", phone_number="030 90182000", opts=ResourceOptions(provider=main))\n'
        f'OutgoingCallerId("desk", phone_number="{NUMBER}", adopt=False, opts=ResourceOptions(provider=main))\n'
    )
    told = stack.preview(ok=False, env={"TWILIO_AUTH_TOKEN": "0" * 32}).output
    assert "+1 415-555-0101 is already verified" in told or "it is a caller ID of account" in told
    stack.program(stack.project.joinpath("__main__.py").read_text().replace("adopt=False", "adopt=True"))
    stack.up(env={"TWILIO_AUTH_TOKEN": "0" * 32})
    assert ["+493090182000"] == [call.to for call in sandbox.calls]
    assert [] == stored(sandbox.auth_token, stack) == stored("canary", stack)


@pytest.mark.parametrize("number", ["hello", "", "+1 415 555\\0", "1" * 300])
def test_what_is_no_number_is_one_message(stack: Stack, number: str) -> None:
    stack.program(f'OutgoingCallerId("desk", phone_number="{number}")\n')
    told = stack.preview(ok=False).error
    assert " has a problem: " in told
    assert "Traceback" not in told


def test_a_number_in_two_spellings_of_the_input(stack: Stack, sandbox: Sandbox) -> None:
    """The protocol has no order of properties: either of the numbers would be called."""
    inputs = {"sid": None, "phoneNumber": NUMBER, "phone_number": OTHER}
    stack.program(f'pulumi.CustomResource("{NATIVE_TYPE}", "desk", {inputs})\n')
    assert "it is given in camelCase and in snake_case" in stack.up(ok=False).error
    assert [] == sandbox.calls


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('account_sid="SK" + "0" * 32', "is an API key: give the sid of the account"),
        ('account_sid="\\u00e4" * 32', "must be the sid of an account: AC and 32 hexadecimal digits"),
        ('api_url="https://user:\\u00e4@api.example"', "must be a base URL: http or https, a host, and no user"),
        ('unverified="wait"', "must be fail or await"),
        ('auth_token="\\u00e4" * 32', "holds a character that Twilio's tokens and secrets never have"),
    ],
)
def test_a_bad_setting_is_one_message(stack: Stack, settings: str, told: str) -> None:
    stack.program(f'Provider("main", {settings})\n')
    preview = stack.preview(ok=False).output
    assert told in preview
    assert "Traceback" not in preview
    assert "\u00e4" not in preview, "a secret"


def test_a_provider_that_is_known_late(stack: Stack, sandbox: Sandbox) -> None:
    """Its preview asks Twilio nothing."""
    stack.program(
        "class Late(pulumi.dynamic.ResourceProvider):\n"
        "    def create(self, props):\n"
        '        return pulumi.dynamic.CreateResult("1", {"token": props["source"]})\n'
        "class Token(pulumi.dynamic.Resource):\n"
        "    token: Output[str]\n"
        f'token = Token(Late(), "token", {{"token": None, "source": "{sandbox.auth_token}"}})\n'
        f'main = Provider("main", account_sid="{sandbox.account_sid}", auth_token=token.token)\n'
        f'OutgoingCallerId("desk", phone_number="{NUMBER}", opts=ResourceOptions(provider=main))\n'
    )
    stack.preview(env={"TWILIO_AUTH_TOKEN": ""})
    assert [] == sandbox.requests
    stack.up(env={"TWILIO_AUTH_TOKEN": ""})
    assert [NUMBER] == [call.to for call in sandbox.calls]


def test_an_account_in_the_environment_in_place_of_the_providers(stack: Stack, sandbox: Sandbox) -> None:
    """CI systems pass a missing variable as an empty text, which is no other account: nothing is replaced."""
    declared = f'OutgoingCallerId("desk", phone_number="{NUMBER}", opts=ResourceOptions(provider=main))\n'
    stack.program(f'main = Provider("main", account_sid="{sandbox.account_sid}")\n{declared}')
    stack.up()
    stack.program(f'main = Provider("main", account_sid="")\n{declared}')
    stack.up()
    assert [NUMBER] == [call.to for call in sandbox.calls]


@pytest.mark.twilio_sandbox(subaccounts={"AC" + "5" * 32: "5" * 32})
def test_another_account_in_the_config(stack: Stack, sandbox: Sandbox) -> None:
    """The number is verified there, then deleted here: Pulumi keeps the old provider with its credentials."""
    token = sandbox.auth_token
    stack.configure({"twilio:accountSid": sandbox.account_sid, "twilio:authToken": token, "twilio:apiUrl": sandbox.url})
    stack.environment.clear()
    stack.program(f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n')
    stack.up()
    stack.configure({"twilio:accountSid": "AC" + "5" * 32, "twilio:authToken": "5" * 32})
    stack.up()
    assert [(NUMBER, "AC" + "5" * 32)] == [(it.phone_number, it.account_sid) for it in sandbox.caller_ids]
    assert 2 == len(sandbox.calls)


@pytest.mark.twilio_sandbox(phones={"*": {"behaviour": "manual", "rings": 600}})
def test_interrupted_while_many_numbers_wait(stack: Stack, sandbox: Sandbox) -> None:
    """^C reaches the provider however many of its operations wait."""
    stack.program('for n in range(100, 170):\n    OutgoingCallerId(f"n{n}", phone_number=f"+14155550{n}")\n')
    running = stack.start("up", "--yes", "--skip-preview", "--parallel", "100")
    try:
        running.until(lambda: len(sandbox.calls) == 70)
        running.process.send_signal(signal.SIGINT)
        running.until(running.ended)
    finally:
        running.kill()
    told = re.findall(r"error: \+1 415-555-(\d+) was not verified: pulumi was interrupted", running.output)
    assert {str(n).zfill(4) for n in range(100, 170)} == set(told)
    assert [] == stack.pending()


def test_the_functions(stack: Stack, sandbox: Sandbox) -> None:
    for digit in range(3):
        sandbox.add_caller_id(f"+1415555010{digit}", "Desk")
    stack.program(
        "from pulumi_twilio_caller_id import get_outgoing_caller_id, get_outgoing_caller_ids\n"
        'one = get_outgoing_caller_id("(415) 555-0101")\n'
        'pulumi.export("one", [one.sid, one.friendly_name])\n'
        'pulumi.export("many", [it.phone_number for it in get_outgoing_caller_ids(friendly_name="Desk")])\n'
    )
    stack.up()
    found = {it.phone_number: it.sid for it in sandbox.caller_ids}
    assert {"one": [found[NUMBER], "Desk"], "many": sorted(found)} == {
        name: sorted(value) if name == "many" else value for name, value in stack.outputs().items()
    }
    stack.program('import tests.support.native_sdk as sdk\nsdk.get_outgoing_caller_id("+14155550109")\n')
    told = stack.preview(ok=False).output
    assert "getOutgoingCallerId: there is no caller ID with the given phone_number in account AC" in told


def test_pulumi_reads_the_schema(stack: Stack) -> None:
    executable = Path(sys.prefix) / "bin" / "pulumi-resource-twilio-caller-id"
    told = Stack.pulumi(stack, "package", "get-schema", str(executable)).stdout
    assert NATIVE_TYPE in json.loads(told)["resources"]
    (stack.folder / "schema.json").write_text(told)
    checked = Stack.pulumi(stack, "schema", "check", str(stack.folder / "schema.json"))
    assert "" == checked.output
