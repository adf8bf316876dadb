"""Twilio's callbacks over real HTTP: what counts, what is answered, and that nothing is left behind."""

from __future__ import annotations

import errno
import gzip
import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.verification.callback_server import MAX_BODY_BYTES
from pulumi_twilio_caller_id.verification.sockets import host_and_port
from pulumi_twilio_caller_id.verification.status_callback import (
    Callback,
    CallbackEndpoint,
    CallbackServers,
    receive_callbacks,
)
from tests.support.machine import free_port
from tests.support.waiting import PATIENCE

TOKEN = "0123456789abcdef-auth-token"
PUBLIC = "https://hooks.example.com/twilio"
CALL = "CA" + "1" * 32
ACCOUNT = "AC" + "2" * 32
NEW = "PN" + "3" * 32
FIELDS = {
    "AccountSid": ACCOUNT,
    "CallSid": CALL,
    "CallStatus": "completed",
    "VerificationStatus": "success",
    "OutgoingCallerIdSid": NEW,
    "To": "+14155550101",
    "From": "+14157234000",
    "CalledCity": "",
    "CallerCity": "Zürich, 東京 & more",
}
SUCCESS = Callback(CALL, ACCOUNT, "completed", "success", NEW, trusted=True)
UNSIGNED = Callback(CALL, ACCOUNT, "completed", "success", NEW, trusted=False)
NO_TOKEN = (
    "A callback can't be checked, since the account's auth token is not known, so it only made Pulumi poll Twilio"
    " immediately. To have callbacks trusted, set twilio:callbackAuthTokens to the auth token that signs them."
)
SIGNATURE_UNKNOWN = (
    "A callback was ignored, since no known auth token signed it. If Twilio sent it, correct twilio:callbackUrl,"
    " or set twilio:callbackAuthTokens to the auth token that signs it."
)
SHARED_KEY_WARNING = (
    "A callback is signed with a shared key, not with the account's auth token, so it only made Pulumi poll Twilio"
    " immediately. To have callbacks trusted, exempt twilio:callbackUrl from the account's Webhook Rule"
    " (Twilio docs: usage/webhooks/webhook-shared-keys)."
)
LOOKS_RIGHT = "L/OH5YylLD5NRKLltdqwSvS0BnU="
SHARED_KEY = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]


def send(
    address: tuple[str, int], method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), dict(answer.getheaders()))
    finally:
        connection.close()


def raw(address: tuple[str, int], sent: bytes) -> bytes:
    """All that comes back until the server ends the connection."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(sent)
        return received(connection)


def received(connection: socket.socket) -> bytes:
    try:
        return b"".join(iter(lambda: connection.recv(4096), b""))
    except ConnectionResetError:
        return b""


def sign(url: str, form: dict[str, str] | None = None, token: str = TOKEN) -> dict[str, str]:
    return {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, form or {})}


def anywhere() -> str:
    return f"127.0.0.1:{free_port()}"


@dataclass
class Wait:
    """One wait, and what it was told. over: ends it, and has it told what it is told in the end."""

    endpoint: CallbackEndpoint
    url: str = ""
    callbacks: list[Callback] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    over: ExitStack = field(default_factory=ExitStack)

    @property
    def warnings(self) -> list[str]:
        self.over.close()
        return self.warned

    @property
    def address(self) -> tuple[str, int]:
        return host_and_port(self.endpoint.listen_address)

    @property
    def path(self) -> str:
        return "/" + self.url.rpartition("/")[2]

    def post(
        self, form: dict[str, str] | None = None, headers: dict[str, str] | None = None, query: str = ""
    ) -> Answer:
        form = FIELDS if form is None else form
        headers = sign(self.url + query, form) if headers is None else headers
        return send(self.address, "POST", self.path + query, urlencode(form), headers)

    def get(self, query: str, headers: dict[str, str] | None = None) -> Answer:
        target = f"{self.path}?{query}"
        return send(self.address, "GET", target, None, sign(f"{self.url}?{query}") if headers is None else headers)


Waiting = Callable[..., Wait]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert [] == [thread.name for thread in threading.enumerate() if thread.name == "twilio-callbacks"]


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def waiting(running: ExitStack) -> Waiting:
    """Starts waits, on one free port of 127.0.0.1 and with a known token unless told otherwise."""
    free, servers = anywhere(), CallbackServers(PATIENCE)

    def start(
        public_url: str = PUBLIC,
        tokens: tuple[str, ...] = (TOKEN,),
        listen: str = free,
        servers: CallbackServers = servers,
    ) -> Wait:
        wait = Wait(CallbackEndpoint(public_url, listen, tokens))
        running.enter_context(wait.over)
        url = wait.over.enter_context(
            receive_callbacks(servers, wait.endpoint, wait.callbacks.append, wait.warned.append)
        )
        assert url is not None
        wait.url = url
        return wait

    return start


def status_callback_of(
    endpoint: CallbackEndpoint, receive: Callable[[Callback], None], warn: Callable[[str], None]
) -> AbstractContextManager[str | None]:
    """The URL of a wait that shares its server with nobody."""
    return receive_callbacks(CallbackServers(PATIENCE), endpoint, receive, warn)


def refused(endpoint: CallbackEndpoint) -> list[str]:
    """The warnings of a wait that can't receive anything."""
    warnings: list[str] = []
    with status_callback_of(endpoint, lambda _: None, warnings.append) as url:
        assert url is None
    return warnings


# What counts


def test_a_signed_post_is_trusted(waiting: Waiting) -> None:
    wait = waiting()
    assert (204, b"") == ((answer := wait.post()).status, answer.body)
    assert [SUCCESS] == wait.callbacks
    assert [] == wait.warnings


def test_a_signed_get_is_trusted(waiting: Waiting) -> None:
    """Blank values, plus signs and escapes are signed as they were sent."""
    wait = waiting()
    assert 204 == wait.get(urlencode(FIELDS).replace("+", "%20")).status
    assert 204 == wait.get(urlencode(FIELDS).replace("%2B", "%2b")).status
    assert [SUCCESS, SUCCESS] == wait.callbacks


def test_a_failure_names_no_caller_id(waiting: Waiting) -> None:
    wait = waiting()
    wait.post(FIELDS | {"VerificationStatus": "failed"})
    assert [Callback(CALL, ACCOUNT, "completed", "failed", None, trusted=True)] == wait.callbacks


@pytest.mark.parametrize("status", ["", "Success", "pending"])
def test_any_other_verification_status_is_none(waiting: Waiting, status: str) -> None:
    wait = waiting()
    wait.post(FIELDS | {"VerificationStatus": status, "CallStatus": "busy"})
    assert [Callback(CALL, ACCOUNT, "busy", None, None, trusted=True)] == wait.callbacks


def test_missing_fields_are_empty(waiting: Waiting) -> None:
    wait = waiting()
    assert 204 == wait.post({"VerificationStatus": "success"}).status
    assert [Callback("", "", "", "success", None, trusted=True)] == wait.callbacks


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-16", "nonsense", ""])
def test_the_content_type_does_not_count(waiting: Waiting, content_type: str) -> None:
    wait = waiting()
    assert 204 == wait.post(headers=sign(wait.url, FIELDS) | {"Content-Type": content_type}).status
    assert [SUCCESS] == wait.callbacks


def test_bytes_that_are_no_text_break_nothing(waiting: Waiting) -> None:
    wait = waiting()
    form = {"CallSid": "\ufffd", "To": "\ufffd"}
    assert 204 == send(wait.address, "POST", wait.path, b"CallSid=%ff&To=\xff", sign(wait.url, form)).status
    assert ["\ufffd"] == [callback.call_sid for callback in wait.callbacks]


@pytest.mark.parametrize("prefix", ["", "/twilio", "/an/ingress/of/its/own", "/%74wilio"])
def test_the_ingress_may_strip_the_path_or_not(waiting: Waiting, prefix: str) -> None:
    wait = waiting()
    headers = sign(wait.url, FIELDS) | {"Host": "127.0.0.1:1"}
    assert 204 == send(wait.address, "POST", prefix + wait.path, urlencode(FIELDS), headers).status
    assert [SUCCESS] == wait.callbacks


def test_a_query_behind_the_path_is_signed_as_it_was_sent(waiting: Waiting) -> None:
    wait = waiting()
    assert 204 == wait.post(query="?a=%2b%20+b&c=").status
    assert 403 == wait.post(query="?a=%2B%20+b&c=", headers=sign(f"{wait.url}?a=%2b%20+b&c=", FIELDS)).status
    assert [SUCCESS] == wait.callbacks


def test_any_of_several_tokens_may_have_signed(waiting: Waiting) -> None:
    wait = waiting(tokens=("older", TOKEN, "newer"))
    for token in wait.endpoint.auth_tokens:
        assert 204 == wait.post(headers=sign(wait.url, FIELDS, token)).status
    assert [SUCCESS] * 3 == wait.callbacks


def test_a_doubled_callback_is_passed_on_twice(waiting: Waiting) -> None:
    wait = waiting()
    wait.post()
    wait.post()
    assert [SUCCESS, SUCCESS] == wait.callbacks


# What does not count


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_badly_signed_callback_changes_nothing(waiting: Waiting, method: str) -> None:
    """It is said once."""
    wait = waiting()
    for signature in (None, "", "nonsense", "A" * 4000, "\xff\xfe", "=", LOOKS_RIGHT):
        headers = {} if signature is None else {"X-Twilio-Signature": signature}
        answer = wait.post(headers=headers) if method == "POST" else wait.get(urlencode(FIELDS), headers)
        assert (403, b"") == (answer.status, answer.body)
    assert ([], [SIGNATURE_UNKNOWN]) == (wait.callbacks, wait.warnings)


@pytest.mark.parametrize("status", ["success", "failed"])
def test_a_forged_outcome_changes_nothing(waiting: Waiting, status: str) -> None:
    """Signed for other fields, another wait, another host, another method, with another token, or none. It is said once
    that one was ignored.
    """
    wait, other = waiting(), waiting()
    form = FIELDS | {"VerificationStatus": status}
    host, port = wait.address
    for headers in (
        sign(wait.url, FIELDS | {"VerificationStatus": "pending"}),
        sign(wait.url, FIELDS | {"CallSid": "CA" + "9" * 32}),
        sign(wait.url, {}),
        sign(other.url, form),
        sign(f"http://{host}:{port}{wait.path}", form),
        sign(f"https://evil.example.com/twilio{wait.path}", form) | {"Host": "evil.example.com"},
        sign(f"{wait.url}?{urlencode(form)}"),
        sign(wait.url, form, token="guess"),
        sign(wait.url, form, token=""),
    ):
        assert 403 == wait.post(form, headers).status
    assert ([], [SIGNATURE_UNKNOWN], []) == (wait.callbacks, wait.warnings, other.callbacks)


def test_what_is_not_signed_is_not_read(waiting: Waiting) -> None:
    """A fragment is no part of what Twilio signs."""
    wait = waiting()
    signature = sign(f"{wait.url}?CallSid={CALL}")["X-Twilio-Signature"]
    target = f"{wait.path}?CallSid={CALL}#&VerificationStatus=success"
    raw(wait.address, f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {signature}\r\n\r\n".encode())
    assert [] == [callback for callback in wait.callbacks if callback.verification_status]


@pytest.mark.parametrize("tokens", [(), ("",)])
def test_without_a_token_a_callback_only_starts_a_poll(waiting: Waiting, tokens: tuple[str, ...]) -> None:
    """Whatever its signature; said once."""
    wait = waiting(tokens=tokens)
    assert [204, 204, 204] == [
        wait.post().status,
        wait.post(headers={}).status,
        wait.post(headers=sign(wait.url, FIELDS, "")).status,
    ]
    assert [UNSIGNED] * 3 == wait.callbacks
    assert [NO_TOKEN] == wait.warnings


def test_each_wait_is_told_that_its_callbacks_do_not_count(waiting: Waiting) -> None:
    waits = [waiting(tokens=()) for _ in range(2)]
    for wait in waits:
        wait.post()
    assert [[NO_TOKEN], [NO_TOKEN]] == [wait.warnings for wait in waits]


def test_a_warning_comes_when_the_wait_is_over(waiting: Waiting) -> None:
    """So it can't keep a callback waiting."""
    wait = waiting(tokens=())
    assert 204 == wait.post().status
    assert ([UNSIGNED], []) == (wait.callbacks, wait.warned)
    wait.over.close()
    assert [NO_TOKEN] == wait.warned


def test_a_callback_signed_with_a_shared_key_only_starts_a_poll(waiting: Waiting) -> None:
    wait = waiting()
    assert [204, 204] == [
        wait.post(headers=sign(wait.url, FIELDS, "shared") | SHARED_KEY).status,
        wait.get(urlencode(FIELDS), SHARED_KEY).status,
    ]
    assert [UNSIGNED, UNSIGNED] == wait.callbacks
    assert [SHARED_KEY_WARNING] == wait.warnings


# What is answered


def test_answers_say_nothing(waiting: Waiting) -> None:
    """No body, no name of a server, and no connection kept."""
    wait = waiting()
    answers = {
        204: wait.post(),
        403: wait.post(headers={}),
        404: send(wait.address, "GET", "/"),
        405: send(wait.address, "PUT", wait.path, "x"),
        413: send(wait.address, "POST", wait.path, b"x" * (MAX_BODY_BYTES + 1)),
    }
    assert {status: (status, b"") for status in answers} == {s: (a.status, a.body) for s, a in answers.items()}
    for answer in answers.values():
        assert answer.headers.keys() <= {"Server", "Date", "Connection", "Content-Length", "Content-Type"}
        assert ("", "close") == (answer.headers["Server"], answer.headers["Connection"])


def test_no_other_method_is_allowed(waiting: Waiting) -> None:
    wait = waiting()
    for method in ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = send(wait.address, method, wait.path, headers=sign(wait.url))
        assert (405, b"") == (answer.status, answer.body)
    assert [] == wait.callbacks


def test_the_largest_body_is_64_kib(waiting: Waiting) -> None:
    """Whether its length is announced or not. Versions of aiohttp disagree on one of just that length."""
    wait = waiting()
    form = FIELDS | {"x": ""}
    form["x"] = "x" * (MAX_BODY_BYTES - 1 - len(urlencode(form)))
    body = urlencode(form).encode()
    assert len(body) == MAX_BODY_BYTES - 1
    headers = sign(wait.url, form)
    assert 204 == send(wait.address, "POST", wait.path, body, headers).status
    assert 204 == send(wait.address, "POST", wait.path, iter([body[:100], body[100:]]), headers).status
    assert 413 == send(wait.address, "POST", wait.path, body + b"xx", headers).status
    assert 413 == send(wait.address, "POST", wait.path, iter([body, b"xx"]), headers).status
    assert [SUCCESS, SUCCESS] == wait.callbacks


def test_a_compressed_body_is_left_as_it_is(waiting: Waiting) -> None:
    """Twilio compresses nothing, and unpacked it could have any size."""
    wait = waiting()
    headers = sign(wait.url, FIELDS) | {"Content-Encoding": "gzip"}
    assert 403 == send(wait.address, "POST", wait.path, gzip.compress(urlencode(FIELDS).encode()), headers).status


def test_a_body_that_is_broken_off_is_no_callback(waiting: Waiting) -> None:
    wait = waiting()
    with socket.create_connection(wait.address) as connection:
        connection.sendall(f"POST {wait.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nCallSid=".encode())
    head = f"POST {wait.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n"
    assert b" 400 Bad Request\r\n" in raw(wait.address, head.encode())
    assert 204 == wait.post().status
    assert [SUCCESS] == wait.callbacks


@pytest.mark.parametrize(
    "sent", ["", "POST ", "POST {path} HTTP/1.1\r\n", "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"]
)
def test_a_slow_client_is_cut_off(waiting: Waiting, sent: str) -> None:
    """Nobody else waits for it until then."""
    wait, patient = waiting(servers=CallbackServers(0.2)), waiting(listen=anywhere())
    started = time.monotonic()
    with ExitStack() as connections:
        slow, slower = (
            connections.enter_context(socket.create_connection(it.address, timeout=PATIENCE)) for it in (wait, patient)
        )
        slow.sendall(sent.format(path=wait.path).encode())
        slower.sendall(sent.format(path=patient.path).encode())
        assert 204 == patient.post().status
        assert b"" == received(slow)
        assert 0.1 < time.monotonic() - started < PATIENCE / 2
    assert ([], [SUCCESS]) == (wait.callbacks, patient.callbacks)


def test_the_last_callback_is_answered_although_it_ends_the_wait() -> None:
    endpoint = CallbackEndpoint(PUBLIC, anywhere(), (TOKEN,))
    for _ in range(20):
        there = threading.Event()
        with ThreadPoolExecutor(1) as twilio:
            with status_callback_of(endpoint, lambda _, there=there: there.set(), lambda _: None) as url:  # type: ignore[misc]
                assert url
                target = "/" + url.rpartition("/")[2]
                address = host_and_port(endpoint.listen_address)
                sent = twilio.submit(send, address, "POST", target, urlencode(FIELDS), sign(url, FIELDS))
                assert there.wait(PATIENCE)
            assert 204 == sent.result().status


# Waits


def test_each_wait_has_a_path_that_can_not_be_guessed(waiting: Waiting) -> None:
    waits = [waiting(), waiting("https://hooks.example.com/twilio/"), waiting("https://other.example.com")]
    prefixes, own = zip(*(wait.url.rsplit("/", 1) for wait in waits), strict=True)
    assert (PUBLIC, PUBLIC, "https://other.example.com") == prefixes
    assert 3 == len(set(own))
    assert [32, 32, 32] == [len(path) for path in own]


def test_waits_of_different_settings_share_a_server(waiting: Waiting) -> None:
    """Each with its own public URL and tokens."""
    one, other = waiting(), waiting("https://other.example.com", tokens=("other",))
    assert 1 == len([thread for thread in threading.enumerate() if thread.name == "twilio-callbacks"])
    assert 204 == one.post().status
    assert 403 == other.post().status
    assert 204 == other.post(headers=sign(other.url, FIELDS, "other")).status
    assert ([SUCCESS], [SUCCESS]) == (one.callbacks, other.callbacks)


def test_a_callback_reaches_its_own_wait_only(waiting: Waiting) -> None:
    one, other = waiting(), waiting()
    one.post()
    assert ([SUCCESS], []) == (one.callbacks, other.callbacks)


def test_the_path_is_gone_when_the_wait_is_over(waiting: Waiting) -> None:
    kept, over = waiting(), waiting()
    assert 204 == over.post().status
    over.over.close()
    assert 404 == over.post().status
    assert 204 == kept.post().status


def test_a_wait_that_fails_is_over_too() -> None:
    endpoint = CallbackEndpoint(PUBLIC, anywhere())
    with pytest.raises(LookupError), status_callback_of(endpoint, lambda _: None, lambda _: None):
        raise LookupError
    with socket.create_server(host_and_port(endpoint.listen_address)):
        pass


def test_fifty_waits_at_once() -> None:
    """They share a server, each gets its own callback, and the address is free again afterwards."""
    port = free_port()
    servers, endpoint = CallbackServers(), CallbackEndpoint(PUBLIC, f"127.0.0.1:{port}", (TOKEN,))
    everybody = threading.Barrier(50)

    def one(number: int) -> tuple[list[str], int]:
        got: list[Callback] = []
        form = FIELDS | {"CallSid": f"CA{number:032}"}
        everybody.wait(PATIENCE)
        with receive_callbacks(servers, endpoint, got.append, lambda _: None) as url:
            assert url
            everybody.wait(PATIENCE)
            answer = send(("127.0.0.1", port), "POST", "/" + url.rpartition("/")[2], urlencode(form), sign(url, form))
            everybody.wait(PATIENCE)
        return [callback.call_sid for callback in got], answer.status

    with ThreadPoolExecutor(50) as threads:
        assert [([f"CA{number:032}"], 204) for number in range(50)] == list(threads.map(one, range(50)))
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_servers_come_and_go_under_many_threads() -> None:
    """Whoever comes while the last one leaves finds the address free."""
    servers, endpoint = CallbackServers(), CallbackEndpoint(PUBLIC, f"127.0.0.1:{free_port()}")

    def several(_: int) -> list[str]:
        warnings: list[str] = []
        for _ in range(10):
            with receive_callbacks(servers, endpoint, lambda _: None, warnings.append) as url:
                assert url
        return warnings

    with ThreadPoolExecutor(8) as threads:
        assert [[]] * 8 == list(threads.map(several, range(8)))


def test_the_same_address_can_be_used_again_at_once() -> None:
    endpoint = CallbackEndpoint(PUBLIC, f"127.0.0.1:{free_port()}", (TOKEN,))
    for _ in range(3):
        wait = Wait(endpoint)
        with status_callback_of(endpoint, wait.callbacks.append, wait.warned.append) as url:
            assert url
            wait.url = url
            assert 204 == wait.post().status
        assert ([SUCCESS], []) == (wait.callbacks, wait.warnings)


def test_stopping_is_quick_whoever_is_connected() -> None:
    endpoint = CallbackEndpoint(PUBLIC, anywhere())
    address = host_and_port(endpoint.listen_address)
    with ExitStack() as connections:
        with status_callback_of(endpoint, lambda _: None, lambda _: None) as url:
            assert url
            path = "/" + url.rpartition("/")[2]
            half = "HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"
            for sent in ("", "POST ", f"POST {path} {half}", f"POST /x {half}"):
                connection = connections.enter_context(socket.create_connection(address, timeout=PATIENCE))
                connection.sendall(sent.encode())
            assert 404 == send(address, "GET", "/").status
            started = time.monotonic()
        assert time.monotonic() - started < PATIENCE / 2


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_other_ways_to_write_this_machine(waiting: Waiting, host: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    wait = waiting(listen=f"{host}:{free_port()}")
    assert 204 == wait.post().status


# Where nothing can be received


@pytest.mark.parametrize(
    "listen", ["nonsense", "", "127.0.0.1", ":8585", "::1:0", "127.0.0.1:", "127.0.0.1:65536", "[]:1"]
)
def test_an_address_that_makes_no_sense(listen: str) -> None:
    assert [
        f"Twilio's callbacks can't be received at {listen} (must be host:port, such as 127.0.0.1:8585): polling only."
    ] == refused(CallbackEndpoint(PUBLIC, listen, (TOKEN,)))


def test_a_port_that_is_taken() -> None:
    """It fails this wait only: the next one can have it."""
    endpoint = CallbackEndpoint(PUBLIC, anywhere())
    with socket.create_server(host_and_port(endpoint.listen_address)):
        assert [
            f"Twilio's callbacks can't be received at {endpoint.listen_address} (Address already in use): polling only."
        ] == refused(endpoint)
        assert 1 == len(refused(endpoint))
    with status_callback_of(endpoint, lambda _: None, lambda _: None) as url:
        assert url is not None


def test_an_address_of_another_machine() -> None:
    warnings = refused(CallbackEndpoint(PUBLIC, "203.0.113.1:1"))
    assert 1 == len(warnings)
    assert warnings[0].startswith("Twilio's callbacks can't be received at 203.0.113.1:1 (")


def test_a_host_that_is_no_name() -> None:
    warnings = refused(CallbackEndpoint(PUBLIC, "x" * 300 + ":1"))
    assert 1 == len(warnings)
    assert len(warnings[0]) < 300


def test_half_of_an_address_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the other half is not there at all, such as IPv6 on many machines."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (free_port(), server.getsockname()[1])
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert [
            "Twilio's callbacks can't be received at localhost:1 (Address already in use): polling only."
        ] == refused(CallbackEndpoint(PUBLIC, "localhost:1"))
    with socket.create_server(found[0][4]):  # it was closed again
        pass
    found[1] = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.1", 1))
    create = socket.create_server

    def without(address: tuple[str, int], **options: Any) -> socket.socket:
        if address[0] != "127.0.0.1":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create(address, **options)

    monkeypatch.setattr(socket, "create_server", without)
    with status_callback_of(CallbackEndpoint(PUBLIC, "localhost:1"), lambda _: None, lambda _: None) as url:
        assert url is not None


def test_a_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as for want of file descriptors; a later one may."""
    endpoint = CallbackEndpoint(PUBLIC, f"127.0.0.1:{free_port()}")
    with monkeypatch.context() as patched:
        patched.setattr(
            "asyncio.events.new_event_loop", lambda: (_ for _ in ()).throw(OSError(24, "Too many open files"))
        )
        assert [
            f"Twilio's callbacks can't be received at {endpoint.listen_address} (Too many open files): polling only."
        ] == refused(endpoint)
    with status_callback_of(endpoint, lambda _: None, lambda _: None) as url:
        assert url is not None


# Secrets


def test_an_endpoint_does_not_show_its_tokens() -> None:
    shown = repr(CallbackEndpoint(PUBLIC, "127.0.0.1:8585", (TOKEN,)))
    assert f"CallbackEndpoint(public_url={PUBLIC!r}, listen_address='127.0.0.1:8585')" == shown


def test_nothing_of_a_callback_is_logged(
    waiting: Waiting, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wait = waiting()
    wait.post()
    wait.post(headers={})
    wait.get(urlencode(FIELDS))
    raw(wait.address, f"GET {wait.path} HTTP/1.1\r\n{TOKEN}\r\n\r\n".encode())
    raw(wait.address, f"{TOKEN}{wait.path}\r\n\r\n".encode())
    for secret in (TOKEN, wait.path[1:], CALL, NEW, "5550101"):
        assert secret not in caplog.text
    assert ("", "") == capfd.readouterr()
