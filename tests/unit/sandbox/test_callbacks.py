"""StatusCallbacks of the local Twilio: when they come, what they say, how they are signed, and how they go wrong."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.sandbox.callback_plan import How
from pulumi_twilio_caller_id.sandbox.webhook import Webhook, delivered_to, read_deliver_to, sign
from pulumi_twilio_caller_id.testing import CallbackRecord, Delays, Sandbox
from tests.support import rest
from tests.support.machine import free_port
from tests.support.rest import Clock
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
OTHER = "+14155550102"
SUBACCOUNT = "AC" + "5" * 32
PUBLIC = "https://hooks.example.com"
SIGNATURE = "X-Twilio-Signature"


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: str
    caller_ids: list[str]
    """Of the sandbox, at the moment of the request."""

    @property
    def fields(self) -> dict[str, str]:
        text = self.body if self.method == "POST" else urlsplit(self.target).query
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


class Receiver:
    """An HTTP server that keeps what it is sent, and answers with `statuses`, and after these with `status`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 204
        self.statuses: list[int] = []
        self.hold = threading.Event()
        self.hold.set()
        self.look: Callable[[], list[str]] = list
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                request = Request(self.command, self.path, dict(self.headers), body, receiver.look())
                receiver.requests.append(request)
                receiver.hold.wait(PATIENCE)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else receiver.status)
                self.end_headers()

            do_GET = do_POST = handle_any  # noqa: N815 - the names that are looked for

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock, receiver: Receiver) -> dict[str, Any]:
    return {
        "delays": Delays(1, 10, 23),
        "subaccounts": {SUBACCOUNT: "subtoken"},
        "clock": clock,
        "deliver_to": {PUBLIC: receiver.url},
    }


@pytest.fixture
def sandbox(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """One that the receiver looks at in each callback."""
    receiver.look = lambda: [record.sid for record in sandbox.caller_ids]
    return sandbox


def place(sandbox: Sandbox, callback: str = f"{PUBLIC}/verified", *, account: str = "", **form: str) -> str:
    """Asks for a verification call, and gives its sid."""
    answer = rest.place(sandbox, account_sid=account, StatusCallback=callback, **form)
    answer.raise_for_status()
    sid: str = answer.json()["call_sid"]
    return sid


def ended(sandbox: Sandbox, count: int = 1) -> list[CallbackRecord]:
    """The callbacks, once so many have been answered or have failed."""

    def enough() -> list[CallbackRecord]:
        records = sandbox.callbacks
        over = [record for record in records if record.status is not None or record.error]
        return records if len(over) >= count else []

    records = until(enough)
    assert count == len(records)
    return records


def fetch(sandbox: Sandbox, sid: str) -> int:
    url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds/{sid}.json"
    return requests.get(url, auth=(sandbox.account_sid, sandbox.auth_token), timeout=PATIENCE).status_code


# What is told


def test_a_success_is_told_with_the_caller_id_that_is_there_by_then(
    sandbox: Sandbox, clock: Clock, receiver: Receiver
) -> None:
    sid = place(sandbox)
    clock.now += 34
    (record,) = ended(sandbox)
    (caller_id,) = sandbox.caller_ids
    (request,) = receiver.requests
    assert [caller_id.sid] == request.caller_ids
    assert {
        "AccountSid": sandbox.account_sid,
        "CallSid": sid,
        "To": NUMBER,
        "From": "+14157234000",
        "Called": NUMBER,
        "Caller": "+14157234000",
        "CallStatus": "completed",
        "Direction": "outbound-api",
        "ApiVersion": "2010-04-01",
        "CallDuration": "23",
        "Duration": "1",
        **{
            f"{party}{part}": "US" if part == "Country" else ""
            for party in ("To", "From", "Called", "Caller")
            for part in ("City", "State", "Zip", "Country")
        },
        "Timestamp": "Tue, 24 Nov 2026 10:00:34 +0000",
        "SequenceNumber": "0",
        "CallbackSource": "call-progress-events",
        "VerificationStatus": "success",
        "OutgoingCallerIdSid": caller_id.sid,
    } == request.fields
    assert (request.method, request.target) == ("POST", "/verified")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert "I-Twilio-Idempotency-Token" not in request.headers
    assert (sid, f"{PUBLIC}/verified", "POST", 204, None) == (
        record.call_sid,
        record.url,
        record.method,
        record.status,
        record.error,
    )
    assert (request.fields, request.headers[SIGNATURE]) == (record.fields, record.signature)
    assert rest.START + 34 == record.at


def test_each_end_is_told_once_and_not_before(sandbox: Sandbox, clock: Clock) -> None:
    """Each callback that comes proves that the sandbox has looked at the other calls too."""
    calls = [place(sandbox, CallDelay=delay) for delay in ("0", "10", "20")]
    for told, seconds in enumerate((43.9, 0.1, 10), 1):
        clock.now += seconds
        assert calls[:told] == [record.call_sid for record in ended(sandbox, told)]


@pytest.mark.parametrize(
    ("behaviour", "status", "duration"),
    [
        ("wrong-code", "completed", ("23", "1")),
        ("hangs-up", "completed", ("23", "1")),
        ("busy", "busy", (None, None)),
        ("no-answer", "no-answer", (None, None)),
        ("country-blocked", "failed", (None, None)),
    ],
)
def test_every_other_end_is_told_as_a_failure(
    sandbox: Sandbox, clock: Clock, behaviour: str, status: str, duration: tuple[str | None, str | None]
) -> None:
    sandbox.set_phone(NUMBER, behaviour)
    place(sandbox)
    clock.now += 100
    (record,) = ended(sandbox)
    fields = record.fields
    assert (status, "failed") == (fields["CallStatus"], fields["VerificationStatus"])
    assert duration == (fields.get("CallDuration"), fields.get("Duration"))
    assert "OutgoingCallerIdSid" not in fields


@pytest.mark.parametrize(("talks", "duration"), [(0, ("0", "0")), (60, ("60", "1")), (61, ("61", "2"))])
def test_minutes_are_rounded_up(sandbox: Sandbox, clock: Clock, talks: int, duration: tuple[str, str]) -> None:
    sandbox.set_phone(NUMBER, {"talks": talks})
    place(sandbox)
    clock.now += 100
    (record,) = ended(sandbox)
    assert duration == (record.fields["CallDuration"], record.fields["Duration"])


def test_a_late_listed_number_has_the_sid_that_was_told(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone(NUMBER, {"behaviour": "late-listed", "listed_after": 5})
    place(sandbox)
    clock.now += 34
    (record,) = ended(sandbox)
    sid = record.fields["OutgoingCallerIdSid"]
    assert ("success", 404, []) == (record.fields["VerificationStatus"], fetch(sandbox, sid), sandbox.caller_ids)
    clock.now += 5
    assert (200, [sid]) == (fetch(sandbox, sid), [caller_id.sid for caller_id in sandbox.caller_ids])


def test_two_calls_for_one_number_are_told_the_same_sid(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone(NUMBER, {"behaviour": "late-listed", "listed_after": 100})
    first = place(sandbox)
    clock.now += 1
    sandbox.set_phone(NUMBER, "keys-code")
    second = place(sandbox)
    clock.now += 33
    ended(sandbox)
    clock.now += 1
    records = ended(sandbox, 2)
    assert [first, second] == [record.call_sid for record in records]
    (caller_id,) = sandbox.caller_ids
    assert [caller_id.sid] * 2 == [record.fields["OutgoingCallerIdSid"] for record in records]


def test_hands_end_calls_and_lead_to_callbacks(clock: Clock, sandbox: Sandbox) -> None:
    sandbox.set_phone(NUMBER, "manual")
    keyed, declined, canceled = place(sandbox), place(sandbox), place(sandbox)
    sandbox.hang_up(canceled)
    ended(sandbox, 1)
    clock.now += 5
    sandbox.hang_up(declined)
    ended(sandbox, 2)
    assert sandbox.key_in(keyed, sandbox.calls[0].validation_code)
    told = [(r.call_sid, r.fields["CallStatus"], r.fields["VerificationStatus"]) for r in ended(sandbox, 3)]
    assert [
        (canceled, "canceled", "failed"),
        (declined, "busy", "failed"),
        (keyed, "completed", "success"),
    ] == told


# Addresses and signatures


def test_the_signature_that_twilio_publishes() -> None:
    fields = {
        "To": "+18005551212",
        "Digits": "1234",
        "CallSid": "CA1234567890ABCDE",
        "From": "+14158675310",
        "Caller": "+14158675310",
    }
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert sign(url, fields, "12345") == "L/OH5YylLD5NRKLltdqwSvS0BnU="
    assert sign(url.replace(".com", ".com:8443"), fields, "12345") == "L/OH5YylLD5NRKLltdqwSvS0BnU="
    http = url.replace("https", "http")
    assert sign(http.replace(".com", ".com:80"), fields, "12345") != sign(http, fields, "12345")


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    ("callback", "target", "host"),
    [
        (PUBLIC, "/", "hooks.example.com"),
        (f"{PUBLIC}/a?b=1&c=%2B", "/a?b=1&c=%2B", "hooks.example.com"),
        ("https://user:pass@hooks.example.com/a#rc=5", "/a", "hooks.example.com"),
        ("https://hooks.example.com:8443/ü%20'", "/%C3%BC%20'", "hooks.example.com:8443"),
        ("http://hooks.example.com:80/a/", "/a/", "hooks.example.com:80"),
    ],
)
def test_twilios_own_validator_accepts_what_arrives(
    receiver: Receiver, method: str, callback: str, target: str, host: str
) -> None:
    public = f"{urlsplit(callback).scheme}://{host}"
    with Sandbox(
        delays=Delays(0, 0, 0), subaccounts={SUBACCOUNT: "subtoken"}, deliver_to={public: receiver.url}
    ) as sandbox:
        place(sandbox, callback, account=SUBACCOUNT, StatusCallbackMethod=method)
        (record,) = ended(sandbox)
    (request,) = receiver.requests
    url = f"{public}{request.target}"
    assert (method, host, url) == (request.method, request.headers["Host"], record.url)
    expected = target
    if method == "GET":
        expected += ("&" if "?" in target else "?") + f"AccountSid={SUBACCOUNT}&CallSid={record.call_sid}&To=%2B1415"
        assert (request.body, request.target[: len(expected)]) == ("", expected)
        assert "&ToCity=&" in request.target
    else:
        assert expected == request.target
    params = request.fields if method == "POST" else {}
    assert RequestValidator("subtoken").validate(url, params, request.headers[SIGNATURE])
    assert not RequestValidator("other").validate(url, params, request.headers[SIGNATURE])
    assert sign(url, params, "subtoken") == request.headers[SIGNATURE]


def test_the_token_is_the_one_of_the_moment(sandbox: Sandbox, clock: Clock) -> None:
    place(sandbox)
    sandbox.set_auth_token("rotated")
    clock.now += 100
    (record,) = ended(sandbox)
    assert sign(record.url, record.fields, "rotated") == record.signature


def test_where_a_public_url_is_delivered() -> None:
    bases = read_deliver_to({f"{PUBLIC}/": "http://127.0.0.1:1/", f"{PUBLIC}/deep": "http://127.0.0.1:2/x"})
    for url, local in (
        (f"{PUBLIC}/", "http://127.0.0.1:1/"),
        (f"{PUBLIC}/a?b", "http://127.0.0.1:1/a?b"),
        (f"{PUBLIC}/deep?b", "http://127.0.0.1:2/x?b"),
        (f"{PUBLIC}/deeper", "http://127.0.0.1:1/deeper"),
        (f"{PUBLIC}.evil.com/a", f"{PUBLIC}.evil.com/a"),
    ):
        assert local == delivered_to(url, bases)


@pytest.mark.parametrize("base", ["", "hooks.example.com", "ftp://hooks", "https://", "https://a/?b", "https://a:b"])
def test_what_is_no_base_url_is_refused(base: str) -> None:
    for deliver_to in ({base: "http://127.0.0.1:1"}, {PUBLIC: base}):
        with pytest.raises(ValueError, match=r"is not a base URL such as https://hooks\.example\.com or http"):
            Sandbox(deliver_to=deliver_to)


def test_deliver_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its local address is missing."""
    assert 2 == main(["sandbox", "--deliver", PUBLIC])
    assert "--deliver: '' is not a base URL such as https://" in capsys.readouterr().err


PLACE = f"""
import base64, os, sys, time, urllib.parse, urllib.request
sid, token, url = (os.environ["TWILIO_" + name] for name in ("ACCOUNT_SID", "AUTH_TOKEN", "API_URL"))
form = urllib.parse.urlencode({{"PhoneNumber": "{NUMBER}", "StatusCallback": "{PUBLIC}/a"}}).encode()
request = urllib.request.Request(f"{{url}}/2010-04-01/Accounts/{{sid}}/OutgoingCallerIds.json", form)
request.add_header("Authorization", "Basic " + base64.b64encode(f"{{sid}}:{{token}}".encode()).decode())
urllib.request.urlopen(request)
give_up = time.monotonic() + {PATIENCE}
while not os.path.exists(sys.argv[1]) and time.monotonic() < give_up:
    time.sleep(0.01)
"""


def test_deliver_takes_callbacks_of_the_command_to_this_machine(receiver: Receiver, tmp_path: Path) -> None:
    """The command ends once one has come: the sandbox would break off what is still under way then."""
    came = tmp_path / "came"

    def look() -> list[str]:
        came.touch()
        return []

    receiver.look = look
    at_once = ["--queued", "0", "--rings", "0", "--talks", "0"]
    deliver = ["--deliver", "https://other.example.com=http://127.0.0.1:1", "--deliver", f"{PUBLIC}={receiver.url}"]
    assert 0 == main(["sandbox", *at_once, *deliver, "--run", sys.executable, "-c", PLACE, str(came)])
    until(lambda: receiver.requests)
    assert [("/a", NUMBER)] == [(request.target, request.fields["To"]) for request in receiver.requests]


# How they go wrong


def test_any_answer_ends_it(sandbox: Sandbox, clock: Clock, receiver: Receiver) -> None:
    """The retry of a later callback comes after one of the first would have come."""
    receiver.status = 500
    place(sandbox)
    clock.now += 100
    ended(sandbox)
    place(sandbox, f"http://127.0.0.1:{free_port()}", PhoneNumber=OTHER)
    clock.now += 100
    assert [500, None, None] == [record.status for record in ended(sandbox, 3)]


def test_no_connection_is_tried_once_more() -> None:
    """The retry of a second callback comes after a third try of the first would have come."""
    with Sandbox(delays=Delays(0, 0, 0)) as sandbox:
        calls = [place(sandbox, f"http://127.0.0.1:{free_port()}")]
        first, second = ended(sandbox, 2)
        calls.append(place(sandbox, f"http://127.0.0.1:{free_port()}", PhoneNumber=OTHER))
        assert [calls[0]] * 2 + [calls[1]] * 2 == [record.call_sid for record in ended(sandbox, 4)]
    assert (None, None) == (first.status, second.status)
    assert "Cannot connect to host 127.0.0.1" in (first.error or "")
    assert (first.fields, first.signature) == (second.fields, second.signature)
    assert 0.1 <= second.at - first.at


def test_the_retry_says_that_it_is_one(clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_twilio_caller_id.sandbox.connection.RETRY", 0.01)
    sent = iter([f"http://127.0.0.1:{free_port()}", receiver.url])
    monkeypatch.setattr("pulumi_twilio_caller_id.sandbox.callbacks.delivered_to", lambda *_: next(sent))
    with Sandbox(clock=clock, delays=Delays(0, 0, 0)) as sandbox:
        place(sandbox)
        assert [None, 204] == [record.status for record in ended(sandbox, 2)]
    (request,) = receiver.requests
    assert 36 == len(request.headers["I-Twilio-Idempotency-Token"])


def test_the_address_says_how_often_it_is_asked(sandbox: Sandbox, clock: Clock, receiver: Receiver) -> None:
    receiver.statuses = [500, 404, 200]
    place(sandbox, f"{PUBLIC}/a#rc=5&rp=4xx,5xx")
    clock.now += 100
    assert [500, 404, 200] == [record.status for record in ended(sandbox, 3)]
    assert [("/a", False), ("/a", True), ("/a", True)] == [
        (request.target, "I-Twilio-Idempotency-Token" in request.headers) for request in receiver.requests
    ]


def test_an_answer_that_is_awaited_in_vain_can_be_a_reason(clock: Clock, receiver: Receiver) -> None:
    receiver.hold.clear()
    with Sandbox(clock=clock, delays=Delays(0, 0, 0)) as sandbox:
        place(sandbox, f"{receiver.url}/#rt=100&rp=rt")
        records = ended(sandbox, 2)
    assert [(None, "Timeout on reading data from socket")] * 2 == [(record.status, record.error) for record in records]


def test_a_login_in_the_address_is_given_once_it_is_asked_for(
    sandbox: Sandbox, clock: Clock, receiver: Receiver
) -> None:
    receiver.statuses = [401, 204, 401]
    place(sandbox, "https://user:pass@hooks.example.com/a")
    clock.now += 100
    records = ended(sandbox, 2)
    assert 204 == sandbox.send_callback("https://user:pass@hooks.example.com/b", {})
    assert [("/a", None), ("/a", "Basic dXNlcjpwYXNz"), ("/b", None), ("/b", "Basic dXNlcjpwYXNz")] == [
        (request.target, request.headers.get("Authorization")) for request in receiver.requests
    ]
    assert [401, 204] == [record.status for record in sandbox.callbacks]
    assert {f"{PUBLIC}/a"} == {record.url for record in records}
    assert 1 == len({record.signature for record in records})


@pytest.mark.parametrize(
    ("how", "count", "genuine"),
    [
        ("normally", 1, True),
        ("late", 1, True),
        ("doubled", 2, True),
        ("badly-signed", 1, False),
        ("shared-key", 1, False),
        ("unsigned", 1, False),
    ],
)
def test_what_the_test_wants(
    sandbox: Sandbox, clock: Clock, receiver: Receiver, how: How, count: int, genuine: bool
) -> None:
    place(sandbox)
    sandbox.callbacks_go(how, delay=0.1 if how == "late" else None)
    moved = time.monotonic()
    clock.now += 100
    records = ended(sandbox, count)
    for record, request in zip(records, receiver.requests, strict=True):
        signature = request.headers.get(SIGNATURE)
        assert signature == record.signature
        assert (how == "unsigned") == (signature is None)
        validator = RequestValidator(sandbox.auth_token)
        assert genuine == validator.validate(record.url, request.fields, signature or "")
        settings = request.headers.get("X-Twilio-Webhooks-Signature-Settings")
        assert ("key=K1,algorithm=HMAC_SHA256" if how == "shared-key" else None) == settings
    if how == "late":
        assert 0.1 <= time.monotonic() - moved
    assert 1 == len({str(request.fields) for request in receiver.requests})


def test_only_calls_that_end_from_then_on_are_concerned(sandbox: Sandbox, clock: Clock) -> None:
    first, second, third = place(sandbox), place(sandbox, CallDelay="10"), place(sandbox, CallDelay="20")
    clock.now += 34
    sandbox.callbacks_go("lost")
    assert [first] == [record.call_sid for record in ended(sandbox)]
    clock.now += 10
    sandbox.callbacks_go("normally")
    clock.now += 10
    assert [first, third] == [record.call_sid for record in ended(sandbox, 2)]
    assert "completed" == next(call.status for call in sandbox.calls if call.sid == second)


def test_early_comes_before_the_answer_to_the_create(receiver: Receiver) -> None:
    answered: list[list[int | None]] = []

    def on_answer(_: object) -> None:
        answered.append([record.status for record in running.callbacks])

    with Sandbox(delays=Delays(1, 10, 23), callbacks="early", on_answer=on_answer) as running:
        receiver.look = lambda: [record.sid for record in running.caller_ids]
        sid = place(running, receiver.url, CallDelay="9")
        (call,) = running.calls
    assert [[204]] == answered, "it was answered before its callback was"
    (request,) = receiver.requests
    assert (sid, "completed") == (request.fields["CallSid"], call.status)
    assert request.caller_ids == [request.fields["OutgoingCallerIdSid"]]
    assert ("success", "0") == (request.fields["VerificationStatus"], request.fields["CallDuration"])


def test_a_call_that_fails_is_not_early(sandbox: Sandbox) -> None:
    sandbox.callbacks_go("early")
    sandbox.set_phone(NUMBER, "wrong-code")
    place(sandbox)
    assert (["queued"], []) == ([call.status for call in sandbox.calls], sandbox.callbacks)


def test_ways_that_make_no_sense() -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match=r"callbacks go normally, lost, .*, not 'nicely'"):
        sandbox.callbacks_go("nicely")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delay is for late callbacks, not for 'lost'"):
        sandbox.callbacks_go("lost", delay=1)
    for delay in (float("nan"), True, -1):
        with pytest.raises(ValueError, match=f"delay is a number of seconds, 0 or more, not {delay}"):
            sandbox.callbacks_go("late", delay=delay)


# By hand


def test_a_callback_made_by_hand(sandbox: Sandbox, receiver: Receiver) -> None:
    url, fields = f"{PUBLIC}/verified", {"CallSid": "CA1", "AccountSid": SUBACCOUNT, "ToCity": ""}
    receiver.status = 403
    assert 403 == sandbox.send_callback(url, fields)
    assert 403 == sandbox.send_callback(url, {"CallSid": "CA1"})
    assert 403 == sandbox.send_callback(url, fields, token="guessed")
    assert 403 == sandbox.send_callback(url, fields, token="")
    assert 403 == sandbox.send_callback(url, fields, method="GET")
    get = Webhook.to(url, "GET", fields)
    assert [
        sign(url, fields, "subtoken"),
        sign(url, {"CallSid": "CA1"}, sandbox.auth_token),
        sign(url, fields, "guessed"),
        None,
        sign(get.url, {}, "subtoken"),
    ] == [request.headers.get(SIGNATURE) for request in receiver.requests]
    assert "/verified?CallSid=CA1&AccountSid=" + SUBACCOUNT + "&ToCity=" == receiver.requests[-1].target
    assert [] == sandbox.callbacks


def test_a_callback_made_by_hand_that_nobody_answers(receiver: Receiver) -> None:
    with Sandbox() as sandbox, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionError, match="Cannot connect to host"):
            sandbox.send_callback(f"http://127.0.0.1:{free.getsockname()[1]}", {})
    with pytest.raises(RuntimeError, match="the sandbox is not running"):
        sandbox.send_callback(receiver.url, {})


# Stopping, and starting again


def test_it_stops_in_the_midst_of_a_callback(sandbox: Sandbox, clock: Clock, receiver: Receiver) -> None:
    receiver.hold.clear()
    place(sandbox)
    clock.now += 100
    until(lambda: receiver.requests)
    stopping = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - stopping < PATIENCE / 2
    (record,) = sandbox.callbacks
    assert (None, "the sandbox was stopped") == (record.status, record.error)


def test_one_that_is_late_does_not_outlive_the_sandbox(sandbox: Sandbox, clock: Clock, receiver: Receiver) -> None:
    sandbox.callbacks_go("late", delay=600)
    place(sandbox)
    clock.now += 100
    sandbox.callbacks_go("normally")  # the call has ended before that
    sandbox.stop()
    sandbox.advance(600)
    sandbox.start()
    later = place(sandbox, PhoneNumber=OTHER)
    clock.now += 100
    assert [later] == [record.call_sid for record in ended(sandbox)]
    assert [later] == [request.fields["CallSid"] for request in receiver.requests]


def test_nobody_is_called_back_twice_over_a_restart(tmp_path: Path, clock: Clock, receiver: Receiver) -> None:
    state = tmp_path / "state.json"
    with Sandbox(state=state, clock=clock, delays=Delays(1, 1, 1)) as sandbox:
        first, second = place(sandbox, receiver.url), place(sandbox, receiver.url, CallDelay="60")
        clock.now += 3
        ended(sandbox)
    clock.now += 60
    with Sandbox(state=state, clock=clock) as sandbox:
        (record,) = ended(sandbox)
        assert (second, "Tue, 24 Nov 2026 10:01:03 +0000") == (record.call_sid, record.fields["Timestamp"])
    with Sandbox(state=state, clock=clock, delays=Delays(0, 0, 0)) as sandbox:
        third = place(sandbox, receiver.url, PhoneNumber=OTHER)
        assert [third] == [record.call_sid for record in ended(sandbox)]
    assert [first, second, third] == [request.fields["CallSid"] for request in receiver.requests]


def test_what_is_looked_at_is_a_copy(sandbox: Sandbox, clock: Clock) -> None:
    place(sandbox)
    clock.now += 100
    (record,) = ended(sandbox)
    record.fields.clear()
    record.status = 1
    sandbox.callbacks.clear()
    assert [(204, NUMBER)] == [(kept.status, kept.fields["To"]) for kept in sandbox.callbacks]
