"""Wait until a number is verified: gather evidence round by round, and let `evidence.evaluate` decide.

The evidence comes from callbacks, from the state of the call, and from the account's list of caller IDs. A callback
that does not count makes us look at once, and nothing more. A look-up that fails is no evidence: the next one comes
later, and if the verification fails, the error says that the last look-up failed. If Twilio does not answer, the wait
ends less than a minute after its deadline: with the request that was under way then, and the last look.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import CallerIdError, Interrupted, NotFound, NotVerified, TwilioRefused
from pulumi_twilio_caller_id.models import NOT_YET_ANSWERED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import readable

from .evidence import Evidence, Failed, Verified, evaluate, explain, with_callback
from .status_callback import Callback

TIMEOUT = 300.0
"""Seconds that a create waits if `custom_timeouts` says nothing. A validation call is over in two minutes."""


@dataclass(frozen=True)
class PollingPolicy:
    """Seconds between two rounds of look-ups.

    interval: unless one of the next two applies. After each failed round it doubles, up to max_backoff.
    interval_with_callback: while a callback is expected to come first.
    interval_ringing: while nobody has answered. It does not apply during the first fast_fail_window seconds, because a
        call that can't be made ends there.
    max_retry_after: the longest Retry-After that is obeyed, because the phone keeps ringing meanwhile.
    """

    interval: float = 1.0
    interval_ringing: float = 2.0
    interval_with_callback: float = 3.0
    fast_fail_window: float = 5.0
    max_backoff: float = 16.0
    max_retry_after: float = 30.0

    def pause(self, evidence: Evidence, now: float, *, callback_expected: bool) -> float:
        """Give the seconds until the next round."""
        interval = self.interval
        if evidence.call_over_at is None:  # after the call the number may show up any moment
            is_ringing = evidence.call is not None and evidence.call.status in NOT_YET_ANSWERED
            if callback_expected:
                interval = self.interval_with_callback
            elif is_ringing and now - evidence.started >= self.fast_fail_window:
                interval = self.interval_ringing
        pause = min(interval * 2.0**evidence.consecutive_errors, max(self.max_backoff, interval))
        error = evidence.last_error
        retry_after = error.retry_after if isinstance(error, TwilioRefused) else None
        return max(pause, min(retry_after or 0.0, self.max_retry_after))


POLLING = PollingPolicy()


class Inbox:
    """Where any thread leaves callbacks for the one loop that waits for them."""

    def __init__(self) -> None:
        self._callbacks: deque[Callback] = deque()
        self._changed = threading.Event()

    def put(self, callback: Callback) -> None:
        """Leave a callback, and end the current `wait`."""
        self._callbacks.append(callback)
        self.wake_up()

    def wake_up(self) -> None:
        """End the current `wait`, or the next one."""
        self._changed.set()

    def drain(self) -> list[Callback]:
        """Take out all callbacks, oldest first."""
        self._changed.clear()
        return [self._callbacks.popleft() for _ in range(len(self._callbacks))]

    def wait(self, seconds: float) -> None:
        """Wait until a callback comes, `wake_up` is called, or the time is over."""
        self._changed.wait(seconds)


class TwilioLookups(Protocol):
    """What a round asks Twilio for."""

    def find(self, phone_number: str) -> CallerId | None: ...

    def fetch(self, sid: str) -> CallerId: ...

    def call_state(self, call_sid: str) -> CallState | None: ...


@dataclass(frozen=True)
class Progress:
    """How a wait stands, for whoever shows it. `remaining`: seconds until the deadline."""

    phone_number: str
    validation_code: str
    state: str
    remaining: float


def wait_until_verified(
    lookups: TwilioLookups,
    last_look: Callable[[], CallerId | None],
    request: ValidationRequest,
    *,
    inbox: Inbox,
    cancel_token: CancelToken,
    timeout: float = TIMEOUT,
    callback_expected: bool = False,
    report: Callable[[Progress], None] = lambda _: None,
    polling: PollingPolicy = POLLING,
    now: Callable[[], float] = time.monotonic,
) -> CallerId:
    """Wait until the number of `request` is a caller ID, and return that.

    lookups: for the rounds; they need not try again, as the next round does. last_look: finds the number in the list
    before a failure is told. inbox: where callbacks arrive. timeout: seconds until the deadline.

    Raises NotVerified for each Reason, and Interrupted if cancel_token is cancelled. A success that was reported before
    the interruption gets one look.
    """
    started = now()
    evidence = Evidence(started=started, deadline=started + timeout)
    with cancel_token.on_cancel(lambda _reason: inbox.wake_up()):
        while True:
            for callback in inbox.drain():
                evidence = with_callback(evidence, callback, request, now())
            if cancel_token.reason and evidence.reported_sid is None:
                raise _interrupted(request, evidence, cancel_token.reason)
            evidence = _look(lookups, request, evidence, now)
            looked_at = now()
            verdict = evaluate(evidence, looked_at)
            if isinstance(verdict, Verified):
                return verdict.caller_id
            if cancel_token.reason:
                raise _interrupted(request, evidence, cancel_token.reason)
            if isinstance(verdict, Failed):
                evidence = _look_for_the_last_time(last_look, evidence)
                if evidence.listed is not None:
                    return evidence.listed
                if evidence.last_error and cancel_token.reason:
                    raise _interrupted(request, evidence, cancel_token.reason)
                raise NotVerified(*explain(request, evidence, verdict.reason, now()))
            remaining = evidence.deadline - looked_at
            report(Progress(request.phone_number, request.validation_code, verdict.state, remaining))
            pause = polling.pause(evidence, looked_at, callback_expected=callback_expected)
            inbox.wait(min(pause, remaining))


def _look(lookups: TwilioLookups, request: ValidationRequest, evidence: Evidence, now: Callable[[], float]) -> Evidence:
    """Make one round of look-ups. The call comes first: if it is seen to have ended, the list is newer than that."""
    error: CallerIdError | None = None
    if evidence.reported_sid is not None:
        try:
            caller_id = lookups.fetch(evidence.reported_sid)
            if caller_id.phone_number == request.phone_number:
                return replace(evidence, confirmed=caller_id)
        except NotFound:
            pass  # it may show up a little later
        except CallerIdError as failed:
            error = failed
    elif evidence.call_ended is None and evidence.reported_failure_status is None:
        try:
            call = lookups.call_state(request.call_sid)
            if call is not None:
                evidence = replace(evidence, call=call, call_ended=now() if call.ended else None)
        except CallerIdError as failed:
            error = failed
    if error is None or now() < evidence.deadline:  # after the deadline the last look asks the same at once
        try:
            evidence = replace(evidence, listed=lookups.find(request.phone_number))
        except CallerIdError as failed:
            error = failed
    return replace(evidence, last_error=error, consecutive_errors=evidence.consecutive_errors + 1 if error else 0)


def _look_for_the_last_time(last_look: Callable[[], CallerId | None], evidence: Evidence) -> Evidence:
    try:
        return replace(evidence, listed=last_look(), last_error=None)
    except CallerIdError as failed:
        return replace(evidence, last_error=failed)


def _interrupted(request: ValidationRequest, evidence: Evidence, reason: str) -> Interrupted:
    when = f"while Twilio's call to it was {evidence.call.status if evidence.call else 'just placed'}"
    if evidence.call_over_at is not None:
        when = "after Twilio's call to it had ended"
    return Interrupted(
        f"{readable(request.phone_number)} was not verified: {reason} {when} (call {request.call_sid}).",
        "If the right code was keyed in, or still is, the number is verified at Twilio, but not in this stack.\n"
        "Run `pulumi up` again: it looks for the number first, and calls only if it is not verified.",
    )
