"""The end of an operation from outside: the first ^C, a second one, a dead engine.

Who waits is told, who is about to act asks. How the engine's word gets here is `engine`'s business.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn, TypeVar

R = TypeVar("R")

CANCELED = "pulumi was interrupted"
ENDED = "pulumi ended"

Stop = Callable[[str], None]

_cancel_requested = threading.Event()
_waits: dict[int, Stop] = {}
_waits_lock = threading.Lock()


class Abandoned(Exception):
    """An operation is to end before what it waited for was there. The text is the reason."""


def cancel_requested() -> bool:
    """Whether this process was asked to stop what it is doing: the first ^C."""
    return _cancel_requested.is_set()


def pause(seconds: float) -> None:
    """Sleep, but not past the first ^C."""
    _cancel_requested.wait(seconds)


def cancel() -> None:
    """Stop all waits of this process, and those that begin later."""
    _cancel_requested.set()
    with _waits_lock:
        stops = list(_waits.values())
    for stop in stops:
        stop(CANCELED)


@contextmanager
def told(stop: Stop) -> Iterator[None]:
    """Within it, `stop` is called, from another thread, with the reason when all operations are to end."""
    with _waits_lock:
        _waits[id(stop)] = stop
    try:
        if cancel_requested():
            stop(CANCELED)
        yield
    finally:
        with _waits_lock:
            _waits.pop(id(stop), None)


def unless_ended(interruptible: Callable[[Stop], AbstractContextManager[None]], act: Callable[[], R]) -> R:
    """What `act` returns or raises; raises Abandoned as soon as the operation is to end.

    Then `act` is left to itself, in a thread that ends with the process: for what does no harm if nobody hears of it,
    such as a look-up that Twilio is slow to answer.
    """
    outcomes: queue.SimpleQueue[Callable[[], R]] = queue.SimpleQueue()

    def work() -> None:
        try:
            result = act()
        except BaseException as raised:  # noqa: BLE001  it is raised where it is waited for
            failed = raised
            outcomes.put(lambda: _throw(failed))
        else:
            outcomes.put(lambda: result)

    with interruptible(lambda why: outcomes.put(lambda: _throw(Abandoned(why)))):
        threading.Thread(target=work, name="twilio-unless-ended", daemon=True).start()
        return outcomes.get()()


def _throw(failed: BaseException) -> NoReturn:
    raise failed
