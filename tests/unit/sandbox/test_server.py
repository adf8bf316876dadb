"""The sandbox over HTTP, asked by plain requests and by Twilio's own client."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.rest import START, Clock, ask
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
DATE = "Tue, 24 Nov 2026 10:00:00 +0000"
SUBACCOUNT = "AC" + "5" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock) -> dict[str, Any]:
    return {"delays": Delays(1, 10, 20), "subaccounts": {SUBACCOUNT: "subtoken"}, "clock": clock}


def client(sandbox: Sandbox) -> Client:
    made = Client(sandbox.account_sid, sandbox.auth_token, http_client=TwilioHttpClient(timeout=PATIENCE))
    made.api.base_url = sandbox.url
    return made


def error(code: int, status: int, message: str) -> dict[str, object]:
    return {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


# Bodies


def test_a_validation_request(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": "415-555-0101"})
    (call,) = sandbox.calls
    assert answer.status_code == 200
    assert answer.json() == {
        "account_sid": sandbox.account_sid,
        "call_sid": call.sid,
        "friendly_name": "(415) 555-0101",
        "phone_number": NUMBER,
        "validation_code": call.validation_code,
    }


def test_a_caller_id(sandbox: Sandbox, clock: Clock) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    uri = f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds/{sid}.json"
    expected = {
        "sid": sid,
        "date_created": DATE,
        "date_updated": DATE,
        "friendly_name": "Front desk",
        "account_sid": sandbox.account_sid,
        "phone_number": NUMBER,
        "uri": uri,
    }
    path = f"OutgoingCallerIds/{sid}.json"
    assert ask(sandbox, "GET", path).json() == expected

    clock.now += 61.9
    updated = ask(sandbox, "POST", path, data={"FriendlyName": "Möbel & Co"})
    assert updated.status_code == 200
    assert updated.json() == expected | {
        "friendly_name": "Möbel & Co",
        "date_updated": "Tue, 24 Nov 2026 10:01:01 +0000",
    }
    assert ask(sandbox, "POST", path, data={"FriendlyName": "x" * 65}).json()["code"] == 20001
    assert ask(sandbox, "POST", path).json()["friendly_name"] == "Möbel & Co"

    removed = ask(sandbox, "DELETE", path)
    assert (removed.status_code, removed.content) == (204, b"")
    for method in ("GET", "POST", "DELETE"):
        gone = ask(sandbox, method, path)
        assert gone.status_code == 404
        assert gone.json() == error(20404, 404, f"The requested resource {uri} was not found")


def test_a_call(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone("+442071838750", "wrong-code")
    sid = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": "+442071838750"}).json()["call_sid"]
    uri = f"/2010-04-01/Accounts/{sandbox.account_sid}/Calls/{sid}.json"
    body = ask(sandbox, "GET", f"Calls/{sid}.json").json()
    assert set(body.pop("subresource_uris")) == {
        "events",
        "notifications",
        "payments",
        "recordings",
        "siprec",
        "streams",
        "transcriptions",
        "user_defined_message_subscriptions",
        "user_defined_messages",
    }
    assert body == {
        "sid": sid,
        "date_created": DATE,
        "date_updated": DATE,
        "parent_call_sid": None,
        "account_sid": sandbox.account_sid,
        "to": "+442071838750",
        "to_formatted": "+442071838750",
        "from": "+14157234000",
        "from_formatted": "(415) 723-4000",
        "phone_number_sid": None,
        "status": "queued",
        "start_time": None,
        "end_time": None,
        "duration": None,
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "1000",
        "trunk_sid": None,
        "uri": uri,
    }
    clock.now += 500
    later = ask(sandbox, "GET", f"Calls/{sid}.json").json()
    assert {name: later[name] for name in ("status", "start_time", "end_time", "duration", "date_updated")} == {
        "status": "completed",
        "start_time": "Tue, 24 Nov 2026 10:00:01 +0000",
        "end_time": "Tue, 24 Nov 2026 10:00:31 +0000",
        "duration": "20",
        "date_updated": "Tue, 24 Nov 2026 10:00:31 +0000",
    }


def test_a_call_nobody_answered_has_no_duration(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone(NUMBER, "busy")
    sid = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).json()["call_sid"]
    clock.now += 11
    body = ask(sandbox, "GET", f"Calls/{sid}.json").json()
    assert (body["status"], body["duration"], body["end_time"]) == ("busy", None, None)


def test_calls_are_those_of_their_account(sandbox: Sandbox) -> None:
    form = {"PhoneNumber": NUMBER}
    sid = ask(sandbox, "POST", "OutgoingCallerIds.json", account_sid=SUBACCOUNT, data=form).json()["call_sid"]
    assert ask(sandbox, "GET", f"Calls/{sid}.json", account_sid=SUBACCOUNT).status_code == 200
    uri = f"/2010-04-01/Accounts/{sandbox.account_sid}/Calls/{sid}.json"
    other = ask(sandbox, "GET", f"Calls/{sid}.json")
    assert (other.status_code, other.json()) == (
        404,
        error(20404, 404, f"The requested resource {uri} was not found"),
    )


def test_caller_ids_are_those_of_their_account(sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, account_sid=SUBACCOUNT).sid
    assert ask(sandbox, "GET", "OutgoingCallerIds.json").json()["outgoing_caller_ids"] == []
    assert ask(sandbox, "GET", f"OutgoingCallerIds/{sid}.json").status_code == 404
    assert ask(sandbox, "DELETE", f"OutgoingCallerIds/{sid}.json").status_code == 404
    assert ask(sandbox, "GET", f"OutgoingCallerIds/{sid}.json", account_sid=SUBACCOUNT).status_code == 200


def test_a_body_that_is_no_form_is_an_empty_one(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "POST", "OutgoingCallerIds.json", json={"PhoneNumber": NUMBER})
    assert (answer.status_code, answer.json()["code"]) == (400, 13224)


# Lists


def test_an_empty_list(sandbox: Sandbox) -> None:
    uri = f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json?PageSize=50&Page=0"
    assert ask(sandbox, "GET", "OutgoingCallerIds.json").json() == {
        "end": 0,
        "first_page_uri": uri,
        "next_page_uri": None,
        "outgoing_caller_ids": [],
        "page": 0,
        "page_size": 50,
        "previous_page_uri": None,
        "start": 0,
        "uri": uri,
    }


def test_pages(sandbox: Sandbox) -> None:
    sids = [sandbox.add_caller_id(f"+1415555{number:04d}", "Desk & Co").sid for number in range(1000, 1005)]
    sandbox.add_caller_id("+14155551005", "desk & co")
    path = f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
    query = "FriendlyName=Desk+%26+Co&PageSize=2"
    auth = (sandbox.account_sid, sandbox.auth_token)

    def page(uri: str) -> Any:
        return requests.get(sandbox.url + uri, auth=auth, timeout=PATIENCE).json()

    first = page(f"{path}?{query}")
    second = page(first["next_page_uri"])
    third = page(second["next_page_uri"])
    assert [[item["sid"] for item in body["outgoing_caller_ids"]] for body in (first, second, third)] == [
        sids[:2],
        sids[2:4],
        sids[4:],
    ]
    assert first["next_page_uri"] == f"{path}?{query}&Page=1&PageToken=PA{sids[1]}"
    assert [(body["page"], body["start"], body["end"]) for body in (first, second, third)] == [
        (0, 0, 1),
        (1, 2, 3),
        (2, 4, 4),
    ]
    assert (first["previous_page_uri"], third["next_page_uri"]) == (None, None)
    assert second["uri"] == first["next_page_uri"]
    assert page(third["previous_page_uri"])["outgoing_caller_ids"] == second["outgoing_caller_ids"]
    assert page(second["previous_page_uri"])["outgoing_caller_ids"] == first["outgoing_caller_ids"]
    assert page(third["first_page_uri"])["outgoing_caller_ids"] == first["outgoing_caller_ids"]


def test_a_page_that_is_just_full_is_the_last(sandbox: Sandbox) -> None:
    sandbox.add_caller_id("+14155550101")
    sandbox.add_caller_id("+14155550102")
    body = ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PageSize": "2"}).json()
    assert (len(body["outgoing_caller_ids"]), body["next_page_uri"]) == (2, None)


def test_filters_match_exactly(sandbox: Sandbox) -> None:
    one = sandbox.add_caller_id(NUMBER, "Desk").sid
    two = sandbox.add_caller_id("+14155550102", "desk").sid
    for params, sids in (
        ({"PhoneNumber": NUMBER}, [one]),
        ({"PhoneNumber": "+1415555"}, []),
        ({"FriendlyName": "desk"}, [two]),
        ({"FriendlyName": "Des"}, []),
        ({"FriendlyName": "desk", "PhoneNumber": NUMBER}, []),
        ({}, [one, two]),
    ):
        body = ask(sandbox, "GET", "OutgoingCallerIds.json", params=params).json()
        assert [item["sid"] for item in body["outgoing_caller_ids"]] == sids


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"PageToken": "PAPN" + "0" * 32}, 21481),
        ({"PageToken": "nonsense"}, 21481),
        ({"PageSize": "0"}, 20001),
        ({"PageSize": "many"}, 20001),
        ({"Page": "-1"}, 20001),
    ],
)
def test_pages_that_cannot_be(sandbox: Sandbox, params: dict[str, str], code: int) -> None:
    answer = ask(sandbox, "GET", "OutgoingCallerIds.json", params=params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_page_has_at_most_a_thousand(sandbox: Sandbox) -> None:
    body = ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PageSize": "5000"}).json()
    assert body["page_size"] == 1000
    assert parse_qs(urlsplit(body["uri"]).query)["PageSize"] == ["1000"]


# Who may


def test_credentials_that_open_an_account(sandbox: Sandbox) -> None:
    for account_sid, auth in (
        (sandbox.account_sid, (sandbox.account_sid, sandbox.auth_token)),
        (sandbox.account_sid, (sandbox.api_key, sandbox.api_secret)),
        (SUBACCOUNT, (sandbox.account_sid, sandbox.auth_token)),
        (SUBACCOUNT, (SUBACCOUNT, "subtoken")),
    ):
        assert ask(sandbox, "GET", "OutgoingCallerIds.json", account_sid=account_sid, auth=auth).status_code == 200


def test_credentials_that_do_not(sandbox: Sandbox) -> None:
    other = "AC" + "9" * 32
    for account_sid, auth in (
        (sandbox.account_sid, (sandbox.account_sid, "wrong")),
        (sandbox.account_sid, (sandbox.account_sid, sandbox.api_secret)),
        (sandbox.account_sid, (sandbox.api_key, sandbox.auth_token)),
        (sandbox.account_sid, (SUBACCOUNT, "subtoken")),
        (SUBACCOUNT, (sandbox.api_key, sandbox.api_secret)),
        (SUBACCOUNT, (SUBACCOUNT, "wrong")),
        (other, (sandbox.account_sid, sandbox.auth_token)),
        (other, (other, "")),
    ):
        for method, path in (("GET", "OutgoingCallerIds.json"), ("POST", "OutgoingCallerIds.json"), ("GET", "Nothing")):
            answer = ask(sandbox, method, path, account_sid=account_sid, auth=auth, data={"PhoneNumber": NUMBER})
            assert answer.status_code == 401
            assert answer.json() == error(20003, 401, "Authenticate")
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'
    assert sandbox.calls == []


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic ???", "Bearer abc", "Basic /w=="])
def test_headers_that_are_no_credentials(sandbox: Sandbox, header: str | None) -> None:
    url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
    headers = {} if header is None else {"Authorization": header}
    assert requests.get(url, headers=headers, timeout=PATIENCE).json() == error(20003, 401, "Authenticate")


def test_an_api_key_is_no_account(sandbox: Sandbox) -> None:
    auth = (sandbox.api_key, sandbox.api_secret)
    answer = ask(sandbox, "GET", "OutgoingCallerIds.json", account_sid=sandbox.api_key, auth=auth)
    assert answer.json() == error(90002, 400, f"AccountSid {sandbox.api_key} is invalid")


def test_an_account_tells_its_token_to_itself_and_to_its_parents_token(sandbox: Sandbox) -> None:
    main, sub = (sandbox.account_sid, sandbox.auth_token), (SUBACCOUNT, "subtoken")
    key = (sandbox.api_key, sandbox.api_secret)
    for account_sid, auth, token in (
        (sandbox.account_sid, main, sandbox.auth_token),
        (SUBACCOUNT, main, "subtoken"),
        (SUBACCOUNT, sub, "subtoken"),
        (sandbox.account_sid, sub, None),
        (sandbox.account_sid, key, None),
        (SUBACCOUNT, key, None),
        ("AC" + "9" * 32, main, None),
    ):
        answer = requests.get(f"{sandbox.url}/2010-04-01/Accounts/{account_sid}.json", auth=auth, timeout=PATIENCE)
        told = answer.json()
        if token is None:
            assert (answer.status_code, told) == (401, error(20003, 401, "Authenticate"))
        else:
            assert (told["sid"], told["auth_token"], told["owner_account_sid"]) == (account_sid, token, main[0])
    assert {"account"} == {request.endpoint for request in sandbox.requests}


# Where nothing is


def test_paths_and_methods_that_do_not_exist(sandbox: Sandbox) -> None:
    account = f"/2010-04-01/Accounts/{sandbox.account_sid}"
    for method, path in (
        ("PUT", "OutgoingCallerIds/PN1.json"),
        ("PATCH", "OutgoingCallerIds.json"),
        ("HEAD", "OutgoingCallerIds.json"),
        ("POST", "Calls/CA1.json"),
    ):
        answer = ask(sandbox, method, path)
        assert answer.status_code == 405
        assert method == "HEAD" or answer.json() == error(20004, 405, "Method not allowed")
    for path in ("OutgoingCallerIds/.json", "OutgoingCallerIds/PN1", "Messages.json"):
        answer = ask(sandbox, "GET", path)
        assert answer.status_code == 404
        assert answer.json() == error(20404, 404, f"The requested resource {account}/{path} was not found")
    outside = requests.get(f"{sandbox.url}/elsewhere", timeout=PATIENCE)
    assert (outside.status_code, outside.json()["message"]) == (404, "The requested resource /elsewhere was not found")


# Twilio's own client


def test_twilio_s_client_verifies_renames_and_removes(sandbox: Sandbox, clock: Clock) -> None:
    twilio = client(sandbox)
    request = twilio.validation_requests.create(
        phone_number=NUMBER,
        friendly_name="Front desk",
        call_delay=5,
        extension="12",
        status_callback="https://example.com/done",
        status_callback_method="POST",
    )
    assert (request.phone_number, request.friendly_name) == (NUMBER, "Front desk")
    assert twilio.outgoing_caller_ids.list(phone_number=NUMBER, limit=1) == []
    assert twilio.calls(request.call_sid).fetch().status == "queued"
    assert sandbox.requests[0].form == {
        "PhoneNumber": NUMBER,
        "FriendlyName": "Front desk",
        "CallDelay": "5",
        "Extension": "12",
        "StatusCallback": "https://example.com/done",
        "StatusCallbackMethod": "POST",
    }

    clock.now += 36
    call = twilio.calls(request.call_sid).fetch()
    assert (call.status, call.duration, call.to, call._from) == ("completed", "20", NUMBER, "+14157234000")
    (listed,) = twilio.outgoing_caller_ids.list(phone_number=NUMBER, limit=1)
    fetched = twilio.outgoing_caller_ids(listed.sid).fetch()
    assert (fetched.sid, fetched.friendly_name, fetched.phone_number) == (listed.sid, "Front desk", NUMBER)
    assert fetched.date_created.timestamp() == START + 36

    with pytest.raises(TwilioRestException) as refusal:
        twilio.validation_requests.create(phone_number=NUMBER)
    assert (refusal.value.status, refusal.value.code) == (400, 21450)
    assert refusal.value.msg == "Unable to create record: Phone number is already verified."

    assert twilio.outgoing_caller_ids(listed.sid).update(friendly_name="Reception").friendly_name == "Reception"
    assert twilio.outgoing_caller_ids(listed.sid).delete() is True
    with pytest.raises(TwilioRestException) as gone:
        twilio.outgoing_caller_ids(listed.sid).delete()
    assert (gone.value.status, gone.value.code) == (404, 20404)


@pytest.mark.parametrize("options", [{}, {"page_size": 1000}, {"limit": 5000}])
def test_twilio_s_client_pages_through_all_of_them(options: dict[str, int]) -> None:
    numbers = [f"+1415555{number:04d}" for number in range(1000, 2234)]
    with Sandbox(numbers=dict.fromkeys(numbers)) as sandbox:
        listed = client(sandbox).outgoing_caller_ids.list(**options)
        assert [record.phone_number for record in listed] == numbers
        size = min(options.get("page_size") or options.get("limit") or 50, 1000)
        assert len(sandbox.requests) == -(-len(numbers) // size)


def test_twilio_s_client_works_in_a_subaccount(sandbox: Sandbox) -> None:
    twilio = client(sandbox).api.accounts(SUBACCOUNT)
    assert twilio.validation_requests.create(phone_number=NUMBER).account_sid == SUBACCOUNT
    assert [call.account_sid for call in sandbox.calls] == [SUBACCOUNT]


# Faults


def test_a_fault_answers_instead_as_often_as_it_says(sandbox: Sandbox) -> None:
    sandbox.fail("list", status=429, times=2, retry_after=7)
    sandbox.fail("list", status=400, code=21450, message="autrement", times=1)
    ask(sandbox, "GET", "Calls/CA1.json")
    answers = [ask(sandbox, "GET", "OutgoingCallerIds.json") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 400, 200]
    assert answers[0].json() == error(20429, 429, "Too Many Requests")
    assert [answer.headers.get("Retry-After") for answer in answers] == ["7", "7", None, None]
    assert answers[2].json() == error(21450, 400, "autrement")


def test_a_fault_lasts_until_it_is_healed(sandbox: Sandbox) -> None:
    sandbox.fail("create", status=500)
    form = {"PhoneNumber": NUMBER}
    assert [ask(sandbox, "POST", "OutgoingCallerIds.json", data=form).status_code for _ in range(3)] == [500] * 3
    assert sandbox.calls == []
    sandbox.heal()
    assert ask(sandbox, "POST", "OutgoingCallerIds.json", data=form).status_code == 200


def test_a_fault_may_have_a_body_of_its_own(sandbox: Sandbox) -> None:
    sandbox.fail("create", status=502, body="<html>Bad gateway</html>", times=1)
    sandbox.fail("create", body="<html>Fine</html>", processed=True, times=1)
    form = {"PhoneNumber": NUMBER}
    bad = ask(sandbox, "POST", "OutgoingCallerIds.json", data=form)
    assert (bad.status_code, bad.text, sandbox.calls) == (502, "<html>Bad gateway</html>", [])
    assert bad.headers["Content-Type"].startswith("text/html")
    fine = ask(sandbox, "POST", "OutgoingCallerIds.json", data=form)
    assert (fine.status_code, fine.text, len(sandbox.calls)) == (200, "<html>Fine</html>", 1)


@pytest.mark.parametrize(("drop", "calls"), [("before", 0), ("after", 1)])
def test_a_connection_is_dropped_before_or_after(sandbox: Sandbox, drop: Any, calls: int) -> None:
    sandbox.fail("create", drop=drop, times=1)
    with pytest.raises(requests.ConnectionError):
        ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER})
    assert len(sandbox.calls) == calls
    assert [(record.endpoint, record.status) for record in sandbox.requests] == [("create", None)]


def test_an_answer_is_held_back_but_the_request_counts(sandbox: Sandbox) -> None:
    sandbox.fail("create", delay=0.05, times=1)
    started = time.monotonic()
    assert ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).status_code == 200
    assert time.monotonic() - started >= 0.05
    sandbox.fail("create", delay=60)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json",
            data={"PhoneNumber": NUMBER},
            auth=(sandbox.account_sid, sandbox.auth_token),
            timeout=(PATIENCE, 0.5),
        )
    until(lambda: len(sandbox.calls) == 2)
    assert [record.status for record in sandbox.requests] == [200, None]


def test_an_answer_that_is_held_back_goes_out_once_healed(sandbox: Sandbox) -> None:
    sandbox.fail("create", delay=600)
    seen: list[int | None] = []

    def heal() -> None:
        until(lambda: sandbox.requests)
        assert ask(sandbox, "GET", "OutgoingCallerIds.json").ok  # it is answered after the first would have been
        seen.extend(record.status for record in sandbox.requests)
        sandbox.heal()

    healing = threading.Thread(target=heal)
    healing.start()
    started = time.monotonic()
    assert ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).status_code == 200
    assert time.monotonic() - started < PATIENCE / 2
    healing.join()
    assert [None, 200] == seen


def test_a_fault_may_be_about_one_number_or_sid(sandbox: Sandbox) -> None:
    first, second = sandbox.add_caller_id("+14155550151"), sandbox.add_caller_id("+14155550152")
    sandbox.fail("fetch", status=503, about=first.sid)
    sandbox.fail("list", status=503, about=second.phone_number)
    sandbox.fail("create", status=503, about=NUMBER)

    statuses = [ask(sandbox, "GET", f"OutgoingCallerIds/{record.sid}.json").status_code for record in (first, second)]
    assert [503, 200] == statuses
    filters = [{"PhoneNumber": record.phone_number} for record in (first, second)]
    assert [200, 503] == [
        ask(sandbox, "GET", "OutgoingCallerIds.json", params=wanted).status_code for wanted in filters
    ]
    assert [503, 200] == [
        ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": number}).status_code
        for number in (NUMBER, "+14155550153")
    ]
    assert 200 == ask(sandbox, "GET", "OutgoingCallerIds.json").status_code


@pytest.mark.parametrize("options", [{"endpoint": "lists"}, {"drop": "now"}, {"times": 0}])
def test_faults_that_make_no_sense(sandbox: Sandbox, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=repr(next(iter(options.values())))):
        sandbox.fail(**{"endpoint": "list", **options})


# Recording


def test_requests_are_recorded_without_their_secrets(sandbox: Sandbox, clock: Clock) -> None:
    clock.now += 5
    ask(sandbox, "GET", "OutgoingCallerIds.json", params={"PhoneNumber": NUMBER})
    ask(sandbox, "DELETE", "OutgoingCallerIds/PN1.json", auth=(sandbox.api_key, sandbox.api_secret))
    ask(sandbox, "PUT", "OutgoingCallerIds.json", auth=(SUBACCOUNT, "wrong"), data={"A": "b"})
    listing, deletion, other = sandbox.requests
    account = f"/2010-04-01/Accounts/{sandbox.account_sid}"
    assert vars(listing) == {
        "method": "GET",
        "path": f"{account}/OutgoingCallerIds.json",
        "endpoint": "list",
        "params": {"PhoneNumber": NUMBER},
        "form": {},
        "username": sandbox.account_sid,
        "at": START + 5,
        "status": 200,
        "dropped": False,
    }
    assert (deletion.endpoint, deletion.username, deletion.status) == ("delete", sandbox.api_key, 404)
    assert (other.endpoint, other.method, other.form, other.status) == ("", "PUT", {"A": "b"}, 401)
    assert not any(secret in repr(sandbox.requests) for secret in (sandbox.auth_token, sandbox.api_secret))


# The sandbox's own end points


def test_the_code_is_keyed_in_over_http(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone(NUMBER, "manual")
    request = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).json()
    call = f"{sandbox.url}/sandbox/calls/{request['call_sid']}"
    too_early = requests.post(f"{call}/digits", data={"Digits": request["validation_code"]}, timeout=PATIENCE)
    assert too_early.status_code == 409
    assert too_early.json() == {
        "message": "Not possible: the call is queued; digits can be keyed in while it is ringing or in-progress.",
        "status": 409,
    }
    clock.now += 5
    wrong = requests.post(f"{call}/digits", data={"Digits": "000000"}, timeout=PATIENCE)
    assert wrong.json() == {"verified": False, "sid": request["call_sid"], "status": "in-progress"}
    right = requests.post(f"{call}/digits", data={"Digits": request["validation_code"]}, timeout=PATIENCE)
    assert right.json() == {"verified": True, "sid": request["call_sid"], "status": "completed"}
    assert [record.phone_number for record in sandbox.caller_ids] == [NUMBER]
    assert requests.post(f"{call}/hangup", timeout=PATIENCE).status_code == 409
    assert [record.endpoint for record in sandbox.requests] == ["create"]


def test_a_call_is_hung_up_over_http(sandbox: Sandbox, clock: Clock) -> None:
    sid = ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER}).json()["call_sid"]
    clock.now += 15
    answer = requests.post(f"{sandbox.url}/sandbox/calls/{sid}/hangup", timeout=PATIENCE)
    assert answer.json() == {"sid": sid, "status": "completed"}
    clock.now += 100
    assert sandbox.caller_ids == []
    for action in ("hangup", "digits"):
        unknown = requests.post(f"{sandbox.url}/sandbox/calls/CA0/{action}", timeout=PATIENCE)
        assert (unknown.status_code, unknown.json()) == (404, {"message": "There is no call CA0.", "status": 404})


def test_the_state_shows_everything_but_secrets(sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id("+14155550102", "Desk")
    ask(sandbox, "POST", "OutgoingCallerIds.json", data={"PhoneNumber": NUMBER})
    answer = requests.get(f"{sandbox.url}/sandbox/state", timeout=PATIENCE)
    (call,) = sandbox.calls
    assert [item["sid"] for item in answer.json()["caller_ids"]] == [record.sid]
    assert answer.json()["calls"] == [vars(call)]
    assert not any(secret in answer.text for secret in (sandbox.auth_token, sandbox.api_secret, "subtoken"))
