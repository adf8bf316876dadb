"""A Twilio that is slow to list, or never does, costs many no more than one: neither time nor requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_twilio_caller_id.api import listing_cache as module
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import FRESH, ListingCache, SharedPoller
from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, Interrupted, NotVerified
from pulumi_twilio_caller_id.models import CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.verification.waiter import Inbox, Interruption, await_caller_id
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
CALL = "CA" + "1" * 32
RECORD = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "1" * 32)
REQUEST = ValidationRequest(call_sid=CALL, phone_number=NUMBER, validation_code="048392")
MANY = 20
WHY = "pulumi was interrupted"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Twilio(Client):
    """What happens while it lists, or looks for a number, is `listing`; `call` while it looks at a call. asked_for: has
    one for each time that its listings were asked for.
    """

    def __init__(self, listing: Callable[[], object], *, call: Callable[[], object] = lambda: None) -> None:
        self.listings = self.fetched = 0
        self.asked_for = threading.Semaphore(0)
        self._listing = listing
        self._call = call

    @property
    def account(self) -> tuple[str, str | None]:
        self.asked_for.release()
        return "AC" + "1" * 32, None

    def each(self, *_: object) -> Iterator[CallerId]:
        self.listings += 1
        self._listing()
        yield RECORD

    def find(self, phone_number: str) -> CallerId | None:
        return next(record for record in self.each() if record.phone_number == phone_number)

    def fetch(self, _sid: str) -> CallerId:
        self.fetched += 1
        return RECORD

    def call_state(self, _call_sid: str) -> CallState | None:
        self._call()
        return CallState(status="ringing")

    def once(self) -> Twilio:
        return self

    def twice(self) -> Twilio:
        return self


def find(looks: SharedPoller) -> object:
    return looks.find(NUMBER)


def fetch(looks: SharedPoller) -> object:
    return looks.fetch(RECORD.sid)


def call_state(looks: SharedPoller) -> object:
    return looks.call_state(CALL)


def fail() -> None:
    raise AnswerLost("list the caller IDs", "nothing came within 15 s")


# How many listings are made


@pytest.mark.parametrize("end", [lambda: None, fail], ids=["came", "failed"])
def test_who_comes_while_a_listing_is_made_has_it_too(end: Callable[[], None]) -> None:
    """However long it takes, and also where it fails in the end."""
    clock = Clock()

    def slowly() -> None:
        assert all(twilio.asked_for.acquire(timeout=PATIENCE) for _ in range(MANY))
        clock.time += 15
        end()

    twilio, shared = Twilio(slowly), ListingCache(clock)

    def get(_: int) -> str:
        try:
            return "missing" if shared.get(twilio, 1.0).of_number(NUMBER) is None else "there"
        except AnswerLost:
            return "lost"

    with ThreadPoolExecutor(MANY) as threads:
        got = list(threads.map(get, range(MANY)))
    assert (["lost" if end is fail else "there"] * MANY, 1) == (got, twilio.listings)


@pytest.mark.parametrize("end", [lambda: None, fail], ids=["came", "failed"])
def test_a_listing_that_took_longer_than_it_serves_is_not_made_for_each_read(end: Callable[[], None]) -> None:
    clock = Clock()

    def slowly() -> None:
        clock.time += FRESH + 1.5
        end()

    twilio, shared = Twilio(slowly), ListingCache(clock)
    for _ in range(10):
        assert RECORD == shared.fetch(twilio, RECORD.sid)
    assert (1, 10 if end is fail else 1) == (twilio.listings, twilio.fetched)

    clock.time += FRESH
    shared.fetch(twilio, RECORD.sid)
    assert 2 == twilio.listings


def test_what_is_deleted_while_a_listing_is_made_is_not_in_it() -> None:
    """And whoever deletes does not wait for the listing."""
    shared = ListingCache()
    deleting = threading.Thread(target=shared.forget, args=(RECORD.sid,), daemon=True)

    def slowly() -> None:
        deleting.start()
        deleting.join(PATIENCE)
        assert not deleting.is_alive()

    assert shared.get(Twilio(slowly), 1.0).of_sid(RECORD.sid) is None


def test_who_is_interrupted_has_no_listing_and_keeps_none_from_others() -> None:
    def interrupted() -> None:
        raise Interrupted("Twilio was not asked to list the caller IDs: pulumi was interrupted.", "Run it again.")

    shared = ListingCache(Clock())
    with pytest.raises(Interrupted):
        shared.get(Twilio(interrupted), 1.0)
    assert RECORD == shared.get(Twilio(lambda: None), 1.0).of_number(NUMBER)


# How long anybody waits


@pytest.fixture
def hang() -> Iterator[Callable[[], object]]:
    """Does not return before the test is over."""
    over = threading.Event()
    yield lambda: over.wait(2 * PATIENCE)
    over.set()


def outcomes(
    twilio: Twilio, waits: int, timeout: float, interrupt: Callable[[list[Inbox], list[CancelToken]], None]
) -> set[type]:
    """What comes of so many waits, none of which may take long."""
    shared, inboxes, endings = ListingCache(), [Inbox() for _ in range(waits)], [CancelToken() for _ in range(waits)]
    with ThreadPoolExecutor(waits) as threads:

        def wait(inbox: Inbox, ending: CancelToken) -> type:
            try:
                with shared.shared(twilio, ending, timeout) as looks:
                    await_caller_id(looks, REQUEST, timeout=timeout, inbox=inbox)
            except CallerIdError as failed:
                return type(failed)
            return CallerId

        futures = [threads.submit(wait, *each) for each in zip(inboxes, endings, strict=True)]
        interrupt(inboxes, endings)
        return {future.result(PATIENCE) for future in futures}


@pytest.mark.parametrize("waits", [1, MANY])
@pytest.mark.parametrize("where", ["the list", "the call"])
def test_an_interruption_ends_every_wait_at_once(hang: Callable[[], object], waits: int, where: str) -> None:
    """Whether it asks Twilio itself just then, or stands in line behind others."""
    asked = threading.Semaphore(0)

    def asking() -> None:
        asked.release()
        hang()

    twilio = Twilio(asking) if where == "the list" else Twilio(hang, call=asking)

    def interrupt(inboxes: list[Inbox], endings: list[CancelToken]) -> None:
        for _ in range(waits if where == "the call" else 1):
            assert asked.acquire(timeout=PATIENCE)
        for inbox, ending in zip(inboxes, endings, strict=True):
            inbox.put(Interruption(WHY))
            ending.cancel(WHY)

    assert {Interrupted} == outcomes(twilio, waits, 300.0, interrupt)


@pytest.mark.parametrize("waits", [1, MANY])
def test_the_deadline_ends_every_wait_when_the_last_look_is_over(
    hang: Callable[[], object], waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECOND", 0.05)
    monkeypatch.setattr(module, "LAST_LOOK", 0.1)
    assert {NotVerified} == outcomes(Twilio(hang), waits, 0.1, lambda *_: None)


def test_a_look_is_given_up_at_the_deadline_and_the_last_one_a_little_later(
    hang: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECOND", 0.2)
    monkeypatch.setattr(module, "LAST_LOOK", 0.1)
    clock = Clock()
    told = "Twilio was asked to {}, and gave no usable answer: nothing came within 0 s."
    with ListingCache(clock).shared(Twilio(hang, call=hang), timeout=60.0) as looks:
        clock.time += 60
        for its in (looks.once(), looks.twice()):
            for step, look in ((f"look up {NUMBER}", find), (f"read call {CALL}", call_state)):
                with pytest.raises(AnswerLost) as caught:
                    look(its)
                assert told.format(step) == caught.value.what


@pytest.mark.parametrize("which", ["once", "twice"])
def test_nothing_is_asked_for_a_wait_that_is_over(which: str) -> None:
    twilio, ending = Twilio(lambda: None), CancelToken()
    ending.cancel(WHY)
    with ListingCache().shared(twilio, ending) as looks:
        for look in (find, fetch):
            with pytest.raises(AnswerLost, match=WHY):
                look(getattr(looks, which)())
    assert (0, 0) == (twilio.listings, twilio.fetched)
