from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import FRESH_SECONDS, ListingCache
from pulumi_twilio_caller_id.errors import BadSid, CredentialsRefused, NotFound
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
    listings.invalidate(record.sid)
    assert "Lobby" == listings.fetch(connect(), record.sid).friendly_name

    sandbox.remove(record.sid)
    listings.invalidate(record.sid)
    with pytest.raises(NotFound):
        listings.fetch(connect(), record.sid)


def test_a_caller_id_that_this_process_renamed_is_not_gone_by_an_old_listing(
    sandbox: Sandbox, connect: Connect
) -> None:
    """The listing lacks it because the process dropped it, so the account is listed again to check a 404."""
    [record] = sandbox.caller_ids
    listings = ListingCache()
    for _ in range(2):
        listings.fetch(connect(), record.sid)
    listings.invalidate(record.sid)
    not_found = NotFound(f"read caller ID {record.sid}", 404, 20404)
    found = listings.find_in_listing_after_404(not_found, connect(), record.sid)
    assert found is not None
    assert record.sid == found.sid
    assert listings.find_in_listing_after_404(not_found, connect(), NO_SUCH) is None
    assert ["fetch", "list", "list"] == asked(sandbox)


def test_a_listing_ages(sandbox: Sandbox, connect: Connect) -> None:
    clock = Clock()
    listings = ListingCache(clock)
    [record] = sandbox.caller_ids
    for _ in range(2):
        listings.fetch(connect(), record.sid)
    sandbox.rename(record.sid, "Lobby")
    clock.time += FRESH_SECONDS - 1
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
    assert listings.get(connect(), 10.0).by_number(LISTED) is not None
