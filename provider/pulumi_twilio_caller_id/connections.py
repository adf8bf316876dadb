"""Connections to Twilio that are kept for the next request: a new one takes two or three round trips.

A session of `requests` is not promised to be safe between threads, so it is lent to one step at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .bounded import Session

KEPT = 15.0
"""Seconds: servers close what has been idle for a while, and a request that meets that is lost."""


class Connections:
    """Those of a process. May be used from any thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Session]] = []

    @contextmanager
    def lent(self, *, fresh: bool = False) -> Iterator[Session]:
        """A session, for one step. After an error it is closed. fresh: one without a connection."""
        session = None if fresh else self._taken()
        session = session or Session()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        session.cookies.clear()  # the next step may be another account's
        with self._lock:
            self._idle.append((self._now(), session))

    def _taken(self) -> Session | None:
        """The one that was used last, if that was not too long ago."""
        with self._lock:
            since, session = self._idle.pop() if self._idle else (0.0, None)
            if session is None or self._now() - since < KEPT:
                return session
            old, self._idle = [session, *(other for _, other in self._idle)], []
        for other in old:
            other.close()
        return None


connections = Connections()
"""Of this process."""
