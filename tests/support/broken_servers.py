"""Servers that break off where it matters: a TLS server that has read a request, and proxies on the way to one."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

End = Literal["garbage", "close", "reset", "TLS close", "cut"]

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
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing the socket tells the other side that the connection was reset."""


class _Server:
    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        answering: list[tuple[threading.Thread, socket.socket]] = []
        while True:
            connection, _ = self._listener.accept()
            if self._ended.is_set():
                connection.close()
                break
            thread = threading.Thread(target=self._take, args=(connection,))
            thread.start()
            answering.append((thread, connection))
        for thread, connection in answering:
            with suppress(OSError):  # closed by now
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        with connection, suppress(OSError):  # whoever does not trust us hangs up
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self._ended.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()


class BreakingServer(_Server):
    """Speaks TLS properly until it has read a request, and ends like `end` then. greets: what happens before that."""

    def __init__(self, certificate: Path, end: End = "garbage", greets: Callable[[], None] = lambda: None) -> None:
        self.requests: list[bytes] = []
        self._greets = greets
        self._end = end
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}"

    def _answer(self, connection: socket.socket) -> None:
        self._greets()
        with connection.dup() as beneath, self._context.wrap_socket(connection, server_side=True) as safe:
            request = b""
            while b"PhoneNumber" not in request and (more := safe.recv(65536)):  # the body comes on its own
                request += more
            if not request:
                return
            self.requests.append(request)
            if self._end == "reset":
                safe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif self._end == "TLS close":
                safe.unwrap()
            elif self._end == "cut":
                safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
            elif self._end == "garbage":
                beneath.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
                while beneath.recv(65536):  # until the client has hung up, or else it might not read the garbage
                    pass


class Proxy(_Server):
    """Connects each client to `port`, whatever address it asks for, and ends with that connection.

    refusal: what a request to connect (CONNECT) is answered with instead, such as `403 Forbidden`.
    """

    def __init__(self, port: int, refusal: str = "") -> None:
        self.requests: list[bytes] = []
        self._port = port
        self._refusal = refusal
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := connection.recv(1)):  # not a byte of what is behind it
                return
            head += more
        self.requests.append(head.partition(b"\r\n")[0])
        if self._refusal:
            connection.sendall(f"HTTP/1.1 {self._refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self._port), timeout=60) as twilio:
            if head.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                twilio.sendall(head)
            back = threading.Thread(target=_pass_on, args=(twilio, connection))
            back.start()
            _pass_on(connection, twilio)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class RawServer:
    """Reads one request per connection, answers with `answer` as it is (HTTP/1.0, for nothing follows), and closes."""

    def __init__(self, answer: bytes) -> None:
        self.requests: list[bytes] = []
        requests = self.requests

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b"".join(iter(self._line, b""))
                length = next(
                    (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b":0"
                )
                requests.append(head + b"\r\n" + self.rfile.read(int(length.partition(b":")[2])))
                self.wfile.write(answer)

            def _line(self) -> bytes:
                line = self.rfile.readline()
                return line if line.strip() else b""

        self._server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.requests]
