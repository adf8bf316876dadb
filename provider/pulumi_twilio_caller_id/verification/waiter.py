"""Wait until a number is verified: gather evidence round by round, and let `evidence.evaluate` decide.

The evidence comes from callbacks, from the call's state, and from the account's list of caller IDs. If a callback's
signature can't be checked, it only starts the next round immediately. A failed look-up is no evidence; it only doubles
the pause before the next round. After the deadline come at most one round (two look-ups) and the final look-up, each of
at most 15 s (`api.polling.LOOKUP_TIMEOUT`), so the wait ends even if Twilio is silent.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import CallerIdError, Interrupted, NotFound, TwilioRefused
from pulumi_twilio_caller_id.inputs import DEFAULT_TIMEOUT_SECONDS
from pulumi_twilio_caller_id.models import NOT_YET_ANSWERED, CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.phone_number import international_format

from .evidence import Evidence, Failed, FailureReason, Verified, evaluate, not_verified_error, with_callback
from .status_callback import Callback


@dataclass(frozen=True)
class PollingPolicy:
    """Seconds between two rounds of look-ups for one number.

    `find` may answer None without asking Twilio, as verifications share its requests (`VerificationPoller.find`).
    Requests of a round are not retried (`api.transport.POLL_RETRIES`), so no other pause adds to these.

    interval: the normal pause, also once the call is over. Each failed round doubles the pause, up to max_backoff.
    interval_with_callback: the pause during the call, if a callback is expected.
    interval_ringing: the pause while nobody has answered, if no callback is expected.
    ringing_slowdown_after: seconds until `interval_ringing` applies. A call that can't be put through ends sooner.
    max_retry_after: longer Retry-After values are cut to this, because the phone keeps ringing meanwhile.
    """

    interval: float = 1.0
    interval_ringing: float = 2.0
    interval_with_callback: float = 3.0
    ringing_slowdown_after: float = 5.0
    max_backoff: float = 16.0
    max_retry_after: float = 30.0

    def seconds_until_next_round(self, evidence: Evidence, now: float, *, callback_expected: bool) -> float:
        """Return how long to pause at time `now`."""
        interval = self.interval
        if evidence.grace_started_at is None:  # after the call, the number may be listed at any moment
            is_ringing = evidence.call is not None and evidence.call.status in NOT_YET_ANSWERED
            if callback_expected:
                interval = self.interval_with_callback
            elif is_ringing and now - evidence.started >= self.ringing_slowdown_after:
                interval = self.interval_ringing
        backoff = min(interval * 2.0**evidence.consecutive_errors, max(self.max_backoff, interval))
        error = evidence.latest_error
        retry_after = error.retry_after if isinstance(error, TwilioRefused) else None
        return max(backoff, min(retry_after or 0.0, self.max_retry_after))


class CallbackInbox:
    """Passes callbacks from any thread to the loop of one verification."""

    def __init__(self) -> None:
        self._callbacks: deque[Callback] = deque()
        self._changed = threading.Event()

    def put(self, callback: Callback) -> None:
        """Add a callback, and end the current or the next `wait`."""
        self._callbacks.append(callback)
        self.wake_up()

    def wake_up(self) -> None:
        """End the current or the next `wait`."""
        self._changed.set()

    def drain(self) -> list[Callback]:
        """Remove all callbacks and return them, oldest first."""
        self._changed.clear()
        return [self._callbacks.popleft() for _ in range(len(self._callbacks))]

    def wait(self, seconds: float) -> None:
        """Sleep until a callback comes, `wake_up` is called, or the seconds are over."""
        self._changed.wait(seconds)


class TwilioLookups(Protocol):
    """The look-ups of a round, and the final one. In the provider, `api.polling.VerificationPoller` makes them."""

    def find(self, phone_number: str) -> CallerId | None: ...

    def fetch(self, sid: str) -> CallerId: ...

    def call_state(self, call_sid: str) -> CallState | None: ...

    def final_lookup(self, phone_number: str) -> CallerId | None: ...


@dataclass(frozen=True)
class Progress:
    """The state of a verification, to be shown to the user. `remaining`: seconds until the deadline."""

    phone_number: str
    validation_code: str
    state: str
    remaining: float


def wait_until_verified(
    lookups: TwilioLookups,
    request: ValidationRequest,
    *,
    inbox: CallbackInbox,
    cancel: CancelToken,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    callback_expected: bool = False,
    advice_if_call_goes_on: str,
    report: Callable[[Progress], None] = lambda _: None,
    polling: PollingPolicy = PollingPolicy(),
    clock: Callable[[], float] = time.monotonic,
) -> CallerId:
    """Wait until the number of `request` is a caller ID, and return the caller ID. `operations.create` calls this.

    lookups: asks Twilio; the next round is the retry. Before NotVerified is raised, `final_lookup` asks once more.
    request: Twilio's answer to the validation request, with the number, the call and the code.
    inbox: receives the callbacks. callback_expected: whether Twilio got their URL, not another one from the inputs.
    advice_if_call_goes_on: what to do if this wait ends before the phone call does.
    timeout: seconds until the deadline. report: shows the progress after each round. clock: returns the seconds now.

    Raises NotVerified if the verification has failed, and Interrupted if `cancel` is cancelled. After an interruption,
    one more round runs if a callback has already reported success.
    """
    started = clock()
    evidence = Evidence(started=started, deadline=started + timeout)
    with cancel.on_cancel(lambda _reason: inbox.wake_up()):
        while True:
            for callback in inbox.drain():
                evidence = with_callback(evidence, callback, request, clock())
            if cancel.cancel_reason and evidence.reported_sid is None:
                raise _interrupted(request, evidence, cancel.cancel_reason, advice_if_call_goes_on)
            evidence = _run_lookup_round(lookups, request, evidence, clock)
            now = clock()
            verdict = evaluate(evidence, now)
            if isinstance(verdict, Verified):
                return verdict.caller_id
            if cancel.cancel_reason:
                raise _interrupted(request, evidence, cancel.cancel_reason, advice_if_call_goes_on)
            if isinstance(verdict, Failed):
                try:
                    if caller_id := lookups.final_lookup(request.phone_number):
                        return caller_id
                    evidence = replace(evidence, latest_error=None)
                except CallerIdError as lookup_error:
                    evidence = replace(evidence, latest_error=lookup_error)
                if evidence.latest_error and cancel.cancel_reason:  # the interruption ended the final look-up
                    raise _interrupted(request, evidence, cancel.cancel_reason, advice_if_call_goes_on)
                error = not_verified_error(request, evidence, verdict.reason, clock())
                if verdict.reason is FailureReason.DEADLINE_PASSED:
                    error.advise(f"{error.todo}\n{advice_if_call_goes_on}")
                raise error
            remaining = evidence.deadline - now
            report(Progress(request.phone_number, request.validation_code, verdict.state, remaining))
            delay = polling.seconds_until_next_round(evidence, now, callback_expected=callback_expected)
            inbox.wait(min(delay, remaining))


def _run_lookup_round(
    lookups: TwilioLookups, request: ValidationRequest, evidence: Evidence, clock: Callable[[], float]
) -> Evidence:
    """Add what Twilio answers now. The call is read before the list, so a list is newer than the end of the call."""
    error: CallerIdError | None = None
    if evidence.reported_sid is not None:
        try:
            caller_id = lookups.fetch(evidence.reported_sid)
            if caller_id.phone_number == request.phone_number:
                return replace(evidence, fetched_caller_id=caller_id)
        except NotFound:
            pass  # Twilio may show it a little later
        except CallerIdError as lookup_error:
            error = lookup_error
    elif evidence.call_end_seen_at is None and evidence.reported_failure_status is None:
        try:
            call = lookups.call_state(request.call_sid)
            if call is not None:
                evidence = replace(evidence, call=call, call_end_seen_at=clock() if call.ended else None)
        except CallerIdError as lookup_error:
            error = lookup_error
    # After an error past the deadline, skip the list: the final look-up asks for it.
    if error is None or clock() < evidence.deadline:
        try:
            evidence = replace(evidence, listed_caller_id=lookups.find(request.phone_number))
        except CallerIdError as lookup_error:
            error = lookup_error
    return replace(evidence, latest_error=error, consecutive_errors=evidence.consecutive_errors + 1 if error else 0)


def _interrupted(request: ValidationRequest, evidence: Evidence, cancel_reason: str, advice: str) -> Interrupted:
    when = "after Twilio's call to it was placed"
    if evidence.grace_started_at is not None:
        when = "after Twilio's call to it had ended"
    elif evidence.call is not None:
        when = f"while Twilio's call to it was {evidence.call.status}"
    return Interrupted(
        f"{international_format(request.phone_number)} was not verified: {cancel_reason} {when}"
        f" (call {request.call_sid}).",
        advice,
    )
