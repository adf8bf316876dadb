"""The main cells of the fault matrix on the real engine: what state and account have after each."""

from __future__ import annotations

from harness import Stack
from pulumi_twilio_caller_id.testing import Sandbox

PROGRAM = """
OutgoingCallerId("front", phone_number="+14155550101", friendly_name="{name}")
"""


def test_faults_lose_no_caller_id_and_place_no_second_call(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(PROGRAM.format(name="Front"))
    sandbox.set_phone("+14155550101", "busy")
    sandbox.fail("create", drop="after", times=1)
    lost = stack.up(ok=False)
    assert 1 == len(sandbox.calls)
    assert "415-555-0101 was not verified" in lost.error

    sandbox.set_phone("+14155550101", "keys-code")
    sandbox.fail("list", status=503, times=1)
    sandbox.fail("create", status=429, times=1)
    sandbox.fail("call", body="<html>", times=1)
    stack.up()
    assert 2 == len(sandbox.calls)
    [kept] = [resource["id"] for resource in stack.resources().values()]

    sandbox.fail("fetch", status=404, body="{}")
    refused = stack.refresh(ok=False)
    assert [kept] == [resource["id"] for resource in stack.resources().values()]
    sandbox.heal()

    sandbox.fail("delete", body="{}")
    believed = stack.destroy(ok=False)
    assert [kept] == [resource["id"] for resource in stack.resources().values()]
    sandbox.heal()

    for result in (lost, refused, believed):
        assert 0 != result.code
        assert "Traceback" not in result.output
        assert sandbox.auth_token not in result.output
    stack.destroy()
    assert [] == sandbox.caller_ids
