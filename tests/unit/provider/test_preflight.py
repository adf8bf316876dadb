from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from pulumi_twilio_caller_id.api.listing_cache import ListingCache
from pulumi_twilio_caller_id.operations.preflight import Preflight
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Sandbox

LISTED = "+14155550199"


def settings(sandbox: Sandbox) -> Settings:
    return Settings(account_sid=sandbox.account_sid, auth_token=SecretStr(sandbox.auth_token), api_url=sandbox.url)


def test_all_who_ask_at_once_share_one_listing(sandbox: Sandbox) -> None:
    preflight = Preflight(ListingCache())
    with ThreadPoolExecutor(8) as threads:
        listings = list(threads.map(lambda _: preflight.listing(settings(sandbox), None), range(8)))

    [record] = sandbox.caller_ids
    assert {record.sid} == {found.sid for found in (it.of_number(LISTED) for it in listings if it) if found}
    assert 1 == len(sandbox.requests)


def test_what_it_lacks(sandbox: Sandbox) -> None:
    listing = Preflight(ListingCache()).listing(settings(sandbox), None)
    assert listing is not None
    assert listing.of_number("+14155550101") is None
    assert listing.of_sid("PN" + "0" * 32) is None


def test_where_twilio_does_not_answer_it_warns_once_and_does_not_ask_again(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.fail("list", status=401, code=20003)
    preflight = Preflight(ListingCache())

    assert [None, None] == [preflight.listing(settings(sandbox), None) for _ in range(2)]
    assert 1 == len(sandbox.requests)
    assert 1 == capsys.readouterr().err.count("can't be told from new ones now: Twilio refused to list the caller IDs")
