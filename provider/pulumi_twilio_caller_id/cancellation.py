"""Stop waiting when an operation is ended from outside: by ^C, by a second ^C, or because the engine is gone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")

INTERRUPTED = "pulumi was interrupted"
"""The reason after the first ^C."""

ENGINE_ENDED = "pulumi ended"
"""The reason after a second ^C, or if the engine is gone."""


class Cancelled(Exception):
    """A token was cancelled before what was waited for was there. The text is the reason."""


class CancelToken:
    """Says whether an operation, or a part of it, is to stop, and tells those who wait. May be used from any thread."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[str], object]] = []

    def cancel(self, reason: str) -> None:
        """Have everything that waits with this token stop. Only the first reason counts."""
        with self._lock:
            if self.reason is not None:
                return
            self.reason = reason
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(reason)

    @contextmanager
    def on_cancel(self, callback: Callable[[str], object]) -> Iterator[None]:
        """While this context is active, cancelling calls `callback` with the reason; at once if that has happened.

        The callback runs in the thread that cancels, so it must not wait.
        """
        with self._lock:
            self._callbacks.append(callback)
            reason = self.reason
        try:
            if reason is not None:
                callback(reason)
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    @contextmanager
    def child(self) -> Iterator[CancelToken]:
        """A token that is cancelled together with this one, and can be cancelled by itself."""
        token = CancelToken()
        with self.on_cancel(token.cancel):
            yield token

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if the token is cancelled."""
        if self.reason is not None:
            raise Cancelled(self.reason)

    def wait(self, seconds: float) -> None:
        """Sleep, but only until the token is cancelled."""
        woken = threading.Event()
        with self.on_cancel(lambda _: woken.set()):
            woken.wait(seconds)


def run_cancellable(cancel: CancelToken, act: Callable[[], R], timeout_seconds: float | None = None) -> R:
    """Return what `act` returns or raise what it raises, but raise Cancelled as soon as the token is cancelled.

    Raise TimeoutError after `timeout_seconds`. In both cases `act` goes on in a daemon thread, and nobody hears of its
    result. So it must do no harm: a look-up that Twilio is slow to answer, for example.
    """
    outcomes: queue.SimpleQueue[tuple[R | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcomes.put((act(), None))
        except BaseException as failed:  # noqa: BLE001  it is raised again below, in the thread that waits
            outcomes.put((None, failed))

    with cancel.on_cancel(lambda reason: outcomes.put((None, Cancelled(reason)))):
        cancel.raise_if_cancelled()
        threading.Thread(target=work, name="twilio-cancellable", daemon=True).start()
        try:
            result, failed = outcomes.get(timeout=timeout_seconds)
        except queue.Empty:
            raise TimeoutError(f"nothing came within {timeout_seconds:g} s") from None
    if failed is not None:
        raise failed
    return result  # type: ignore[return-value]
