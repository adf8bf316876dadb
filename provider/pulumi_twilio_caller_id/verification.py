"""The await: from a validation request to an OutgoingCallerId, or to the reason why there is none.

Verified when
  (1) the list, filtered by the number, has it.

Failed when, after one last look-up by (1),
  (4) the call ended busy, no-answer, failed or canceled;
  (5) the call completed, and the number has not shown up within GRACE;
  (6) the deadline passed.

(Conditions 2 and 3 are a callback's.) The call and the list are sources that feed one loop; `judge`, a pure function
of what was seen, decides. A look-up that fails is not evidence: it makes the next one wait longer, and is mentioned
if nothing better is known in the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from .errors import CallerIdError, NotVerified, TwilioRefused
from .inputs import readable
from .twilio_api import CALLER, CallerId, CallState, ValidationRequest

TIMEOUT = 300.0
"""Seconds a create waits where `custom_timeouts` says nothing. A validation call is over in two minutes."""

GRACE = 10.0
"""Seconds after the call's end within which the number may still show up in the list."""

INTERVAL = 1.0
"""Seconds between look-ups. After failing ones it doubles, up to SLOWEST."""

SLOWEST = 16.0


class Clock(Protocol):
    def now(self) -> float:
        """Seconds, never going back."""

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Sources(Protocol):
    """What of Twilio the await looks at: `twilio_api.TwilioApi` is one."""

    def find(self, phone_number: str) -> CallerId | None: ...

    def call_state(self, call_sid: str) -> CallState | None: ...

    def once(self) -> Sources: ...


@dataclass(frozen=True)
class Seen:
    """What is known of one verification. Times are the clock's."""

    started: float
    deadline: float
    listed: CallerId | None = None
    call: CallState | None = None
    call_ended: float | None = None
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


@dataclass(frozen=True)
class Progress:
    """Where a wait stands, for whoever shows it. `remaining`: seconds until the deadline."""

    phone_number: str
    validation_code: str
    state: str
    remaining: float


def judge(seen: Seen, now: float) -> Verdict:
    """What follows from all that was seen, at time `now`."""
    if seen.listed is not None:
        return Verified(seen.listed)
    if seen.call is not None and seen.call.ended and seen.call.status != "completed":
        return Failed(4)
    if seen.call_ended is not None and now - seen.call_ended >= GRACE:
        return Failed(5)
    if now >= seen.deadline:
        return Failed(6)
    if seen.call is None:
        return Waiting("calling")
    return Waiting("call over, looking for the number" if seen.call.ended else seen.call.status)


def await_caller_id(
    twilio: Sources,
    request: ValidationRequest,
    *,
    timeout: float = TIMEOUT,
    clock: Clock | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> CallerId:
    """Wait until the number of `request` is a caller ID. Raises NotVerified when one of (4) to (6) holds."""
    clock = clock or SystemClock()
    now = clock.now()
    seen = Seen(started=now, deadline=now + timeout)
    once = twilio.once()
    while True:
        seen = _look(once, request, seen, clock)
        now = clock.now()
        verdict = judge(seen, now)
        if isinstance(verdict, Failed):
            seen = _look_last(twilio, request, seen)
            if seen.listed is None:
                raise NotVerified(*explain(request, seen, verdict, clock.now()))
            verdict = Verified(seen.listed)
        if isinstance(verdict, Verified):
            return verdict.caller_id
        remaining = seen.deadline - now
        report(Progress(request.phone_number, request.validation_code, verdict.state, remaining))
        clock.sleep(min(_pause(seen), remaining))


def _look(twilio: Sources, request: ValidationRequest, seen: Seen, clock: Clock) -> Seen:
    """Ask for the call first, so that a call seen as ended is older than the list beside it."""
    fault = None
    if not (seen.call and seen.call.ended):
        try:
            call = twilio.call_state(request.call_sid)
            if call is not None:
                seen = replace(seen, call=call, call_ended=clock.now() if call.ended else None)
        except CallerIdError as failed:
            fault = failed
    try:
        seen = replace(seen, listed=twilio.find(request.phone_number))
    except CallerIdError as failed:
        fault = failed
    return replace(seen, fault=fault or seen.fault, faults=seen.faults + 1 if fault else 0)


def _look_last(twilio: Sources, request: ValidationRequest, seen: Seen) -> Seen:
    try:
        return replace(seen, listed=twilio.find(request.phone_number), faults=0)
    except CallerIdError as failed:
        return replace(seen, fault=failed, faults=seen.faults + 1)


def _pause(seen: Seen) -> float:
    pause = min(INTERVAL * 2.0**seen.faults, SLOWEST)
    asked = seen.fault.retry_after if seen.faults and isinstance(seen.fault, TwilioRefused) else None
    return max(pause, asked or 0.0)


def explain(request: ValidationRequest, seen: Seen, failed: Failed, now: float) -> tuple[str, str]:
    """What happened, and what to do, for a verdict of failure."""
    number = readable(request.phone_number)
    status = seen.call.status if seen.call else "not seen yet"
    took = now - seen.started
    after = f" after {took:.0f} s" if took >= 1 else ""
    again = f"Run `pulumi up` again with somebody at the phone; Twilio calls from {readable(CALLER)}, in English."
    if failed.condition == 4:
        reason, todo = _ENDINGS[status]
        call = f"{status}{after}"
        todo = todo or again
    elif failed.condition == 5:
        reason = "the call ended without the right code"
        call = "completed" + (f", {seen.call.duration} s long" if seen.call and seen.call.duration else "")
        todo = f"{again}\nIf the phone did not ring: may the account call this country (Voice geo permissions)?"
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
_ENDINGS = {
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
