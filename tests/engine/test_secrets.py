from __future__ import annotations

import json

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, occurrences

SECRET = "1b47061264138c4ac30d75fd1eb44270"  # how a state file marks an encrypted value


def test_a_secret_phone_number_stays_secret(stack: Stack, sandbox: Sandbox) -> None:
    """In the state, after up as after refresh; the stack's output is masked."""
    stack.program(
        'desk = OutgoingCallerId("desk", phone_number=Output.secret("415-555-0101"), friendly_name="Front desk")\n'
        'pulumi.export("number", desk.phone_number)\npulumi.export("sid", desk.sid)\n'
    )
    output = stack.up().output
    assert "number: [secret]" in output
    for operation in (lambda: None, stack.refresh, stack.up):
        operation()
        desk = stack.resources()["desk"]
        assert SECRET in json.dumps(desk["inputs"]["phone_number"])
        assert SECRET in json.dumps(desk["outputs"]["phone_number"])
        assert [] == occurrences("+14155550101", stack)
    assert {} == stack.planned()
    assert "+14155550101" == stack.outputs()["number"]
