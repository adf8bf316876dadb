"""What strangers may send to the receiver of callbacks: nothing of it counts, lasts, or is seen by anybody."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from pulumi_twilio_caller_id.verification.callback_server import MAX_CONNECTIONS
from pulumi_twilio_caller_id.verification.status_callback import (
    UNCHECKED_CALLBACK_BURST,
    UNCHECKED_CALLBACK_INTERVAL,
    CallbackEndpoint,
    CallbackServers,
    receive_callbacks,
)
from tests.support.machine import free_port
from tests.support.receiver import FIELDS, FOREVER, PUBLIC, SUCCESS, TOKEN, Receiver, signature


@pytest.fixture(autouse=True)
def nothing_is_seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """On no stream, and in no log, whatever its level."""
    caplog.set_level(logging.DEBUG)
    yield
    assert ("", "") == capfd.readouterr()
    records = caplog.get_records("call")
    told = {record.getMessage() + (record.exc_text or "") for record in records}
    assert [] == [
        text for text in told if not re.fullmatch(r"Using selector: \w+|The receiver of callbacks: \w+", text)
    ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as it:
        yield it


# What is asked for


NOT_THERE = [
    "/{own}%00", "/{own}%2F", "%2F{own}", "/twilio%2F{own}", "/..%2f{own}", "/{own}/..", "/{own}/.", "/{own}/",
    "/{own};x", "/{own}x", "/x{own}", "/twilio/", "/twilio",
    "/{own}%20", "/{own}\t", "/{swapped}", "/{escaped}", "http://hooks.example.com/twilio", "/?/x/{own}#x", "/x?/{own}",
    "/", "*", "//", "/\x00{own}", "/{own}\x00", "\\{own}", "/%", "/" + "x/" * 4000, "hooks.example.com:443",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS"])
def test_no_path_but_the_wait_s_own(receiver: Receiver, method: str) -> None:
    """However truly it is signed. Who has another learns nothing but that."""
    own = receiver.own
    answers = {}
    for target in NOT_THERE:
        there = target.format(own=own, swapped=own.swapcase(), escaped=f"%{ord(own[0]):02x}{own[1:]}")
        answers[target] = receiver.status(receiver.request(method, there))
    assert {} == {target: status for target, status in answers.items() if status not in (400, 404)}
    assert [] == receiver.callbacks


@pytest.mark.parametrize(
    "before", ["http://hooks.example.com/twilio/", "http://127.0.0.1/", "/../../", "/./", "//", "/%2e%2e/"]
)
def test_what_is_before_the_own_path_does_not_count_and_proves_nothing(receiver: Receiver, before: str) -> None:
    """An ingress may pass on the whole URL, or a part of its path; the signature is for the configured one."""
    assert 403 == receiver.status(receiver.request(target=before + receiver.own, X_Twilio_Signature="forged"))
    assert [] == receiver.callbacks
    assert 204 == receiver.status(receiver.request(target=before + receiver.own))
    assert [SUCCESS] == receiver.callbacks


@pytest.mark.parametrize(
    "method",
    ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post", "GARBAGE", "P\x00ST",
     "A" * 9000, ""],
)  # fmt: skip
def test_no_method_but_get_and_post(receiver: Receiver, method: str) -> None:
    for target in ("/" + receiver.own, receiver.own, f"http://x/{receiver.own}"):
        for body in ("", urlencode(FIELDS)):
            assert receiver.status(receiver.request(method, target, body)) in (0, 400, 404, 405)
    assert [] == receiver.callbacks


def test_connect_leads_nowhere() -> None:
    """Some versions of aiohttp wait for what would follow: until they are cut off, like all that take too long."""
    with Receiver(timeout=0.3) as receiver:
        assert receiver.status(receiver.request("CONNECT", receiver.own)) in (0, 400, 404, 405)
        assert [] == receiver.callbacks


@pytest.mark.parametrize("sent", [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" + bytes(300), b"\x00" * 5000,
    b"GET / HTTP/1.1\r\nHost: x\r\n folded: CallSid\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"POST /{own} HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /{own} HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nCallSid",
    b"POST /{own} HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST /{own} HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
    b"POST /{own} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nCallSid",
    b"POST /{own} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
    b"POST /{own} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    b"POST /{own} HTTP/1.1\r\nTransfer-Encoding: forged\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n", b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
])  # fmt: skip
def test_what_is_no_http_is_refused_at_once(receiver: Receiver, sent: bytes) -> None:
    sent = sent.replace(b"{own}", receiver.own.encode())
    assert receiver.status(sent) in (400, 404)
    assert b"aiohttp" not in receiver.raw(sent).lower()
    assert [] == receiver.callbacks
    receiver.still_works()


# How much


def test_a_head_has_its_limits(receiver: Receiver) -> None:
    for long in (
        receiver.request(target=f"/{'x' * 9000}"),
        receiver.request(target=f"/{receiver.own}?{'x' * 9000}"),
        receiver.request(X_Other="forged" * 1500),
    ):
        assert receiver.status(long) in (0, 400)
    assert [] == receiver.callbacks


@pytest.mark.parametrize("begin", [
    "POST /{own} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;",
    "POST /{own} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    "GET /{own} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
])  # fmt: skip
def test_whoever_sends_without_end_is_cut_off(begin: str) -> None:
    """When the time for a request is over, if not before."""
    with Receiver(timeout=0.4) as receiver:
        started = time.monotonic()
        with receiver.connect() as connection, suppress(ConnectionError):
            connection.sendall(begin.format(own=receiver.own).encode())
            while time.monotonic() - started < FOREVER:
                connection.send(b"forged: forged\r\n" * 64)
        assert time.monotonic() - started < FOREVER / 2
        assert [] == receiver.callbacks
        receiver.still_works()


def test_of_requests_in_a_row_the_first_is_answered(receiver: Receiver) -> None:
    """None waits behind a forged one, nor do thousands keep us busy."""
    forged = receiver.request(X_Twilio_Signature="forged")
    assert 403 == receiver.status(forged + receiver.request())
    assert receiver.status(forged * 1000) in (0, 403)
    assert [] == receiver.callbacks
    receiver.still_works()


# Who is kept waiting


def test_hundreds_that_hold_their_connections_open_keep_nobody_out(receiver: Receiver) -> None:
    half = f"POST /{receiver.own} HTTP/1.1\r\nHost: x\r\n"
    elsewhere = half.replace(receiver.own, "x") + "Content-Length: 9\r\n\r\n"
    begun = ("", "POST /", half, receiver.request()[:-5], elsewhere)
    started = time.monotonic()
    with ExitStack() as stack:
        held = []
        for number in range(4 * MAX_CONNECTIONS):
            held.append(stack.enter_context(receiver.connect()))
            held[-1].sendall(begun[number % len(begun)].encode())
        receiver.still_works()
        assert time.monotonic() - started < FOREVER / 2
        for connection in held:
            connection.setblocking(False)
        assert sum(is_open(connection) for connection in held) <= 2 * MAX_CONNECTIONS


def is_open(connection: socket.socket) -> bool:
    try:
        connection.recv(4096)
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False  # it was answered, or cut off


class Drips:
    """Connections that send a request byte by byte, begun in different parts of it."""

    def __init__(self, receiver: Receiver, stack: ExitStack) -> None:
        head = receiver.request().encode()
        self.left: dict[socket.socket, bytes] = {}
        for start in (5, 60, len(head) - 20) * 20:
            connection = stack.enter_context(receiver.connect())
            self.left[connection] = head[start:]
            with suppress(ConnectionError):  # cut off already
                connection.sendall(head[:start])

    def drip(self, at: int) -> None:
        for connection, rest in list(self.left.items()):
            try:
                connection.sendall(rest[at : at + 1] or b"&")
            except ConnectionError:
                del self.left[connection]
        time.sleep(0.05)


def test_whoever_drips_is_cut_off_however_many_they_are() -> None:
    started = time.monotonic()
    with Receiver(timeout=0.4) as receiver, ExitStack() as stack:
        drips, at = Drips(receiver, stack), 0
        while drips.left and time.monotonic() - started < FOREVER:
            drips.drip(at)
            at += 1
    assert {} == drips.left
    assert time.monotonic() - started < FOREVER / 2


def test_whoever_drips_keeps_nobody_waiting(receiver: Receiver) -> None:
    started = time.monotonic()
    with ExitStack() as stack:
        drips = Drips(receiver, stack)
        for at in range(2):
            drips.drip(at)
        receiver.still_works()
    assert time.monotonic() - started < FOREVER / 2


# What is forged


@pytest.mark.parametrize("where", ["before", "after", "query"])
def test_nothing_can_be_added_to_a_true_callback(receiver: Receiver, where: str) -> None:
    true, signed = urlencode(FIELDS), signature(receiver.url, FIELDS)
    for forged in ("VerificationStatus=failed", "OutgoingCallerIdSid=PN6", "CallSid=CA6", "AccountSid=AC6", "forged="):
        body = {"before": f"{forged}&{true}", "after": f"{true}&{forged}", "query": true}[where]
        target = f"/{receiver.own}?{forged}" if where == "query" else ""
        assert 403 == receiver.status(receiver.request(target=target, body=body, X_Twilio_Signature=signed))
    assert [] == receiver.callbacks


def test_of_two_signatures_a_forged_one_does_not_borrow_from_the_true_one(receiver: Receiver) -> None:
    body = urlencode(FIELDS | {"VerificationStatus": "failed"})
    both = receiver.request(
        body=body, X_Twilio_Signature=f"forged\r\nX-Twilio-Signature: {signature(receiver.url, FIELDS)}"
    )
    assert receiver.status(both) in (400, 403)
    assert [] == receiver.callbacks


def test_a_true_callback_of_another_wait_is_not_one_of_this(receiver: Receiver) -> None:
    """Replayed whole, with all that Twilio sent."""
    with Receiver() as other:
        body, signed = urlencode(FIELDS), signature(other.url, FIELDS)
        assert 204 == other.status(other.request())
        assert 403 == receiver.status(receiver.request(body=body, X_Twilio_Signature=signed))
    assert 404 == receiver.status(receiver.request(target="/" + other.own, X_Twilio_Signature=signed))
    assert ([SUCCESS], []) == (other.callbacks, receiver.callbacks)


@pytest.mark.parametrize("how", ["no token", "shared key"])
def test_whoever_repeats_themselves_does_not_make_us_ask_twilio_each_time(how: str) -> None:
    """Who knows the path may have us look at once a few times; the true callback counts all the same."""
    true: dict[str, str] = {"X_Twilio_Webhooks_Signature_Settings": "key=1"} if how == "shared key" else {}
    with Receiver(() if how == "no token" else (TOKEN,)) as receiver:
        started = time.monotonic()
        assert {204} == {receiver.status(receiver.request(**true)) for _ in range(60)}
        most = UNCHECKED_CALLBACK_BURST + (time.monotonic() - started) / UNCHECKED_CALLBACK_INTERVAL
        assert UNCHECKED_CALLBACK_BURST <= len(receiver.callbacks) <= most + 1
        if how != "no token":
            failed = FIELDS | {"VerificationStatus": "failed"}
            headers = {"body": urlencode(failed), "X_Twilio_Signature": signature(receiver.url, failed)}
            assert 204 == receiver.status(receiver.request(**headers))
            assert ("failed", True) == (receiver.callbacks[-1].verification_status, receiver.callbacks[-1].trusted)


# Where it listens


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    default, _, its_port = CallbackEndpoint(PUBLIC).listen_address.rpartition(":")
    assert ("127.0.0.1", True) == (default, its_port.isdecimal())
    for host, bound in (("127.0.0.1", "0100007F"), ("0.0.0.0", "00000000")):  # noqa: S104
        port = free_port()
        with receive_callbacks(CallbackServers(), CallbackEndpoint(PUBLIC, f"{host}:{port}"), print, print):
            rows = [
                line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()
            ]
            assert [f"{bound}:{port:04X}"] == [
                row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")
            ]
