"""The sandbox's clock: the time that somebody else's clock tells, and as much on top as it was moved forward."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pulumi_twilio_caller_id.text import quote

from .seconds import is_seconds

LATEST = 253_370_764_800.0
"""Wed, 01 Jan 9999, in seconds since the epoch: dates beyond that year cannot be written."""


class Clock:
    """Tells the seconds since the epoch. `base` is the clock beneath; where it gives anything else, such as
    milliseconds, each look raises `ValueError`. May be used from any thread.
    """

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._lock = threading.Lock()
        self._advanced = 0.0

    def __call__(self) -> float:
        now = self._base()
        if not (is_seconds(now) and now < LATEST):
            raise ValueError(f"clock must give seconds since the epoch, not {quote(now)}")
        return now + self._advanced

    @property
    def advanced(self) -> float:
        """Seconds that it was moved forward so far."""
        return self._advanced

    def advance(self, seconds: float) -> None:
        """Moves it forward. `ValueError` for what is negative or not finite, or would lead beyond the year 9998."""
        if not is_seconds(seconds):
            raise ValueError(f"the clock moves forward by a number of seconds, 0 or more, not by {seconds!r}")
        with self._lock:
            if self() + seconds >= LATEST:
                raise ValueError(f"the clock does not go beyond the year 9998, as {seconds!r} seconds would")
            self._advanced += seconds
