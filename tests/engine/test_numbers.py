"""Numbers that Twilio has, and whose length the metadata of `phonenumbers` does not know, or no longer."""

from __future__ import annotations

import json
import subprocess
import sys

import phonenumbers
import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

BENIN, MEXICO, NIGERIA = "+22990011234", "+5215512345678", "+23418040123"
WARNING = "has an unusual length: phonenumbers {} knows no such numbers in {}."


@pytest.fixture
def verified(sandbox: Sandbox) -> dict[str, str]:
    """Each number's sid."""
    return {number: sandbox.add_caller_id(number, number[1:]).sid for number in (BENIN, MEXICO, NIGERIA)}


def warning(region: str) -> str:
    return WARNING.format(phonenumbers.__version__, region)


def test_what_twilio_lists_is_imported_adopted_and_looked_up(
    stack: Stack, sandbox: Sandbox, verified: dict[str, str]
) -> None:
    stack.program(f"""
from pulumi_twilio_caller_id import get_outgoing_caller_id
OutgoingCallerId("benin", phone_number="{BENIN}", opts=ResourceOptions(import_="{verified[BENIN]}"))
OutgoingCallerId("mexico", phone_number="+52 1 55 1234 5678", adopt=True)
pulumi.export("nigeria", get_outgoing_caller_id("{NIGERIA}").sid)
""")
    preview = stack.preview().output
    assert warning("MX") in preview
    stack.up()
    assert {"nigeria": verified[NIGERIA]} == stack.outputs()
    held = {name: state["outputs"]["phone_number"] for name, state in stack.resources().items()}
    assert {"benin": BENIN, "mexico": MEXICO} == held

    again = stack.preview("--expect-no-changes").output
    assert "unusual length" not in again
    stack.refresh("--expect-no-changes")
    assert [] == sandbox.calls


def test_what_twilio_lists_gets_into_the_import_file(stack: Stack, sandbox: Sandbox, verified: dict[str, str]) -> None:
    chosen = ["--phone-number", MEXICO, "--phone-number", "+234 1 804 0123", "--program", "caller_ids.py"]
    with (stack.project / "file.json").open("w") as file:
        command = [sys.executable, "-m", "pulumi_twilio_caller_id", "import-file", *chosen]
        subprocess.run(command, cwd=stack.project, env=stack.variables(), stdout=file, check=True)
    stack.pulumi("import", "--file", "file.json", "--generate-code=false", "--yes", "--skip-preview")
    stack.program("import caller_ids\n")

    stack.preview("--expect-no-changes")
    assert {MEXICO, NIGERIA} == {state["inputs"]["phone_number"] for state in stack.resources().values()}
    assert [] == sandbox.calls


def test_new_metadata_makes_no_other_number_of_the_same_text(stack: Stack, sandbox: Sandbox) -> None:
    """A release of phonenumbers reads the zero of 061 12 34 as a part of the number. Earlier ones left it out."""
    stack.pulumi("config", "set", "twilio:defaultRegion", "HR")
    program = 'OutgoingCallerId("zagreb", phone_number="{}")\nOutgoingCallerId("mexico", phone_number="{}")\n'
    stack.program(program.format("+385611234", MEXICO))
    stack.up()
    assert "+3850611234" == phonenumbers.format_number(phonenumbers.parse("061 12 34", "HR"), 0)

    for zagreb in ("061 12 34", "061-1234", "+385 61 1234", "+385 (0)61 1234"):
        stack.program(program.format(zagreb, "+52 (1) 55 1234-5678"))
        stack.preview("--expect-no-changes")
    stack.program(program.format("062 12 34", "+525512345678"))
    assert {"zagreb": "replace", "mexico": "replace"} == stack.planned()
    assert 2 == len(sandbox.calls)


def test_a_number_is_declared_as_twilio_writes_it(stack: Stack, sandbox: Sandbox) -> None:
    """Twilio calls Mexican mobiles by the form of before 2019, whatever was asked for."""
    answer = {"account_sid": sandbox.account_sid, "call_sid": "CA" + "1" * 32, "validation_code": "123456"}
    sandbox.fail(
        "create", times=1, status=200, body=json.dumps({**answer, "phone_number": MEXICO, "friendly_name": "x"})
    )
    stack.program('OutgoingCallerId("mexico", phone_number="+525512345678")\n')
    failed = stack.up(ok=False)
    assert f"Twilio calls {MEXICO} in its place" in failed.error
    assert "declare it as Twilio writes it" in failed.error

    stack.program(f'OutgoingCallerId("mexico", phone_number="{MEXICO}")\n')
    assert warning("MX") in stack.up().output
    assert MEXICO == stack.resources()["mexico"]["outputs"]["phone_number"]
    stack.preview("--expect-no-changes")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+999 123 4567", "it has a country code that does not exist"),
        ("+49 1234", "it has 6 digits with its country code: a phone number has 7 to 15"),
        ("+49 30 12345678901234", "it has 18 digits with its country code: a phone number has 7 to 15"),
        ("+1 415 555 010", "it is too short for its country"),
        ("+44 20 7183 875O", "it holds letters: give the digits that stand for them"),
    ],
)
def test_what_can_be_no_number_is_refused(stack: Stack, number: str, reason: str) -> None:
    stack.program(f'OutgoingCallerId("desk", phone_number="{number}")\n')
    assert f"property phone_number value {{{number}}} has a problem: {reason}" in stack.preview(ok=False).output


@pytest.mark.parametrize("text", ["+31 (0)06 6722 7926", "+44 (0)020 7946 0018"])
def test_a_zero_too_many_is_read_the_same_each_time(stack: Stack, sandbox: Sandbox, text: str) -> None:
    """It is taken off when the text is read, and there is none left when the result is read again."""
    stack.program(f'OutgoingCallerId("desk", phone_number="{text}")\n')
    stack.up()
    assert {} == stack.planned()
    stack.up()
    assert 1 == len(sandbox.calls) == len(sandbox.caller_ids)
