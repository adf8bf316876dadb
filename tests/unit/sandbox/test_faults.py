"""How faults are described, in a file or a program, and what those do that last: `hang` and the endpoint "*"."""

from __future__ import annotations

import dataclasses
import math
import re
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.sandbox.faults import ALLOWED, Faults
from pulumi_twilio_caller_id.sandbox.faults_file import FaultsFileError, load_faults, read_fault, read_faults
from pulumi_twilio_caller_id.testing import Delays, Fault, Sandbox
from tests.support.rest import ask, place
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
KEYS = (
    "endpoint, status, code, message, times, retry_after, delay, hang, drop, body, processed, location, about"
)  # fmt: skip
ENDPOINTS = "create, list, fetch, update, delete, call, account, *"
ABOUT = "a phone number, or the sid of an account, a caller ID or a call"
ACCOUNT, CALLER_ID, CALL = "AC" + "1" * 32, "PN" + "2" * 32, "CA" + "3" * 32


# The file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "faults.yaml",
            (
                "- {endpoint: create, status: 429, code: 20429, message: Slow down, times: 2, retry_after: 1}\n"
                "- {endpoint: list, delay: 0.5, drop: after, about: +14155550101}\n"
                "- endpoint: '*'\n  hang: true\n"
                "- {endpoint: fetch, body: <html>, processed: yes, location: http://127.0.0.1/}\n"
            ),
        ),
        (
            "faults.json",
            (
                '[{"endpoint": "create", "status": 429, "code": 20429, "message": "Slow down", "times": 2,'
                '"retry_after": 1},'
                '{"endpoint": "list", "delay": 0.5, "drop": "after", "about": "+14155550101"},'
                '{"endpoint": "*", "hang": true},'
                '{"endpoint": "fetch", "body": "<html>", "processed": true, "location": "http://127.0.0.1/"}]'
            ),
        ),
    ],
)
def test_a_faults_file_is_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert [
        Fault("create", status=429, code=20429, message="Slow down", times=2, retry_after=1),
        Fault("list", delay=0.5, drop="after", about=NUMBER),
        Fault("*", hang=True),
        Fault("fetch", body="<html>", processed=True, location="http://127.0.0.1/"),
    ] == load_faults(tmp_path / name)


def test_every_field_of_a_fault_can_be_written_in_a_file() -> None:
    assert {field.name for field in dataclasses.fields(Fault)} == set(ALLOWED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {endpoint: creat}", f"entry 1: endpoint 'creat' must be one of {ENDPOINTS}"),
        ("- {status: 500}", f"entry 1: endpoint is missing: it must be one of {ENDPOINTS}"),
        ("- {endpoint: list, hang: yes}\n- {endpoint: list, state: 500}", f"entry 2: 'state' is not one of {KEYS}"),
        ("- {endpoint: list, status: 1000}", "entry 1: status 1000 must be an HTTP status, 200 to 599"),
        ("- {endpoint: list, status: ok}", "entry 1: status 'ok' must be an HTTP status, 200 to 599"),
        ("- {endpoint: list, code: x}", "entry 1: code 'x' must be a whole number, one of Twilio's error codes"),
        (
            "- {endpoint: list, times: 0}",
            "entry 1: times 0 must be a whole number, 1 or more; without it the fault lasts until it is healed",
        ),
        ("- {endpoint: list, delay: -1}", "entry 1: delay -1.0 must be a number of seconds, 0 or more"),
        ("- {endpoint: list, delay: .inf}", "entry 1: delay '.inf' must be a number of seconds, 0 or more"),
        ("- {endpoint: list, delay: inf}", "entry 1: delay inf must be a number of seconds, 0 or more"),
        ("- {endpoint: list, retry_after: -1}", "entry 1: retry_after -1 must be a whole number of seconds, 0 or more"),
        ("- {endpoint: list, drop: during}", "entry 1: drop 'during' must be one of before, after"),
        ("- {endpoint: list, hang: for ever}", "entry 1: hang 'for ever' must be true or false"),
        ("- {endpoint: list, processed: 5}", "entry 1: processed '5' must be true or false"),
        ("- {endpoint: list, body: [1]}", "entry 1: body ['1'] must be a text"),
        (
            "- {endpoint: list, hang: true, delay: 1}",
            "entry 1: delay is for answers that come, hang for those that do not: give one of them",
        ),
        ("- {endpoint: list}", "entry 1: nothing would go wrong at 'list': add status, body, delay, hang or drop"),
        ("- {endpoint: list, about: desk, hang: on}", f"entry 1: about 'desk' must be {ABOUT}"),
        ("- list", "entry 1: 'list' is not a mapping such as {endpoint: create, status: 500}"),
        ("endpoint: list", "must be a list of faults, each a mapping such as {endpoint: create, status: 500}"),
        ("", "must be a list of faults, each a mapping such as {endpoint: create, status: 500}"),
        ("a: b: c", "is not YAML (mapping values are not allowed here"),
    ],
)  # fmt: skip
def test_a_bad_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(FaultsFileError) as explained:
        load_faults(path)
    assert str(explained.value).startswith(f"{path}: {message}")
    assert "\n" not in str(explained.value)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("[")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name, message in (
        ("missing.yaml", "cannot be read (No such file or directory)"),
        ("broken.json", "is not JSON ("),
        ("deep.json", "is nested too deeply"),
    ):
        with pytest.raises(FaultsFileError) as explained:
            load_faults(tmp_path / name)
        assert str(explained.value).startswith(f"{tmp_path / name}: {message}")


def test_a_text_in_a_file_is_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("- {endpoint: list, body: null}\n- {endpoint: list, body: '', hang: OFF}\n")
    (tmp_path / "faults.json").write_text('[{"endpoint": "list", "body": null, "drop": "after", "message": null}]')
    assert [Fault("list", body="null"), Fault("list", body="")] == load_faults(tmp_path / "faults.yaml")
    assert [Fault("list", drop="after")] == load_faults(tmp_path / "faults.json")


# What makes no sense


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("endpoint", [None, True, ["list"]]),
        ("status", [True, 404.0, "x", 199, 600, "-5"]),
        ("code", [True, 21450.5, "", [21450]]),
        ("times", [True, False, 1.0, 0, "1.5", "9" * 5000]),
        ("retry_after", [True, 1.5, -1]),
        ("delay", [True, None, -0.1, math.nan, math.inf, 10**400, "soon"]),
        ("hang", [1, 0, None, "for ever"]),
        ("processed", [1, "1", None]),
        ("drop", [True, "during"]),
        ("body", [5, b"{}", {"sid": 1}, "\ud800"]),
        ("message", [5, ["a"], "\udfff"]),
        ("location", ["", "http://127.0.0.1/a b", "/a\r\nSet-Cookie: a=b", 5]),
        ("about", [4155550101, True, "", "desk", "12", "PN1", "PN2125550101", "AC" + "g" * 32, "SK" + "1" * 32]),
    ],
)
def test_a_value_of_another_kind_is_refused_wherever_it_comes_from(field: str, values: list[Any]) -> None:
    for value in values:
        wrong = {"endpoint": "list", "hang": True, field: value}
        with pytest.raises(FaultsFileError) as explained:
            read_fault(wrong)
        assert re.fullmatch(rf"{field} .+ must be {re.escape(ALLOWED[field])}", str(explained.value)), value
        if not isinstance(value, str):  # a text may stand for a number in a file, and for nothing else in a program
            with pytest.raises(ValueError, match=rf"^{field} .+ must be "):
                Fault(**wrong)


def test_numbers_and_truths_in_a_program_are_no_texts() -> None:
    for field, value in {"status": "500", "times": "1", "delay": "1", "hang": "true", "code": "1"}.items():
        assert isinstance(read_fault({"endpoint": "list", "status": 500, field: value}), Fault)
        with pytest.raises(ValueError, match=rf"^{field} '{value}' must be "):
            Fault(**{"endpoint": "list", "status": 500, field: value})  # type: ignore[arg-type]


NOTHING = "nothing would go wrong at 'create': add status, body, delay, hang or drop"
FOR_AN_ANSWER = "is for an answer of the fault's own: add its status"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, NOTHING),
        ({"times": 1, "about": NUMBER}, NOTHING),
        ({"delay": 0, "processed": False}, NOTHING),
        ({"code": 21450, "times": 1}, f"code 21450 {FOR_AN_ANSWER}"),
        ({"code": 0, "delay": 1}, f"code 0 {FOR_AN_ANSWER}"),
        ({"message": "No", "hang": True}, f"message 'No' {FOR_AN_ANSWER}"),
        ({"retry_after": 0, "delay": 1}, f"retry_after 0 {FOR_AN_ANSWER}"),
        ({"location": "/x"}, f"location '/x' {FOR_AN_ANSWER}"),
        ({"processed": True, "hang": True}, f"processed True {FOR_AN_ANSWER}"),
        ({"drop": "after", "status": 500}, "drop 'after' leaves no answer, and status 500 is for one: leave one out"),
        ({"drop": "before", "body": ""}, "drop 'before' leaves no answer, and body '' is for one: leave one out"),
        ({"drop": "after", "code": 1}, "drop 'after' leaves no answer, and code 1 is for one: leave one out"),
        (
            {"drop": "before", "processed": True},
            "drop 'before' leaves no answer, and processed True is for one: leave one out",
        ),
        (
            {"status": 400, "code": 21450, "body": "{}"},
            "code 21450 would be lost, as the body is sent as it is: write it there, or leave the body out",
        ),
        (
            {"message": "No", "body": ""},
            "message 'No' would be lost, as the body is sent as it is: write it there, or leave the body out",
        ),
        ({"status": 204, "body": "{}"}, "body '{}' would be lost, as status 204 has no body: leave one out"),
        ({"status": 304, "code": 1}, "code 1 would be lost, as status 304 has no body: leave one out"),
        ({"hang": True, "delay": 1}, "delay is for answers that come, hang for those that do not: give one of them"),
    ],
)
def test_what_could_have_no_effect_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Fault("create", **fields)
    with pytest.raises(FaultsFileError, match=f"^entry 2: {re.escape(message)}$"):
        read_faults([{"endpoint": "create", "hang": True}, {"endpoint": "create", **fields}])


@pytest.mark.parametrize(
    "fields",
    [
        {"status": 204},
        {"status": 204, "body": "", "processed": True},
        {"status": 429, "code": 20429, "message": "Slow down", "retry_after": 1, "location": "/x", "delay": 1},
        {"body": "{}", "retry_after": 0, "location": "http://127.0.0.1/ü", "processed": True},
        {"status": 500, "hang": True},
        {"drop": "before", "delay": 1},
        {"drop": "after", "hang": True, "times": 1},
    ],
)
def test_what_goes_together_is_taken(fields: dict[str, Any]) -> None:
    fault = Fault("list", **fields)
    assert fault == read_fault({"endpoint": "list", **fields}) == read_fault(dataclasses.asdict(fault))


@pytest.mark.parametrize(
    ("endpoint", "about", "told"),
    [
        (
            "create",
            CALLER_ID,
            "is the sid of a caller ID, and requests to 'create' name an AccountSid or a phone number",
        ),
        ("list", CALL, "is the sid of a call, and requests to 'list' name an AccountSid or a phone number"),
        ("fetch", NUMBER, "is a phone number, and requests to 'fetch' name an AccountSid or the sid of a caller ID"),
        ("update", NUMBER, "is a phone number, and requests to 'update' name an AccountSid or the sid of a caller ID"),
        ("delete", CALL, "is the sid of a call, and requests to 'delete' name an AccountSid or the sid of a caller ID"),
        ("call", NUMBER, "is a phone number, and requests to 'call' name an AccountSid or the sid of a call"),
    ],
)
def test_what_no_request_to_the_endpoint_names_is_refused(endpoint: Any, about: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'about {about!r} {told}')}$"):
        Fault(endpoint, hang=True, about=about)
    for possible in (endpoint, "*"):
        assert ACCOUNT == Fault(possible, hang=True, about=ACCOUNT).about
    assert about == Fault("*", hang=True, about=about).about


# In a program


def test_a_sandbox_has_its_faults_from_the_start() -> None:
    mapping: dict[str, Any] = {"endpoint": "list", "status": 500, "times": 1}
    with Sandbox(faults=[mapping, Fault("fetch", status=503)]) as sandbox:
        assert [500, 200] == [ask(sandbox, "GET", "OutgoingCallerIds.json").status_code for _ in range(2)]
        assert 503 == ask(sandbox, "GET", "OutgoingCallerIds/PN1.json").status_code
    with pytest.raises(ValueError, match=r"^faults: entry 1: endpoint 'lst' must be one of "):
        Sandbox(faults=[{"endpoint": "lst"}])
    with pytest.raises(ValueError, match=r"^must be a list of faults"):
        read_faults("list")


def test_a_fault_is_not_used_up_for_whoever_gave_it() -> None:
    fault, faults = Fault("list", status=500, times=2), Faults()
    faults.add(fault, fault)
    assert [2, 2] == [waiting.times for waiting in faults.copy()]
    taken = [faults.take("list") for _ in range(3)]
    assert [1] == [waiting.times for waiting in faults.copy()]
    assert (3, 2) == (len([one for one in taken if one]), fault.times)


def test_a_fault_of_every_endpoint() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("*", status=503, times=3)
        answers = [
            ask(sandbox, "GET", "OutgoingCallerIds.json").status_code,
            place(sandbox).status_code,
            ask(sandbox, "GET", "Calls/CA1.json").status_code,
            ask(sandbox, "GET", "OutgoingCallerIds.json").status_code,
        ]
        assert [503, 503, 503, 200] == answers
        assert [] == sandbox.calls


@pytest.mark.parametrize("about", ["+14155550102", "(415) 555-0102", "1 415 555 0102"])
def test_a_number_is_meant_however_it_is_written(about: str) -> None:
    with Sandbox() as sandbox:
        sandbox.fail("create", status=503, about=about)
        asked = ["415-555-0102", "+1 (415) 555 0102", "415-555-0103", "nonsense"]
        assert [503, 503, 200, 400] == [place(sandbox, number).status_code for number in asked]
        sandbox.heal()
        sandbox.fail("list", status=503, about=about)
        filters: list[dict[str, str]] = [{"PhoneNumber": "(415) 555-0102"}, {"PhoneNumber": "+14155550103"}, {}]
        answers = [ask(sandbox, "GET", "OutgoingCallerIds.json", params=wanted) for wanted in filters]
        assert [503, 200, 200] == [answer.status_code for answer in answers]


def test_a_fault_may_be_about_one_account() -> None:
    subaccount = "AC" + "5" * 32
    with Sandbox(subaccounts=[subaccount]) as sandbox:
        sandbox.fail("*", status=503, about=subaccount)
        for account_sid, status in (("", 200), (subaccount, 503)):
            assert status == place(sandbox, account_sid=account_sid).status_code
            assert status == ask(sandbox, "GET", "OutgoingCallerIds.json", account_sid=account_sid).status_code
        assert 503 == ask(sandbox, "GET", "Calls/CA1.json", account_sid=subaccount).status_code


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_that_is_dropped_is_reset(drop: Any) -> None:
    with Sandbox() as sandbox:
        sandbox.fail("list", drop=drop)
        port = int(sandbox.url.rpartition(":")[2])
        path = f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert [(None, True)] == [(record.status, record.dropped) for record in sandbox.requests]


def test_an_answer_hangs_until_it_is_healed_and_the_request_counts() -> None:
    with Sandbox(delays=Delays(0, 0, 0)) as sandbox:
        sandbox.fail("create", hang=True)
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(place(sandbox).status_code), daemon=True)
        asking.start()
        until(lambda: sandbox.calls)
        assert ask(sandbox, "GET", "OutgoingCallerIds.json").ok  # it is answered after the first would have been
        assert [None, 200] == [record.status for record in sandbox.requests]
        sandbox.heal()
        asking.join(PATIENCE)
        assert [200] == answers


def test_a_sandbox_stops_although_an_answer_hangs() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("list", hang=True)
        with pytest.raises(requests.ReadTimeout):
            requests.get(
                f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json",
                timeout=(PATIENCE, 0.1),
            )
        until(lambda: sandbox.requests)
        assert [(None, False)] == [(record.status, record.dropped) for record in sandbox.requests]
    assert [(None, True)] == [(record.status, record.dropped) for record in sandbox.requests]
