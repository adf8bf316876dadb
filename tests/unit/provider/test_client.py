"""Every request the provider makes, over HTTP against a local Twilio."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import AnswerLost, BadSid, NotFound, TwilioRefused
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.testing import Sandbox

if TYPE_CHECKING:
    from tests.support.broken_servers import RawServer
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
LISTED = "+14155550199"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)
CALL = "CA" + "1" * 32
SID = "PN" + "1" * 32
ACCOUNT = "AC" + "1" * 32
SUBACCOUNT = "AC" + "5" * 32

NO_SIDS = ["", "PN1", "CA" + "1" * 32, "pn" + "1" * 32, "PN" + "g" * 32, "PN" + "\uff11" * 32]
NO_SIDS += ["../Calls/" + CALL, SID + "/..", SID + "?x=", SID + "\n", SID + "1"]

RECORD = {"sid": SID, "phone_number": LISTED, "friendly_name": "Desk", "account_sid": ACCOUNT}
ANSWER = {"call_sid": CALL, "phone_number": NUMBER, "validation_code": "123456"}


def page(*records: dict[str, Any]) -> str:
    return json.dumps({"outgoing_caller_ids": records, "next_page_uri": None, "page": 0, "page_size": 50})


def ok(body: object) -> bytes:
    text = json.dumps(body)
    return f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


# request_validation


def test_a_validation_request_is_sent_as_documented(connect: Connect, answering: Callable[[bytes], RawServer]) -> None:
    """B04: each input arrives, under Twilio's name and encoded."""
    server = answering(ok(ANSWER))
    inputs = OutgoingCallerIdInputs(
        phone_number="(415) 555-0101",
        friendly_name="Zoë & Co",
        call_delay=0,
        extension="12w#",
        status_callback="https://example.com/cb?a=1&b=%20",
        status_callback_method="POST",
        account_sid=SUBACCOUNT,
    )
    connect(url=server.url, subaccount=SUBACCOUNT).request_validation(inputs)
    (request,) = server.requests
    assert request.split(b"\r\n")[0].decode() == (
        f"POST /2010-04-01/Accounts/{SUBACCOUNT}/OutgoingCallerIds.json HTTP/1.1"
    )
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in request
    assert server.bodies[0] == (
        b"PhoneNumber=%2B14155550101&FriendlyName=Zo%C3%AB+%26+Co&CallDelay=0&Extension=12w%23"
        b"&StatusCallback=https%3A%2F%2Fexample.com%2Fcb%3Fa%3D1%26b%3D%2520&StatusCallbackMethod=POST"
    )


def test_the_status_callback_of_the_inputs_wins(connect: Connect, answering: Callable[[bytes], RawServer]) -> None:
    server = answering(ok(ANSWER))
    inputs = INPUTS.model_copy(update={"status_callback": "https://example.com/own"})
    connect(url=server.url).request_validation(inputs, "https://example.com/ours")
    assert b"&StatusCallback=https%3A%2F%2Fexample.com%2Fown&" in server.bodies[0]


def test_what_is_left_out_is_not_sent(connect: Connect, answering: Callable[[bytes], RawServer]) -> None:
    """An empty FriendlyName, say, might take Twilio's own name away."""
    server = answering(ok(ANSWER))
    connect(url=server.url).request_validation(INPUTS)
    assert server.bodies == [b"PhoneNumber=%2B14155550101"]


def test_a_validation_request_answers_call_and_code(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.set_phone(NUMBER, {"validation_code": "004821"})
    request = connect().request_validation(INPUTS)
    (call,) = sandbox.calls
    expected = ValidationRequest(
        call_sid=call.sid,
        phone_number=NUMBER,
        validation_code="004821",
        account_sid=sandbox.account_sid,
    )
    assert expected == request
    assert "004821" not in repr(request)


@pytest.mark.parametrize(
    ("code", "expected"), [("004821", "004821"), (4821, "004821"), (0, "000000"), (123456, "123456")]
)
def test_a_code_keeps_its_leading_zeros(sandbox: Sandbox, connect: Connect, code: object, expected: str) -> None:
    """Also where a server writes it as a number, which has none."""
    sandbox.fail("create", body=json.dumps(ANSWER | {"validation_code": code}))
    assert expected == connect().request_validation(INPUTS).validation_code


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"call_sid": None}, "call_sid"),
        ({"call_sid": "CA1"}, "call_sid"),
        ({"call_sid": "../" + CALL}, "call_sid"),
        ({"validation_code": None}, "validation_code"),
        ({"validation_code": 12.5, "phone_number": 5}, "phone_number, validation_code"),
    ],
)
def test_a_validation_request_answered_otherwise_is_a_lost_answer(
    sandbox: Sandbox, connect: Connect, change: dict[str, Any], fields: str
) -> None:
    """The call may have been placed, so it is not asked for again."""
    sandbox.fail("create", body=json.dumps(ANSWER | change), processed=True)
    with pytest.raises(AnswerLost) as caught:
        connect().request_validation(INPUTS)
    assert caught.value.what == (
        f"Twilio was asked to verify {NUMBER}, and gave no usable answer: its fields {fields} are missing or malformed."
    )
    assert (len(sandbox.requests), len(sandbox.calls)) == (1, 1)


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [("own-number", "(code 21449, HTTP 400, account AC"), ("refused", "(code 13224, HTTP 400, account AC")],
)
def test_a_number_that_twilio_refuses_is_told(sandbox: Sandbox, connect: Connect, behaviour: str, told: str) -> None:
    """B24, and the codes for numbers that cannot be called."""
    sandbox.set_phone(NUMBER, behaviour)
    with pytest.raises(TwilioRefused) as caught:
        connect().request_validation(INPUTS)
    assert told in str(caught.value)
    assert sandbox.calls == []


def test_a_number_that_is_verified_already_is_known_by_its_code(sandbox: Sandbox, connect: Connect) -> None:
    """B23: whatever the words are."""
    sandbox.fail("create", status=400, code=21450, message="Numéro déjà vérifié")
    with pytest.raises(TwilioRefused) as caught:
        connect().request_validation(INPUTS)
    assert caught.value.code == 21450


# find and each


def test_find_answers_the_caller_id_of_the_number(sandbox: Sandbox, connect: Connect) -> None:
    (listed,) = sandbox.caller_ids
    found = connect().find(LISTED)
    assert found is not None
    assert (listed.sid, LISTED, "Desk") == (found.sid, found.phone_number, found.friendly_name)
    assert found.account_sid == sandbox.account_sid
    assert found.uri == f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds/{listed.sid}.json"
    assert [request.params["PhoneNumber"] for request in sandbox.requests] == [LISTED]


def test_find_answers_none_where_the_number_is_not_listed(connect: Connect) -> None:
    assert connect().find(NUMBER) is None


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], None),
        (["+141555501011"], None),
        (["14155550101"], None),
        (["+14155550102", NUMBER], SID),
    ],
)
def test_find_answers_only_the_exact_number(
    sandbox: Sandbox, connect: Connect, others: list[str], expected: str | None
) -> None:
    """Should a server read the filter in a wider sense, another number must not be taken over."""
    records = [RECORD | {"phone_number": number} for number in others]
    sandbox.fail("list", body=page(*records))
    found = connect().find(NUMBER)
    assert expected == (found and found.sid)


def test_each_pages_through_everything(connect: Connect) -> None:
    numbers = {f"+1415{5550000 + index}": None for index in range(1234)}
    with Sandbox(numbers=numbers) as full:
        found = list(connect(url=full.url).stream())
        assert list(numbers) == [record.phone_number for record in found]
        assert [request.params["PageSize"] for request in full.requests] == ["1000", "1000"]


def test_each_by_name_is_exact(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.add_caller_id("+14155550198", "desk")
    assert [record.phone_number for record in connect().stream(friendly_name="Desk")] == [LISTED]
    assert sandbox.requests[0].params["FriendlyName"] == "Desk"
    assert len(list(connect().stream())) == 2


@pytest.mark.parametrize("body", ["{}", '{"sid": 5}', '{"outgoing_caller_ids": null}', '{"outgoing_caller_ids": [5]}'])
def test_a_list_of_another_form_is_a_lost_answer(sandbox: Sandbox, connect: Connect, body: str) -> None:
    """It is no evidence that the number is not there."""
    sandbox.fail("list", body=body)
    with pytest.raises(AnswerLost):
        connect().find(NUMBER)


# fetch, rename, remove


def test_fetch_answers_the_record_as_twilio_wrote_it(sandbox: Sandbox, connect: Connect) -> None:
    """Dates keep their form, and what Twilio left empty is None."""
    date = "Tue, 24 Nov 2026 10:00:00 +0000"
    sandbox.fail("fetch", body=json.dumps(RECORD | {"date_created": date, "friendly_name": None}))
    expected = RECORD | {"friendly_name": None, "date_created": date, "date_updated": None, "uri": None}
    assert expected == connect().fetch(SID).model_dump()


def test_rename_changes_the_name_and_nothing_else(sandbox: Sandbox, connect: Connect) -> None:
    (before,) = sandbox.caller_ids
    renamed = connect().rename(before.sid, "Front desk")
    assert (before.sid, LISTED, "Front desk") == (renamed.sid, renamed.phone_number, renamed.friendly_name)
    assert [(request.endpoint, request.form) for request in sandbox.requests] == [
        ("update", {"FriendlyName": "Front desk"})
    ]


def test_remove_deletes(sandbox: Sandbox, connect: Connect) -> None:
    connect().remove(sandbox.caller_ids[0].sid)
    assert sandbox.caller_ids == []


STEPS: dict[str, tuple[str, Callable[[Client, str], object]]] = {
    "fetch": ("read", lambda api, sid: api.fetch(sid)),
    "rename": ("rename", lambda api, sid: api.rename(sid, "Desk")),
    "remove": ("delete", lambda api, sid: api.remove(sid)),
}


@pytest.mark.parametrize(("verb", "step"), STEPS.values(), ids=STEPS.keys())
def test_a_sid_that_is_not_there_is_not_found(
    sandbox: Sandbox, connect: Connect, verb: str, step: Callable[[Client, str], object]
) -> None:
    with pytest.raises(NotFound) as caught:
        step(connect(), SID)
    assert caught.value.what.startswith(f"Twilio refused to {verb} caller ID {SID}: ")
    assert caught.value.what.endswith(f"(code 20404, HTTP 404, account {sandbox.account_sid}).")


@pytest.mark.parametrize(("verb", "step"), STEPS.values(), ids=STEPS.keys())
def test_what_is_no_sid_is_refused_before_anything_is_sent(
    sandbox: Sandbox, connect: Connect, verb: str, step: Callable[[Client, str], object]
) -> None:
    """The client puts it into the path as it is, and it would reach another resource."""
    for sid in NO_SIDS:
        with pytest.raises(BadSid) as caught:
            step(connect(), sid)
        assert caught.value.what == f"{sid!r} is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits."
    assert sandbox.requests == []
