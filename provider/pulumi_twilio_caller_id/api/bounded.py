"""Answers that end: within the time they are given, and before they fill the memory. And requests that may be called
off until they are sent.

The timeouts of `requests` are for each piece that arrives, so that a server, or what stands between, that sends a byte
now and then would hold an operation for ever; and it reads whatever comes.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

LARGEST = 32 * 1024 * 1024
"""Bytes, decoded. A page of 1,000 caller IDs has half a million."""

PIECE = 64 * 1024

sending: ContextVar[Callable[[], None]] = ContextVar("sending", default=lambda: None)
"""Called, perhaps twice, when there is a connection and the request is about to be sent over it. Making the connection
may take as long as an answer. What this raises gets to who made the request.
"""


class Session(requests.Session):
    """One whose answers are bounded: `timeout` is for connecting, and then for the whole answer."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """The answer, read. Raises `requests.exceptions.ContentDecodingError` for one that is larger than LARGEST."""
        kwargs["stream"] = True
        with super().send(request, **kwargs) as incoming:
            content = io.BytesIO()
            for piece in incoming.iter_content(PIECE):
                content.write(piece)
                if content.tell() > LARGEST:
                    raise requests.exceptions.ContentDecodingError(f"the answer has more than {LARGEST:,} bytes")
        content.seek(0)
        answer = requests.Response()
        answer.status_code, answer.headers, answer.encoding = incoming.status_code, incoming.headers, incoming.encoding
        answer.url, answer.raw = incoming.url, content
        return answer


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _bound(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _bound(super().proxy_manager_for(*args, **kwargs))


def _bound(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Have a manager make bounded connections, of the kind that it makes anyway: directly, by a proxy, or by SOCKS."""
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _bounded(pool) for scheme, pool in kinds.items()}
    return manager


@cache
def _bounded(pool: Any) -> Any:
    """A kind of pool whose connections are bounded."""
    if issubclass(pool.ConnectionCls, _Bounded):  # requests keeps a manager for each proxy
        return pool
    connection = type("_BoundedConnection", (_Bounded, pool.ConnectionCls), {})
    return type("_BoundedPool", (pool,), {"ConnectionCls": connection})


class _HTTPResponse(http.client.HTTPResponse):
    """Reads head and body through a stream that knows when all of it is due."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout() if hasattr(sock, "gettimeout") else None
        if seconds and isinstance(self.fp, io.BufferedReader):  # else it is bounded piece by piece, as ever
            self.fp = io.BufferedReader(_Due(self.fp.detach(), sock, time.monotonic() + seconds))


class _Due(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: Any, due: float) -> None:
        self._raw = raw
        self._sock = sock
        self._due = due

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._due - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Bounded:
    """What a bounded connection does in addition to those of urllib3."""

    response_class = _HTTPResponse
    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        sending.get()()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # else the connection is made later: http
            sending.get()()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]
