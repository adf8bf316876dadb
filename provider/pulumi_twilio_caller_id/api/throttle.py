"""How many requests of one account this process has under way at once.

Twilio takes so many at a time and refuses what is more, unprocessed (Twilio docs, api/errors/20429), without saying how
many. So it is found out: half of what was under way is tried after a refusal, one more after a while without any.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_twilio_caller_id import cancellation
from pulumi_twilio_caller_id.errors import TooManyRequests

MOST = 16
"""Requests under way at once, where nothing was refused."""

CALM = 8
"""For one more at once, so many answers are needed as are under way, so many times over."""


class Throttle:
    """Of one account. May be used from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._limit = most
        self._under_way = 0
        self._answered = 0
        self._refusals = 0
        self._changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Within it one request is sent, once it is its turn. Raises Abandoned where the operation is to end before."""
        with self._changed:
            if self._under_way >= self._limit:
                self._await_turn()
            self._under_way += 1
            beside, refusals = self._under_way, self._refusals
        try:
            yield
        except TooManyRequests:
            self._refused(beside, refusals)
            raise
        else:
            self._taken()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def _await_turn(self) -> None:
        def wake(_why: str) -> None:
            with self._changed:
                self._changed.notify_all()

        with cancellation.on_cancel_here(wake):
            self._changed.wait_for(lambda: cancellation.cancel_reason() or self._under_way < self._limit)
        try:
            cancellation.raise_if_cancelled()
        except cancellation.Cancelled:
            self._changed.notify()  # what this one may have been woken by is for the next in line
            raise

    def _refused(self, beside: int, refusals: int) -> None:
        with self._changed:
            self._answered = 0
            if refusals == self._refusals:  # those sent before the last refusal tell nothing new
                self._refusals += 1
                self._limit = max(1, min(beside, self._limit) // 2)

    def _taken(self) -> None:
        with self._changed:
            self._answered += 1
            if self._answered >= self._limit * CALM and self._limit < self._most:
                self._limit += 1
                self._answered = 0
                self._changed.notify()


_throttles: defaultdict[tuple[str, str | None], Throttle] = defaultdict(Throttle)
_lock = threading.Lock()


def reset() -> None:
    """Forget what the accounts have refused, as in a process that has just started."""
    with _lock:
        _throttles.clear()


def throttle_of(account: tuple[str, str | None]) -> Throttle:
    """The one of an account: its sid, and the base URL that it is asked at."""
    with _lock:
        return _throttles[account]
