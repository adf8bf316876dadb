"""The sandbox's own end points, as a script uses them; and that no page of another site can."""

from __future__ import annotations

import re
import shlex
import socket
import time
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.callback_plan import HOWS
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.phones import PhoneBook
from pulumi_twilio_caller_id.sandbox.server import Server
from pulumi_twilio_caller_id.testing import Delays, Fault, Phone, Sandbox
from tests.support.rest import place
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
OTHER = "+14155550102"
START = 1_795_514_400.0  # Tue, 24 Nov 2026 10:00:00 +0000
SUBACCOUNT = "AC" + "5" * 32


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {
        "phones": {NUMBER: {"behaviour": "busy", "rings": 3}},
        "numbers": {OTHER: "Lobby"},
        "subaccounts": {SUBACCOUNT: "subaccount's token"},
        "clock": lambda: START,
    }


def ask(sandbox: Sandbox, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
    return requests.request(method, f"{sandbox.url}/sandbox/{path}", json=body, timeout=PATIENCE, **options)


# What there is, and what happened


def test_the_state_is_all_there_is_but_secrets(sandbox: Sandbox) -> None:
    place(sandbox, NUMBER)
    sandbox.fail("list", status=500, times=2)
    sandbox.callbacks_go("late", delay=2)
    answer = ask(sandbox, "GET", "state")
    state = answer.json()
    assert {
        "account_sid": sandbox.account_sid,
        "subaccounts": [SUBACCOUNT],
        "now": START,
        "phones": {NUMBER: {"behaviour": "busy", "rings": 3.0}},
        "callbacks": {"how": "late", "delay": 2},
    } == {name: state[name] for name in ("account_sid", "subaccounts", "now", "phones", "callbacks")}
    assert [Fault("list", status=500, times=2)] == [Fault(**fault) for fault in state["faults"]]
    assert [("Lobby", OTHER)] == [(record["friendly_name"], record["phone_number"]) for record in state["caller_ids"]]
    assert [(NUMBER, sandbox.calls[0].validation_code)] == [
        (call["to"], call["validation_code"]) for call in state["calls"]
    ]
    for secret in (sandbox.auth_token, sandbox.api_secret, "subaccount's token"):
        assert secret not in answer.text


def test_requests_and_callbacks_are_listed(sandbox: Sandbox) -> None:
    place(sandbox, NUMBER)
    (request,) = ask(sandbox, "GET", "requests").json()
    assert ("create", {"PhoneNumber": NUMBER}, 200) == (request["endpoint"], request["form"], request["status"])
    assert sandbox.auth_token not in str(request)
    assert [] == ask(sandbox, "GET", "callbacks").json()


def test_a_callback_that_was_sent_is_listed() -> None:
    with socket.socket() as taken:  # nobody listens there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with Sandbox(delays=Delays(0, 0, 0), callbacks="early") as sandbox:
            requests.post(
                f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json",
                data={"PhoneNumber": NUMBER, "StatusCallback": url},
                auth=(sandbox.account_sid, sandbox.auth_token),
                timeout=PATIENCE,
            )
            record = ask(sandbox, "GET", "callbacks").json()[0]
    assert (url, "POST", "success", None) == (
        record["url"],
        record["method"],
        record["fields"]["VerificationStatus"],
        record["status"],
    )


# Phones and the clock


def test_a_phone_is_described_by_its_behaviour_or_in_full(sandbox: Sandbox) -> None:
    assert {"+14155550103": {"behaviour": "manual"}} == ask(sandbox, "PUT", "phones/415-555-0103", "manual").json()
    full = {"behaviour": "no-answer", "rings": 1, "validation_code": "012345"}
    assert {"*": {**full, "rings": 1.0}} == ask(sandbox, "PUT", "phones/*", full).json()
    assert 200 == ask(sandbox, "PUT", f"phones/{NUMBER.replace('+', '%2B')}", "hangs-up").status_code
    for number in (NUMBER, "+14155550103", "+14155550104"):
        place(sandbox, number)
    assert ["completed", "ringing", "ringing"] == [call.status for call in sandbox.calls]
    assert "012345" == sandbox.calls[2].validation_code


def test_the_clock_is_moved_forward(sandbox: Sandbox) -> None:
    assert {"now": START + 60} == ask(sandbox, "POST", "clock", {"advance": 60}).json()
    assert {"now": START + 60.5} == ask(sandbox, "POST", "clock", {"advance": 0.5}).json()
    assert START + 60.5 == ask(sandbox, "GET", "state").json()["now"]


# Trouble


def test_faults_are_added_and_healed(sandbox: Sandbox) -> None:
    one = ask(sandbox, "POST", "faults", {"endpoint": "create", "status": 500, "times": 1}).json()
    assert [Fault("create", status=500, times=1)] == [Fault(**fault) for fault in one["faults"]]
    both = [{"endpoint": "create", "status": 503}, {"endpoint": "list", "delay": 0.1}]
    assert 3 == len(ask(sandbox, "POST", "faults", both).json()["faults"])
    assert [500, 503] == [place(sandbox, NUMBER).status_code for _ in range(2)]
    assert {"faults": []} == ask(sandbox, "DELETE", "faults").json()
    assert 200 == place(sandbox, NUMBER).status_code


def test_of_a_list_of_faults_all_are_added_or_none(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "POST", "faults", [{"endpoint": "list", "status": 500}, {"endpoint": "lst"}])
    assert (400, "entry 2: endpoint 'lst' must be one of ") == (answer.status_code, answer.json()["message"][:39])
    assert [] == ask(sandbox, "GET", "state").json()["faults"]


def test_callbacks_go_as_they_are_told(sandbox: Sandbox) -> None:
    for how in HOWS:
        assert {"how": how, "delay": None} == ask(sandbox, "PUT", "callbacks", {"how": how}).json()
    late = {"how": "late", "delay": 0.5}
    assert late == ask(sandbox, "PUT", "callbacks", late).json()
    assert late == ask(sandbox, "GET", "state").json()["callbacks"]


# Somebody works in the Console


def test_a_caller_id_is_added_renamed_and_removed(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "POST", "caller-ids", {"phone_number": "415-555-0103"})
    added = answer.json()
    assert (201, "+14155550103", "(415) 555-0103", sandbox.account_sid) == (
        answer.status_code,
        added["phone_number"],
        added["friendly_name"],
        added["account_sid"],
    )
    lab = {"phone_number": "+14155550103", "friendly_name": "Lab", "account_sid": SUBACCOUNT}
    sid = ask(sandbox, "POST", "caller-ids", lab).json()["sid"]
    assert "Lab 2" == ask(sandbox, "POST", f"caller-ids/{sid}", {"friendly_name": "Lab 2"}).json()["friendly_name"]
    assert ["Lobby", "(415) 555-0103", "Lab 2"] == [record.friendly_name for record in sandbox.caller_ids]
    removed = ask(sandbox, "DELETE", f"caller-ids/{sid}")
    assert (204, b"") == (removed.status_code, removed.content)
    assert 404 == ask(sandbox, "DELETE", f"caller-ids/{sid}").status_code
    assert ["Lobby", "(415) 555-0103"] == [record.friendly_name for record in sandbox.caller_ids]


# What makes no sense


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("PUT", f"phones/{NUMBER}", "bussy", 400, f"{NUMBER}: behaviour 'bussy' is not one of keys-code, "),
        ("PUT", f"phones/{NUMBER}", {"rings": -1}, 400, f"{NUMBER}: rings -1 must be a number of seconds, 0 or more"),
        ("PUT", f"phones/{NUMBER}", {"rings": True}, 400, f"{NUMBER}: rings True must be a number of seconds, 0 or m"),
        ("PUT", "phones/*", {"known_after": False}, 400, "*: known_after False must be a number of seconds, 0 or more"),
        ("PUT", f"phones/{NUMBER}", ["busy"], 400, f"{NUMBER}: ['busy'] is neither a behaviour (keys-code, "),
        ("PUT", f"phones/{NUMBER}", 7, 400, f"{NUMBER}: 7 is neither a behaviour (keys-code, "),
        ("PUT", "phones/desk", "busy", 400, "'desk' is not a phone number; write it as +14155550101, or * for"),
        ("POST", "faults", {"endpoint": "list", "x": 1}, 400, "'x' is not one of endpoint, status, "),
        ("POST", "faults", "list", 400, "'list' is not a mapping such as {endpoint: create, status: 500}"),
        ("POST", "faults", {"endpoint": "list", "times": "no"}, 400, "times 'no' must be a whole number, 1 or more"),
        ("PUT", "callbacks", {"how": "lately"}, 400, "callbacks go normally, lost, late, "),
        ("PUT", "callbacks", {"how": "lost", "delay": 1}, 400, "delay is for late callbacks, not for 'lost'"),
        ("PUT", "callbacks", {"how": "late", "delay": -1}, 400, "delay is a number of seconds, 0 or more, not -1"),
        ("PUT", "callbacks", {"how": "late", "delay": "1"}, 400, "delay '1' must be a number of seconds, 0 or more"),
        ("PUT", "callbacks", {}, 400, "how is missing: it must be one of normally, lost, "),
        ("PUT", "callbacks", "late", 400, "the body must be a mapping with how and delay, not 'late'"),
        ("POST", "clock", {"advance": -1}, 400, "the clock moves forward by a number of seconds, 0 or more, not by -1"),
        ("POST", "clock", {"advance": "1"}, 400, "advance '1' must be a number of seconds, 0 or more"),
        ("POST", "clock", {"advance": True}, 400, "advance True must be a number of seconds, 0 or more"),
        ("PUT", "callbacks", {"how": "late", "delay": True}, 400, "delay True must be a number of seconds, 0 or more"),
        (
            "POST",
            "faults",
            {"endpoint": "list", "times": True, "status": 500},
            400,
            "times True must be a whole number",
        ),
        ("POST", "faults", [{"endpoint": "list", "delay": True}], 400, "entry 1: delay True must be a number of sec"),
        ("POST", "clock", {"advance": 1e300}, 400, "the clock does not go beyond the year 9998"),
        ("POST", "clock", {"seconds": 1, "advance": 1}, 400, "'seconds' is not one of advance"),
        ("POST", "caller-ids", {}, 400, "phone_number is missing: it must be a phone number, such as +14155550101"),
        ("POST", "caller-ids", {"phone_number": 1}, 400, "phone_number 1 must be a phone number, such as"),
        ("POST", "caller-ids", {"phone_number": "1"}, 400, "Twilio does not support calling this number or the number"),
        ("POST", "caller-ids", {"phone_number": OTHER}, 400, "Phone number is already verified. (21450)"),
        ("POST", "caller-ids", {"phone_number": NUMBER, "account_sid": "AC1"}, 400, "account_sid 'AC1' must be one of"),
        ("POST", "caller-ids", {"phone_number": NUMBER, "account_sid": ""}, 400, "account_sid '' must be one of AC"),
        ("POST", "caller-ids/PN1", {"friendly_name": "x"}, 404, "There is no caller ID PN1"),
        ("POST", "caller-ids/PN1", {"friendly_name": None}, 400, "friendly_name None must be a text; an empty one"),
        ("DELETE", "caller-ids/PN1", None, 404, "There is no caller ID PN1"),
        ("POST", "calls/CA1/answer", None, 404, "There is no call CA1."),
        ("GET", "nothing", None, 404, "There is nothing at /sandbox/nothing."),
        ("POST", "state", None, 405, "POST is not possible at /sandbox/state: GET, HEAD."),
        ("PATCH", "faults", {}, 405, "PATCH is not possible at /sandbox/faults: DELETE, POST."),
        ("GET", "phones/x", None, 405, "GET is not possible at /sandbox/phones/x: PUT."),
    ],
)
def test_what_makes_no_sense_is_one_message(
    sandbox: Sandbox, method: str, path: str, body: Any, status: int, message: str
) -> None:
    before = ask(sandbox, "GET", "state").json()
    answer = ask(sandbox, method, path, body)
    told = answer.json()
    assert (status, {"message", "status"}, status) == (answer.status_code, set(told), told["status"])
    assert told["message"].startswith(message), told["message"]
    assert before == ask(sandbox, "GET", "state").json()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty; it must be JSON"),
        (b"{", "the body is not JSON (Expecting property name"),
        (b"\xff\xfe", "the body is not JSON ("),
        (b"[" * 100_000, "the body is not JSON (it is nested too deeply)"),
        (b'{"advance": NaN}', "the clock moves forward by a number of seconds, 0 or more, not by nan"),
    ],
)
def test_a_body_that_is_no_json(sandbox: Sandbox, body: bytes, message: str) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/clock", data=body, timeout=PATIENCE)
    assert (400, message) == (answer.status_code, answer.json()["message"][: len(message)])


@pytest.mark.parametrize(
    ("method", "path", "like"),
    [
        ("PUT", f"phones/{NUMBER}", """-d '"busy"' or -d '{"behaviour": "busy", "rings": 1}'"""),
        ("PUT", "callbacks", """-d '{"how": "late", "delay": 2}'"""),
        ("POST", "faults", """-d '{"endpoint": "list", "status": 500}'"""),
        ("POST", "clock", """-d '{"advance": 60}'"""),
        ("POST", "caller-ids", """-d '{"phone_number": "+14155550101"}'"""),
        ("POST", "caller-ids/{sid}", """-d '{"friendly_name": "Desk"}'"""),
    ],
)
def test_it_is_said_how_a_body_is_written_and_so_it_is_taken(
    sandbox: Sandbox, method: str, path: str, like: str
) -> None:
    """With the quotes that the shell takes away, or, as it is here, does not."""
    url = f"{sandbox.url}/sandbox/{path.format(sid=sandbox.caller_ids[0].sid)}"
    for body, wrong in (("", "the body is empty"), ("busy", "the body is not JSON (Expecting value: line 1 column 1")):
        message = requests.request(method, url, data=body, timeout=PATIENCE).json()["message"]
        assert message.startswith(wrong)
        assert message.endswith(f"; it must be JSON, as in {like}")
    for body in shlex.split(like):
        if body not in ("-d", "or"):
            assert requests.request(method, url, data=body, timeout=PATIENCE).ok


# Digits


@pytest.mark.parametrize(
    ("sent", "digits"),
    [
        ({"json": {"Digits": "123456"}}, ""),
        ({"data": '{"Digits": "123456"}', "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, ""),
        ({}, ""),
        ({"data": {"Digits": ""}}, ""),
        ({"data": {"digits": "123456"}}, ""),
        ({"data": {"Digits": "abc"}}, "abc"),
        ({"data": {"Digits": " 123456"}}, " 123456"),
        ({"data": {"Digits": "123456\n"}}, "123456\n"),
        ({"data": {"Digits": "\N{ARABIC-INDIC DIGIT ONE}"}}, "\N{ARABIC-INDIC DIGIT ONE}"),
    ],
)
def test_a_request_without_digits_is_no_wrong_code(sandbox: Sandbox, sent: dict[str, Any], digits: str) -> None:
    sandbox.set_phone(NUMBER, "manual")
    sid = place(sandbox, NUMBER).json()["call_sid"]
    url = f"{sandbox.url}/sandbox/calls/{sid}/digits"
    for _ in range(4):  # one more than wrong codes end the call
        answer = requests.post(url, timeout=PATIENCE, **sent)
        told = f"digits are one or more of 0-9 * #, as a text such as '476021', not {digits!r}; "
        assert (400, told) == (answer.status_code, answer.json()["message"][: len(told)])
        assert answer.json()["message"].endswith("they go in the form field Digits, as in -d Digits=476021")
    [call] = sandbox.calls
    assert ("ringing", 3) == (call.status, call.tries_left)
    assert requests.post(url, data={"Digits": call.validation_code}, timeout=PATIENCE).json()["verified"]


@pytest.mark.parametrize("digits", ["", "abc", "12 34", 123456, None, b"123456"])
def test_in_python_too(sandbox: Sandbox, digits: Any) -> None:
    sandbox.set_phone(NUMBER, {"behaviour": "manual", "validation_code": "123456"})
    place(sandbox, NUMBER)
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        sandbox.key_in(sandbox.calls[0].sid, digits)
    assert f"digits are one or more of 0-9 * #, as a text such as '476021', not {digits!r}" == str(refused.value)
    assert ("ringing", 3) == (sandbox.calls[0].status, sandbox.calls[0].tries_left)
    assert [False, True] == [sandbox.key_in(sandbox.calls[0].sid, keys) for keys in ("*", "123456#")]


def test_a_body_may_claim_to_be_anything(sandbox: Sandbox) -> None:
    """As curl does, which calls whatever it is given a form."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{sandbox.url}/sandbox/clock", data='{"advance": 1}', headers=form, timeout=PATIENCE)
    assert {"now": START + 1} == answer.json()


def test_a_body_that_is_too_large(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/clock", data=b" " * 2_000_000, timeout=PATIENCE)
    assert (413, 413) == (answer.status_code, answer.json()["status"])


def test_faults_and_the_recording_leave_these_end_points_alone(sandbox: Sandbox) -> None:
    sandbox.fail("*", status=500)
    assert 200 == ask(sandbox, "GET", "state").status_code
    assert [] == sandbox.requests


# Other sites' pages


def every_route() -> list[tuple[str, str]]:
    """Method and path of each, from the application itself."""
    app = Server(LocalTwilio(Credentials(), PhoneBook(), time.time)).application()
    found = [(route.method, route.resource.canonical if route.resource else "") for route in app.router.routes()]
    made = [(method, re.sub(r"\{\w+\}", "PN1", path)) for method, path in found if path.startswith("/sandbox/")]
    return [*made, ("GET", "/sandbox/nothing")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": ""},
        {"Host": "sandbox.example.com"},
        {"Host": "127.0.0.1.example.com:8484"},
        {"Host": "["},
        {"Host": "example.com", "Origin": "http://example.com"},  # its own name led here
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"},
    ],
    ids=str,
)
def test_a_page_of_another_site_can_use_none_of_them(sandbox: Sandbox, headers: dict[str, str]) -> None:
    routes, used = every_route(), []
    assert len(routes) > 15
    for method, path in routes:
        answer = requests.request(
            method, sandbox.url + path, json={"friendly_name": "x"}, headers=headers, timeout=PATIENCE
        )
        if answer.status_code != 403 or (
            method != "HEAD" and "no page of another site" not in answer.json()["message"]
        ):
            used.append((method, path))
    assert [] == used


def test_a_link_of_another_page_may_be_followed_but_not_posted(sandbox: Sandbox) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert 200 == ask(sandbox, "GET", "state", headers=link).status_code
    assert 403 == ask(sandbox, "DELETE", "faults", headers=link).status_code


def test_the_sandbox_s_own_page_can_use_them(sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}", "Sec-Fetch-Site": "same-origin"}
        assert 200 == ask(sandbox, "POST", "clock", {"advance": 0}, headers=own).status_code


def test_a_phone_keeps_what_it_was_told(sandbox: Sandbox) -> None:
    ask(sandbox, "PUT", "phones/*", "manual")
    place(sandbox, "+14155550104")
    assert ["ringing"] == [call.status for call in sandbox.calls]
    sandbox.set_phone("*", Phone())
    assert ["ringing"] == [call.status for call in sandbox.calls]
