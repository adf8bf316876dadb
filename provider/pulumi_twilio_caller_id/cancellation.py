"""The end of an operation from outside: the first ^C, a second one, a dead engine.

Who waits is told, who is about to act asks. How the engine's word gets here is `engine`'s business.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

R = TypeVar("R")

CANCELED = "pulumi was interrupted"
ENDED = "pulumi ended"

Stop = Callable[[str], None]


class Cancelled(Exception):
    """An operation is to end before what it waited for was there. The text is the reason."""


class _Stops:
    """Those who wait, to be told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: dict[int, Stop] = {}

    def tell(self, why: str) -> None:
        with self._lock:
            stops = list(self._stops.values())
        for stop in stops:
            stop(why)

    @contextmanager
    def including(self, stop: Stop, reason: Callable[[], str | None]) -> Iterator[None]:
        """Within it `stop` is told, at once where it is over already."""
        with self._lock:
            self._stops[id(stop)] = stop
        try:
            why = reason()
            if why is not None:
                stop(why)
            yield
        finally:
            with self._lock:
                self._stops.pop(id(stop), None)


class CancelToken:
    """Says whether an operation, or a part of it, is to stop, and tells those who wait. May be used from any thread."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._stops = _Stops()

    def cancel(self, reason: str) -> None:
        """Have everything that waits with this token stop. Only the first reason counts."""
        if self.reason is None:
            self.reason = reason
            self._stops.tell(reason)

    def on_cancel(self, callback: Stop) -> AbstractContextManager[None]:
        """While this context is active, cancelling calls `callback` with the reason. It is called from the cancelling
        thread, or at once if the token is cancelled already, so it must not wait.
        """
        return self._stops.including(callback, lambda: self.reason)

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if the token is cancelled."""
        if self.reason is not None:
            raise Cancelled(self.reason)

    def wait(self, seconds: float) -> None:
        """Sleep, but only until the token is cancelled."""
        woken = threading.Event()
        with self.on_cancel(lambda _: woken.set()):
            woken.wait(seconds)

    @contextmanager
    def child(self) -> Iterator[CancelToken]:
        """A token that is cancelled together with this one, and can be cancelled by itself."""
        token = CancelToken()
        with self.on_cancel(token.cancel):
            yield token

    @contextmanager
    def governing(self) -> Iterator[None]:
        """Within it, what this thread does is part of what is to end: `over` and `told_over` count this too."""
        token = _governing.set(self)
        try:
            yield
        finally:
            _governing.reset(token)


_cancel_requested = threading.Event()
_waits = _Stops()
_governing: ContextVar[CancelToken | None] = ContextVar("_governing", default=None)


def cancel_requested() -> bool:
    """Whether this process was asked to stop what it is doing: the first ^C."""
    return _cancel_requested.is_set()


def pause(seconds: float) -> None:
    """Sleep, but not past the first ^C."""
    _cancel_requested.wait(seconds)


def cancel() -> None:
    """Stop all waits of this process, and those that begin later."""
    _cancel_requested.set()
    _waits.tell(CANCELED)


def reset() -> None:
    """Forget that the process was asked to stop, as in a process that has just started."""
    _cancel_requested.clear()


def on_cancel(stop: Stop) -> AbstractContextManager[None]:
    """Within it, `stop` is called, from another thread, with the reason when all operations are to end."""
    return _waits.including(stop, lambda: CANCELED if cancel_requested() else None)


def cancel_reason() -> str | None:
    """Why what this thread does is to end: all operations, or the one that it is part of. None where it may go on."""
    if cancel_requested():
        return CANCELED
    ending = _governing.get()
    return ending.reason if ending else None


def raise_if_cancelled() -> None:
    """Raises Abandoned where `over` has a reason."""
    why = cancel_reason()
    if why is not None:
        raise Cancelled(why)


@contextmanager
def on_cancel_here(stop: Stop) -> Iterator[None]:
    """Within it, `stop` is called with the reason, from another thread or at once, when `over` has one."""
    ending = _governing.get() or CancelToken()
    with on_cancel(stop), ending.on_cancel(stop):
        yield


def run_cancellable(
    interruptible: Callable[[Stop], AbstractContextManager[None]], act: Callable[[], R], seconds: float | None = None
) -> R:
    """What `act` returns or raises; raises Abandoned as soon as the operation is to end, or `seconds` have passed.

    Then `act` is left to itself, in a thread that ends with the process, in which `over` has a reason: for what does no
    harm if nobody hears of it, such as a look-up that Twilio is slow to answer.
    """
    outcomes: queue.SimpleQueue[Callable[[], R]] = queue.SimpleQueue()
    ending = CancelToken()

    def work() -> None:
        try:
            with ending.governing():
                result = act()
        except BaseException as raised:  # noqa: BLE001  it is raised where it is waited for
            failed = raised
            outcomes.put(lambda: _throw(failed))
        else:
            outcomes.put(lambda: result)

    def give_up(why: str) -> None:
        ending.cancel(why)
        outcomes.put(lambda: _throw(Cancelled(why)))

    with interruptible(give_up):
        if ending.reason is None:
            try:
                threading.Thread(target=work, name="twilio-unless-ended", daemon=True).start()
            except RuntimeError:  # no more threads to be had
                work()
        try:
            outcome = outcomes.get(timeout=seconds)
        except queue.Empty:
            give_up(f"nothing came within {seconds:.0f} s")
            outcome = outcomes.get()
        return outcome()


def _throw(failed: BaseException) -> NoReturn:
    raise failed
