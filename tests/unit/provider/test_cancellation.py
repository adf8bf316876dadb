"""What nobody wants any more, after ^C or the engine's end, is not sent: no phone rings for it, and nobody waits."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id import cancellation
from pulumi_twilio_caller_id.api import bounded, throttle
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.throttle import Throttle
from pulumi_twilio_caller_id.errors import Interrupted
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE, until

Connect = Callable[..., Client]
NUMBER = "+14155550101"
NOT_CALLED = "+1 415-555-0101 was not verified: {} before any call was placed.\nRun `pulumi up` again."


class Line(Throttle):
    """One request at a time. As that of this place is to be sent, something happens: while it stands in line, which is
    for ever, or just as its turn comes.
    """

    def __init__(self, place: int, happens: Callable[[], None], *, stands: bool) -> None:
        super().__init__(most=1)
        self._place = place
        self._happens = happens
        self._stands = stands

    @contextmanager
    def turn(self) -> Iterator[None]:
        self._place -= 1
        with ExitStack() as taken:
            if self._place == 0 and self._stands:
                taken.enter_context(super().turn())
                threading.Timer(0.05, self._happens).start()
            elif self._place == 0:
                self._happens()
            with super().turn():
                yield


class Context:
    """A call of the engine, which may end unanswered."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._callbacks.append(callback)
        return True

    def end(self) -> None:
        for callback in self._callbacks:
            callback()


def create(provider: OutgoingCallerIdProvider, number: str = NUMBER, context: object = None) -> str:
    def servicer(request: object, context: object) -> Any:
        return provider.create({"phone_number": number})

    try:
        return str(servicer(SimpleNamespace(urn=""), context or SimpleNamespace()).id)
    except Interrupted as interrupted:
        return str(interrupted)


def begun(act: Callable[[], str]) -> queue.SimpleQueue[str]:
    """Where the outcome will be."""
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: outcomes.put(act()), daemon=True).start()
    return outcomes


@pytest.mark.parametrize("stands", [True, False], ids=["in line", "at its turn"])
@pytest.mark.parametrize("why", [cancellation.CANCELED, cancellation.ENDED])
def test_no_phone_rings_for_who_was_interrupted_before_the_call(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, monkeypatch: pytest.MonkeyPatch, stands: bool, why: str
) -> None:
    context = Context()
    happens = cancellation.cancel if why == cancellation.CANCELED else context.end
    line = Line(2, happens, stands=stands)
    monkeypatch.setattr(throttle, "throttle_of", lambda _account: line)

    assert NOT_CALLED.format(why) == begun(lambda: create(provider, context=context)).get(timeout=PATIENCE)
    assert (["list"], []) == ([request.endpoint for request in sandbox.requests], sandbox.calls)


@pytest.mark.parametrize(
    ("step", "request_"),
    [
        ("delete caller ID {}", Client.remove),
        ("rename caller ID {}", lambda twilio, sid: twilio.rename(sid, "Lobby")),
        ("read caller ID {}", Client.fetch),
        ("list the caller IDs of {account}", lambda twilio, _sid: list(twilio.each())),
    ],
)
def test_no_other_request_stands_in_line_after_an_interrupt(
    sandbox: Sandbox,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    request_: Callable[[Client, str], object],
) -> None:
    [record] = sandbox.caller_ids
    line = Line(1, cancellation.cancel, stands=True)
    monkeypatch.setattr(throttle, "throttle_of", lambda _account: line)

    def act() -> str:
        try:
            return str(request_(connect(), record.sid))
        except Interrupted as interrupted:
            return str(interrupted)

    what = step.format(record.sid, account=sandbox.account_sid)
    expected = f"Twilio was not asked to {what}: pulumi was interrupted.\nRun the same command again."
    assert expected == begun(act).get(timeout=PATIENCE)
    assert [] == sandbox.requests


def test_what_need_not_wait_and_rings_no_phone_is_sent_all_the_same(sandbox: Sandbox, connect: Connect) -> None:
    """The engine lets an operation end that has begun."""
    [record] = sandbox.caller_ids
    cancellation.cancel()
    connect().remove(record.sid)
    assert [] == sandbox.caller_ids


def test_of_many_numbers_none_is_called_after_an_interrupt(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls were asked for when it came; the other numbers do not wait for Twilio's answer to those."""
    sandbox.set_phone("*", "manual")
    asked, go_on = threading.Semaphore(0), threading.Event()
    send, both = bounded.Session.send, Throttle(most=2)

    def held(session: bounded.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        if request.method == "POST":
            asked.release()
            go_on.wait(2 * PATIENCE)
        return answer

    monkeypatch.setattr(bounded.Session, "send", held)
    monkeypatch.setattr(throttle, "throttle_of", lambda _account: both)
    numbers = [f"+1415555010{digit}" for digit in range(8)]
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()

    for number in numbers:
        threading.Thread(target=lambda number=number: outcomes.put(create(provider, number)), daemon=True).start()
    assert all(asked.acquire(timeout=PATIENCE) for _ in range(2))
    cancellation.cancel()
    told = [outcomes.get(timeout=PATIENCE) for _ in range(6)]
    go_on.set()
    told += [outcomes.get(timeout=PATIENCE) for _ in range(2)]

    endings = Counter(text.partition("pulumi was interrupted ")[2].partition("\n")[0][:29] for text in told)
    assert {"before any call was placed.": 6, "while Twilio's call to it was": 2} == endings
    assert 2 == len(sandbox.calls)
    assert {call.to for call in sandbox.calls} <= set(numbers)


@pytest.mark.parametrize("endpoint", ["list", "call"])
def test_a_twilio_that_hangs_does_not_hold_an_interrupted_wait(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, endpoint: Any
) -> None:
    sandbox.set_phone("*", "manual")
    outcome = begun(lambda: create(provider))
    until(lambda: bool(sandbox.calls))
    sandbox.fail(endpoint, hang=True)
    until(lambda: any((request.endpoint, request.status) == (endpoint, None) for request in sandbox.requests))
    cancellation.cancel()
    try:
        [call] = sandbox.calls
        told = outcome.get(timeout=PATIENCE)
        assert told.startswith("+1 415-555-0101 was not verified: pulumi was interrupted while Twilio's call to it was")
        assert f"(call {call.sid})." in told
    finally:
        sandbox.heal()
