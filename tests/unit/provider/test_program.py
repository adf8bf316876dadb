"""What the project's own program makes of its config, in a process that has Pulumi's mocks in place of the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.machine import PROGRAM

RUN = """
import asyncio, json, logging, runpy, sys
import pulumi


class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        made.append([args.name, {key: value for key, value in args.inputs.items() if not key.startswith("__")}])
        return args.name, args.inputs

    def call(self, args):
        return {}


class Told(logging.Handler):
    def emit(self, record):
        made.append(record.getMessage())


made = []
logger = logging.Logger("told", logging.INFO)
logger.addHandler(Told())


async def run(config):
    pulumi.runtime.set_all_config({"caller-ids:callerIds": json.dumps(config)} if config else {})
    made.clear()
    try:
        runpy.run_path(sys.argv[1])
        await pulumi.runtime.stack.wait_for_rpcs()
    except pulumi.RunError as refused:
        return str(refused)
    return made.copy()


async def all_of(configs):
    pulumi.runtime.set_mocks(Cloud(), project="caller-ids", logger=logger)
    return [await run(config) for config in configs]


print(json.dumps(asyncio.run(all_of(json.load(sys.stdin)))))
"""


def run(*configs: object) -> list[Any]:
    """What the program makes of each: resources and messages, or the error."""
    command = [sys.executable, "-c", RUN, str(PROGRAM)]
    done = subprocess.run(command, input=json.dumps(configs), capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told


def test_what_it_makes_of_its_config() -> None:
    number = "+14155550101"
    entry = {"phoneNumber": number, "friendlyName": "Front desk", "callDelay": 0, "adopt": True, "protect": True}
    made, none, no_object, no_number, lost, lost_in_text, national, misspelled, protect = run(
        {"desk": entry},
        None,
        {"desk": 7},
        {"desk": {"name": "x"}},
        {"desk": {"phoneNumber": 14155550101}},
        {"desk": {"phoneNumber": "6562345678"}},
        {"desk": {"phoneNumber": "656 234 5678"}},
        {"desk": {"phoneNumber": number, "freindlyName": "x"}},
        {"desk": {"phoneNumber": number, "protect": "yes"}},
    )
    assert [["desk", {"phone_number": number, "friendly_name": "Front desk", "call_delay": 0, "adopt": True}]] == made
    [hint] = none
    assert hint.startswith("No numbers yet: pulumi config set --path callerIds.desk.phoneNumber")
    assert "callerIds.desk is 7: it takes an object with phoneNumber and perhaps more" == no_object
    assert "callerIds.desk is {'name': 'x'}: it takes an object with phoneNumber and perhaps more" == no_number
    assert lost.startswith("callerIds.desk.phoneNumber is 14155550101, which may have lost its plus or zeros.\n")
    assert lost_in_text.startswith(
        "callerIds.desk.phoneNumber is '6562345678', which may have lost its plus or zeros.\n"
    )
    assert [["desk", {"phone_number": "656 234 5678"}]] == national
    assert misspelled.startswith("callerIds.desk has freindlyName: the keys it takes are phoneNumber, friendlyName, ")
    assert "callerIds.desk.protect is 'yes': it takes true or false" == protect
