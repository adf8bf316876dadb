"""The wire: whether a validation request was sent is watched, and not read off the error."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, Interrupted, TwilioRefused
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from tests.support.broken_servers import CERTIFICATE, KEY, BreakingServer, RawServer, _Server

if TYPE_CHECKING:
    import socket

    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)


class PlainTextServer(BreakingServer):
    """Speaks TLS until it has read a request, and then answers beneath TLS, as a broken middlebox does."""

    def _answer(self, connection: socket.socket) -> None:
        with connection.dup() as beneath, self._context.wrap_socket(connection, server_side=True) as safe:
            request = b""
            while b"PhoneNumber" not in request and (more := safe.recv(65536)):
                request += more
            self.requests.append(request)
            beneath.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            with suppress(OSError):
                while beneath.recv(65536):
                    pass


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pem = tmp_path / "certificate.pem"
    pem.write_text(CERTIFICATE + KEY)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    return pem


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_plain_text_in_place_of_a_tls_answer_is_a_lost_answer(
    connect: Connect, certificate: Path, version: ssl.TLSVersion
) -> None:
    """OpenSSL says WRONG_VERSION_NUMBER, as it does for a handshake with a server that speaks no TLS."""
    server = PlainTextServer(certificate)
    server._context.maximum_version = version
    try:
        with pytest.raises(AnswerLost, match=NUMBER[1:]):
            connect(url=server.url).request_validation(INPUTS)
    finally:
        server.stop()
    assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5, 6\r\n",
        b'Content-Type: application/json; charset="ut\x00f"\r\n',
        b"Content-Type: application/json; charset=idna\r\n",
    ],
)
def test_an_answer_that_makes_requests_raise_a_value_error_is_a_lost_answer(
    connect: Connect, answering: Callable[[bytes], RawServer], head: bytes
) -> None:
    """A phone rings, so it is not `Could not reach Twilio`, and nothing is wrong with a setting."""
    server = answering(b"HTTP/1.1 201 Created\r\n" + head + b'\r\n{"a":1}')
    with pytest.raises(AnswerLost, match=NUMBER[1:]):
        connect(url=server.url).request_validation(INPUTS)
    assert 1 == len(server.requests)
    with pytest.raises(AnswerLost, match=NUMBER[1:]):
        connect(url=server.url, attempts=1).find(NUMBER)


@pytest.mark.parametrize("target", [b"http://[", b"\xff\xfe", b"http://x:99999999/"])
def test_a_redirect_is_a_refusal_wherever_it_leads(
    connect: Connect, answering: Callable[[bytes], RawServer], target: bytes
) -> None:
    server = answering(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\n\r\n")
    with pytest.raises(TwilioRefused, match="HTTP 302"):
        connect(url=server.url).request_validation(INPUTS)
    assert 1 == len(server.requests)


def test_an_interrupt_while_the_connection_is_made_keeps_the_phone_from_ringing(
    connect: Connect, certificate: Path
) -> None:
    token = CancelToken()
    server = BreakingServer(certificate, greets=lambda: token.cancel("pulumi was interrupted"))
    try:
        with pytest.raises(Interrupted, match="was not asked"):
            connect(url=server.url, cancel=token).request_validation(INPUTS)
    finally:
        server.stop()
    assert not any(b"PhoneNumber" in request for request in server.requests)


def test_a_redirect_without_end_is_given_up(connect: Connect, answering: Callable[[bytes], RawServer]) -> None:
    """`requests` reads the body of a redirect that it does not follow, as long as that comes."""
    server = answering(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n" + b"x" * (33 * 1024 * 1024))
    begun = time.monotonic()
    with pytest.raises(CallerIdError, match="bytes"):
        connect(url=server.url, attempts=1).find(NUMBER)
    assert time.monotonic() - begun < 10


class BusyServer(_Server):
    """Answers the first request on a connection with 429, and gives the connection up without a word."""

    def __init__(self) -> None:
        self.requests: list[int] = []
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"

    def _answer(self, connection: socket.socket) -> None:
        for number in range(2):
            request = b""
            while b"PhoneNumber" not in request and (more := connection.recv(65536)):
                request += more
            if not request:
                return
            self.requests.append(number)
            if number == 0:
                connection.sendall(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")


def test_a_validation_request_is_sent_again_on_a_new_connection(connect: Connect) -> None:
    server = BusyServer()
    try:
        with pytest.raises(TwilioRefused, match="429"):
            connect(url=server.url, attempts=2, max_rate_limit_wait=0).request_validation(INPUTS)
    finally:
        server.stop()
    assert [0, 0] == server.requests
