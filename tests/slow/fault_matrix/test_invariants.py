"""Each invariant of the fault matrix sees what breaks it (`tests/slow/fault_matrix/invariants.py`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pulumi_twilio_caller_id.errors import NotVerified
from pulumi_twilio_caller_id.phone_number import international_format
from tests.slow.fault_matrix.invariants import DESK, INVARIANTS, LAST_LOOK, NEW, PAUSES, Outcome, broken
from tests.support.leak_search import canary

SID = "PN" + "1" * 32
BUSY = NotVerified(f"{international_format(NEW)} was not verified: the line was busy.", "Run `pulumi up` again.")
CODE = f"476021: enter this code when Twilio (+1 415-723-4000) calls {international_format(NEW)}"
CREATED = Outcome(
    step="poll call",
    fault="500",
    lasting="once",
    answer=None,
    error=None,
    sid=SID,
    calls=1,
    left={SID: NEW},
    seconds=0.5,
    paused=1.0,
    strays=0,
    logged=[CODE],
)
FAILED = replace(CREATED, error=BUSY, sid="")
READ = replace(CREATED, step="read", calls=0, left={SID: DESK}, logged=[])


@pytest.mark.parametrize("seen", [CREATED, FAILED, READ, replace(READ, step="delete", sid="", left={})])
def test_what_is_right_breaks_none(seen: Outcome) -> None:
    assert [] == broken(seen)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (replace(CREATED, calls=2), "one_call_at_most"),
        *((replace(READ, step=step, calls=1), "one_call_at_most") for step in ("read", "preflight", "import")),
        (replace(READ, sid=""), "state_is_kept"),
        (replace(READ, step="delete", sid=""), "state_is_kept"),
        (replace(FAILED, error=NotVerified("x", "y")), "nothing_is_orphaned"),
        (replace(CREATED, sid="PN" + "2" * 32), "nothing_is_orphaned"),
        (replace(CREATED, seconds=60.0), "it_ends_in_time"),
        (replace(CREATED, paused=LAST_LOOK + 1), "it_ends_in_time"),
        (replace(READ, paused=PAUSES + 1), "it_ends_in_time"),
        (replace(FAILED, error=RecursionError(international_format(NEW))), "one_clear_message"),
        (
            replace(FAILED, error=NotVerified(international_format(NEW), "Traceback (most recent call last)")),
            "one_clear_message",
        ),
        (replace(FAILED, error=NotVerified(international_format(NEW), "x" * 5000)), "one_clear_message"),
        (replace(FAILED, error=NotVerified(international_format(NEW), canary("auth token"))), "no_secret_is_told"),
        (replace(CREATED, logged=[CODE, canary("auth token").encode().hex()]), "no_secret_is_told"),
        (replace(FAILED, fault="extra fields"), "more_fields_are_harmless"),
        (replace(CREATED, strays=1), "redirects_are_not_followed"),
        (replace(CREATED, step="look-up", lasting="lasting"), "no_call_without_a_look_up"),
    ],
)
def test_what_is_wrong_breaks_one(seen: Outcome, expected: str) -> None:
    assert [expected] == broken(seen)


def test_each_can_be_broken() -> None:
    [mark] = test_what_is_wrong_breaks_one.pytestmark  # type: ignore[attr-defined]
    cases: list[tuple[Any, str]] = mark.args[1]
    assert {invariant.__name__ for invariant in INVARIANTS} == {name for _, name in cases}
