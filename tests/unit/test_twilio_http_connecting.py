"""The wire: requests that surely were not sent may be sent again, and only those."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, TwilioUnreachable
from pulumi_twilio_caller_id.records import CallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox

if TYPE_CHECKING:
    from unit.conftest import Connect

NUMBER = "+14155550101"
INPUTS = CallerIdInputs(phone_number=NUMBER)

# Made for these tests; it says 127.0.0.1, and nobody trusts it.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBbTCCARKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w
LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLkSr9Cxr3FWmkSr
88k7PJ6joiqaDNdSPwjuCiSLQmCLWVVYI09Y5PYAyg9NnM+0lSE09vOaKJM594z9
4Tc5TS6jUzBRMB0GA1UdDgQWBBSoijvkKZK++IUwghSwRkY0Qvy33jAPBgNVHREE
CDAGhwR/AAABMA4GA1UdDwEB/wQEAwIChDAPBgNVHRMBAf8EBTADAQH/MAoGCCqG
SM49BAMCA0kAMEYCIQDXsaHtVQrAj5GSkZWv1keSDKYk0kY2pfdi5NVPrXSnJwIh
AJMPZqtHLGlIziVOqyUagQ+pqtXdLf48q5gK2TUW4Cqy
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIHCS+pJSqreYe/+Atm/Qkzo1yc1A9LCPs4KX3YfZ7N54oAoGCCqGSM49
AwEHoUQDQgAEuRKv0LGvcVaaRKvzyTs8nqOiKpoM11I/CO4KJItCYItZVVgjT1jk
9gDKD02cz7SVITT285ookzn3jP3hNzlNLg==
-----END EC PRIVATE KEY-----
"""


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with Sandbox() as gone:
        return gone.url


def test_a_refused_connection_is_tried_again(connect: Connect, closed: str, sleeps: list[float]) -> None:
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url=closed).find(NUMBER)
    where = closed.removeprefix("http://")
    assert caught.value.what.startswith(f"Could not reach Twilio to look up {NUMBER}: no connection to {where} (")
    assert "refused" in caught.value.what
    assert "object at 0x" not in caught.value.what
    assert len(sleeps) == 3


def test_a_validation_request_that_was_not_sent_is_tried_again(sandbox: Sandbox, connect: Connect) -> None:
    """Twilio comes back during the second pause: one call is placed."""
    sandbox.stop()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            sandbox.start()

    request = connect(sleep=sleep).request_validation(INPUTS)
    assert [request.call_sid] == [call.sid for call in sandbox.calls]
    assert len(pauses) == 2


def test_a_name_that_does_not_resolve_is_unreachable(connect: Connect) -> None:
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url="http://twilio.invalid", attempts=1).find(NUMBER)
    assert caught.value.what.startswith(
        f"Could not reach Twilio to look up {NUMBER}: no connection to twilio.invalid ("
    )


def test_a_proxy_that_is_not_there_is_unreachable(
    connect: Connect, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", closed)
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url="https://twilio.invalid", attempts=1).request_validation(INPUTS)
    assert "HTTPS_PROXY" in caught.value.todo


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "http://:x:1"])
def test_a_proxy_that_makes_no_sense_is_not_taken_for_a_lost_answer(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """Nothing was sent, so nobody has to wonder whether a phone rings."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(CallerIdError) as caught:
        connect(url="https://twilio.invalid").request_validation(INPUTS)
    assert not isinstance(caught.value, AnswerLost)


# TLS


class BreakingServer:
    """Speaks TLS properly until it has read a request, and garbage from then on."""

    def __init__(self, certificate: Path) -> None:
        self.requests: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(5)
            with connection:
                if self._ended.is_set():
                    return
                self._break(connection)

    def _break(self, connection: socket.socket) -> None:
        with connection.dup() as beneath:
            try:
                with self._context.wrap_socket(connection, server_side=True) as safe:
                    request = b""
                    while b"PhoneNumber" not in request and (more := safe.recv(65536)):  # the body comes on its own
                        request += more
                    self.requests.append(request)
                    beneath.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
                    while beneath.recv(65536):  # until the client has hung up, or else it might not read the garbage
                        pass
            except OSError:  # whoever does not trust us hangs up
                return

    def stop(self) -> None:
        self._ended.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    path.write_text(KEY + CERTIFICATE)
    return path


@pytest.fixture
def breaking(certificate: Path) -> Iterator[BreakingServer]:
    server = BreakingServer(certificate)
    yield server
    server.stop()


def test_a_certificate_nobody_trusts_is_unreachable(
    connect: Connect, breaking: BreakingServer, sleeps: list[float]
) -> None:
    """The handshake failed: the request, with its credentials, was not sent."""
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url=breaking.url, timeout=5.0, attempts=2).request_validation(INPUTS)
    assert "certificate verify failed" in caught.value.what
    assert len(sleeps) == 1
    assert breaking.requests == []


def test_tls_towards_plain_http_is_a_broken_connection(sandbox: Sandbox, connect: Connect) -> None:
    """Of TLS errors only a refused certificate surely came before the request."""
    with pytest.raises(AnswerLost) as caught:
        connect(url=sandbox.url.replace("http:", "https:"), attempts=1).request_validation(INPUTS)
    assert caught.value.why.startswith("the connection broke ([SSL: WRONG_VERSION_NUMBER]")


def test_a_validation_request_that_was_taken_before_tls_broke_is_not_repeated(
    connect: Connect, breaking: BreakingServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the answer that was lost; another request would be another call."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with pytest.raises(CallerIdError) as caught:
        connect(url=breaking.url, timeout=5.0).request_validation(INPUTS)
    assert len(breaking.requests) == 1
    assert isinstance(caught.value, AnswerLost)
