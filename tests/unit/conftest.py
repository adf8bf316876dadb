"""What the unit tests share: a clean environment, a local Twilio, a server that answers with given bytes."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pydantic import SecretStr

from pulumi_twilio_caller_id import lifecycle, masking
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.memory import Memory
from pulumi_twilio_caller_id.settings import Settings
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.twilio_api import TwilioApi

PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}

Connect = Callable[..., TwilioApi]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of Twilio's, and no proxy, from outside; and nothing that another test concealed."""
    for name in list(os.environ):
        if name.upper().startswith("TWILIO_") or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setattr(masking, "_secrets", ())
    monkeypatch.setattr(masking, "_inputs", frozenset())


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    """With one caller ID."""
    return {"numbers": {"+14155550199": "Desk"}}


@pytest.fixture
def sandbox(twilio_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A local Twilio whose calls are over at once. Nothing leads there: a test here says itself where settings are."""
    for name in twilio_sandbox.environment:
        monkeypatch.delenv(name, raising=False)
    return twilio_sandbox


@pytest.fixture
def sleeps() -> list[float]:
    """The pauses that were made, without making them."""
    return []


@pytest.fixture
def connect(sandbox: Sandbox, sleeps: list[float]) -> Connect:
    """Makes a TwilioApi that asks the sandbox, or `url`; its pauses go to `sleeps`."""

    def make(
        *, url: str | None = None, token: str | None = None, subaccount: str | None = None, **options: object
    ) -> TwilioApi:
        settings = Settings(
            account_sid=sandbox.account_sid,
            auth_token=SecretStr(token or sandbox.auth_token),
            api_url=url or sandbox.url,
        )
        return TwilioApi(settings, subaccount, sleep=options.pop("sleep", sleeps.append), **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def provider(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> OutgoingCallerIdProvider:
    """The provider, configured for the sandbox by the stack's config, in a process that knows of nothing before."""
    monkeypatch.setattr(lifecycle, "_config", {}.get)
    monkeypatch.setattr(lifecycle, "_memory", Memory())
    made = OutgoingCallerIdProvider()
    keys = {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token, "apiUrl": sandbox.url}
    made.configure(ConfigureRequest(Config({f"twilio:{key}": value for key, value in keys.items()}, "project")))
    return made


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


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], RawServer]]:
    """Starts servers that answer with the given bytes."""
    with ExitStack() as running:
        yield lambda answer: running.enter_context(RawServer(answer))
