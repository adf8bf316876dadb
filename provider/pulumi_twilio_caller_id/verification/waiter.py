"""The await: from a validation request to an OutgoingCallerId, or to the reason why there is none.

Verified when
  (1) the list, filtered by the number, has it, or
  (2) a callback for our call says success, and the caller ID it names can be fetched.

Failed when, after one last look-up by (1),
  (3) a callback for our call says failed;
  (4) the call ended busy, no-answer, failed or canceled;
  (5) the call completed, or a callback said success, and the number has not shown up within GRACE;
  (6) the deadline passed.

Callback, call and list are sources that feed one loop; `verdict.judge`, a pure function of what was seen, decides. A
callback counts only where Twilio's signature proves it and it is about our call; any other is at most a reason to look
at once. A look-up that fails is no evidence: it makes the next one wait longer, and is mentioned if nothing better is
known in the end. An interruption ends the wait at once, without another look. Where Twilio does not answer, the wait
ends less than a minute after its deadline: with the request that was under way then, and the last look-up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from pulumi_twilio_caller_id.errors import CallerIdError, Interrupted, NotFound, NotVerified, TwilioRefused
from pulumi_twilio_caller_id.models import NOT_YET_ANSWERED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import readable

from .evidence import Evidence, Failed, Verified, evaluate, explain, with_callback
from .status_callback import Callback

TIMEOUT = 300.0
"""Seconds a create waits where `custom_timeouts` says nothing. A validation call is over in two minutes."""

INTERVAL = 1.0
"""Seconds between look-ups. After failing ones it doubles, up to SLOWEST."""

INTERVAL_RINGING = 2.0
"""Seconds between look-ups while nobody has answered yet; not in the first seconds, EARLY, as a call that can't be made
ends there."""

FAST_FAIL_WINDOW = 5.0

INTERVAL_WITH_CALLBACK = 3.0
"""Seconds between look-ups while a callback is expected to come first."""

MAX_BACKOFF = 16.0

MAX_RETRY_AFTER = 30.0
"""Seconds between look-ups where Twilio asks for more (Retry-After): the call goes on meanwhile."""


@dataclass(frozen=True)
class Interruption:
    """The wait must end now. `why`: who ended it, such as "pulumi was interrupted"."""

    why: str


class Inbox:
    """Where callbacks and interruptions are left, from any thread, for the one loop that reads them."""

    def __init__(self) -> None:
        self._there = threading.Condition()
        self._items: list[Callback | Interruption] = []

    def put(self, item: Callback | Interruption) -> None:
        with self._there:
            self._items.append(item)
            self._there.notify_all()

    def take(self) -> list[Callback | Interruption]:
        with self._there:
            items, self._items = self._items, []
            return items

    def wait(self, seconds: float) -> None:
        """Until something is there, or `seconds` have passed."""
        with self._there:
            self._there.wait_for(lambda: bool(self._items), seconds)


class Clock(Protocol):
    def now(self) -> float:
        """Seconds, never going back."""

    def wait(self, inbox: Inbox, seconds: float) -> None:
        """Until something is in the inbox, or `seconds` have passed."""


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def wait(self, inbox: Inbox, seconds: float) -> None:
        inbox.wait(seconds)


class TwilioLookups(Protocol):
    """What of Twilio the await looks at: `twilio_api.TwilioApi` is one."""

    def find(self, phone_number: str) -> CallerId | None: ...

    def fetch(self, sid: str) -> CallerId: ...

    def call_state(self, call_sid: str) -> CallState | None: ...

    def once(self) -> TwilioLookups: ...

    def twice(self) -> TwilioLookups: ...


@dataclass(frozen=True)
class Progress:
    """Where a wait stands, for whoever shows it. `remaining`: seconds until the deadline."""

    phone_number: str
    validation_code: str
    state: str
    remaining: float


def await_caller_id(
    twilio: TwilioLookups,
    request: ValidationRequest,
    *,
    timeout: float = TIMEOUT,
    inbox: Inbox | None = None,
    callback_expected: bool = False,
    clock: Clock | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> CallerId:
    """Wait until the number of `request` is a caller ID.

    Raises NotVerified when one of (3) to (6) holds, Interrupted when the inbox says so.
    """
    clock = clock or SystemClock()
    inbox = inbox or Inbox()
    now = clock.now()
    seen = Evidence(started=now, deadline=now + timeout)
    once = twilio.once()
    while True:
        seen = _read(inbox, request, seen, clock)
        seen = _look(once, request, seen, clock)
        now = clock.now()
        verdict = evaluate(seen, now)
        if isinstance(verdict, Failed):
            seen = _look_last(twilio.twice(), request, seen)
            if seen.listed is None:
                raise NotVerified(*explain(request, seen, verdict, clock.now()))
            verdict = Verified(seen.listed)
        if isinstance(verdict, Verified):
            return verdict.caller_id
        remaining = seen.deadline - now
        report(Progress(request.phone_number, request.validation_code, verdict.state, remaining))
        interval = _interval(seen, now, callback_expected=callback_expected)
        clock.wait(inbox, min(_pause(seen, interval), remaining))


def _read(inbox: Inbox, request: ValidationRequest, seen: Evidence, clock: Clock) -> Evidence:
    """Take in what the inbox holds. Raises Interrupted, after everything else was taken in."""
    for item in inbox.take():
        if isinstance(item, Interruption):
            state = seen.call.status if seen.call else "just placed"
            raise Interrupted(
                f"{readable(request.phone_number)} was not verified: {item.why}"
                f" while Twilio's call to it was {state} (call {request.call_sid}).",
                "That call goes on: if the code is keyed in, the number is verified at Twilio, but not in this stack.\n"
                "Run `pulumi up` again: it looks for the number first, and calls only where it is not verified.",
            )
        seen = with_callback(seen, item, request, clock.now())
    return seen


def _look(twilio: TwilioLookups, request: ValidationRequest, seen: Evidence, clock: Clock) -> Evidence:
    """One round of look-ups. The call comes before the list: one seen as ended is older than the list beside it."""
    fault = None
    if seen.success is not None:
        try:
            caller_id = twilio.fetch(seen.success)
            if caller_id.phone_number == request.phone_number:
                return replace(seen, confirmed=caller_id, faults=0)
        except NotFound:
            pass  # it may show up a little later: GRACE
        except CallerIdError as failed:
            fault = failed
    if not (seen.call and seen.call.ended) and seen.success is None and seen.failed is None:
        try:
            call = twilio.call_state(request.call_sid)
            if call is not None:
                seen = replace(seen, call=call, call_ended=clock.now() if call.ended else None)
        except CallerIdError as failed:
            fault = failed
    if fault is None or clock.now() < seen.deadline:  # else the last look comes at once, and asks the same
        try:
            seen = replace(seen, listed=twilio.find(request.phone_number))
        except CallerIdError as failed:
            fault = failed
    return replace(seen, fault=fault or seen.fault, faults=seen.faults + 1 if fault else 0)


def _look_last(twilio: TwilioLookups, request: ValidationRequest, seen: Evidence) -> Evidence:
    try:
        return replace(seen, listed=twilio.find(request.phone_number), faults=0)
    except CallerIdError as failed:
        return replace(seen, fault=failed, faults=seen.faults + 1)


def _interval(seen: Evidence, now: float, *, callback_expected: bool) -> float:
    if seen.call_ended is not None or seen.success is not None:
        return INTERVAL  # the number may show up any moment
    if callback_expected:
        return INTERVAL_WITH_CALLBACK
    if seen.call is not None and seen.call.status in NOT_YET_ANSWERED and now - seen.started >= FAST_FAIL_WINDOW:
        return INTERVAL_RINGING
    return INTERVAL


def _pause(seen: Evidence, interval: float) -> float:
    pause = min(interval * 2.0**seen.faults, max(MAX_BACKOFF, interval))
    asked = seen.fault.retry_after if seen.faults and isinstance(seen.fault, TwilioRefused) else None
    return max(pause, min(asked or 0.0, MAX_RETRY_AFTER))
