from __future__ import annotations

from harness import Stack
from pulumi_twilio_caller_id.testing import Sandbox

TWO = (
    'OutgoingCallerId("desk", phone_number="+14155550101")\nOutgoingCallerId("support", phone_number="+14155550102")\n'
)


def test_destroy_removes_the_numbers_at_twilio(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    stack.destroy()

    assert [] == sandbox.caller_ids
    assert {} == stack.resources()


def test_leaving_one_out_of_the_program_deletes_just_that(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    stack.program(TWO.splitlines()[0])
    stack.up()

    assert ["+14155550101"] == [record.phone_number for record in sandbox.caller_ids]


def test_one_that_is_gone_already_is_as_good_as_deleted(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    sandbox.remove(sandbox.caller_ids[0].sid)
    stack.destroy()

    assert [] == sandbox.caller_ids
    assert {} == stack.resources()


def test_one_that_twilio_does_not_delete_stays_in_state(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    sandbox.fail("delete", times=None, status=500, retry_after=0)
    result = stack.destroy(ok=False)

    assert "Twilio failed to delete caller ID PN" in result.error
    assert "Traceback" not in result.output
    assert {"desk", "support"} == set(stack.resources())
    sandbox.heal()
    stack.destroy()
    assert [] == sandbox.caller_ids
