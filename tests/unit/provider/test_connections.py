from __future__ import annotations

import gzip
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest

from pulumi_twilio_caller_id.api import connections, transport
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.connections import Connections
from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken
from pulumi_twilio_caller_id.errors import AnswerLost, TwilioRefused
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.machine import free_port
from tests.support.waiting import PATIENCE, until

Connect = Callable[..., Client]
NUMBER = "+14155550101"
SECONDS = 0.4


@pytest.fixture
def twilio_sandbox_options(twilio_sandbox_options: dict[str, Any]) -> dict[str, Any]:
    """Not a port that others may get while the sandbox is stopped."""
    return {**twilio_sandbox_options, "port": free_port()}


class Server(socketserver.ThreadingTCPServer):
    """Answers each request by `answer`, which gets the handler; notes the paths, and who sent credentials."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], object] = lambda handler: send(handler, {})
        self.paths: list[str] = []
        self.credentials: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                server.paths.append(self.path)
                server.credentials.append(self.headers.get("Authorization", ""))
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                server.answer(self)

            do_GET = do_POST = do_DELETE = respond  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def make_server() -> Iterator[Callable[[], Server]]:
    made: list[Server] = []

    def make() -> Server:
        server = Server()
        made.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(make_server: Callable[[], Server]) -> Server:
    return make_server()


def send(handler: BaseHTTPRequestHandler, body: object, **headers: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(200)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def page(next_page_uri: str | None, *records: dict[str, str]) -> dict[str, object]:
    return {"outgoing_caller_ids": list(records), "next_page_uri": next_page_uri}


PAUSE = SECONDS / 8
SLOW = b"{".ljust(int(PATIENCE / PAUSE), b" ")


def drip(handler: BaseHTTPRequestHandler, text: bytes = SLOW) -> bool:
    """A byte now and then, each well within the time that a piece may take; whether all of them were taken."""
    for at in range(len(text)):
        try:
            handler.wfile.write(text[at : at + 1])
            handler.wfile.flush()
        except OSError:
            return False
        time.sleep(PAUSE)
    return True


# Time


def test_an_answer_that_drips_ends_in_time(server: Server, connect: Connect) -> None:
    taken: list[bool] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        length = f"Content-Length: {len(SLOW)}"
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode())
        taken.append(drip(handler))

    server.answer = answer
    with pytest.raises(AnswerLost, match=f"nothing came within {SECONDS:g} s"):
        connect(url=server.url, attempts=1, timeout_seconds=SECONDS).find(NUMBER)
    assert [False] == until(lambda: taken)


def test_an_answer_in_pieces_within_its_time_is_one(server: Server, connect: Connect) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in json.dumps(page(None)):
            handler.wfile.write(f"1\r\n{byte}\r\n".encode())
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    server.answer = answer
    assert [] == list(connect(url=server.url).stream())


def test_the_time_is_each_requests_own(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although they share a connection."""
    now = 0.0
    addresses = set()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal now
        now += 12
        addresses.add(handler.client_address)
        send(handler, page(None))

    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now))
    server.answer = answer
    twilio = connect(url=server.url, timeout_seconds=20.0, attempts=1)
    assert [None] * 3 == [twilio.find(NUMBER) for _ in range(3)]
    assert (36, 1) == (now, len(addresses))


# Size


def test_an_answer_that_is_too_large_is_not_taken(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_ANSWER_BYTES", 100_000)
    server.answer = lambda handler: send(handler, b" " * 100_001)
    with pytest.raises(AnswerLost, match="more than 100,000 bytes"):
        connect(url=server.url, attempts=1).find(NUMBER)


def test_nor_one_that_grows_as_it_is_unpacked(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_ANSWER_BYTES", 100_000)
    packed = gzip.compress(b" " * 50_000_000)
    assert len(packed) < 100_000
    server.answer = lambda handler: send(handler, packed, Content_Encoding="gzip")
    with pytest.raises(AnswerLost, match="more than 100,000 bytes"):
        connect(url=server.url, attempts=1).find(NUMBER)


def test_a_packed_answer_is_unpacked(server: Server, connect: Connect) -> None:
    server.answer = lambda handler: send(
        handler, gzip.compress(json.dumps(page(None)).encode()), Content_Encoding="gzip"
    )
    assert [] == list(connect(url=server.url).stream())


# Pages


def test_pages_that_never_end(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_REQUESTS", 30)
    server.answer = lambda handler: send(handler, page(f"/2010-04-01/next?Page={len(server.paths)}"))
    with pytest.raises(AnswerLost, match="its pages have no end"):
        list(connect(url=server.url).stream())
    assert 30 == len(server.paths)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    server: Server, make_server: Callable[[], Server], connect: Connect, status: int
) -> None:
    other = make_server()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"{other.url}/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = answer
    twilio = connect(url=server.url)
    for step in (
        lambda: twilio.find(NUMBER),
        lambda: twilio.request_validation(OutgoingCallerIdInputs(phone_number=NUMBER)),
        lambda: twilio.remove("PN" + "1" * 32),
    ):
        with pytest.raises(TwilioRefused, match=str(status)):
            step()
    assert [] == other.paths
    assert 3 == len(server.paths)


# Connections


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections were made to."""
    from urllib3.connection import HTTPConnection

    told: list[str] = []
    connect = HTTPConnection.connect

    def connecting(self: HTTPConnection) -> None:
        told.append(f"{self.host}:{self.port}")
        connect(self)

    monkeypatch.setattr(HTTPConnection, "connect", connecting)
    return told


def test_requests_share_a_connection_but_a_call_is_placed_over_its_own(
    sandbox: Sandbox, connect: Connect, opened: list[str]
) -> None:
    """A request on an idle connection may be lost, and nobody knows whether it was taken."""
    for _ in range(3):
        assert connect().find("+14155550199") is not None
    assert 1 == len(opened)

    connect().request_validation(OutgoingCallerIdInputs(phone_number="+14155550101"))
    assert 2 == len(opened)
    [sid] = {record.sid for record in sandbox.caller_ids if record.phone_number == "+14155550199"}
    assert CALLER_ID_SID.fullmatch(sid)
    assert connect().rename(sid, "Lobby").friendly_name == "Lobby"
    assert 2 == len(opened)


def test_a_connection_that_the_server_has_closed_meanwhile_is_replaced(
    sandbox: Sandbox, connect: Connect, opened: list[str], sleeps: list[float]
) -> None:
    assert connect().find("+14155550199") is not None
    sandbox.stop()
    sandbox.start()
    assert connect().find("+14155550199") is not None
    assert 2 == len(opened)
    assert [] == sleeps


def test_no_cookie_is_kept(server: Server, connect: Connect) -> None:
    """The next request may be for another account."""
    cookies: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        cookies.append(handler.headers.get("Cookie", ""))
        send(handler, page(None), Set_Cookie="account=AC1")

    server.answer = answer
    twilio = connect(url=server.url)
    assert [[], []] == [list(twilio.stream()) for _ in range(2)]
    assert ["", ""] == cookies


# Requests at once


def test_no_more_requests_than_there_are_slots() -> None:
    kept, cancel = Connections(), CancelToken()
    with ExitStack() as slots:
        for _ in range(connections.MAX_CONCURRENT_REQUESTS):
            slots.enter_context(kept.slot(cancel))
        threading.Timer(0.05, cancel.cancel, ("pulumi was interrupted",)).start()
        with pytest.raises(Cancelled, match="pulumi was interrupted"), kept.slot(cancel):
            pass
    with kept.slot(CancelToken()):
        pass
