"""A caller ID is gone if Twilio says so of its sid, and its account's list lacks it too. Anything less keeps the state.

Credentials that don't reach an account may get 404 with code 20404 for everything in it.
"""

from __future__ import annotations

import pytest

from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER, OTHER = "+14155550101", "+14155550102"
TWO = {"desk": Declared(NUMBER), "support": Declared(OTHER)}
RENAMED = {**TWO, "desk": Declared(NUMBER, "Desk")}
UNTOLD = "may be gone, but that is not certain"


@pytest.fixture
def verified(local: LocalStack) -> LocalStack:
    """A stack with two numbers."""
    local.up(TWO)
    return local


@pytest.fixture
def unseen(verified: LocalStack) -> LocalStack:
    """A stack with two numbers, whose account answers 404 and 20404 to whatever is asked."""
    verified.sandbox.fail("*", times=None, status=404, code=20404)
    return verified


@pytest.mark.parametrize("command", ["refresh", "up --refresh", "destroy", "up without one"])
def test_the_state_is_kept(unseen: LocalStack, command: str) -> None:
    before = unseen.held()
    match command:
        case "refresh":
            unseen.refresh(fails=UNTOLD)
        case "destroy":
            unseen.destroy(fails=UNTOLD)
        case "up --refresh":
            unseen.up(TWO, refresh=True, fails=UNTOLD)
        case _:
            unseen.up({"desk": TWO["desk"]}, fails=UNTOLD)

    assert f"account {unseen.sandbox.account_sid}" in unseen.error
    assert before == unseen.held()
    assert [NUMBER, OTHER] == unseen.numbers()


def test_an_import_does_not_say_that_there_is_no_such_number(local: LocalStack) -> None:
    sid = local.sandbox.add_caller_id(NUMBER, "Desk").sid
    local.sandbox.fail("*", times=None, status=404, code=20404)
    local.up({"desk": Declared(NUMBER, import_sid=sid)}, fails=UNTOLD)
    assert "They come from the stack's config (twilio:accountSid, twilio:authToken)." in local.error


def test_a_rename_does_not_say_that_the_number_was_removed(unseen: LocalStack) -> None:
    unseen.up(RENAMED, fails=UNTOLD)
    assert "was removed" not in unseen.run.said


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_list_that_is_refused_otherwise_keeps_the_state(verified: LocalStack, status: int) -> None:
    before = verified.held()
    verified.sandbox.fail("fetch", times=None, status=404, code=20404)
    verified.sandbox.fail("list", times=None, status=status, retry_after=0 if status == 500 else None)
    verified.refresh(fails=f"HTTP {status}")
    assert before == verified.held()


def test_a_read_that_lags_behind_is_no_loss(verified: LocalStack) -> None:
    """Twilio may not find by its sid, for a moment, what its list has already."""
    before = verified.held()
    verified.sandbox.fail("fetch", times=None, status=404, code=20404)
    verified.refresh()
    assert before == verified.held()

    verified.sandbox.fail("delete", times=None, status=404, code=20404)
    verified.destroy(fails=f"yet account {verified.sandbox.account_sid} lists it")
    assert [NUMBER, OTHER] == verified.numbers()
    assert before == verified.held()


@pytest.mark.parametrize("refresh", [False, True])
def test_a_rename_that_is_told_404_wrongly(verified: LocalStack, refresh: bool) -> None:
    """Also after a refresh in the same operation, which has listed the account."""
    verified.sandbox.fail("update", times=None, status=404, code=20404)
    verified.up(RENAMED, refresh=refresh, fails=f"yet account {verified.sandbox.account_sid} lists it")
    assert "was removed" not in verified.run.said
