from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.throttle import CALM, MOST, Throttle, throttle_of
from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken
from pulumi_twilio_caller_id.errors import NotFound, TooManyRequests
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE

REFUSED = TooManyRequests("look up +14155550101", 429)
OTHER = NotFound("read caller ID PN", 404, 20404)


def room(throttle: Throttle) -> int:
    """How many requests may be under way: who does not wait is sent away. Those that are tried end without a word."""
    over = CancelToken()
    over.cancel("that was the last")
    count = 0
    with suppress(NotFound), over.governing(), ExitStack() as under_way:
        with suppress(Cancelled):
            while count < 100:
                under_way.enter_context(throttle.turn())
                count += 1
        raise OTHER
    return count


def answered(throttle: Throttle, times: int) -> None:
    for _ in range(times):
        with throttle.turn():
            pass


def refused(throttle: Throttle, *, under_way: int = 1) -> None:
    """One request is refused while so many are under way; the others are answered."""
    with ExitStack() as others:
        for _ in range(under_way - 1):
            others.enter_context(throttle.turn())
        with pytest.raises(TooManyRequests), throttle.turn():
            raise REFUSED


def test_half_of_what_was_under_way_is_tried_after_a_refusal() -> None:
    throttle = Throttle()
    assert MOST == room(throttle)
    refused(throttle, under_way=8)
    assert 4 == room(throttle)
    refused(throttle, under_way=4)
    assert 2 == room(throttle)
    refused(throttle, under_way=1)
    refused(throttle, under_way=1)
    assert 1 == room(throttle)


def test_requests_that_were_sent_together_count_as_one_refusal() -> None:
    throttle = Throttle()
    with ExitStack() as outcomes:
        for _ in range(16):
            outcomes.enter_context(pytest.raises(TooManyRequests))
            outcomes.enter_context(throttle.turn())
            outcomes.callback(refuse)
    assert 8 == room(throttle)


def refuse() -> None:
    raise REFUSED


def test_after_a_while_without_refusals_one_more_is_tried() -> None:
    throttle = Throttle(most=3)
    refused(throttle)
    answered(throttle, 1 * CALM - 1)
    assert 1 == room(throttle)
    answered(throttle, 1)
    assert 2 == room(throttle)
    answered(throttle, 2 * CALM + 100)
    assert 3 == room(throttle)


def test_other_errors_say_nothing_of_the_limit() -> None:
    throttle = Throttle()
    with pytest.raises(NotFound), throttle.turn():
        raise OTHER
    assert MOST == room(throttle)


def test_what_is_above_the_limit_waits_for_its_turn() -> None:
    throttle = Throttle(most=2)
    together = threading.Barrier(2, timeout=PATIENCE)
    most, now, lock = [0], [0], threading.Lock()

    def request(_: int) -> None:
        with throttle.turn():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            together.wait()
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(request, range(16)))
    assert 2 == most[0]


class Line(threading.Condition):
    """Says of each who waits that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.release()
        return super().wait(timeout)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def single(line: Line, monkeypatch: pytest.MonkeyPatch) -> Throttle:
    """One request at a time, the others in `line`."""
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Condition", lambda: line)
        return Throttle(most=1)


def in_line(throttle: Throttle, line: Line, ending: CancelToken) -> Callable[[], str]:
    """Has a request of what is to end stand in line. Gives what will tell how it came out."""
    outcome = Future[str]()

    def request() -> None:
        try:
            with ending.governing(), throttle.turn():
                outcome.set_result("sent")
        except Cancelled as abandoned:
            outcome.set_result(str(abandoned))

    threading.Thread(target=request, daemon=True).start()
    assert line.waits.acquire(timeout=PATIENCE)
    return lambda: outcome.result(PATIENCE)


def test_who_is_not_wanted_any_more_does_not_stand_in_line(single: Throttle, line: Line) -> None:
    ending = CancelToken()
    with single.turn():
        outcome = in_line(single, line, ending)
        ending.cancel("the engine is gone")
        assert "the engine is gone" == outcome()
    assert 1 == room(single)


def test_who_leaves_the_line_just_as_its_turn_comes_gives_it_to_the_next(single: Throttle, line: Line) -> None:
    ending = CancelToken()
    with single.turn():
        first = in_line(single, line, ending)
        second = in_line(single, line, CancelToken())
        ending.reason = "the engine is gone"  # and those who wait are about to be told
    assert ["the engine is gone", "sent"] == [first(), second()]


def test_each_account_has_its_own() -> None:
    assert throttle_of(("AC1", None)) is throttle_of(("AC1", None))
    assert throttle_of(("AC1", None)) is not throttle_of(("AC2", None))
    assert throttle_of(("AC1", None)) is not throttle_of(("AC1", "http://127.0.0.1:8484"))


@pytest.fixture
def busy() -> Iterator[Sandbox]:
    """An account that takes two requests at a time."""
    with Sandbox(numbers={f"+1415555{n:04}": None for n in range(64)}, latency=0.005, concurrency=2) as running:
        yield running


def test_a_storm_passes(busy: Sandbox, connect: Callable[..., Client], sleeps: list[float]) -> None:
    """64 at once at an account that takes 2: all are answered, and refused far less often than asked."""
    sids = [record.sid for record in busy.caller_ids]
    with ThreadPoolExecutor(64) as threads:
        list(threads.map(connect(url=busy.url).remove, sids))
    assert [] == busy.caller_ids
    refusals = [request for request in busy.requests if request.status == 429]
    assert 64 + len(refusals) == len(busy.requests)
    assert 0 < len(refusals) < 64
