"""A service that notifications are sent to, and that keeps them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import PATIENCE, until

CANARY = "canary7f3a"


class Service(ThreadingHTTPServer):
    """Takes what Apprise's json:// posts; a path may say how to answer: /fail, /hang, /slow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.answer = threading.Event()

    def url(self, path: str = "") -> str:
        """Apprise waits as patiently as the test does, rather than its four seconds."""
        at, patience = f"127.0.0.1:{self.server_address[1]}/{CANARY}{path}", f"cto={PATIENCE}&rto={PATIENCE}"
        return f"json://{CANARY}user:{CANARY}@{at}?+X-Token={CANARY}&{patience}"

    def wait_for(self, path: str, count: int) -> None:
        """Until `count` messages have come in at `path`."""
        until(lambda: sum(seen.endswith(path) for seen, _ in self.received) >= count)

    def messages(self) -> list[tuple[str, str, str]]:
        return [(body["title"], body["message"], body["type"]) for _, body in self.received]


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, body))
        if self.path.endswith("/hang"):
            self.server.answer.wait(PATIENCE)
        if self.path.endswith("/slow"):
            time.sleep(0.05)
        self.send_response(500 if self.path.endswith("/fail") else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass
