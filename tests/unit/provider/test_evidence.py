"""What follows from what was seen, and how it is told: the pure half of the await."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import NotKeyedIn, NotVerified, TwilioRefused
from pulumi_twilio_caller_id.models import CALL_ENDED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.verification import evidence
from pulumi_twilio_caller_id.verification.evidence import (
    GRACE_SECONDS,
    Evidence,
    Failed,
    FailureMessage,
    FailureReason,
    Verdict,
    Verified,
    Waiting,
    evaluate,
    not_verified_error,
    with_callback,
)
from pulumi_twilio_caller_id.verification.status_callback import Callback
from pulumi_twilio_caller_id.verification.waiter import CallbackInbox
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
CALL = "CA" + "1" * 32
FOUND = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "1" * 32)
REQUEST = ValidationRequest(call_sid=CALL, phone_number=NUMBER, validation_code="048392")
NOTHING = Evidence(started=0, deadline=100)
OVER = replace(NOTHING, call=CallState(status="completed"), call_end_seen_at=20)
TOLD = Callback(CALL, FOUND.account_sid, "completed", None, None, trusted=True)
FAULT = TwilioRefused("look up", 500)


def call(status: str, seen: Evidence = NOTHING) -> Evidence:
    return replace(seen, call=CallState(status=status), call_end_seen_at=20 if status in CALL_ENDED else None)


TABLE: dict[str, tuple[Evidence, float, Verdict]] = {
    "nothing yet": (NOTHING, 0, Waiting("calling")),
    "queued": (call("queued"), 5, Waiting("queued")),
    "ringing": (call("ringing"), 5, Waiting("ringing")),
    "in progress": (call("in-progress"), 99.9, Waiting("answered")),
    "a status of the future": (call("parked"), 5, Waiting("parked")),
    "(1) listed": (replace(NOTHING, listed_caller_id=FOUND), 0, Verified(FOUND)),
    "(1) wins over (4)": (replace(call("busy"), listed_caller_id=FOUND), 20, Verified(FOUND)),
    "(1) wins over (5)": (replace(OVER, listed_caller_id=FOUND), 99, Verified(FOUND)),
    "(1) wins over (6)": (replace(NOTHING, listed_caller_id=FOUND), 500, Verified(FOUND)),
    "(2) confirmed": (
        replace(NOTHING, reported_sid=FOUND.sid, success_reported_at=5, fetched_caller_id=FOUND),
        5,
        Verified(FOUND),
    ),
    "(2) wins over (3)": (
        replace(NOTHING, reported_failure_status="completed", reported_sid=FOUND.sid, fetched_caller_id=FOUND),
        5,
        Verified(FOUND),
    ),
    "(2) wins over (6)": (
        replace(NOTHING, reported_sid=FOUND.sid, success_reported_at=5, fetched_caller_id=FOUND),
        500,
        Verified(FOUND),
    ),
    "success, not there yet": (
        replace(NOTHING, reported_sid=FOUND.sid, success_reported_at=5),
        5 + GRACE_SECONDS - 0.1,
        Waiting("call over, looking for the number"),
    ),
    "success over a call said to be busy": (
        replace(call("busy"), reported_sid=FOUND.sid, success_reported_at=20),
        21,
        Waiting("call over, looking for the number"),
    ),
    "(3) callback says failed": (
        replace(NOTHING, reported_failure_status="completed"),
        5,
        Failed(FailureReason.FAILURE_REPORTED),
    ),
    "(3) wins over (6)": (
        replace(NOTHING, reported_failure_status="completed"),
        500,
        Failed(FailureReason.FAILURE_REPORTED),
    ),
    "(4) busy": (call("busy"), 20, Failed(FailureReason.CALL_NOT_ANSWERED)),
    "(4) no-answer": (call("no-answer"), 20, Failed(FailureReason.CALL_NOT_ANSWERED)),
    "(4) failed": (call("failed"), 20, Failed(FailureReason.CALL_NOT_ANSWERED)),
    "(4) canceled": (call("canceled"), 20, Failed(FailureReason.CALL_NOT_ANSWERED)),
    "(4) wins over (6)": (call("busy"), 500, Failed(FailureReason.CALL_NOT_ANSWERED)),
    "completed is not verified": (OVER, 20, Waiting("call over, looking for the number")),
    "completed, within the grace": (OVER, 20 + GRACE_SECONDS - 0.1, Waiting("call over, looking for the number")),
    "(5) completed, grace over": (OVER, 20 + GRACE_SECONDS, Failed(FailureReason.GRACE_PERIOD_OVER)),
    "(5) success, grace over": (
        replace(NOTHING, reported_sid=FOUND.sid, success_reported_at=5),
        5 + GRACE_SECONDS,
        Failed(FailureReason.GRACE_PERIOD_OVER),
    ),
    "(5) wins over (6)": (OVER, 500, Failed(FailureReason.GRACE_PERIOD_OVER)),
    "(6) no call seen": (NOTHING, 100, Failed(FailureReason.DEADLINE_PASSED)),
    "(6) in progress": (call("in-progress"), 100, Failed(FailureReason.DEADLINE_PASSED)),
    "(6) within the grace": (replace(OVER, call_end_seen_at=95), 100, Failed(FailureReason.DEADLINE_PASSED)),
    "a fault is no evidence": (replace(NOTHING, latest_error=FAULT, consecutive_errors=50), 99, Waiting("calling")),
}


@pytest.mark.parametrize(("seen", "now", "expected"), TABLE.values(), ids=TABLE.keys())
def test_a_verdict_follows_from_what_was_seen(seen: Evidence, now: float, expected: Verdict) -> None:
    assert expected == evaluate(seen, now)


CONDITION_3_CODE = """\
+1 415-555-0101 was not verified: no correct code was entered (call {call}, completed).
{again}
If the phone did not ring, check that the account may call this country (Voice geo permissions)."""
CONDITION_5_SUCCESS = """\
+1 415-555-0101 was not verified: Twilio reported success, but there is no caller ID {sid} (call {call}, completed).
Look for it among the Verified Caller IDs in the Twilio Console, then run `pulumi up` again."""
AGAIN = "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English."
ANOTHER_CODE = "Run `pulumi up` again: Twilio calls from +1 415-723-4000, in English, with a new code."
CONDITION_4_BUSY = f"""\
+1 415-555-0101 was not verified: the line was busy (call {CALL}, busy after 32 s).
{AGAIN}"""
CONDITION_4_NO_ANSWER = f"""\
+1 415-555-0101 was not verified: nobody answered (call {CALL}, no-answer after 32 s).
{AGAIN}"""
CONDITION_4_CANCELED = f"""\
+1 415-555-0101 was not verified: the call was canceled (call {CALL}, canceled after 32 s).
{AGAIN}"""
CONDITION_4_FAILED = f"""\
+1 415-555-0101 was not verified: the call could not be put through (call {CALL}, failed after 32 s).
Check the number, and whether the account may call this country (Console, Voice, Geo permissions).
The Console's call log gives the reason."""
CONDITION_5 = f"""\
+1 415-555-0101 was not verified: no correct code was entered (call {CALL}, completed, 23 s long).
{ANOTHER_CODE}"""
CONDITION_6 = f"""\
+1 415-555-0101 was not verified: the code was not keyed in within 100 s (call {CALL}, in-progress).
Have somebody at the phone; Twilio calls from +1 415-723-4000, in English.
To wait longer: `opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"))`."""


ENDINGS: dict[str, tuple[Evidence, FailureReason, type[NotVerified], str]] = {
    "callback": (
        replace(NOTHING, reported_failure_status="completed"),
        FailureReason.FAILURE_REPORTED,
        NotKeyedIn,
        CONDITION_3_CODE.format(call=CALL, again=ANOTHER_CODE),
    ),
    "callback busy": (
        replace(NOTHING, reported_failure_status="busy"),
        FailureReason.FAILURE_REPORTED,
        NotKeyedIn,
        CONDITION_4_BUSY,
    ),
    "callback failed": (
        replace(NOTHING, reported_failure_status="failed"),
        FailureReason.FAILURE_REPORTED,
        NotVerified,
        CONDITION_4_FAILED,
    ),
    "success without a caller ID": (
        replace(NOTHING, reported_sid=FOUND.sid),
        FailureReason.GRACE_PERIOD_OVER,
        NotVerified,
        CONDITION_5_SUCCESS.format(call=CALL, sid=FOUND.sid),
    ),
    "busy": (call("busy"), FailureReason.CALL_NOT_ANSWERED, NotKeyedIn, CONDITION_4_BUSY),
    "no-answer": (call("no-answer"), FailureReason.CALL_NOT_ANSWERED, NotKeyedIn, CONDITION_4_NO_ANSWER),
    "canceled": (call("canceled"), FailureReason.CALL_NOT_ANSWERED, NotKeyedIn, CONDITION_4_CANCELED),
    "failed": (call("failed"), FailureReason.CALL_NOT_ANSWERED, NotVerified, CONDITION_4_FAILED),
    "completed": (
        replace(OVER, call=CallState(status="completed", duration=23)),
        FailureReason.GRACE_PERIOD_OVER,
        NotKeyedIn,
        CONDITION_5,
    ),
    "deadline": (call("in-progress"), FailureReason.DEADLINE_PASSED, NotKeyedIn, CONDITION_6),
}
"""What was seen, and why that is a failure -> NotKeyedIn if another call may succeed, and the text."""


@pytest.mark.parametrize(("seen", "reason", "kind", "text"), ENDINGS.values(), ids=ENDINGS)
def test_each_failure_is_explained(seen: Evidence, reason: FailureReason, kind: type[NotVerified], text: str) -> None:
    """What happened with which number and call, what to do, and whether another call may succeed."""
    failed = not_verified_error(REQUEST, seen, reason, 32.4)
    assert (kind, text) == (type(failed), str(failed))


def test_the_table_has_each_ending_of_the_code() -> None:
    endings = {it for it in vars(evidence).values() if isinstance(it, FailureMessage)} | {
        *evidence.ENDED_UNANSWERED.values()
    }
    texts = [text for _, _, _, text in ENDINGS.values()]
    assert [] == [it for it in endings if not any(it.happened.partition(" {")[0] in text for text in texts)]
    assert {*FailureReason} == {reason for _, reason, _, _ in ENDINGS.values()}


@pytest.mark.parametrize(
    ("seconds", "expected"), [(300, "5 min"), (480, "8 min"), (60, "1 min"), (90, "90 s"), (20, "20 s"), (2.5, "2.5 s")]
)
def test_the_deadline_is_told_as_it_was_set(seconds: float, expected: str) -> None:
    what = not_verified_error(REQUEST, replace(NOTHING, deadline=seconds), FailureReason.DEADLINE_PASSED, seconds).what
    assert f"within {expected} (call {CALL}, not shown by Twilio yet)." in what


def test_a_failing_final_lookup_is_told_beside_what_is_known() -> None:
    """The number may be verified all the same, so nothing says that it only waits for somebody at the phone."""
    seen = replace(call("busy"), latest_error=FAULT, consecutive_errors=1)
    error = not_verified_error(REQUEST, seen, FailureReason.CALL_NOT_ANSWERED, 32)
    expected = "busy after 32 s). The final look-up failed: Twilio failed to look up (HTTP 500)."
    assert error.what.endswith(expected)
    assert NotVerified is type(error)


def test_waiting_ends_when_something_comes_or_the_time_is_over() -> None:
    inbox, token = CallbackInbox(), CancelToken()
    begin = time.monotonic()
    inbox.wait(0.05)
    assert time.monotonic() - begin >= 0.05

    inbox.put(TOLD)
    inbox.wait(PATIENCE)
    assert [TOLD] == inbox.drain()
    with token.on_cancel(lambda _reason: inbox.wake_up()):
        token.cancel("^C")
    inbox.wait(PATIENCE)
    assert [] == inbox.drain()
    assert time.monotonic() - begin < PATIENCE / 2


@pytest.mark.parametrize(
    ("status", "sid", "seen"),
    [
        ("success", FOUND.sid, replace(NOTHING, reported_sid=FOUND.sid, success_reported_at=7)),
        ("success", None, NOTHING),
        ("failed", FOUND.sid, replace(NOTHING, reported_failure_status="completed")),
        (None, FOUND.sid, NOTHING),
    ],
)
def test_a_callback_tells_success_by_status_and_sid_together(
    status: str | None, sid: str | None, seen: Evidence
) -> None:
    told = replace(TOLD, verification_status=status, caller_id_sid=sid)
    assert seen == with_callback(NOTHING, told, REQUEST, 7)
