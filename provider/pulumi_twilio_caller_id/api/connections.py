"""Keep connections to Twilio open for the next request, bound what an answer may take, and limit requests at once."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError

from pulumi_twilio_caller_id.cancellation import CancelToken

MAX_AT_ONCE = 16
"""Requests under way at once in one process. If an account sends too many, Twilio refuses them, unprocessed (429)."""

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes, decoded. A page of 1,000 caller IDs has half a million."""

PIECE = 64 * 1024


class Connections:
    """The connections of one process. May be used from any thread."""

    def __init__(self) -> None:
        self.session = self.new_session()
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)

    @staticmethod
    def new_session() -> requests.Session:
        """A session that has no connection yet."""
        return BoundedSession()

    @contextmanager
    def slot(self, cancel: CancelToken) -> Iterator[None]:
        """Wait until another request may be sent. Raises Cancelled if `cancel` says so first."""
        while not self._slots.acquire(timeout=0.1):
            cancel.raise_if_cancelled()
        try:
            yield
        finally:
            self._slots.release()


class BoundedSession(requests.Session):
    """A session whose `timeout` is for connecting, and then for the whole answer rather than for each piece of it.

    It keeps no cookies, since the next request may be for another account.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=MAX_AT_ONCE))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send the request and read the answer.

        Raises `requests.exceptions.ReadTimeout` for an answer that takes longer than the timeout, and
        `ContentDecodingError` for one of more than MAX_ANSWER bytes.
        """
        kwargs["stream"] = True
        with super().send(request, **kwargs) as response:
            deadline = time.monotonic() + kwargs["timeout"]
            content = io.BytesIO()
            while piece := _read_piece(response):
                content.write(piece)
                if content.tell() > MAX_ANSWER:
                    raise requests.exceptions.ContentDecodingError(f"the answer has more than {MAX_ANSWER:,} bytes")
                if time.monotonic() > deadline:
                    raise requests.exceptions.ReadTimeout("timed out")
        content.seek(0)
        response.raw = content
        return response


def _read_piece(response: requests.Response) -> bytes:
    """Read what has arrived, b"" at the end. Raises the errors that requests itself raises for a broken answer."""
    read = getattr(response.raw, "read1", response.raw.read)  # read1, of urllib3 2, does not wait for a whole PIECE
    try:
        return bytes(read(PIECE, decode_content=True))
    except ReadTimeoutError as failed:
        raise requests.exceptions.ReadTimeout(failed) from failed
    except DecodeError as failed:
        raise requests.exceptions.ContentDecodingError(failed) from failed
    except ProtocolError as failed:
        raise requests.exceptions.ChunkedEncodingError(failed) from failed
