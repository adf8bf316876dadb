"""Notifications on the real engine: the code goes out as the call is placed, the outcome after."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, occurrences
from tests.support.machine import free_port

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'


class Service(ThreadingHTTPServer):
    """What Apprise's json:// sends to; keeps the titles."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.titles: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.titles.append(sent["title"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_the_code_then_the_outcome(stack: Stack, sandbox: Sandbox, service: Service) -> None:
    """A service that can't be reached is a warning, and keeps neither the number nor another service from anything."""
    failing = f"json://canary-word@127.0.0.1:{free_port()}/"
    url = f"json://canary-user:canary-word@127.0.0.1:{service.server_port}/"
    stack.pulumi("config", "set", "--secret", "twilio:notify", f"{failing} {url}")
    stack.program(DESK)
    output = stack.up().output

    code = sandbox.calls[0].validation_code
    assert 2 == len(service.titles)
    assert f"Key in {code} on +1 415-555-0101" == service.titles[0]
    assert "+1 415-555-0101" in service.titles[1]
    assert "warning: " in output
    assert "json://***" in output
    assert "canary" not in output
    assert [] == occurrences("canary-word", stack)
    assert ["desk"] == list(stack.resources())
