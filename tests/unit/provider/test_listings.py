from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from pulumi_twilio_caller_id.api import client as twilio_api
from pulumi_twilio_caller_id.api import listing_cache as listings_module
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import FRESH, ListingCache
from pulumi_twilio_caller_id.errors import BadSid, CredentialsRefused, NotFound
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.testing import Sandbox

Connect = Callable[..., Client]
LISTED = "+14155550199"
NO_SUCH = "PN" + "0" * 32


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def asked(sandbox: Sandbox) -> list[str]:
    return [request.endpoint for request in sandbox.requests]


# Reads


def test_a_single_read_asks_for_its_sid_and_many_share_a_listing(sandbox: Sandbox, connect: Connect) -> None:
    sids = [sandbox.add_caller_id(f"+141555501{n:02}").sid for n in range(50)]
    listings = ListingCache()
    assert sids[0] == listings.fetch(connect(), sids[0]).sid
    assert ["fetch"] == asked(sandbox)

    with ThreadPoolExecutor(8) as threads:
        assert sids[1:] == list(threads.map(lambda sid: listings.fetch(connect(), sid).sid, sids[1:]))
    assert ["fetch", "list"] == asked(sandbox)


def test_what_the_listing_lacks_is_asked_for_before_it_is_called_gone(sandbox: Sandbox, connect: Connect) -> None:
    listings = ListingCache()
    [record] = sandbox.caller_ids
    listings.fetch(connect(), record.sid)
    listings.fetch(connect(), record.sid)
    new = sandbox.add_caller_id("+14155550101").sid

    assert new == listings.fetch(connect(), new).sid
    with pytest.raises(NotFound):
        listings.fetch(connect(), NO_SUCH)
    assert ["fetch", "list", "fetch", "fetch"] == asked(sandbox)


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 401, "code": 20003}, {"body": "{"}])
def test_where_there_is_no_listing_each_is_asked_for(
    sandbox: Sandbox, connect: Connect, fault: dict[str, object]
) -> None:
    """Nor is the listing asked for again by each of them."""
    sandbox.fail("list", **fault)  # type: ignore[arg-type]
    [record] = sandbox.caller_ids
    listings = ListingCache()
    for _ in range(4):
        assert record.sid == listings.fetch(connect(attempts=1), record.sid).sid
    assert 4 == asked(sandbox).count("fetch")
    assert 1 == asked(sandbox).count("list")


def test_what_this_process_changed_is_not_read_from_an_old_listing(sandbox: Sandbox, connect: Connect) -> None:
    [record] = sandbox.caller_ids
    listings = ListingCache()
    for _ in range(2):
        listings.fetch(connect(), record.sid)
    sandbox.rename(record.sid, "Lobby")
    listings.forget(record.sid)
    assert "Lobby" == listings.fetch(connect(), record.sid).friendly_name

    sandbox.remove(record.sid)
    listings.forget(record.sid)
    with pytest.raises(NotFound):
        listings.fetch(connect(), record.sid)


def test_a_listing_ages(sandbox: Sandbox, connect: Connect) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    [record] = sandbox.caller_ids
    for _ in range(2):
        listings.fetch(connect(), record.sid)
    sandbox.rename(record.sid, "Lobby")
    clock.time += FRESH - 1
    assert "Desk" == listings.fetch(connect(), record.sid).friendly_name
    clock.time += 1
    assert "Lobby" == listings.fetch(connect(), record.sid).friendly_name


def test_accounts_have_listings_of_their_own(connect: Connect) -> None:
    subaccount = "AC" + "5" * 32
    with Sandbox(subaccounts=[subaccount]) as sandbox:
        own, other = sandbox.add_caller_id(LISTED).sid, sandbox.add_caller_id(LISTED, account_sid=subaccount).sid
        listings = ListingCache()
        for _ in range(2):
            assert own == listings.fetch(connect(url=sandbox.url), own).sid
            assert other == listings.fetch(connect(url=sandbox.url, subaccount=subaccount), other).sid
        with pytest.raises(NotFound):
            listings.fetch(connect(url=sandbox.url), other)


def test_what_is_not_a_sid_is_not_looked_for(sandbox: Sandbox, connect: Connect) -> None:
    listings = ListingCache()
    for _ in range(2):
        with pytest.raises(BadSid):
            listings.fetch(connect(), "../Calls")
    assert [] == sandbox.requests


# Errors, and who shares them


def test_an_error_is_shared_as_long_as_a_listing_would_be(sandbox: Sandbox, connect: Connect) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    sandbox.fail("list", status=401, code=20003, times=1)
    for _ in range(3):
        with pytest.raises(CredentialsRefused):
            listings.get(connect(), 10.0)
    assert 1 == len(sandbox.requests)
    clock.time += 10
    assert listings.get(connect(), 10.0).of_number(LISTED) is not None


# Waits


def test_one_wait_looks_for_its_number_alone(sandbox: Sandbox, connect: Connect) -> None:
    with ListingCache().shared(connect()) as looks:
        for _ in range(3):
            assert looks.once().find(LISTED) is not None
    assert [LISTED] * 3 == [request.params.get("PhoneNumber") for request in sandbox.requests]


def test_many_waits_share_a_listing_a_second(sandbox: Sandbox, connect: Connect) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    with listings.shared(connect()) as first, listings.shared(connect()) as second:
        rounds = [first.once(), second.once()]
        for _ in range(10):
            assert [None, None] == [looks.find("+14155550101") for looks in rounds]
        assert 1 == len(sandbox.requests)

        sandbox.add_caller_id("+14155550101")
        clock.time += 1
        assert None not in [looks.find("+14155550101") for looks in rounds]
        assert 2 == len(sandbox.requests)


def test_the_last_look_is_ones_own(sandbox: Sandbox, connect: Connect) -> None:
    """A failure rests on it: a listing of half a second ago would not do."""
    listings = ListingCache()
    with listings.shared(connect()) as first, listings.shared(connect()):
        assert first.once().find("+14155550101") is None
        sandbox.add_caller_id("+14155550101")
        assert first.once().find("+14155550101") is None
        assert first.find("+14155550101") is not None


def test_once_the_others_are_done_a_wait_is_alone_again(sandbox: Sandbox, connect: Connect) -> None:
    listings = ListingCache()
    with listings.shared(connect()) as looks:
        with listings.shared(connect()):
            looks.once().find(LISTED)
        looks.once().find(LISTED)
    assert [None, LISTED] == [request.params.get("PhoneNumber") for request in sandbox.requests]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An account of three pages, of 20 numbers each rather than 1,000."""
    for module in (listings_module, twilio_api):
        monkeypatch.setattr(module, "PAGE", 20)
    with Sandbox(numbers={f"+1415{n:07}": None for n in range(5550000, 5550050)}) as running:
        yield running


@pytest.mark.parametrize("waits", [2, 3, 4, 8])
def test_all_waits_together_ask_once_a_second_at_most(connect: Connect, large: Sandbox, waits: int) -> None:
    """However many pages the account has: few waits each for its number in turn, many for all pages."""
    clock = Clock()
    listings = ListingCache(clock)
    with ExitStack() as stack:
        twilio = connect(url=large.url)
        rounds = [stack.enter_context(listings.shared(twilio)).once() for _ in range(waits)]
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
        [first, *others] = [stack.enter_context(listings.shared(twilio)).once() for _ in range(waits)]
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
    with ListingCache(Clock()).shared(connect(url=large.url)) as wait:
        looks = wait.once()
        assert looks.find("+14155590000") is None
        large.add_caller_id("+14155590000")
        assert looks.find("+14155590000") is not None
