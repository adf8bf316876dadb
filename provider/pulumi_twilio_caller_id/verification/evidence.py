"""What follows from what was seen of a verification: the pure half of the await. The conditions are numbered in
`verification.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.models import CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, readable

from .status_callback import Callback

GRACE = 10.0
"""Seconds after the call's end, or after a callback's success, within which the number may still show up."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one verification. Times are the clock's.

    `success`: the sid that a callback gave; `confirmed`: the caller ID of that sid; `failed`: how the call ended that a
    callback says failed. `fault`: the last look-up that failed, `faults`: how many did in a row.
    """

    started: float
    deadline: float
    listed: CallerId | None = None
    confirmed: CallerId | None = None
    call: CallState | None = None
    call_ended: float | None = None
    success: str | None = None
    success_at: float | None = None
    failed: str | None = None
    fault: CallerIdError | None = None
    faults: int = 0


@dataclass(frozen=True)
class Verified:
    caller_id: CallerId


@dataclass(frozen=True)
class Failed:
    condition: int


@dataclass(frozen=True)
class Waiting:
    state: str


Verdict = Verified | Failed | Waiting


def evaluate(seen: Evidence, now: float) -> Verdict:
    """What follows from all that was seen, at time `now`. Success wins over failure, however late it was told."""
    found = seen.listed or seen.confirmed
    if found is not None:
        return Verified(found)
    over = [at for at in (seen.call_ended, seen.success_at) if at is not None]
    in_grace = bool(over) and now - max(over) < GRACE
    if seen.success is None:
        if seen.failed is not None:
            return Failed(3)
        if seen.call is not None and seen.call.ended and seen.call.status != "completed":
            return Failed(4)
    if over and not in_grace:
        return Failed(5)
    if now >= seen.deadline:
        return Failed(6)
    if over:
        return Waiting("call over, looking for the number")
    return Waiting(seen.call.status if seen.call else "calling")


def with_callback(seen: Evidence, callback: Callback, request: ValidationRequest, now: float) -> Evidence:
    """What a callback adds: nothing, unless Twilio signed it and it is about this very call.

    A call that ended unanswered may come without VerificationStatus; one that completed is judged by that status alone.
    """
    if not callback.trusted or callback.call_sid != request.call_sid:
        return seen
    if request.account_sid not in (None, callback.account_sid):  # whose token may be among those that are accepted
        return seen
    if callback.verification_status == "success" and callback.caller_id_sid:
        return replace(seen, success=callback.caller_id_sid, success_at=seen.success_at or now)
    if callback.verification_status == "failed" or callback.call_status in UNANSWERED_REASONS:
        return replace(seen, failed=seen.failed or callback.call_status or "completed")
    return seen


def explain(request: ValidationRequest, seen: Evidence, failed: Failed, now: float) -> tuple[str, str]:
    """What happened, and what to do, for a verdict of failure."""
    number = readable(request.phone_number)
    caller = readable(VALIDATION_CALL_FROM)
    again = f"Run `pulumi up` again with somebody at the phone; Twilio calls from {caller}, in English."
    status = seen.call.status if seen.call else "not seen yet"
    if failed.condition == 3:
        status = seen.failed or status
    if failed.condition in (3, 4) and status in UNANSWERED_REASONS:
        reason, todo = UNANSWERED_REASONS[status]
        took = now - seen.started
        call = f"{status} after {took:.0f} s" if took >= 1 else status
        todo = todo or again
    elif failed.condition in (3, 5):
        reason = "the call ended without the right code"
        call = "completed" + (f", {seen.call.duration} s long" if seen.call and seen.call.duration else "")
        todo = f"{again}\nIf the phone did not ring: may the account call this country (Voice geo permissions)?"
        if seen.success is not None:
            reason = f"Twilio reported success, but there is no caller ID {seen.success}"
            todo = "Look for it among the Verified Caller IDs in the Twilio Console, then run `pulumi up` again."
    else:
        reason = f"the code was not keyed in within {_minutes(seen.deadline - seen.started)}"
        call = status
        todo = (
            f"{again}\nA person who needs longer: ResourceOptions(custom_timeouts=CustomTimeouts(create=...)).\n"
            "If the code is keyed in after all, the number is verified at Twilio, but not in this stack."
        )
    what = f"{number} was not verified: {reason} (call {request.call_sid}, {call})."
    if seen.faults and seen.fault:
        what += f" The last look-up failed: {seen.fault.what}"
    return what, todo


# How a call ends without having been answered (Twilio docs: voice/api/call-resource, "Call status values").
UNANSWERED_REASONS = {
    "busy": ("the line was busy", None),
    "no-answer": ("nobody answered", None),
    "canceled": ("the call was canceled", None),
    "failed": (
        "the call could not be put through",
        (
            "Check the number, and whether the account may call this country (Console, Voice, Geo permissions);\n"
            "the call's entry in the Console's call log has the reason."
        ),
    ),
}


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"
