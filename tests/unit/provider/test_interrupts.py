from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pulumi_twilio_caller_id.cancellation import (
    CANCELED,
    Abandoned,
    Ending,
    Stop,
    cancel,
    go_on,
    over,
    told,
    told_over,
    unless_ended,
)
from tests.support.waiting import PATIENCE


def test_what_was_waited_for_is_returned_or_raised() -> None:
    def refuse() -> None:
        raise KeyError("no such thing")

    assert 7 == unless_ended(told, lambda: 7)
    with pytest.raises(KeyError, match="no such thing"):
        unless_ended(told, refuse)


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
    with pytest.raises(Abandoned, match=CANCELED):
        unless_ended(told, slow)
    [left] = [thread for thread in threading.enumerate() if thread.name == "twilio-unless-ended"]
    assert left.daemon
    over.set()
    left.join(PATIENCE)


def test_after_the_interrupt_nothing_is_begun() -> None:
    begun: list[str] = []
    cancel()
    with pytest.raises(Abandoned):
        unless_ended(told, lambda: begun.append("after all"))
    assert [] == begun


def test_what_takes_longer_than_it_may_is_left_to_itself() -> None:
    """And learns that nobody waits for it."""
    going_on, reason = threading.Event(), queue.SimpleQueue[str | None]()

    def slow() -> None:
        assert over() is None
        going_on.wait(PATIENCE)
        reason.put(over())

    with pytest.raises(Abandoned, match="nothing came within 0 s"):
        unless_ended(told, slow, 0.01)
    going_on.set()
    assert "nothing came within 0 s" == reason.get(timeout=PATIENCE)


def test_where_no_thread_is_to_be_had_it_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert 7 == unless_ended(told, lambda: 7)


def test_an_operation_is_over_with_all_others_or_for_itself() -> None:
    ending = Ending()
    heard: list[str] = []
    with ending.governing(), told_over(heard.append):
        go_on()
        ending.end("the engine is gone")
        ending.end("and once more")
        assert "the engine is gone" == over()
        with pytest.raises(Abandoned, match="the engine is gone"):
            go_on()
    assert (["the engine is gone", "and once more"], None) == (heard, over())

    cancel()
    with told_over(heard.append):
        assert (CANCELED, CANCELED) == (over(), heard[-1])


def test_the_reason_is_the_one_that_was_told() -> None:
    never = threading.Event()

    @contextmanager
    def ended(stop: Stop) -> Iterator[None]:
        stop("the engine is gone")
        yield

    with pytest.raises(Abandoned, match="the engine is gone"):
        unless_ended(ended, lambda: never.wait(PATIENCE))
    never.set()


def test_only_who_waits_is_told() -> None:
    heard: list[str] = []
    with told(heard.append):
        pass
    cancel()
    assert [] == heard
