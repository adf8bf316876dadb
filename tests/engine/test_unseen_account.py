"""A caller ID is gone if Twilio says so of its sid, and its account's list lacks it too. Anything less keeps the state.

Credentials that don't reach an account may get 404 with code 20404 for everything in it.
"""

from __future__ import annotations

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

TWO = (
    'OutgoingCallerId("desk", phone_number="+14155550101")\nOutgoingCallerId("support", phone_number="+14155550102")\n'
)


@pytest.fixture
def unseen(stack: Stack, sandbox: Sandbox) -> Stack:
    """A stack with two numbers, whose account answers 404 and 20404 to whatever is asked."""
    stack.program(TWO)
    stack.up()
    sandbox.fail("*", times=None, status=404, code=20404)
    return stack


def sids(stack: Stack) -> set[str]:
    return {state["id"] for state in stack.resources().values()}


@pytest.mark.parametrize(
    "command",
    [
        ("refresh", "--yes", "--skip-preview"),
        ("refresh", "--yes", "--skip-preview", "--run-program"),
        ("up", "--yes", "--skip-preview", "--refresh"),
        ("destroy", "--yes", "--skip-preview"),
        ("destroy", "--yes", "--skip-preview", "--refresh"),
    ],
    ids=" ".join,
)
def test_the_state_is_kept(unseen: Stack, sandbox: Sandbox, command: tuple[str, ...]) -> None:
    before = sids(unseen)
    result = unseen.pulumi(*command, ok=False)

    assert result.code != 0
    assert "is gone can't be told" in result.output
    assert f"account {sandbox.account_sid}" in result.output
    assert "Traceback" not in result.output
    assert before == sids(unseen) == {record.sid for record in sandbox.caller_ids}
    assert len([r for r in sandbox.requests if r.endpoint == "list" and r.status == 404]) <= 4, "not one a number"

    sandbox.heal()
    unseen.refresh("--expect-no-changes")
    unseen.destroy()
    assert [] == sandbox.caller_ids


def test_a_number_that_leaves_the_program_stays_in_the_state(unseen: Stack, sandbox: Sandbox) -> None:
    unseen.program(TWO.splitlines()[0])
    result = unseen.up(ok=False)
    assert "is gone can't be told" in result.error
    assert len(sids(unseen)) == 2
    assert len(sandbox.caller_ids) == 2


def test_an_import_does_not_say_that_there_is_no_such_number(stack: Stack, sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id("+14155550101", "Desk")
    sandbox.fail("*", times=None, status=404, code=20404)
    stack.program(
        f'OutgoingCallerId("desk", phone_number="+14155550101", opts=ResourceOptions(import_="{record.sid}"))\n'
    )
    result = stack.up(ok=False)
    assert "is gone can't be told" in result.error
    assert "They come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)." in result.error


def test_a_rename_does_not_say_that_the_number_was_removed(unseen: Stack) -> None:
    unseen.program(TWO.replace('0101"', '0101", friendly_name="Desk"'))
    result = unseen.up(ok=False)
    assert "is gone can't be told" in result.error
    assert "was removed" not in result.output


def test_a_look_at_one_number_does_not_say_that_it_is_not_there(unseen: Stack, sandbox: Sandbox) -> None:
    unseen.program(TWO + f'OutgoingCallerId.get("seen", "PN{"7" * 32}")\n')
    result = unseen.preview(ok=False)
    assert "is gone can't be told" in result.output
    assert "There is no OutgoingCallerId" not in result.output


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_list_that_is_refused_otherwise_keeps_the_state(stack: Stack, sandbox: Sandbox, status: int) -> None:
    stack.program(TWO)
    stack.up()
    before = sids(stack)
    sandbox.fail("fetch", times=None, status=404, code=20404)
    sandbox.fail("list", times=None, status=status, retry_after=0 if status == 500 else None)
    result = stack.refresh(ok=False)
    assert before == sids(stack)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("operation", ["refresh", "destroy"])
def test_a_read_that_lags_behind_is_no_loss(stack: Stack, sandbox: Sandbox, operation: str) -> None:
    """Twilio may not find by its sid, for a moment, what its list has already."""
    stack.program(TWO.splitlines()[0])
    stack.up()
    [record] = sandbox.caller_ids
    if operation == "refresh":
        sandbox.fail("fetch", times=None, status=404, code=20404)
        stack.refresh("--expect-no-changes")
    else:
        sandbox.fail("delete", times=None, status=404, code=20404)
        result = stack.destroy(ok=False)
        assert f"yet account {sandbox.account_sid} lists it" in result.error
        assert [record.sid] == [known.sid for known in sandbox.caller_ids]
    assert {record.sid} == sids(stack)


@pytest.mark.parametrize("refresh", [(), ("--refresh",)])
def test_a_rename_that_is_told_404_wrongly(stack: Stack, sandbox: Sandbox, refresh: tuple[str, ...]) -> None:
    """Also after a refresh in the same operation, which has listed the account."""
    stack.program(TWO)
    stack.up()
    sandbox.fail("update", times=None, status=404, code=20404)
    stack.program(TWO.replace('0101"', '0101", friendly_name="Desk"'))
    result = stack.up(*refresh, ok=False)
    assert f"yet account {sandbox.account_sid} lists it" in result.error
    assert "was removed" not in result.output


def test_one_list_serves_all_that_are_gone(stack: Stack, sandbox: Sandbox) -> None:
    stack.program("".join(f'OutgoingCallerId("n{n}", phone_number="+1415555010{n}")\n' for n in range(5)))
    stack.up()
    for record in sandbox.caller_ids:
        sandbox.remove(record.sid)
    asked = len(sandbox.requests)
    stack.refresh()
    assert set() == sids(stack)
    assert 1 == len([r for r in sandbox.requests[asked:] if r.endpoint == "list"])
