from __future__ import annotations

import gzip
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from pulumi_twilio_caller_id.api import bounded
from pulumi_twilio_caller_id.api import transport as twilio_http
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import AnswerLost, TwilioRefused
from pulumi_twilio_caller_id.models import CallerIdInputs
from tests.support.waiting import PATIENCE, until

Connect = Callable[..., Client]
NUMBER = "+14155550101"
SECONDS = 0.4


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
SLOW = b"HTTP/1.1 200 OK\r\nX-Slow: ".ljust(int(PATIENCE / PAUSE), b"x")


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


@pytest.mark.parametrize("what", ["head", "body"])
def test_an_answer_that_drips_ends_in_time(server: Server, connect: Connect, what: str) -> None:
    taken: list[bool] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if what == "body":
            length = f"Content-Length: {len(SLOW)}"
            handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode())
        taken.append(drip(handler))

    server.answer = answer
    with pytest.raises(AnswerLost):
        connect(url=server.url, attempts=1, timeout=SECONDS).find(NUMBER)
    assert [False] == until(lambda: taken)


def test_an_answer_in_pieces_within_its_time_is_one(server: Server, connect: Connect) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in json.dumps(page(None)):
            handler.wfile.write(f"1\r\n{byte}\r\n".encode())
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    server.answer = answer
    assert [] == list(connect(url=server.url).each())


def test_the_time_is_each_requests_own(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although they share a connection."""
    now = 0.0
    connections = set()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal now
        now += 12
        connections.add(handler.client_address)
        send(handler, page(None))

    monkeypatch.setattr(bounded, "time", SimpleNamespace(monotonic=lambda: now))
    server.answer = answer
    twilio = connect(url=server.url, timeout=20.0, attempts=1)
    assert [None] * 3 == [twilio.find(NUMBER) for _ in range(3)]
    assert (36, 1) == (now, len(connections))


# Size


def test_an_answer_that_is_too_large_is_not_taken(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "LARGEST", 100_000)
    server.answer = lambda handler: send(handler, b" " * 100_001)
    with pytest.raises(AnswerLost, match="more than 100,000 bytes"):
        connect(url=server.url, attempts=1).find(NUMBER)


def test_nor_one_that_grows_as_it_is_unpacked(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "LARGEST", 100_000)
    packed = gzip.compress(b" " * 50_000_000)
    assert len(packed) < 100_000
    server.answer = lambda handler: send(handler, packed, Content_Encoding="gzip")
    with pytest.raises(AnswerLost, match="more than 100,000 bytes"):
        connect(url=server.url, attempts=1).find(NUMBER)


def test_a_packed_answer_is_unpacked(server: Server, connect: Connect) -> None:
    server.answer = lambda handler: send(
        handler, gzip.compress(json.dumps(page(None)).encode()), Content_Encoding="gzip"
    )
    assert [] == list(connect(url=server.url).each())


# Pages


@pytest.mark.parametrize(
    "told",
    [
        {"meta": {"key": "outgoing_caller_ids", "next_page_url": "http://{address}/next"}},
        {"next_page_uri": "http://{address}/next"},
        {"next_page_uri": "@{address}/next"},
    ],
)
def test_credentials_are_not_sent_where_a_next_page_is_said_to_be(
    server: Server, make_server: Callable[[], Server], connect: Connect, told: dict[str, object]
) -> None:
    other = make_server()
    address = f"127.0.0.1:{other.server_address[1]}"
    body = {**page(None), **json.loads(json.dumps(told).replace("{address}", address))}
    server.answer = lambda handler: send(handler, body)
    with pytest.raises(AnswerLost):
        list(connect(url=server.url, attempts=1).each())
    assert [] == other.paths


def test_a_page_that_leads_to_itself(server: Server, connect: Connect) -> None:
    server.answer = lambda handler: send(handler, page("/2010-04-01/next?Page=1"))
    with pytest.raises(AnswerLost, match="its pages have no end"):
        list(connect(url=server.url).each())
    assert 2 == len(server.paths)


def test_pages_that_never_end(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_http, "MOST_PAGES", 30)
    server.answer = lambda handler: send(handler, page(f"/2010-04-01/next?Page={len(server.paths)}"))
    with pytest.raises(AnswerLost, match="its pages have no end"):
        list(connect(url=server.url).each())
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
        lambda: twilio.request_validation(CallerIdInputs(phone_number=NUMBER)),
        lambda: twilio.remove("PN" + "1" * 32),
    ):
        with pytest.raises(TwilioRefused, match=str(status)):
            step()
    assert [] == other.paths
    assert 3 == len(server.paths)


def test_after_a_request_nobody_is_told_of_what_others_send(connect: Callable[..., Client]) -> None:
    before = bounded.sending.get()
    connect().find("+14155550199")
    assert before is bounded.sending.get()
