"""Reuse connections to Twilio, limit the time and size of answers, and limit simultaneous requests."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError

from pulumi_twilio_caller_id.cancellation import CancelToken

MAX_CONCURRENT_REQUESTS = 16
"""Simultaneous requests of one process. If an account has too many, Twilio refuses some of them (429)."""

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""Limit for one decoded answer. A page of 1,000 caller IDs has half a million bytes."""

READ_CHUNK_BYTES = 64 * 1024


class Connections:
    """The connections of one process, made by `context.Plugin`. May be used from any thread."""

    def __init__(self) -> None:
        self.session = self.new_session()
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT_REQUESTS)

    @staticmethod
    def new_session(before_sending: Callable[[], object] | None = None) -> requests.Session:
        """Return a session that has no connection yet. before_sending: see `BoundedSession`."""
        return BoundedSession(before_sending)

    @contextmanager
    def slot(self, cancel: CancelToken) -> Iterator[None]:
        """Wait until another request may be sent. Raises Cancelled if `cancel` is cancelled first."""
        while not self._slots.acquire(timeout=0.1):
            cancel.raise_if_cancelled()
        try:
            yield
        finally:
            self._slots.release()


class BoundedSession(requests.Session):
    """A session that limits the time and size of answers, and keeps no cookies.

    `timeout` limits three things, one after the other: connecting, waiting for the headers, reading the whole body.
    (`requests` by itself limits the wait for each piece of the body.)

    before_sending: called when there is a connection and the body of a request is about to be sent. If it raises an
    error, the body is not sent.
    """

    def __init__(self, before_sending: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._before_sending = before_sending
        self._environment_settings: dict[tuple[str, str], Any] = {}
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=MAX_CONCURRENT_REQUESTS))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send the request and read the answer.

        Raises `requests.exceptions.ReadTimeout` if reading the body takes longer than the timeout, and
        `ContentDecodingError` if the body has more than MAX_ANSWER_BYTES.
        """
        kwargs["stream"] = True
        if self._before_sending is not None:
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            request.body = _WatchedBody(body, self._before_sending)  # type: ignore[assignment]
        with super().send(request, **kwargs) as response:
            deadline = time.monotonic() + kwargs["timeout"]
            content = io.BytesIO()
            while chunk := _read_chunk(response):
                content.write(chunk)
                if content.tell() > MAX_ANSWER_BYTES:
                    size = f"{MAX_ANSWER_BYTES:,} bytes"
                    raise requests.exceptions.ContentDecodingError(f"the answer has more than {size}")
                if time.monotonic() > deadline:
                    raise requests.exceptions.ReadTimeout("timed out")
        content.seek(0)
        response.raw = content
        response.encoding = "utf-8"  # as JSON has it; the headers may name a charset that Python does not know
        return response

    def merge_environment_settings(self, url: Any, *args: Any) -> Any:
        """Return the proxy and the certificates for a URL. `requests` would search the environment for each request."""
        host = urlsplit(url)[:2]
        if host not in self._environment_settings:
            self._environment_settings[host] = super().merge_environment_settings(url, *args)
        return self._environment_settings[host]

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: for a redirect, `requests` would read the whole body, without our limits."""


class _WatchedBody(io.BytesIO):
    """The body of a request. urllib3 starts to read it once there is a connection: then `before_sending` is called."""

    def __init__(self, content: bytes, before_sending: Callable[[], object]) -> None:
        super().__init__(content)
        self._before_sending = before_sending

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() == 0:  # urllib3 reads again to find the end; by then Twilio may have placed the call
            self._before_sending()
        return super().read(size)


def _read_chunk(response: requests.Response) -> bytes:
    """Read the bytes that have arrived, b"" at the end. For a broken answer, raise the same errors as `requests`."""
    read = getattr(response.raw, "read1", response.raw.read)  # urllib3 2: read1 does not wait for a full chunk
    try:
        return bytes(read(READ_CHUNK_BYTES, decode_content=True))
    except ReadTimeoutError as error:
        raise requests.exceptions.ReadTimeout(error) from error
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error) from error
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
