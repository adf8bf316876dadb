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

from pulumi_twilio_caller_id import lifecycle
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.connections import BoundedSession, Connections, _WatchedBody
from pulumi_twilio_caller_id.cancellation import ENGINE_ENDED, INTERRUPTED, Cancelled, CancelToken, run_cancellable
from pulumi_twilio_caller_id.errors import Awaiting, Interrupted, NotVerified
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE, until

Connect = Callable[..., Client]
NUMBER = "+14155550101"
NOT_CALLED = "+1 415-555-0101 was not verified: {} before any call was placed.\nRun `pulumi up` again."


# The token


def test_only_the_first_reason_counts_and_only_those_who_wait_are_told() -> None:
    token, heard = CancelToken(), list[str]()
    with token.on_cancel(heard.append):
        pass
    token.raise_if_cancelled()
    with token.on_cancel(heard.append):
        token.cancel(ENGINE_ENDED)
        token.cancel(INTERRUPTED)
    with token.on_cancel(heard.append), pytest.raises(Cancelled, match=ENGINE_ENDED):
        token.raise_if_cancelled()
    assert [ENGINE_ENDED, ENGINE_ENDED] == heard


def test_a_child_is_cancelled_with_its_parent_but_not_the_other_way_round() -> None:
    parent = CancelToken()
    with parent.child() as one, parent.child() as other:
        one.cancel("over")
        assert (None, None) == (parent.cancel_reason, other.cancel_reason)
        parent.cancel(INTERRUPTED)
        assert ("over", INTERRUPTED) == (one.cancel_reason, other.cancel_reason)
    with parent.child() as late:
        assert INTERRUPTED == late.cancel_reason


def test_a_pause_ends_with_the_token() -> None:
    token = CancelToken()
    threading.Timer(0.05, token.cancel, [INTERRUPTED]).start()
    token.wait(PATIENCE)
    assert INTERRUPTED == token.cancel_reason
    token.wait(PATIENCE)


def test_what_was_waited_for_is_returned_or_raised() -> None:
    def refuse() -> None:
        raise KeyError("no such thing")

    assert 7 == run_cancellable(CancelToken(), lambda: 7)
    with pytest.raises(KeyError, match="no such thing"):
        run_cancellable(CancelToken(), refuse)


def test_what_takes_too_long_is_left_to_itself() -> None:
    """Whatever comes of it later, be it an error, is nobody's business any more."""
    token, begun, over = CancelToken(), threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        over.wait(PATIENCE)
        raise ValueError

    def interrupt() -> None:
        begun.wait(PATIENCE)
        token.cancel(INTERRUPTED)

    threading.Thread(target=interrupt).start()
    with pytest.raises(Cancelled, match=INTERRUPTED):
        run_cancellable(token, slow)
    [left] = [thread for thread in threading.enumerate() if thread.name == "twilio-cancellable"]
    assert left.daemon
    over.set()
    left.join(PATIENCE)


def test_nothing_is_begun_after_the_interrupt() -> None:
    token, begun = CancelToken(), list[str]()
    token.cancel(INTERRUPTED)
    with pytest.raises(Cancelled):
        run_cancellable(token, lambda: begun.append("after all"))
    assert [] == begun


# Requests


class Queue(Connections):
    """One request at a time. When it is the turn of the request of this `place`, something happens.

    stands: it happens while that request waits for the one before, which never ends; else just as its turn comes.
    """

    def __init__(self, place: int, happens: Callable[[], object], *, stands: bool) -> None:
        super().__init__()
        self._slots = threading.BoundedSemaphore(1)
        self._place = place
        self._happens = happens
        self._stands = stands

    @contextmanager
    def slot(self, cancel: CancelToken) -> Iterator[None]:
        self._place -= 1
        with ExitStack() as taken:
            if self._place == 0 and self._stands:
                taken.enter_context(super().slot(cancel))
                threading.Timer(0.05, self._happens).start()
            elif self._place == 0:
                self._happens()
            with super().slot(cancel):
                yield


class Context:
    """The context of an RPC of the engine, which may end unanswered."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._callbacks.append(callback)
        return True

    def end(self) -> None:
        for callback in self._callbacks:
            callback()


def create(
    provider: OutgoingCallerIdProvider, number: str = NUMBER, context: object = None, adopt: bool | None = None
) -> str:
    def servicer(request: object, context: object) -> Any:
        return provider.create({"phone_number": number, "adopt": adopt})

    try:
        return str(servicer(SimpleNamespace(urn=""), context or SimpleNamespace()).id)
    except (Interrupted, NotVerified, Awaiting) as ended:
        return str(ended)


def interrupt() -> None:
    """The first ^C."""
    lifecycle._plugin.cancel.cancel(INTERRUPTED)


def begun(act: Callable[[], str]) -> queue.SimpleQueue[str]:
    """Where the outcome will be."""
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: outcomes.put(act()), daemon=True).start()
    return outcomes


@pytest.mark.parametrize("stands", [True, False], ids=["in line", "at its turn"])
@pytest.mark.parametrize("reason", [INTERRUPTED, ENGINE_ENDED])
def test_no_phone_rings_if_the_interrupt_comes_before_the_call(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, stands: bool, reason: str
) -> None:
    context = Context()
    lifecycle._plugin.connections = Queue(2, interrupt if reason == INTERRUPTED else context.end, stands=stands)

    assert NOT_CALLED.format(reason) == begun(lambda: create(provider, context=context)).get(timeout=PATIENCE)
    assert (["list"], []) == ([request.endpoint for request in sandbox.requests], sandbox.calls)


@pytest.mark.parametrize(
    ("step", "request_"),
    [
        ("delete caller ID {}", Client.remove),
        ("rename caller ID {}", lambda client, sid: client.rename(sid, "Lobby")),
        ("read caller ID {}", Client.fetch),
        ("list the caller IDs of {account}", lambda client, _sid: list(client.stream())),
    ],
)
def test_no_other_request_stands_in_line_after_an_interrupt(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, step: str, request_: Callable[[Client, str], object]
) -> None:
    [record] = sandbox.caller_ids
    plugin = lifecycle._plugin
    plugin.connections = Queue(1, interrupt, stands=True)

    def act() -> str:
        try:
            return str(request_(plugin.client(None, plugin.cancel), record.sid))
        except Interrupted as interrupted:
            return str(interrupted)

    what = step.format(record.sid, account=sandbox.account_sid)
    expected = f"Twilio was not asked to {what}: pulumi was interrupted.\nRun the same command again."
    assert expected == begun(act).get(timeout=PATIENCE)
    assert [] == sandbox.requests


def test_what_need_not_wait_and_rings_no_phone_is_sent_all_the_same(sandbox: Sandbox, connect: Connect) -> None:
    """The engine lets an operation end that has begun."""
    [record] = sandbox.caller_ids
    token = CancelToken()
    token.cancel(INTERRUPTED)
    connect(cancel=token).remove(record.sid)
    assert [] == sandbox.caller_ids


def test_of_many_numbers_none_is_called_after_an_interrupt(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls were asked for when it came; the other numbers do not wait for Twilio's answer to those."""
    sandbox.set_phone("*", "manual")
    asked, answered = threading.Semaphore(0), threading.Event()
    send = BoundedSession.send

    def held(session: BoundedSession, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        if request.method == "POST":
            asked.release()
            answered.wait(2 * PATIENCE)
        return answer

    monkeypatch.setattr(BoundedSession, "send", held)
    lifecycle._plugin.connections._slots = threading.BoundedSemaphore(2)
    numbers = [f"+1415555010{digit}" for digit in range(8)]
    outcomes: queue.SimpleQueue[str] = queue.SimpleQueue()

    for number in numbers:
        threading.Thread(target=lambda number=number: outcomes.put(create(provider, number)), daemon=True).start()
    assert all(asked.acquire(timeout=PATIENCE) for _ in range(2))
    interrupt()
    told = [outcomes.get(timeout=PATIENCE) for _ in range(6)]
    answered.set()
    told += [outcomes.get(timeout=PATIENCE) for _ in range(2)]

    endings = Counter(text.partition("pulumi was interrupted ")[2].partition("\n")[0][:29] for text in told)
    assert {"before any call was placed.": 6, "after Twilio's call to it was": 2} == endings
    assert 2 == len(sandbox.calls)
    assert {call.to for call in sandbox.calls} <= set(numbers)


def test_an_interrupt_just_after_the_request_was_sent_does_not_deny_the_call(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 reads the body once more to find its end. By then Twilio may have placed the call."""
    sandbox.set_phone("*", "manual")
    read = _WatchedBody.read

    def read_with_an_interrupt_at_the_end(body: _WatchedBody, size: int | None = -1, /) -> bytes:
        if body.tell():
            until(lambda: bool(sandbox.calls))
            interrupt()
        return read(body, size)

    monkeypatch.setattr(_WatchedBody, "read", read_with_an_interrupt_at_the_end)
    told = begun(lambda: create(provider)).get(timeout=PATIENCE)
    [call] = sandbox.calls
    assert f"pulumi was interrupted after Twilio's call to it was placed (call {call.sid})." in told


@pytest.mark.parametrize("ends_by", ["interruption", "deadline"])
@pytest.mark.parametrize(
    ("adopt", "config", "command"),
    [
        (None, {}, "pulumi up --config twilio:adopt=true"),
        (None, {"twilio:adopt": "true"}, "pulumi up"),
        (None, {"twilio:unverified": "await"}, "pulumi up"),
        (True, {}, "pulumi up"),
        (False, {}, "pulumi up"),
    ],
)
def test_the_advice_after_a_wait_that_ended_before_its_call_takes_a_verified_number_over(
    sandbox: Sandbox,
    provider: OutgoingCallerIdProvider,
    monkeypatch: pytest.MonkeyPatch,
    adopt: bool | None,
    config: dict[str, str],
    command: str,
    ends_by: str,
) -> None:
    """The setting is advised only where it makes a difference, as `--config` saves it."""
    get = lifecycle._plugin.config
    lifecycle._plugin.config = lambda key: config.get(key) or get(key)
    sandbox.set_phone("*", "manual")
    if ends_by == "deadline":
        monkeypatch.setattr("pulumi_twilio_caller_id.operations.create.DEFAULT_TIMEOUT_SECONDS", 0.1)
    outcome = begun(lambda: create(provider, adopt=adopt))
    until(lambda: bool(sandbox.calls))
    if ends_by == "interruption":
        interrupt()
    told = outcome.get(timeout=PATIENCE)
    assert f"\nIf {sandbox.calls[0].validation_code} is keyed in after all, Twilio verifies the number.\n" in told
    assert f"\n`{command}` " in told
    assert ("\nThen `pulumi config rm twilio:adopt`" in told) == ("--config" in command)


@pytest.mark.parametrize("endpoint", ["list", "call"])
def test_a_twilio_that_hangs_does_not_hold_an_interrupted_wait(
    sandbox: Sandbox, provider: OutgoingCallerIdProvider, endpoint: Any
) -> None:
    sandbox.set_phone("*", "manual")
    outcome = begun(lambda: create(provider))
    until(lambda: bool(sandbox.calls))
    sandbox.fail(endpoint, hang=True)
    until(lambda: any((request.endpoint, request.status) == (endpoint, None) for request in sandbox.requests))
    interrupt()
    try:
        [call] = sandbox.calls
        told = outcome.get(timeout=PATIENCE)
        assert told.startswith("+1 415-555-0101 was not verified: pulumi was interrupted ")
        assert " Twilio's call to it was " in told
        assert f"(call {call.sid})." in told
    finally:
        sandbox.heal()
