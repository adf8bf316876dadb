"""Decide from the evidence whether a verification has succeeded, has failed, or is not over. This module does no I/O.

Verified when
  (1) the account's list has the number, or
  (2) a callback for our call says success, and the caller ID that it names can be fetched.

Failed when one of these holds (the waiter then looks the number up once more):
  (3) a callback reports VerificationStatus failed, or CallStatus busy, no-answer, failed or canceled;
  (4) the call ended as busy, no-answer, failed or canceled;
  (5) GRACE_SECONDS have passed since the later of the call's end and a callback that said success;
  (6) the deadline has passed.
Once a callback has said success, (3) and (4) no longer count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from pulumi_twilio_caller_id.errors import CallerIdError, NotKeyedIn, NotVerified
from pulumi_twilio_caller_id.models import CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, international_format

from .status_callback import Callback

GRACE_SECONDS = 10.0
"""How long after the end of the call, or after a callback that says success, Twilio may take to list the number."""

TWILIO_CALLS = f"Twilio calls from {international_format(VALIDATION_CALL_FROM)}, in English"
CALL_AGAIN = f"Run `pulumi up` again with somebody at the phone; {TWILIO_CALLS}."
CHECK_THE_NUMBER = (
    "Check the number, and whether the account may call this country (Console, Voice, Geo permissions).\n"
    "The Console's call log gives the reason."
)


class FailureMessage(NamedTuple):
    """How a verification failed. `not_verified_error` fills in {timeout} and {sid} in `happened`.

    error_class: NotKeyedIn if a call with somebody at the phone may succeed; NotVerified if it would fail again.
    """

    happened: str
    error_class: type[NotVerified]
    todo: str


ENDED_UNANSWERED = {
    "busy": FailureMessage("the line was busy", NotKeyedIn, CALL_AGAIN),
    "no-answer": FailureMessage("nobody answered", NotKeyedIn, CALL_AGAIN),
    "canceled": FailureMessage("the call was canceled", NotKeyedIn, CALL_AGAIN),
    "failed": FailureMessage("the call could not be put through", NotVerified, CHECK_THE_NUMBER),
}
"""The final statuses of a call that nobody answered (Twilio docs: voice/api/call-resource, "Call status values")."""

WRONG_CODE = FailureMessage(
    "no correct code was entered",
    NotKeyedIn,
    f"Run `pulumi up` again: {TWILIO_CALLS}, with a new code.",
)
IF_IT_DID_NOT_RING = "If the phone did not ring, check that the account may call this country (Voice geo permissions)."
DEADLINE_PASSED = FailureMessage(
    "the code was not keyed in within {timeout}",
    NotKeyedIn,
    f"Have somebody at the phone; {TWILIO_CALLS}.\n"
    'To wait longer: `opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"))`.',
)
NOT_LISTED = FailureMessage(
    "Twilio reported success, but there is no caller ID {sid}",
    NotVerified,
    "Look for it among the Verified Caller IDs in the Twilio Console, then run `pulumi up` again.",
)


@dataclass(frozen=True)
class Evidence:
    """What is known about one verification. All times are seconds by the waiter's clock.

    listed_caller_id: the caller ID that the account's list has for the number.
    call_end_seen_at: when a look-up first showed the call as ended.
    reported_sid: the sid in a callback that reported success. fetched_caller_id: the caller ID fetched by that sid.
    reported_failure_status: the call's status in a callback that reported failure; "completed" if it named none.
    latest_error: the error of the latest round of look-ups; after the final look-up, that one's.
    consecutive_errors: how many rounds have failed in succession.
    """

    started: float
    deadline: float
    listed_caller_id: CallerId | None = None
    fetched_caller_id: CallerId | None = None
    call: CallState | None = None
    call_end_seen_at: float | None = None
    reported_sid: str | None = None
    success_reported_at: float | None = None
    reported_failure_status: str | None = None
    latest_error: CallerIdError | None = None
    consecutive_errors: int = 0

    @property
    def grace_started_at(self) -> float | None:
        """The later of `call_end_seen_at` and `success_reported_at`; None while both are unknown."""
        times = (self.call_end_seen_at, self.success_reported_at)
        return max((time for time in times if time is not None), default=None)


class FailureReason(Enum):
    """Why a verification failed. The values are the condition numbers in this module's docstring."""

    FAILURE_REPORTED = 3
    CALL_NOT_ANSWERED = 4
    GRACE_PERIOD_OVER = 5
    DEADLINE_PASSED = 6


@dataclass(frozen=True)
class Verified:
    caller_id: CallerId


@dataclass(frozen=True)
class Failed:
    reason: FailureReason


@dataclass(frozen=True)
class Waiting:
    state: str
    """What to show to the user, such as "ringing"."""


Verdict = Verified | Failed | Waiting


def evaluate(evidence: Evidence, now: float) -> Verdict:
    """Return the verdict at time `now`."""
    caller_id = evidence.listed_caller_id or evidence.fetched_caller_id
    if caller_id is not None:
        return Verified(caller_id)
    if evidence.reported_sid is None:
        if evidence.reported_failure_status is not None:
            return Failed(FailureReason.FAILURE_REPORTED)
        if evidence.call is not None and evidence.call.status in ENDED_UNANSWERED:
            return Failed(FailureReason.CALL_NOT_ANSWERED)
    grace_started_at = evidence.grace_started_at
    if grace_started_at is not None and now - grace_started_at >= GRACE_SECONDS:
        return Failed(FailureReason.GRACE_PERIOD_OVER)
    if now >= evidence.deadline:
        return Failed(FailureReason.DEADLINE_PASSED)
    if grace_started_at is not None:
        return Waiting("call over, looking for the number")
    status = evidence.call.status if evidence.call else "calling"
    return Waiting("answered" if status == "in-progress" else status)


def with_callback(evidence: Evidence, callback: Callback, request: ValidationRequest, now: float) -> Evidence:
    """Add what a callback says. The callback counts only if it is trusted, and is about the call of `request`."""
    if not callback.trusted or callback.call_sid != request.call_sid:
        return evidence
    # Any known auth token is accepted, so the callback may be about another account.
    if request.account_sid is not None and request.account_sid != callback.account_sid:
        return evidence
    if callback.verification_status == "success" and callback.caller_id_sid:
        return replace(
            evidence, reported_sid=callback.caller_id_sid, success_reported_at=evidence.success_reported_at or now
        )
    # Without VerificationStatus, the CallStatus of an unanswered call means failure; "completed" may mean either.
    if callback.verification_status == "failed" or callback.call_status in ENDED_UNANSWERED:
        # Without CallStatus, assume "completed", so that the message is WRONG_CODE.
        status = evidence.reported_failure_status or callback.call_status or "completed"
        return replace(evidence, reported_failure_status=status)
    return evidence


def not_verified_error(
    request: ValidationRequest, evidence: Evidence, reason: FailureReason, now: float
) -> NotVerified:
    """Return what happened and what to do. `evidence.latest_error` is the final look-up's, which has just been made."""
    message, call_outcome = _message_and_call_outcome(evidence, reason, now)
    number = international_format(request.phone_number)
    happened = message.happened.format(
        timeout=_duration_in_words(evidence.deadline - evidence.started), sid=evidence.reported_sid
    )
    what = f"{number} was not verified: {happened} (call {request.call_sid}, {call_outcome})."
    if evidence.latest_error:  # not NotKeyedIn, whose advice is another call: the number may be verified already
        return NotVerified(f"{what} The final look-up failed: {evidence.latest_error.what}", message.todo)
    return message.error_class(what, message.todo)


def _message_and_call_outcome(evidence: Evidence, reason: FailureReason, now: float) -> tuple[FailureMessage, str]:
    """Return how the verification failed, and what became of the phone call."""
    call = evidence.call
    call_status = call.status if call else "not shown by Twilio yet"
    if reason is FailureReason.DEADLINE_PASSED:
        return DEADLINE_PASSED, call_status
    final_status = evidence.reported_failure_status or call_status
    if evidence.reported_sid is None and final_status in ENDED_UNANSWERED:
        seconds = now - evidence.started
        return ENDED_UNANSWERED[final_status], f"{final_status} after {seconds:.0f} s" if seconds >= 1 else final_status
    message = WRONG_CODE if evidence.reported_sid is None else NOT_LISTED
    if call and call.duration:
        return message, f"completed, {call.duration} s long"
    if message is WRONG_CODE:
        message = message._replace(todo=f"{message.todo}\n{IF_IT_DID_NOT_RING}")
    return message, "completed"


def _duration_in_words(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"
