"""Notifications on the real engine: the code goes out as the call is placed, the outcome after."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.machine import free_port
from tests.support.notify_service import CANARY, Service
from tests.support.stored import occurrences

THREE = """
patient = Provider("patient", unverified="await")
OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")
OutgoingCallerId("lobby", phone_number="+14155550102")
OutgoingCallerId("lab", phone_number="+14155550103", opts=ResourceOptions(provider=patient))
"""


def test_the_code_then_the_outcome(stack: Stack, sandbox: Sandbox, service: Service) -> None:
    """A service that can't be reached is a warning, and keeps neither the number nor another service from anything."""
    for number in ("+14155550102", "+14155550103"):
        sandbox.set_phone(number, "busy")
    failing = f"json://{CANARY}@127.0.0.1:{free_port()}/"
    stack.pulumi("config", "set", "--secret", "twilio:notify", f"{failing} {service.url()}")
    stack.program(THREE)
    output = stack.up("--continue-on-error", ok=False).output

    codes = {call.to: call.validation_code for call in sandbox.calls}
    titles = [title for title, _, _ in service.messages()]
    desk, lobby, lab = ([title for title in titles if f"+1 415-555-010{n}" in title] for n in (1, 2, 3))
    assert [f"{codes['+14155550101']}: enter on +1 415-555-0101", "+1 415-555-0101 is verified"] == desk
    assert [f"{codes['+14155550102']}: enter on +1 415-555-0102", "+1 415-555-0102 was not verified"] == lobby
    assert [f"{codes['+14155550103']}: enter on +1 415-555-0103", "+1 415-555-0103 still waits"] == lab
    [(message, kind)] = [it[1:] for it in service.messages() if it[0].endswith(" still waits")]
    assert message.startswith("the line was busy (call CA")
    assert (True, "warning") == (message.endswith("\nRun `pulumi up` again."), kind)
    assert "warning: " in output
    assert "json://***" in output
    assert CANARY not in output
    assert [] == occurrences(CANARY, stack)
    assert ["desk"] == list(stack.resources())
