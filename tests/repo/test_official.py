"""The validator: what is wrong with a request or an answer is named, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support.openapi import schemas
from tests.support.openapi.official import Answered, Asked, Description, descriptions, documents, extract

ACCOUNT = "AC" + "a" * 32
SID = "PN" + "b" * 32
CALL = "CA" + "c" * 32
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/OutgoingCallerIds.json"
CREATE = Asked(
    "POST",
    LIST,
    [],
    [("PhoneNumber", "+14155550101"), ("CallDelay", "5"), ("StatusCallbackMethod", "GET")],
    {"authorization": "Basic x", "content-type": "application/x-www-form-urlencoded"},
)
PAGE = Asked("GET", LIST, [("PageSize", "2"), ("PhoneNumber", "+14155550101")], [], {"authorization": "Basic x"})
FETCH = replace(PAGE, path=f"/2010-04-01/Accounts/{ACCOUNT}/OutgoingCallerIds/{SID}.json", query=[])
DELETE = replace(FETCH, method="DELETE")

CREATED = {
    "account_sid": ACCOUNT,
    "call_sid": CALL,
    "friendly_name": "Desk",
    "phone_number": "+14155550101",
    "validation_code": "012345",
}
CALLER_ID = {
    "sid": SID,
    "date_created": "Tue, 24 Nov 2026 10:00:00 +0000",
    "date_updated": None,
    "friendly_name": "Desk",
    "account_sid": ACCOUNT,
    "phone_number": "+14155550101",
    "uri": FETCH.path,
}
LISTED = {
    "end": 0,
    "first_page_uri": f"{LIST}?PageSize=2&Page=0",
    "next_page_uri": None,
    "outgoing_caller_ids": [CALLER_ID],
    "page": 0,
    "page_size": 2,
    "previous_page_uri": None,
    "start": 0,
    "uri": f"{LIST}?PageSize=2&Page=0",
}
ERROR = {"code": 20404, "message": "Not found", "more_info": "https://www.twilio.com/docs/errors/20404", "status": 404}


@pytest.fixture(scope="module")
def described() -> dict[str, Description]:
    return descriptions(documents())


@pytest.mark.parametrize("asked", [CREATE, PAGE, FETCH, DELETE])
def test_a_request_as_described_has_nothing_wrong_with_it(described: dict[str, Description], asked: Asked) -> None:
    assert {name: [] for name in described} == {
        name: description.violations_of_request(asked) for name, description in described.items()
    }


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (replace(CREATE, path="/2010-04-01/Accounts.json"), "there is no POST /2010-04-01/Accounts.json"),
        (replace(FETCH, method="PUT"), "there is no PUT"),
        (replace(FETCH, path=FETCH.path.replace("PN", "CA")), "Sid"),
        (replace(FETCH, path=FETCH.path.replace("AC", "SK")), "AccountSid"),
        (replace(PAGE, query=[("PageSize", "1001")]), "PageSize"),
        (replace(PAGE, query=[("PageSize", "0")]), "PageSize"),
        (replace(PAGE, query=[("Page", "first")]), "Page"),
        (replace(PAGE, query=[("phone_number", "+14155550101")]), "phone_number"),
        (replace(PAGE, query=[("PhoneNumber", "415-555-0101")]), "PhoneNumber"),
        (replace(PAGE, query=[("Page", "1"), ("Page", "2")]), "Page is given twice"),
        (replace(PAGE, headers={}), "no Basic credentials"),
        (replace(PAGE, headers={"authorization": "Bearer x"}), "no Basic credentials"),
        (replace(DELETE, form=[("FriendlyName", "x")]), "it has a body: FriendlyName"),
        (replace(CREATE, form=[]), "PhoneNumber"),
        (replace(CREATE, form=[*CREATE.form, ("Sid", SID)]), "Sid"),
        (replace(CREATE, form=[*CREATE.form[:1], ("CallDelay", "soon")]), "CallDelay"),
        (replace(CREATE, form=[*CREATE.form[:1], ("StatusCallbackMethod", "PUT")]), "StatusCallbackMethod"),
        (replace(CREATE, form=[*CREATE.form[:1], ("StatusCallback", "/done")]), "StatusCallback"),
        (replace(CREATE, headers={**CREATE.headers, "content-type": "application/json"}), "application/json"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(described: dict[str, Description], asked: Asked, named: str) -> None:
    for description in described.values():
        (violation,) = description.violations_of_request(asked)
        assert named in violation


@pytest.mark.parametrize(
    "field", [("CallDelay", "61"), ("FriendlyName", "x" * 65), ("StatusCallback", "https://x/" * 101)]
)
def test_the_extract_knows_limits_that_twilio_tells_in_prose(
    described: dict[str, Description], field: tuple[str, str]
) -> None:
    (violation,) = described["extract"].violations_of_request(replace(CREATE, form=[*CREATE.form[:1], field]))
    assert field[0] in violation


def answer(body: object, status: int = 200, kind: str = "application/json; charset=utf-8") -> Answered:
    return Answered(status, {"content-type": kind}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (CREATE, answer(CREATED)),
        (CREATE, answer(ERROR, 400)),
        (PAGE, answer(LISTED)),
        (FETCH, answer(CALLER_ID)),
        (FETCH, answer(ERROR, 404)),
        (DELETE, Answered(204, {}, b"")),
        (replace(FETCH, method="PUT"), answer(ERROR, 405)),
    ],
)
def test_an_answer_as_described_has_nothing_wrong_with_it(
    described: dict[str, Description], asked: Asked, answered: Answered
) -> None:
    assert {name: [] for name in described} == {
        name: description.violations_of_answer(asked, answered) for name, description in described.items()
    }


@pytest.mark.parametrize(
    ("asked", "answered", "named"),
    [
        (CREATE, answer(CREATED, 201), "201 is not among 200"),
        (CREATE, answer(CREATED | {"sid": SID}), "sid"),
        (CREATE, answer({name: value for name, value in CREATED.items() if name != "call_sid"}), "call_sid"),
        (CREATE, answer(CREATED | {"validation_code": 12345}), "validation_code"),
        (CREATE, answer(CREATED | {"phone_number": "(415) 555-0101"}), "phone_number"),
        (CREATE, answer(ERROR | {"code": "20404"}, 400), "code"),
        (CREATE, answer({"message": "no"} | {k: v for k, v in ERROR.items() if k != "status"}, 400), "status"),
        (CREATE, answer({**ERROR, "detail": "x"}, 400), "detail"),
        (CREATE, Answered(200, {"content-type": "application/json"}, b"<html>"), "no JSON"),
        (FETCH, answer(CALLER_ID, kind="text/plain"), "text/plain"),
        (FETCH, answer(CALLER_ID | {"sid": "PN" + "x" * 32}), "sid"),
        (FETCH, answer(CALLER_ID | {"date_created": "2026-11-24T10:00:00Z"}), "date_created"),
        (FETCH, answer(CALLER_ID | {"date_created": "Mon, 24 Nov 2026 10:00:00 +0000"}), "date_created"),
        (FETCH, answer(CALLER_ID | {"date_created": "Tue, 24 Nov 2026 11:00:00 +0100"}), "date_created"),
        (PAGE, answer(LISTED | {"total": 1}), "total"),
        (PAGE, answer(LISTED | {"outgoing_caller_ids": [CALLER_ID | {"sid": "x" * 34}]}), "outgoing_caller_ids/0/sid"),
        (PAGE, answer(LISTED | {"first_page_uri": None}), "first_page_uri"),
        (PAGE, answer(LISTED | {"next_page_uri": "a b"}), "next_page_uri"),
        (DELETE, answer({}, 204), "has a body"),
        (replace(FETCH, method="PUT"), answer(CALLER_ID), "200 is not among"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(
    described: dict[str, Description], asked: Asked, answered: Answered, named: str
) -> None:
    for description in described.values():
        (violation,) = description.violations_of_answer(asked, answered)
        assert named in violation


def test_a_format_that_nothing_is_known_of_is_not_passed_over() -> None:
    document = extract()
    document["components"]["schemas"]["caller_id"]["properties"]["uri"]["format"] = "url"
    with pytest.raises(ValueError, match="format 'url' is not known here"):
        Description(document, document["components"]["schemas"]["error"])


def test_a_page_of_a_thousand_needs_no_new_validator(
    described: dict[str, Description], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making one for each record would take seconds."""
    records = [CALLER_ID | {"sid": f"PN{number:032x}"} for number in range(1000)]
    body = answer(LISTED | {"outgoing_caller_ids": records})
    monkeypatch.setattr(schemas, "jsonschema_rs", None)
    assert [] == described["extract"].violations_of_answer(PAGE, body)
