from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pulumi_twilio_caller_id import interrupts
from pulumi_twilio_caller_id.interrupts import CANCELED, Abandoned, Stop, cancel, told, unless_ended


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_cancel_requested", threading.Event())


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
        over.wait(10)
        raise ValueError

    def interrupt() -> None:
        begun.wait(10)
        cancel()

    threading.Thread(target=interrupt).start()
    with pytest.raises(Abandoned, match=CANCELED):
        unless_ended(told, slow)
    [left] = [thread for thread in threading.enumerate() if thread.name == "twilio-unless-ended"]
    assert left.daemon
    over.set()
    left.join(10)


def test_nothing_that_begins_after_the_interrupt_is_waited_for() -> None:
    never = threading.Event()
    cancel()
    with pytest.raises(Abandoned):
        unless_ended(told, lambda: never.wait(10))
    never.set()


def test_the_reason_is_the_one_that_was_told() -> None:
    never = threading.Event()

    @contextmanager
    def ended(stop: Stop) -> Iterator[None]:
        stop("the engine is gone")
        yield

    with pytest.raises(Abandoned, match="the engine is gone"):
        unless_ended(ended, lambda: never.wait(10))
    never.set()


def test_only_who_waits_is_told() -> None:
    heard: list[str] = []
    with told(heard.append):
        pass
    cancel()
    assert [] == heard
