"""What follows from what was seen, and how it is told: the pure half of the await."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pulumi_twilio_caller_id.errors import TwilioRefused
from pulumi_twilio_caller_id.models import CALL_ENDED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.verification.evidence import (
    GRACE,
    Evidence,
    Failed,
    Verdict,
    Verified,
    Waiting,
    evaluate,
    explain,
    with_callback,
)
from pulumi_twilio_caller_id.verification.status_callback import Callback
from pulumi_twilio_caller_id.verification.waiter import Inbox, Interruption, SystemClock
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
CALL = "CA" + "1" * 32
FOUND = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "1" * 32)
REQUEST = ValidationRequest(call_sid=CALL, phone_number=NUMBER, validation_code="048392")
NOTHING = Evidence(started=0, deadline=100)
OVER = replace(NOTHING, call=CallState(status="completed"), call_ended=20)
FAULT = TwilioRefused("look up", 500)


def call(status: str, seen: Evidence = NOTHING) -> Evidence:
    return replace(seen, call=CallState(status=status), call_ended=20 if status in CALL_ENDED else None)


TABLE: dict[str, tuple[Evidence, float, Verdict]] = {
    "nothing yet": (NOTHING, 0, Waiting("calling")),
    "queued": (call("queued"), 5, Waiting("queued")),
    "ringing": (call("ringing"), 5, Waiting("ringing")),
    "in progress": (call("in-progress"), 99.9, Waiting("in-progress")),
    "a status of the future": (call("parked"), 5, Waiting("parked")),
    "(1) listed": (replace(NOTHING, listed=FOUND), 0, Verified(FOUND)),
    "(1) wins over (4)": (replace(call("busy"), listed=FOUND), 20, Verified(FOUND)),
    "(1) wins over (5)": (replace(OVER, listed=FOUND), 99, Verified(FOUND)),
    "(1) wins over (6)": (replace(NOTHING, listed=FOUND), 500, Verified(FOUND)),
    "(2) confirmed": (replace(NOTHING, success=FOUND.sid, success_at=5, confirmed=FOUND), 5, Verified(FOUND)),
    "(2) wins over (3)": (replace(NOTHING, failed="completed", success=FOUND.sid, confirmed=FOUND), 5, Verified(FOUND)),
    "(2) wins over (6)": (replace(NOTHING, success=FOUND.sid, success_at=5, confirmed=FOUND), 500, Verified(FOUND)),
    "success, not there yet": (
        replace(NOTHING, success=FOUND.sid, success_at=5),
        5 + GRACE - 0.1,
        Waiting("call over, looking for the number"),
    ),
    "success over a call said to be busy": (
        replace(call("busy"), success=FOUND.sid, success_at=20),
        21,
        Waiting("call over, looking for the number"),
    ),
    "(3) callback says failed": (replace(NOTHING, failed="completed"), 5, Failed(3)),
    "(3) wins over (6)": (replace(NOTHING, failed="completed"), 500, Failed(3)),
    "(4) busy": (call("busy"), 20, Failed(4)),
    "(4) no-answer": (call("no-answer"), 20, Failed(4)),
    "(4) failed": (call("failed"), 20, Failed(4)),
    "(4) canceled": (call("canceled"), 20, Failed(4)),
    "(4) wins over (6)": (call("busy"), 500, Failed(4)),
    "completed is not verified": (OVER, 20, Waiting("call over, looking for the number")),
    "completed, within the grace": (OVER, 20 + GRACE - 0.1, Waiting("call over, looking for the number")),
    "(5) completed, grace over": (OVER, 20 + GRACE, Failed(5)),
    "(5) success, grace over": (replace(NOTHING, success=FOUND.sid, success_at=5), 5 + GRACE, Failed(5)),
    "(5) wins over (6)": (OVER, 500, Failed(5)),
    "(6) no call seen": (NOTHING, 100, Failed(6)),
    "(6) in progress": (call("in-progress"), 100, Failed(6)),
    "(6) within the grace": (replace(OVER, call_ended=95), 100, Failed(6)),
    "a fault is no evidence": (replace(NOTHING, fault=FAULT, faults=50), 99, Waiting("calling")),
}


@pytest.mark.parametrize(("seen", "now", "expected"), TABLE.values(), ids=TABLE.keys())
def test_a_verdict_follows_from_what_was_seen(seen: Evidence, now: float, expected: Verdict) -> None:
    assert expected == evaluate(seen, now)


CONDITION_3_CODE = """\
+1 415-555-0101 was not verified: the call ended without the right code (call {call}, completed).
{again}
If the phone did not ring: may the account call this country (Voice geo permissions)?"""
CONDITION_5_SUCCESS = """\
+1 415-555-0101 was not verified: Twilio reported success, but there is no caller ID {sid} (call {call}, completed).
Look for it among the Verified Caller IDs in the Twilio Console, then run `pulumi up` again."""
AGAIN = "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English."
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
Check the number, and whether the account may call this country (Console, Voice, Geo permissions);
the call's entry in the Console's call log has the reason."""
CONDITION_5 = f"""\
+1 415-555-0101 was not verified: the call ended without the right code (call {CALL}, completed, 23 s long).
{AGAIN}
If the phone did not ring: may the account call this country (Voice geo permissions)?"""
CONDITION_6 = f"""\
+1 415-555-0101 was not verified: the code was not keyed in within 100 s (call {CALL}, in-progress).
{AGAIN}
A person who needs longer: ResourceOptions(custom_timeouts=CustomTimeouts(create=...)).
If the code is keyed in after all, the number is verified at Twilio, but not in this stack."""


@pytest.mark.parametrize(
    ("seen", "condition", "expected"),
    [
        (replace(NOTHING, failed="completed"), 3, CONDITION_3_CODE.format(call=CALL, again=AGAIN)),
        (replace(NOTHING, failed="busy"), 3, CONDITION_4_BUSY),
        (replace(NOTHING, success=FOUND.sid), 5, CONDITION_5_SUCCESS.format(call=CALL, sid=FOUND.sid)),
        (call("busy"), 4, CONDITION_4_BUSY),
        (call("no-answer"), 4, CONDITION_4_NO_ANSWER),
        (call("canceled"), 4, CONDITION_4_CANCELED),
        (call("failed"), 4, CONDITION_4_FAILED),
        (replace(OVER, call=CallState(status="completed", duration=23)), 5, CONDITION_5),
        (call("in-progress"), 6, CONDITION_6),
    ],
    ids=[
        "callback",
        "callback busy",
        "success without a caller ID",
        "busy",
        "no-answer",
        "canceled",
        "failed",
        "completed",
        "deadline",
    ],
)
def test_each_failure_is_explained(seen: Evidence, condition: int, expected: str) -> None:
    """What happened with which number and call, and what to do."""
    assert expected == "\n".join(explain(REQUEST, seen, Failed(condition), 32.4))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(300, "5 min"), (480, "8 min"), (60, "1 min"), (90, "90 s"), (20, "20 s"), (2.5, "2.5 s")]
)
def test_the_deadline_is_told_as_it_was_set(seconds: float, expected: str) -> None:
    what, _ = explain(REQUEST, replace(NOTHING, deadline=seconds), Failed(6), seconds)
    assert f"within {expected} (call {CALL}, not seen yet)." in what


def test_a_failing_last_look_is_told_beside_what_is_known() -> None:
    what, _ = explain(REQUEST, replace(call("busy"), fault=FAULT, faults=1), Failed(4), 32)
    expected = "busy after 32 s). The last look-up failed: Twilio failed to look up (HTTP 500)."
    assert what.endswith(expected)


def test_a_fault_that_has_passed_is_not_told() -> None:
    what, _ = explain(REQUEST, replace(call("busy"), fault=FAULT, faults=0), Failed(4), 32)
    assert what.endswith("busy after 32 s).")


def test_no_message_tells_the_code() -> None:
    """Errors end up in logs and in the engine's history."""
    for condition, seen in [(4, call("busy")), (5, OVER), (6, NOTHING)]:
        assert "048392" not in "\n".join(explain(REQUEST, seen, Failed(condition), 32))


def test_the_clock_in_use_waits_until_the_time_is_over_or_something_has_come() -> None:
    clock, inbox = SystemClock(), Inbox()
    begin = clock.now()
    clock.wait(inbox, 0.05)
    assert clock.now() - begin >= 0.05

    inbox.put(Interruption("^C"))
    clock.wait(inbox, PATIENCE)
    assert clock.now() - begin < PATIENCE / 2


@pytest.mark.parametrize(
    ("status", "sid", "seen"),
    [
        ("success", FOUND.sid, replace(NOTHING, success=FOUND.sid, success_at=7)),
        ("success", None, NOTHING),
        ("failed", FOUND.sid, replace(NOTHING, failed="completed")),
        (None, FOUND.sid, NOTHING),
    ],
)
def test_a_callback_tells_success_by_status_and_sid_together(
    status: str | None, sid: str | None, seen: Evidence
) -> None:
    told = Callback(
        call_sid=CALL,
        account_sid=FOUND.account_sid,
        call_status="completed",
        verification_status=status,
        caller_id_sid=sid,
        trusted=True,
    )
    assert seen == with_callback(NOTHING, told, REQUEST, 7)
