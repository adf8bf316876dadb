"""Pulumi's own import, with the native provider: the state is as if the stack had made the numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from pulumi_twilio_caller_id.cli.import_format import NATIVE_TYPE
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.native_stack import NativeStack
from tests.support.stored import comparable

NUMBER, MADE = "+14155550101", "+14155550111"
NO_SUCH = "PN" + "0" * 32
IMPORT = ("--yes", "--skip-preview", "--generate-code=false")  # our Python host writes no programs
MANY = 200


@pytest.fixture
def stack_class() -> type[Stack]:
    return NativeStack


def import_one(stack: Stack, sid: str, *options: str, ok: bool = True) -> str:
    return stack.pulumi("import", NATIVE_TYPE, "desk", sid, *IMPORT, *options, ok=ok).output


def declared(name: str, number: str, friendly_name: str | None = "Front desk", opts: str = "protect=True") -> str:
    inputs = f'phone_number="{number}", friendly_name={friendly_name!r}'
    return f'OutgoingCallerId("{name}", {inputs}, opts=ResourceOptions({opts}))\n'


def assert_alike(states: Mapping[str, Mapping[str, Any]], imported: str, created: str) -> None:
    """Assert that the state has both alike, but for their names and numbers."""
    one, other = (comparable(states[name]) for name in (imported, created))
    number, other_number = (it["outputs"]["phone_number"] for it in (one, other))
    assert other == json.loads(json.dumps(one).replace(f"::{imported}", f"::{created}").replace(number, other_number))


def test_one_number_by_its_sid(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    begin = time.monotonic()
    import_one(stack, sid)
    print(f"imported 1 number in {time.monotonic() - begin:.1f} s")  # noqa: T201
    assert [] == sandbox.calls
    stack.program(declared("desk", NUMBER))
    assert {} == stack.planned()

    stack.program(declared("desk", NUMBER) + declared("made", MADE))
    stack.up()
    assert_alike(stack.resources(), "desk", "made")
    assert [MADE] == [call.to for call in sandbox.calls]
    stack.refresh("--expect-no-changes")


@pytest.mark.parametrize("sid", [NO_SUCH, "foreign"])
def test_a_sid_that_the_account_lacks_imports_nothing(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    if sid == "foreign":
        with Sandbox() as other:
            sid = other.add_caller_id(NUMBER).sid
    failed = import_one(stack, sid, ok=False)
    assert f"There is no OutgoingCallerId {sid} in account {sandbox.account_sid} (20404)." in failed
    assert "Traceback" not in failed
    assert {} == stack.resources()


def test_what_is_no_sid_imports_nothing(stack: Stack, sandbox: Sandbox) -> None:
    failed = import_one(stack, "+14155550101", ok=False)
    assert "'+14155550101' is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits." in failed
    assert {} == stack.resources()
    assert [] == sandbox.requests


def test_many_numbers_by_the_file_of_import_file(stack: Stack, sandbox: Sandbox) -> None:
    for at in range(MANY):
        sandbox.add_caller_id(f"+1415555{at:04d}", f"Line {at}")
    command = [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id", "import-file", "--all", "--native"]
    done = subprocess.run(command, cwd=stack.project, env=stack.variables(), capture_output=True, text=True, check=True)
    (stack.project / "FILE").write_text(done.stdout)
    [told] = re.findall("^To import: pulumi (.*)$", done.stderr, re.MULTILINE)
    before, begin = len(sandbox.requests), time.monotonic()
    stack.pulumi(*told.split(), *IMPORT)
    print(f"imported {MANY} numbers in {time.monotonic() - begin:.1f} s")  # noqa: T201
    assert len(sandbox.requests) - before <= 2, "one listing tells of all numbers"

    numbers = {it["name"]: it["id"] for it in json.loads(done.stdout)["resources"]}
    records = {record.sid: record for record in sandbox.caller_ids}
    program = "".join(
        declared(name, records[sid].phone_number, records[sid].friendly_name) for name, sid in numbers.items()
    )
    stack.program(program)
    begin = time.monotonic()
    assert {} == stack.planned()
    print(f"preview of {MANY} imported numbers in {time.monotonic() - begin:.1f} s")  # noqa: T201
    assert numbers == {name: state["id"] for name, state in stack.resources().items()}
    assert [] == sandbox.calls


SURROUNDINGS = """
office = pulumi.ComponentResource("my:Office", "office")
branch = Provider("branch", account_sid="{account_sid}", auth_token=pulumi.Config().require_secret("branchToken"))
"""


def test_into_a_component_with_a_new_provider(stack: Stack, sandbox: Sandbox) -> None:
    """The new provider's credentials are the environment's during the import, and the program's from then on."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    options = ["--name", "desk", "--parent", "my:Office::office", "--provider", "branch"]
    command = [sys.executable, "-m", "pulumi_twilio_caller_id", "import-file", "--all", "--native", *options]
    done = subprocess.run(command, cwd=stack.project, env=stack.variables(), capture_output=True, text=True, check=True)
    (stack.project / "FILE").write_text(done.stdout)
    stack.pulumi("import", "--file", "FILE", *IMPORT)

    stack.pulumi("config", "set", "--secret", "branchToken", sandbox.auth_token)
    opts = "parent=office, provider=branch, protect=True"
    program = SURROUNDINGS.format(account_sid=sandbox.account_sid) + declared("desk", NUMBER, opts=opts)
    stack.program(program)
    assert {"branch": "update"} == stack.planned()
    stack.program(program + declared("made", MADE, opts=opts))
    stack.up()
    states = stack.resources()
    assert sid == states["desk"]["id"]
    assert_alike(states, "desk", "made")


def test_the_option_import_takes_over_exactly_that_sid(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    imported = declared("desk", NUMBER, opts=f'import_="{sid}"')
    stack.program(imported)
    assert "desk import" in stack.preview().output
    stack.up()
    stack.program(imported + declared("made", MADE, opts=""))
    stack.up()
    states = stack.resources()
    assert sid == states["desk"].pop("importID")
    assert_alike(states, "desk", "made")
    assert [MADE] == [call.to for call in sandbox.calls]

    stack.program(declared("desk", NUMBER, opts="") + declared("made", MADE, opts=""))
    assert {} == stack.planned()


def test_the_option_import_of_another_number_is_pulumis_error_and_of_another_name_renames(
    stack: Stack, sandbox: Sandbox
) -> None:
    """Nobody is called, and nothing is deleted."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    stack.program(declared("desk", "+14155550102", opts=f'import_="{sid}"'))
    failed = stack.up(ok=False)
    assert failed.error.startswith("error: previously-imported resources that still specify an ID may not be replaced")
    assert f"phone_number: {{{NUMBER}}} => {{+14155550102}}" in failed.error
    assert {"GET"} == {request.method for request in sandbox.requests}

    stack.program(declared("desk", NUMBER, "Reception", f'import_="{sid}"'))
    stack.up()
    assert {sid: "Reception"} == {record.sid: record.friendly_name for record in sandbox.caller_ids}
    assert [] == sandbox.calls


def test_the_option_import_of_a_missing_sid_is_our_message(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(declared("desk", NUMBER, opts=f'import_="{NO_SUCH}"'))
    failed = stack.up(ok=False)
    assert f"There is no OutgoingCallerId {NO_SUCH} in account {sandbox.account_sid} (20404)." in failed.error
    assert {} == stack.resources()
