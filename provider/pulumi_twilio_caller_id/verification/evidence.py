"""Decide from what was seen of a verification whether it succeeded, failed, or goes on. This module does no I/O.

Verified when
  (1) the account's list has the number, or
  (2) a callback for our call says success, and the caller ID that it names can be fetched.

Failed when, after one last look at the list,
  (3) a callback for our call says that the verification failed, or that nobody answered;
  (4) the call ended busy, no-answer, failed or canceled;
  (5) the call completed, or a callback said success, and the number was not listed within GRACE_SECONDS;
  (6) the deadline passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.models import CALL_ENDED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, readable

from .status_callback import Callback

GRACE_SECONDS = 10.0
"""How long the number may take to show up after the call has ended, or after a callback has said success."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one verification. All times are the waiter's clock, in seconds.

    listed: the caller ID that the account's list has for the number.
    reported_sid: the sid that a callback named. confirmed: the caller ID with this sid, once it could be fetched.
    reported_failure_status: the call status in a callback that said that the verification failed.
    last_error: why the last round of look-ups was incomplete; None if it was not. consecutive_errors: in how many
        rounds in a row that was so.
    """

    started: float
    deadline: float
    listed: CallerId | None = None
    confirmed: CallerId | None = None
    call: CallState | None = None
    call_ended: float | None = None
    reported_sid: str | None = None
    reported_at: float | None = None
    reported_failure_status: str | None = None
    last_error: CallerIdError | None = None
    consecutive_errors: int = 0

    @property
    def call_over_at(self) -> float | None:
        """When Twilio, or a callback that said success, told that the call was over; None before that."""
        return max((time for time in (self.call_ended, self.reported_at) if time is not None), default=None)


class Reason(Enum):
    """Why a verification failed. The values are the condition numbers of this module's docstring."""

    CALLBACK_FAILED = 3
    CALL_NOT_ANSWERED = 4
    NOT_LISTED_IN_TIME = 5
    DEADLINE_PASSED = 6


@dataclass(frozen=True)
class Verified:
    caller_id: CallerId


@dataclass(frozen=True)
class Failed:
    reason: Reason


@dataclass(frozen=True)
class Waiting:
    state: str


Verdict = Verified | Failed | Waiting


def evaluate(evidence: Evidence, now: float) -> Verdict:
    """Give the verdict at time `now`. Success wins over failure, however late it was told."""
    caller_id = evidence.listed or evidence.confirmed
    if caller_id is not None:
        return Verified(caller_id)
    if evidence.reported_sid is None:
        if evidence.reported_failure_status is not None:
            return Failed(Reason.CALLBACK_FAILED)
        if evidence.call is not None and _is_unanswered(evidence.call.status):
            return Failed(Reason.CALL_NOT_ANSWERED)
    over_at = evidence.call_over_at
    if over_at is not None and now - over_at >= GRACE_SECONDS:
        return Failed(Reason.NOT_LISTED_IN_TIME)
    if now >= evidence.deadline:
        return Failed(Reason.DEADLINE_PASSED)
    if over_at is not None:
        return Waiting("call over, looking for the number")
    return Waiting(evidence.call.status if evidence.call else "calling")


def with_callback(evidence: Evidence, callback: Callback, request: ValidationRequest, now: float) -> Evidence:
    """Add what a callback says. It counts only if Twilio signed it and it is about the call of `request`."""
    if not callback.trusted or callback.call_sid != request.call_sid:
        return evidence
    # Several auth tokens may be accepted, so another account can have signed its own callback.
    if request.account_sid not in (None, callback.account_sid):
        return evidence
    if callback.verification_status == "success" and callback.caller_id_sid:
        return replace(evidence, reported_sid=callback.caller_id_sid, reported_at=evidence.reported_at or now)
    # The callback of an unanswered call may have no VerificationStatus. A completed call is judged by that alone.
    if callback.verification_status == "failed" or _is_unanswered(callback.call_status):
        status = evidence.reported_failure_status or callback.call_status or "completed"
        return replace(evidence, reported_failure_status=status)
    return evidence


def _is_unanswered(call_status: str) -> bool:
    return call_status in CALL_ENDED and call_status != "completed"


def explain(request: ValidationRequest, evidence: Evidence, reason: Reason, now: float) -> tuple[str, str]:
    """Say for a failed verification what happened, and what to do."""
    caller = readable(VALIDATION_CALL_FROM)
    again = f"Run `pulumi up` again with somebody at the phone; Twilio calls from {caller}, in English."
    status = evidence.call.status if evidence.call else "not seen yet"
    if reason is Reason.CALLBACK_FAILED and evidence.reported_failure_status:
        status = evidence.reported_failure_status
    duration = evidence.call.duration if evidence.call else None
    call_outcome = f"completed, {duration} s long" if duration else "completed"
    if reason is Reason.DEADLINE_PASSED:
        call_outcome = status
        happened = f"the code was not keyed in within {_minutes(evidence.deadline - evidence.started)}"
        todo = (
            f'{again}\nTo wait longer: `opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"))`.\n'
            "If the code is keyed in after all, the number is verified at Twilio, but not in this stack."
        )
    elif reason is not Reason.NOT_LISTED_IN_TIME and _is_unanswered(status):
        took = now - evidence.started
        call_outcome = f"{status} after {took:.0f} s" if took >= 1 else status
        happened = _UNANSWERED.get(status, f"the call ended as {status}")
        todo = _CHECK_THE_NUMBER if status == "failed" else again
    elif evidence.reported_sid is not None:
        happened = f"Twilio reported success, but there is no caller ID {evidence.reported_sid}"
        todo = "Look for it among the Verified Caller IDs in the Twilio Console, then run `pulumi up` again."
    else:
        happened = "the call ended without the right code"
        todo = f"{again}\nIf the phone did not ring: may the account call this country (Voice geo permissions)?"
    what = f"{readable(request.phone_number)} was not verified: {happened} (call {request.call_sid}, {call_outcome})."
    if evidence.last_error:
        what += f" The last look-up failed: {evidence.last_error.what}"
    return what, todo


# How a call ends that nobody answers (Twilio docs: voice/api/call-resource, "Call status values").
_UNANSWERED = {
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "canceled": "the call was canceled",
    "failed": "the call could not be put through",
}
_CHECK_THE_NUMBER = (
    "Check the number, and whether the account may call this country (Console, Voice, Geo permissions);\n"
    "the call's entry in the Console's call log has the reason."
)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"
