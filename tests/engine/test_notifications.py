"""Notifications on the real engine: the code goes out as the call is placed, the outcome after."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, occurrences
from tests.support.machine import free_port
from tests.support.notify_service import CANARY, Service

TWO = """
OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")
OutgoingCallerId("lobby", phone_number="+14155550102")
"""


def test_the_code_then_the_outcome(stack: Stack, sandbox: Sandbox, service: Service) -> None:
    """A service that can't be reached is a warning, and keeps neither the number nor another service from anything."""
    sandbox.set_phone("+14155550102", "busy")
    failing = f"json://{CANARY}@127.0.0.1:{free_port()}/"
    stack.pulumi("config", "set", "--secret", "twilio:notify", f"{failing} {service.url()}")
    stack.program(TWO)
    output = stack.up("--continue-on-error", ok=False).output

    codes = {call.to: call.validation_code for call in sandbox.calls}
    titles = [title for title, _, _ in service.messages()]
    desk, lobby = ([title for title in titles if number in title] for number in ("+1 415-555-0101", "+1 415-555-0102"))
    assert [f"Key in {codes['+14155550101']} on +1 415-555-0101", "+1 415-555-0101 is verified"] == desk
    assert [f"Key in {codes['+14155550102']} on +1 415-555-0102", "+1 415-555-0102 was not verified"] == lobby
    assert "warning: " in output
    assert "json://***" in output
    assert CANARY not in output
    assert [] == occurrences(CANARY, stack)
    assert ["desk"] == list(stack.resources())
