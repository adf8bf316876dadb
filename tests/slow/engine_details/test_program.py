"""The project's own program, and its config `callerIds`. What it refuses: unit/provider/test_program.py."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.machine import PROGRAM


def test_an_entry_becomes_a_caller_id_and_its_sid_an_output(stack: Stack, sandbox: Sandbox) -> None:
    """The config command has a trap: without --type string it stores a number."""
    (stack.project / "__main__.py").write_text(PROGRAM.read_text())
    stack.pulumi("config", "set", "--path", "callerIds.front-desk.phoneNumber", "+14155550101")
    output = stack.preview(ok=False).output
    assert "callerIds.front-desk.phoneNumber is 14155550101, which may have lost its plus or zeros" in output
    assert "Traceback" not in output

    entry = {"phoneNumber": "+14155550101", "friendlyName": "Front desk", "callDelay": 0}
    stack.configure({"caller-ids:callerIds": {"front-desk": entry}})
    stack.up()
    [record] = sandbox.caller_ids
    assert ("+14155550101", "Front desk") == (record.phone_number, record.friendly_name)
    assert {"front-desk": record.sid} == stack.outputs()
