"""A wait for a callback, and a way to send it what no HTTP client would."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

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
FIELDS = {
    "AccountSid": "AC" + "2" * 32,
    "CallSid": "CA" + "1" * 32,
    "CallStatus": "completed",
    "VerificationStatus": "success",
    "OutgoingCallerIdSid": "PN" + "3" * 32,
    "To": "+14155550101",
}
SUCCESS = Callback(FIELDS["CallSid"], FIELDS["AccountSid"], "completed", "success", "PN" + "3" * 32, trusted=True)
FOREVER = PATIENCE
"""Seconds: no test waits for what is cut off only then."""


def signature(url: str, form: dict[str, Any] | None = None, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form or {}))


def received(connection: socket.socket) -> bytes:
    """All that comes back until the server ends the connection."""
    with suppress(ConnectionResetError, BrokenPipeError):
        return b"".join(iter(lambda: connection.recv(4096), b""))
    return b""


class Receiver:
    """One wait, what it was told, and a way to send it anything."""

    def __init__(self, tokens: tuple[str, ...] = (TOKEN,), timeout: float = FOREVER) -> None:
        self.endpoint = CallbackEndpoint(PUBLIC, f"127.0.0.1:{free_port()}", tokens)
        self.address = host_and_port(self.endpoint.listen_address)
        self.callbacks: list[Callback] = []
        self.warnings: list[str] = []
        self.waiting = receive_callbacks(
            CallbackServers(timeout), self.endpoint, self.callbacks.append, self.warnings.append
        )

    def __enter__(self) -> Receiver:
        self.url = self.waiting.__enter__() or ""
        self.own = self.url.rpartition("/")[2]
        return self

    def __exit__(self, *why: Any) -> None:
        self.waiting.__exit__(*why)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE)

    def raw(self, sent: str | bytes) -> bytes:
        with self.connect() as connection:
            with suppress(ConnectionError):
                connection.sendall(sent if isinstance(sent, bytes) else sent.encode("latin-1"))
            return received(connection)

    def status(self, sent: str | bytes) -> int:
        """Of the one answer, which says nothing else; 0 where the connection was cut off."""
        answer = self.raw(sent)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"" == body, "more than one answer, or one with a body"
        return int(head.split(b" ")[1]) if head else 0

    def request(self, method: str = "POST", target: str = "", body: str | None = None, **headers: str) -> str:
        """As a client would write it, truly signed; `headers` with _ for -, and None for what is to be left out."""
        body = urlencode(FIELDS) if body is None and method == "POST" else body or ""
        target = target or "/" + self.own
        query = target.partition("?")[1] + target.partition("?")[2]
        signed = signature(self.url + query, FIELDS if method == "POST" else None)
        lines = {"Host": "x", "Content-Length": str(len(body)), "X-Twilio-Signature": signed}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        return f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + f"\r\n{body}"

    def still_works(self) -> None:
        before = len(self.callbacks)
        assert 204 == self.status(self.request())
        assert [SUCCESS] == self.callbacks[before:]
