"""A caller ID is gone if Twilio says so of its sid, and its account's list lacks it too. Anything less keeps the state.

Credentials that don't reach an account may get 404 with code 20404 for everything in it.
"""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

TWO = (
    'OutgoingCallerId("desk", phone_number="+14155550101")\nOutgoingCallerId("support", phone_number="+14155550102")\n'
)
COMMANDS = [
    "refresh --yes --skip-preview",
    "refresh --yes --skip-preview --run-program",
    "up --yes --skip-preview --refresh",
    "destroy --yes --skip-preview",
    "destroy --yes --skip-preview --refresh",
]


def sids(stack: Stack) -> set[str]:
    return {state["id"] for state in stack.resources().values()}


def test_the_state_is_kept(stack: Stack, sandbox: Sandbox) -> None:
    """Whatever is asked is answered 404 and 20404: no command takes a number out of the state, or deletes one."""
    stack.program(TWO)
    stack.up(settled=False)
    before = sids(stack)
    sandbox.fail("*", times=None, status=404, code=20404)
    for command in COMMANDS:
        asked = len(sandbox.requests)
        result = stack.pulumi(*command.split(), ok=False)
        assert result.code != 0, command
        assert "may be gone, but that is not certain" in result.output, command
        assert f"account {sandbox.account_sid}" in result.output, command
        assert "They come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)." in result.output, command
        assert "Traceback" not in result.output, command
        assert before == sids(stack) == {record.sid for record in sandbox.caller_ids}, command
        lists = [r for r in sandbox.requests[asked:] if r.endpoint == "list" and r.status == 404]
        assert len(lists) <= 4, "not one a number"

    stack.program(TWO + f'OutgoingCallerId.get("seen", "PN{"7" * 32}")\n')
    output = stack.preview(ok=False).output
    assert "may be gone, but that is not certain" in output
    assert "There is no OutgoingCallerId" not in output

    sandbox.heal()
    stack.refresh("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_one_list_serves_all_that_are_gone(stack: Stack, sandbox: Sandbox) -> None:
    stack.program("".join(f'OutgoingCallerId("n{n}", phone_number="+1415555010{n}")\n' for n in range(5)))
    stack.up(settled=False)
    for record in sandbox.caller_ids:
        sandbox.remove(record.sid)
    asked = len(sandbox.requests)
    stack.refresh()
    assert set() == sids(stack)
    assert 1 == len([r for r in sandbox.requests[asked:] if r.endpoint == "list"])
