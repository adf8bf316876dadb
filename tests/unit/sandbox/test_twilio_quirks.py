"""What surprises about Twilio's API for caller IDs, and is so in the sandbox too. All else about it: test_server.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import TwilioRefused
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.rest import ask
from tests.support.waiting import PATIENCE, SleeplessToken

NUMBER, BOUGHT = "+14155550101", "+14155550102"
BOUGHT_SID = "PN" + "b" * 32
SUBACCOUNT = "AC" + "5" * 32


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"own_numbers": [BOUGHT], "subaccounts": [SUBACCOUNT]}


@pytest.fixture
def twilio(sandbox: Sandbox) -> Client:
    settings = {"account_sid": sandbox.account_sid, "auth_token": sandbox.auth_token, "api_url": sandbox.url}
    return Client(Settings.model_validate(settings), cancel=SleeplessToken())


def test_an_answer_of_200_to_a_create_has_made_nothing_yet_that_has_a_sid(sandbox: Sandbox) -> None:
    sandbox.set_phone(NUMBER, "manual")
    created = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER})
    listed = ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PhoneNumber": NUMBER})
    assert (200, []) == (created.status_code, listed.json()["outgoing_caller_ids"])
    assert not {"sid", "status", "date_created"} & created.json().keys()


def test_a_call_that_completed_says_nothing_of_whether_the_number_is_verified(sandbox: Sandbox) -> None:
    verified = {}
    for behaviour in ("wrong-code", "keys-code"):
        sandbox.set_phone(NUMBER, behaviour)
        call = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).json()["call_sid"]
        seen = ask(sandbox, "GET", f"Calls/{call}.json").json()
        assert ("completed", "0", False) == (seen["status"], seen["duration"], "error_code" in seen)
        verified[behaviour] = [record.phone_number for record in sandbox.caller_ids]
    assert {"wrong-code": [], "keys-code": [NUMBER]} == verified


def test_a_sid_that_begins_with_pn_need_be_no_caller_id(sandbox: Sandbox) -> None:
    """The account's own number has such a sid too, as an IncomingPhoneNumber."""
    assert CALLER_ID_SID.fullmatch(BOUGHT_SID)
    for method in ("GET", "POST", "DELETE"):
        answer = ask(sandbox, method, f"OutgoingCallerIds/{BOUGHT_SID}.json")
        assert (404, 20404) == (answer.status_code, answer.json()["code"])
    listed = ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PhoneNumber": BOUGHT})
    assert [] == listed.json()["outgoing_caller_ids"]


def test_a_sid_of_another_account_is_not_found_though_the_token_opens_both(sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id(NUMBER, "Desk", SUBACCOUNT)
    for method in ("GET", "POST", "DELETE"):
        answer = ask(sandbox, method, f"OutgoingCallerIds/{record.sid}.json", data={"FriendlyName": "Taken"})
        assert (404, 20404) == (answer.status_code, answer.json()["code"])
    assert [record] == sandbox.caller_ids


def test_a_call_may_be_unknown_at_first_although_its_sid_was_given_out(sandbox: Sandbox, twilio: Client) -> None:
    """Calls are eventually consistent."""
    sandbox.set_phone(NUMBER, {"known_after": 60})
    call = twilio.request_validation(OutgoingCallerIdInputs(phone_number=NUMBER)).call_sid
    assert None is twilio.call_state(call)
    sandbox.advance(60)
    state = twilio.call_state(call)
    assert "completed" == (state and state.status)


def test_links_are_paths_so_a_client_stays_at_the_host_that_it_asks(sandbox: Sandbox) -> None:
    for number in range(3):
        sandbox.add_caller_id(f"+1415555010{number}")
    host = f"http://localhost:{urlsplit(sandbox.url).port}"
    path = f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json?PageSize=1"
    seen: list[str] = []
    while path:
        assert path.startswith("/2010-04-01/Accounts/")
        page = requests.get(host + path, auth=(sandbox.account_sid, sandbox.auth_token), timeout=PATIENCE).json()
        seen += [record["phone_number"] for record in page["outgoing_caller_ids"]]
        assert not {"total", "num_pages"} & page.keys()
        path = page["next_page_uri"]
    assert ["+14155550100", "+14155550101", "+14155550102"] == seen


def test_a_page_s_number_alone_leads_nowhere_without_its_token(sandbox: Sandbox) -> None:
    first = sandbox.add_caller_id(NUMBER)
    sandbox.add_caller_id("+14155550103")
    page = ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PageSize": "1", "Page": "1"}).json()
    assert [first.sid] == [record["sid"] for record in page["outgoing_caller_ids"]]


def test_a_delete_needs_no_accept_header_and_answers_without_a_body(sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER).sid
    answer = ask(sandbox, "DELETE", f"OutgoingCallerIds/{sid}.json", headers={"Accept": None})
    assert (204, b"", None) == (answer.status_code, answer.content, answer.headers.get("Content-Type"))


def test_a_caller_id_is_renamed_by_post_alone(sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Desk").sid
    for method, status in (("PUT", 405), ("PATCH", 405), ("POST", 200)):
        answer = ask(sandbox, method, f"OutgoingCallerIds/{sid}.json", data={"FriendlyName": method})
        assert status == answer.status_code
    assert ["POST"] == [record.friendly_name for record in sandbox.caller_ids]


def test_a_plus_sign_that_is_not_escaped_in_a_filter_is_a_space(sandbox: Sandbox) -> None:
    sandbox.add_caller_id(NUMBER)
    found = [
        len(ask(sandbox, "GET", f"OutgoingCallerIds.json?PhoneNumber={number}").json()["outgoing_caller_ids"])
        for number in (NUMBER, NUMBER.replace("+", "%2B"))
    ]
    assert [0, 1] == found


def test_test_credentials_are_refused_with_a_code_of_their_own(sandbox: Sandbox, twilio: Client) -> None:
    sandbox.fail("create", status=403)
    with pytest.raises(TwilioRefused) as refusal:
        twilio.request_validation(OutgoingCallerIdInputs(phone_number=NUMBER))
    assert (403, 20008) == (refusal.value.status, refusal.value.code)
