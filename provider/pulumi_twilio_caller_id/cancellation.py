"""Stop operations that wait for something, after ^C or when Pulumi's engine has ended."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")

INTERRUPTED = "pulumi was interrupted"
"""The reason if the engine asked this process to stop, as it does at the first ^C."""

ENGINE_ENDED = "pulumi ended"
"""The reason if the engine dropped the request: at the second ^C, or because it was killed."""


class Cancelled(Exception):
    """The token was cancelled before the awaited result came. The text is the reason."""


class CancelToken:
    """Tells an operation, or a part of it, to stop. All threads may use it.

    cancel_reason: why the token was cancelled, None if it is not cancelled.
    """

    def __init__(self) -> None:
        self.cancel_reason: str | None = None
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[str], object]] = []

    def cancel(self, reason: str) -> None:
        """Stop everything that waits with this token. Later calls do nothing, so the first reason stays."""
        with self._lock:
            if self.cancel_reason is not None:
                return
            self.cancel_reason = reason
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(reason)

    @contextmanager
    def on_cancel(self, callback: Callable[[str], object]) -> Iterator[None]:
        """While this context is active, cancelling calls `callback` with the reason.

        If the token is already cancelled, `callback` is called immediately. The callback must not wait, because it runs
        in the thread that cancels.
        """
        with self._lock:
            self._callbacks.append(callback)
            reason = self.cancel_reason
        try:
            if reason is not None:
                callback(reason)
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    @contextmanager
    def child(self) -> Iterator[CancelToken]:
        """Yield a token that is cancelled together with this one, and can also be cancelled alone."""
        token = CancelToken()
        with self.on_cancel(token.cancel):
            yield token

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if the token is cancelled."""
        if self.cancel_reason is not None:
            raise Cancelled(self.cancel_reason)

    def wait(self, seconds: float) -> None:
        """Sleep, but only until the token is cancelled."""
        woken = threading.Event()
        with self.on_cancel(lambda _: woken.set()):
            woken.wait(seconds)


def run_cancellable(cancel: CancelToken, act: Callable[[], R], timeout_seconds: float | None = None) -> R:
    """Return what `act` returns or raise what it raises, but raise Cancelled as soon as the token is cancelled.

    Raise TimeoutError after `timeout_seconds`. After Cancelled or TimeoutError, `act` may run on in a daemon thread,
    and its result is dropped. So `act` must be harmless, such as a read.
    """
    outcomes: queue.SimpleQueue[tuple[R | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcomes.put((act(), None))
        except BaseException as error:  # noqa: BLE001  it is raised again below, in the thread that waits
            outcomes.put((None, error))

    with cancel.on_cancel(lambda reason: outcomes.put((None, Cancelled(reason)))):
        cancel.raise_if_cancelled()
        threading.Thread(target=work, name="twilio-cancellable", daemon=True).start()
        try:
            result, error = outcomes.get(timeout=timeout_seconds)
        except queue.Empty:
            raise TimeoutError(f"nothing came within {timeout_seconds:g} s") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
