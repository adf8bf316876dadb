"""Reading caller IDs from a program, without the engine: against a local Twilio, configured by a stack's config."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi.runtime
import pytest

from pulumi_twilio_caller_id import CallerIdResult, get_outgoing_caller_id, get_outgoing_caller_ids
from pulumi_twilio_caller_id.testing import Sandbox

DESK = "+14155550199"  # what the fixture `sandbox` has, as "Desk"
SUB = "AC" + "5" * 32


@pytest.fixture(autouse=True)
def config(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """The stack's config, which names the sandbox; a test may change it and set it again."""
    values = {
        "twilio:accountSid": sandbox.account_sid,
        "twilio:authToken": sandbox.auth_token,
        "twilio:apiUrl": sandbox.url,
    }
    pulumi.runtime.set_all_config(values)
    yield values
    pulumi.runtime.set_all_config({})


def found(**filters: Any) -> list[str]:
    return [record.phone_number for record in get_outgoing_caller_ids(**filters)]


def refusal(function: Callable[..., object], **filters: Any) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        function(**filters)
    return str(refused.value)


def test_a_record_has_what_twilio_has(sandbox: Sandbox) -> None:
    [record] = sandbox.caller_ids
    one = get_outgoing_caller_id(DESK)

    assert (
        CallerIdResult(
            sid=record.sid,
            phone_number=DESK,
            friendly_name="Desk",
            account_sid=sandbox.account_sid,
            date_created=one.date_created,
            date_updated=one.date_updated,
            uri=f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds/{record.sid}.json",
        )
        == one
    )
    assert str(one.date_created).endswith("+0000")
    assert [one] == get_outgoing_caller_ids(DESK)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [DESK, "+14155550102", "+493090182000"]),
        ({"phone_number": DESK}, [DESK]),
        ({"phone_number": "(415) 555-0199"}, [DESK]),
        ({"phone_number": "+14155550111"}, []),
        ({"friendly_name": "Desk"}, [DESK, "+14155550102"]),
        ({"friendly_name": "desk"}, []),
        ({"friendly_name": "Des"}, []),
        ({"friendly_name": "Desk", "phone_number": "415-555-0102"}, ["+14155550102"]),
        ({"friendly_name": "Berlin", "phone_number": DESK}, []),
    ],
)
def test_filters_are_exact_but_for_how_a_number_is_written(
    filters: dict[str, str], expected: list[str], sandbox: Sandbox
) -> None:
    sandbox.add_caller_id("+14155550102", "Desk")
    sandbox.add_caller_id("+493090182000", "Berlin")
    assert sorted(expected) == sorted(found(**filters))
    assert {"GET"} == {request.method for request in sandbox.requests}


def test_a_number_without_country_code_is_read_in_the_default_region(sandbox: Sandbox, config: dict[str, str]) -> None:
    sandbox.add_caller_id("+493090182000", "Berlin")
    pulumi.runtime.set_all_config({**config, "twilio:defaultRegion": "de"})
    assert ["+493090182000"] == found(phone_number="030 90182000")


def test_a_default_region_that_is_none_is_named_as_what_it_is(config: dict[str, str]) -> None:
    reason = "phone_number '030 90182000' can't be looked up: it can't be read: {} is 'XX', not a country"
    pulumi.runtime.set_all_config({**config, "twilio:defaultRegion": "xx"})
    assert reason.format("twilio:defaultRegion") in refusal(found, phone_number="030 90182000")

    pulumi.runtime.set_all_config({**config, "twilio:provider": "eu", "twilio:defaultRegion": "xx"})
    assert reason.format("Provider eu's default_region") in refusal(found, phone_number="030 90182000")


def test_settings_come_from_the_environment_where_the_config_has_none(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.runtime.set_all_config({})
    for variable, value in sandbox.environment.items():
        monkeypatch.setenv(variable, value)
    assert [DESK] == found()


def test_the_numbers_of_a_subaccount(config: dict[str, str]) -> None:
    """With the credentials of its parent, as the resource's account_sid."""
    with Sandbox(subaccounts=[SUB], numbers={DESK: "Desk"}) as sandbox:
        sandbox.add_caller_id("+14155550102", "Sub", SUB)
        pulumi.runtime.set_all_config({**config, "twilio:apiUrl": sandbox.url})
        assert ["+14155550102"] == found(account_sid=SUB)
        assert SUB == get_outgoing_caller_id(account_sid=SUB).account_sid


def test_settings_of_verification_alone_do_not_matter(config: dict[str, str]) -> None:
    pulumi.runtime.set_all_config({**config, "twilio:notify": "no URL", "twilio:callbackUrl": "no URL"})
    assert [DESK] == found()


# The one that must be unique


def test_none_is_an_error_that_names_filters_and_account(sandbox: Sandbox) -> None:
    assert (
        "get_outgoing_caller_id: there is no caller ID with phone_number '+14155550111' and friendly_name 'Desk'"
        f" in account {sandbox.account_sid}.\n"
        "Check the filters and the account, or have the number verified: declare it as an OutgoingCallerId."
    ) == refusal(get_outgoing_caller_id, phone_number="415 555 0111", friendly_name="Desk")


def test_several_are_an_error_that_names_their_sids(sandbox: Sandbox) -> None:
    sids = [sandbox.caller_ids[0].sid, sandbox.add_caller_id("+14155550102", "Desk").sid]
    told = refusal(get_outgoing_caller_id, friendly_name="Desk")
    head, _, sentence = told.partition("\n")

    start = (
        f"get_outgoing_caller_id: there are 2 caller IDs with friendly_name 'Desk' in account {sandbox.account_sid}: "
    )
    assert start == head[: len(start)]
    assert sorted(sids) == sorted(head[len(start) :].rstrip(".").split(", "))
    assert "Give phone_number, which only one of them can have, or use get_outgoing_caller_ids for all of them." == (
        sentence
    )


def test_no_more_than_five_sids_are_listed(sandbox: Sandbox) -> None:
    for last in range(7):
        sandbox.add_caller_id(f"+1415555010{last}", "Many")
    told = refusal(get_outgoing_caller_id)
    assert f"there are 8 caller IDs in account {sandbox.account_sid}: PN" in told
    assert " and 3 more.\n" in told
    assert 5 == told.count("PN")


# What goes wrong


def test_missing_credentials() -> None:
    pulumi.runtime.set_all_config({})
    assert refusal(get_outgoing_caller_ids).startswith(
        "get_outgoing_caller_ids: Twilio credentials are missing: no account sid and no auth token (or API key).\n"
        "Set twilio:accountSid and twilio:authToken in the stack's config"
    )


def test_refused_credentials(sandbox: Sandbox) -> None:
    sandbox.set_auth_token("rotated")
    assert refusal(get_outgoing_caller_id).startswith(
        f"get_outgoing_caller_id: Twilio refused to list the caller IDs of {sandbox.account_sid}: Authenticate"
        " (code 20003, HTTP 401)."
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "phone_number",
            "555-0101",
            "phone_number '555-0101' can't be looked up: it lacks its area code; US is assumed, as the number does not",
        ),
        ("phone_number", "", "phone_number '' can't be looked up: it is not a phone number."),
        (
            "phone_number",
            14155550199,
            "phone_number 14155550199 can't be looked up: it must be text: put it in quotes.",
        ),
        ("friendly_name", "", "friendly_name '' can't be looked up: it must be text, and not empty."),
        ("friendly_name", 7, "friendly_name 7 can't be looked up: it must be text, and not empty."),
        ("account_sid", "SK" + "0" * 32, f"account_sid 'SK{'0' * 32}' can't be looked up: it is an API key: give the"),
    ],
)
def test_a_filter_that_makes_no_sense_sends_nothing(name: str, value: object, told: str, sandbox: Sandbox) -> None:
    """An empty one is no wildcard either."""
    message = refusal(get_outgoing_caller_ids, **{name: value})
    assert message.startswith(f"get_outgoing_caller_ids: {told}")
    assert message.endswith(f"\nCorrect {name}, or leave it out.")
    assert [] == sandbox.requests


def test_importing_the_package_imports_no_client() -> None:
    """A preview needs none, and it takes half a second."""
    code = (
        "import sys, pulumi_twilio_caller_id; print([m for m in ('twilio', 'aiohttp', 'apprise') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == told.stdout
