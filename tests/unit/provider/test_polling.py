"""A Twilio that is slow to list, or never does, costs many no more than one: neither time nor requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from pulumi_twilio_caller_id.api import client as client_module
from pulumi_twilio_caller_id.api import listing_cache as listing_cache_module
from pulumi_twilio_caller_id.api import polling
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import FRESH_SECONDS, ListingCache
from pulumi_twilio_caller_id.api.polling import VerificationPoller, poller_for
from pulumi_twilio_caller_id.api.transport import FINAL_LOOKUP_RETRIES, RetryPolicy
from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, Interrupted, NotVerified
from pulumi_twilio_caller_id.models import CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification.waiter import CallbackInbox, wait_until_verified
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
Connect = Callable[..., Client]
LISTED = "+14155550199"
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
    def cache_key(self) -> tuple[str, str | None]:
        self.asked_for.release()
        return "AC" + "1" * 32, None

    def stream(self, *_: object) -> Iterator[CallerId]:
        self.listings += 1
        self._listing()
        yield RECORD

    def find(self, phone_number: str) -> CallerId | None:
        return next(record for record in self.stream() if record.phone_number == phone_number)

    def fetch(self, _sid: str) -> CallerId:
        self.fetched += 1
        return RECORD

    def call_state(self, _call_sid: str) -> CallState | None:
        self._call()
        return CallState(status="ringing")

    def with_retry_policy(self, _policy: RetryPolicy, _cancel: CancelToken | None = None) -> Twilio:
        return self


def find(looks: VerificationPoller) -> object:
    return looks.find(NUMBER)


def final_lookup(looks: VerificationPoller) -> object:
    return looks.final_lookup(NUMBER)


def fetch(looks: VerificationPoller) -> object:
    return looks.fetch(RECORD.sid)


def call_state(looks: VerificationPoller) -> object:
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
            return "missing" if shared.get(twilio, 1.0).by_number(NUMBER) is None else "there"
        except AnswerLost:
            return "lost"

    with ThreadPoolExecutor(MANY) as threads:
        got = list(threads.map(get, range(MANY)))
    assert (["lost" if end is fail else "there"] * MANY, 1) == (got, twilio.listings)


@pytest.mark.parametrize("end", [lambda: None, fail], ids=["came", "failed"])
def test_a_listing_that_took_longer_than_it_serves_is_not_made_for_each_read(end: Callable[[], None]) -> None:
    clock = Clock()

    def slowly() -> None:
        clock.time += FRESH_SECONDS + 1.5
        end()

    twilio, shared = Twilio(slowly), ListingCache(clock)
    for _ in range(10):
        assert RECORD == shared.fetch(twilio, RECORD.sid)
    assert (1, 10 if end is fail else 1) == (twilio.listings, twilio.fetched)

    clock.time += FRESH_SECONDS
    shared.fetch(twilio, RECORD.sid)
    assert 2 == twilio.listings


def test_what_is_deleted_while_a_listing_is_made_is_not_in_it() -> None:
    """And whoever deletes does not wait for the listing."""
    shared = ListingCache()
    deleting = threading.Thread(target=shared.invalidate, args=(RECORD.sid,), daemon=True)

    def slowly() -> None:
        deleting.start()
        deleting.join(PATIENCE)
        assert not deleting.is_alive()

    assert shared.get(Twilio(slowly), 1.0).by_sid(RECORD.sid) is None


def test_who_is_interrupted_has_no_listing_and_keeps_none_from_others() -> None:
    def interrupted() -> None:
        raise Interrupted("Twilio was not asked to list the caller IDs: pulumi was interrupted.", "Run it again.")

    shared = ListingCache(Clock())
    with pytest.raises(Interrupted):
        shared.get(Twilio(interrupted), 1.0)
    assert RECORD == shared.get(Twilio(lambda: None), 1.0).by_number(NUMBER)


# How long anybody waits


@pytest.fixture
def hang() -> Iterator[Callable[[], object]]:
    """Does not return before the test is over."""
    over = threading.Event()
    yield lambda: over.wait(2 * PATIENCE)
    over.set()


def outcomes(twilio: Twilio, waits: int, timeout: float, interrupt: Callable[[list[CancelToken]], None]) -> set[type]:
    """What comes of so many waits, none of which may take long."""
    shared, tokens = ListingCache(), [CancelToken() for _ in range(waits)]
    with ThreadPoolExecutor(waits) as threads:

        def wait(token: CancelToken) -> type:
            try:
                with poller_for(twilio, shared, token) as looks:
                    wait_until_verified(
                        looks, REQUEST, inbox=CallbackInbox(), cancel=token, timeout=timeout, advice_if_call_goes_on=""
                    )
            except CallerIdError as failed:
                return type(failed)
            return CallerId

        futures = [threads.submit(wait, token) for token in tokens]
        interrupt(tokens)
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

    def interrupt(tokens: list[CancelToken]) -> None:
        for _ in range(waits if where == "the call" else 1):
            assert asked.acquire(timeout=PATIENCE)
        for token in tokens:
            token.cancel(WHY)

    assert {Interrupted} == outcomes(twilio, waits, 300.0, interrupt)


@pytest.mark.parametrize("waits", [1, MANY])
def test_the_deadline_ends_every_wait_when_the_final_lookup_is_over(
    hang: Callable[[], object], waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LOOKUP_TIMEOUT", 0.1)
    assert {NotVerified} == outcomes(Twilio(hang), waits, 0.1, lambda _: None)


def test_a_look_is_given_up_after_a_while(hang: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LOOKUP_TIMEOUT", 0.1)
    told = "Twilio was asked to {}, and gave no usable answer: nothing came within 0.1 s."
    with poller_for(Twilio(hang, call=hang), ListingCache(), CancelToken()) as looks:
        for step, look in (
            (f"look up {NUMBER}", find),
            (f"look up {NUMBER}", final_lookup),
            (f"read call {CALL}", call_state),
        ):
            with pytest.raises(AnswerLost) as caught:
                look(looks)
            assert told.format(step) == caught.value.what


def test_a_final_lookup_that_is_interrupted_is_told_as_an_interruption(
    hang: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Semaphore(0)

    def asking() -> None:
        asked.release()
        hang()

    def interrupt(tokens: list[CancelToken]) -> None:
        assert asked.acquire(timeout=PATIENCE)
        tokens[0].cancel(WHY)

    twilio, last = Twilio(fail), Twilio(asking)
    monkeypatch.setattr(
        twilio, "with_retry_policy", lambda policy, *_: last if policy is FINAL_LOOKUP_RETRIES else twilio
    )
    assert {Interrupted} == outcomes(twilio, 1, 0.1, interrupt)


def test_only_a_reported_caller_id_is_asked_for_in_a_wait_that_is_over() -> None:
    """A callback has said that it is verified: an interruption must not lose it."""
    twilio, ending = Twilio(lambda: None), CancelToken()
    ending.cancel(WHY)
    with poller_for(twilio, ListingCache(), ending) as looks:
        for look in (find, final_lookup):
            with pytest.raises(AnswerLost, match=WHY):
                look(looks)
        assert RECORD == fetch(looks)
    assert (0, 1) == (twilio.listings, twilio.fetched)


def test_a_look_at_a_reported_caller_id_outlasts_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption during that look must not lose the caller ID either."""
    twilio, ending, told = Twilio(lambda: None), CancelToken(), threading.Event()

    def interrupted(_sid: str) -> CallerId:
        with ending.on_cancel(lambda _reason: told.set()):
            ending.cancel(WHY)
            assert told.wait(PATIENCE)
        return RECORD

    monkeypatch.setattr(twilio, "fetch", interrupted)
    with poller_for(twilio, ListingCache(), ending) as looks:
        assert RECORD == fetch(looks)


class LateSlots(threading.Semaphore):
    """Has no slot at the first try."""

    tries = 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.tries += 1
        return self.tries > 1 and super().acquire(blocking, timeout)


def test_a_look_at_a_reported_caller_id_waits_for_its_turn_after_an_interruption(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All requests that may run at the same time are under way, so the first try for a slot fails."""
    record, ending, slots = sandbox.add_caller_id(NUMBER), CancelToken(), LateSlots()
    client = connect(cancel=ending)
    monkeypatch.setattr(client._connections, "_slots", slots)
    ending.cancel(WHY)
    with poller_for(client, ListingCache(), ending) as looks:
        assert record.sid == looks.fetch(record.sid).sid
    assert 2 == slots.tries


# What many waits share


def test_one_wait_looks_for_its_number_alone(sandbox: Sandbox, connect: Connect) -> None:
    with poller_for(connect(), ListingCache(), CancelToken()) as looks:
        for _ in range(3):
            assert looks.find(LISTED) is not None
    assert [LISTED] * 3 == [request.params.get("PhoneNumber") for request in sandbox.requests]


def test_many_waits_share_a_listing_a_second(sandbox: Sandbox, connect: Connect) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    with (
        poller_for(connect(), listings, CancelToken()) as first,
        poller_for(connect(), listings, CancelToken()) as second,
    ):
        rounds = [first, second]
        for _ in range(10):
            assert [None, None] == [looks.find("+14155550101") for looks in rounds]
        assert 1 == len(sandbox.requests)

        sandbox.add_caller_id("+14155550101")
        clock.time += 1
        assert None not in [looks.find("+14155550101") for looks in rounds]
        assert 2 == len(sandbox.requests)


def test_the_final_lookup_is_ones_own(sandbox: Sandbox, connect: Connect) -> None:
    """A failure rests on it: a listing of half a second ago would not do."""
    listings = ListingCache()
    with poller_for(connect(), listings, CancelToken()) as first, poller_for(connect(), listings, CancelToken()):
        assert first.find("+14155550101") is None
        sandbox.add_caller_id("+14155550101")
        assert first.find("+14155550101") is None
        assert first.final_lookup("+14155550101") is not None


def test_once_the_others_are_done_a_wait_is_alone_again(sandbox: Sandbox, connect: Connect) -> None:
    listings = ListingCache()
    with poller_for(connect(), listings, CancelToken()) as looks:
        with poller_for(connect(), listings, CancelToken()):
            looks.find(LISTED)
        looks.find(LISTED)
    assert [None, LISTED] == [request.params.get("PhoneNumber") for request in sandbox.requests]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An account of three pages, of 20 numbers each rather than 1,000."""
    for module in (listing_cache_module, client_module):
        monkeypatch.setattr(module, "PAGE_SIZE", 20)
    with Sandbox(numbers={f"+1415{n:07}": None for n in range(5550000, 5550050)}) as running:
        yield running


@pytest.mark.parametrize("waits", [2, 3, 4, 8])
def test_all_waits_together_ask_once_a_second_at_most(connect: Connect, large: Sandbox, waits: int) -> None:
    """However many pages the account has: few waits each for its number in turn, many for all pages."""
    clock = Clock()
    listings = ListingCache(clock)
    with ExitStack() as stack:
        twilio = connect(url=large.url)
        rounds = [stack.enter_context(poller_for(twilio, listings, CancelToken())) for _ in range(waits)]
        for _ in range(24):
            for looks in rounds:
                looks.find("+14155590000")
            clock.time += 1
    pages = [request for request in large.requests if "PhoneNumber" not in request.params]
    assert len(large.requests) <= 24 + 3  # the first listing comes at once
    assert (3 if waits <= 3 else 24) == len(pages)


@pytest.mark.parametrize(("waits", "seconds"), [(1, 1), (2, 2), (3, 3), (4, 3), (8, 3)])
def test_a_number_is_seen_after_as_many_seconds_as_there_are_waits_or_pages(
    connect: Connect, large: Sandbox, waits: int, seconds: int
) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    with ExitStack() as stack:
        twilio = connect(url=large.url)
        [first, *others] = [stack.enter_context(poller_for(twilio, listings, CancelToken())) for _ in range(waits)]
        for looks in [first, *others] * 2:  # then it is known how many pages there are
            looks.find("+14155590000")
        large.add_caller_id("+14155590000")
        looked: list[CallerId | None] = []
        while not looked or looked[-1] is None:
            clock.time += 1
            looked.append(first.find("+14155590000"))
        assert len(looked) <= seconds


def test_a_single_wait_looks_whenever_it_has_a_reason_to(connect: Connect, large: Sandbox) -> None:
    """Such as a callback that can't be trusted."""
    with poller_for(connect(url=large.url), ListingCache(Clock()), CancelToken()) as looks:
        assert looks.find("+14155590000") is None
        large.add_caller_id("+14155590000")
        assert looks.find("+14155590000") is not None
