"""Numbers that Twilio has, and whose length the metadata of `phonenumbers` does not know, or no longer."""

from __future__ import annotations

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
    stack.up(settled=False)
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
