"""Creating caller IDs: at most one call for each, whatever fails, and one clear message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER = "+14155550101"
DESK = {"desk": Declared(NUMBER, "Front desk")}


def test_wrong_credentials(local: LocalStack) -> None:
    token = local.sandbox.auth_token
    local.sandbox.set_auth_token("f" * 32)
    refused = f"Authenticate (code 20003, HTTP 401, account {local.sandbox.account_sid})"
    local.up(DESK, fails=f"Twilio refused to look up {NUMBER}: {refused}")

    assert token not in local.run.said
    assert ({}, 0) == (local.held(), len(local.sandbox.calls))


def test_no_credentials(local: LocalStack) -> None:
    local.config |= {"accountSid": "", "authToken": ""}
    local.up(DESK, fails="Twilio credentials are missing: no account sid and no auth token (or API key).")

    assert "pulumi config set --secret twilio:authToken" in local.error
    assert ({}, []) == (local.held(), local.sandbox.requests)


def test_an_api_key_will_do(local: LocalStack) -> None:
    sandbox = local.sandbox
    local.config |= {"authToken": "", "apiKey": sandbox.api_key, "apiSecret": sandbox.api_secret}
    local.up(DESK)

    assert {sandbox.api_key} == {request.username for request in sandbox.requests}
    assert ["desk"] == list(local.held())


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 500, "processed": True}, {"status": 200, "body": ""}])
def test_an_answer_that_is_lost_never_leads_to_a_second_call(local: LocalStack, fault: dict[str, Any]) -> None:
    """The phone may ring, but nobody knows the code: say so, and place no other call in this run."""
    local.sandbox.set_phone(NUMBER, "no-answer")
    local.sandbox.fail("create", times=None, **fault)
    local.up(DESK, fails="+1 415-555-0101 was not verified: Twilio ")

    assert 1 == local.asked("create")
    assert len(local.sandbox.calls) <= 1
    assert "Its phone may ring all the same; nobody knows the code of that call" in local.error
    assert {} == local.held()


def test_too_many_requests_are_waited_out_with_one_call(local: LocalStack) -> None:
    for endpoint in ("list", "create", "call"):
        local.sandbox.fail(endpoint, status=429, times=2, retry_after=0)
    local.up(DESK)

    assert 1 == len(local.sandbox.calls)
    assert ["desk"] == list(local.held())


def test_a_number_that_the_list_does_not_show_yet(local: LocalStack) -> None:
    local.sandbox.fail("create", status=400, code=21450, message="Phone number is already verified.")
    local.up(DESK, fails="Account")

    assert local.error == (
        f"Account {local.sandbox.account_sid} has verified +1 415-555-0101 already, but its list does not show it yet"
        " (code 21450).\nWait a minute and run `pulumi up` again."
    )
    assert [] == local.sandbox.calls
