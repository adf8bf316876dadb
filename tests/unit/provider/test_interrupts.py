from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pulumi_twilio_caller_id.cancellation import (
    CANCELED,
    Cancelled,
    CancelToken,
    Stop,
    cancel,
    cancel_reason,
    on_cancel,
    on_cancel_here,
    raise_if_cancelled,
    run_cancellable,
)
from tests.support.waiting import PATIENCE


def test_what_was_waited_for_is_returned_or_raised() -> None:
    def refuse() -> None:
        raise KeyError("no such thing")

    assert 7 == run_cancellable(on_cancel, lambda: 7)
    with pytest.raises(KeyError, match="no such thing"):
        run_cancellable(on_cancel, refuse)


def test_what_takes_too_long_is_left_to_itself() -> None:
    """Whatever comes of it later, be it an error, is nobody's business any more."""
    begun, over = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        over.wait(PATIENCE)
        raise ValueError

    def interrupt() -> None:
        begun.wait(PATIENCE)
        cancel()

    threading.Thread(target=interrupt).start()
    with pytest.raises(Cancelled, match=CANCELED):
        run_cancellable(on_cancel, slow)
    [left] = [thread for thread in threading.enumerate() if thread.name == "twilio-unless-ended"]
    assert left.daemon
    over.set()
    left.join(PATIENCE)


def test_after_the_interrupt_nothing_is_begun() -> None:
    begun: list[str] = []
    cancel()
    with pytest.raises(Cancelled):
        run_cancellable(on_cancel, lambda: begun.append("after all"))
    assert [] == begun


def test_what_takes_longer_than_it_may_is_left_to_itself() -> None:
    """And learns that nobody waits for it."""
    going_on, reason = threading.Event(), queue.SimpleQueue[str | None]()

    def slow() -> None:
        assert cancel_reason() is None
        going_on.wait(PATIENCE)
        reason.put(cancel_reason())

    with pytest.raises(Cancelled, match="nothing came within 0 s"):
        run_cancellable(on_cancel, slow, 0.01)
    going_on.set()
    assert "nothing came within 0 s" == reason.get(timeout=PATIENCE)


def test_where_no_thread_is_to_be_had_it_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert 7 == run_cancellable(on_cancel, lambda: 7)


def test_an_operation_is_over_with_all_others_or_for_itself() -> None:
    ending = CancelToken()
    heard: list[str] = []
    with ending.governing(), on_cancel_here(heard.append):
        raise_if_cancelled()
        ending.cancel("the engine is gone")
        ending.cancel("and once more")
        assert "the engine is gone" == cancel_reason()
        with pytest.raises(Cancelled, match="the engine is gone"):
            raise_if_cancelled()
    assert (["the engine is gone"], None) == (heard, cancel_reason())

    cancel()
    with on_cancel_here(heard.append):
        assert (CANCELED, CANCELED) == (cancel_reason(), heard[-1])


def test_the_reason_is_the_one_that_was_told() -> None:
    never = threading.Event()

    @contextmanager
    def ended(stop: Stop) -> Iterator[None]:
        stop("the engine is gone")
        yield

    with pytest.raises(Cancelled, match="the engine is gone"):
        run_cancellable(ended, lambda: never.wait(PATIENCE))
    never.set()


def test_only_who_waits_is_told() -> None:
    heard: list[str] = []
    with on_cancel(heard.append):
        pass
    cancel()
    assert [] == heard
