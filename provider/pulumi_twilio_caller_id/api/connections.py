"""Connections to Twilio that are kept for the next request: a new one takes two or three round trips.

A session of `requests` is not promised to be safe between threads, so it is lent to one step at a time. Also here: what
in the environment keeps a connection from being made.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from requests.exceptions import InvalidSchema
from requests.utils import get_environ_proxies, select_proxy

from pulumi_twilio_caller_id.text import quote

from .bounded import Session

KEPT = 15.0
"""Seconds: servers close what has been idle for a while, and a request that meets that is lost."""

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the certificates to trust. `requests` heeds the first one that is set."""

PROXY_FORM = "it takes http://host:port, with user:password@ before the host if the proxy asks for them"

PLAIN_PROXY = re.compile(r"[\w.+-]+://[\w.-]+(:\d{1,5})?/?")
"""The URL of a proxy that can't hold a password, so it may be shown."""


class Connections:
    """Those of a process. May be used from any thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Session]] = []

    @contextmanager
    def lent(self, *, fresh: bool = False) -> Iterator[Session]:
        """A session, for one step. After an error it is closed. fresh: one without a connection."""
        session = None if fresh else self._taken()
        session = session or Session()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        session.cookies.clear()  # the next step may be another account's
        with self._lock:
            self._idle.append((self._now(), session))

    def _taken(self) -> Session | None:
        """The one that was used last, if that was not too long ago."""
        with self._lock:
            since, session = self._idle.pop() if self._idle else (0.0, None)
            if session is None or self._now() - since < KEPT:
                return session
            old, self._idle = [session, *(other for _, other in self._idle)], []
        for other in old:
            other.close()
        return None


connections = Connections()
"""Of this process."""


def unusable(url: str, failed: Exception) -> tuple[str, str] | None:
    """Which setting kept a request to `url` from being sent, and what to do about it; None if no setting is to blame.

    failed: the error that the request ended with.
    """
    bundle = next((name for name in BUNDLES if os.environ.get(name)), "")
    wrong = _wrong_bundle(os.environ[bundle]) if bundle and url.startswith("https:") else None
    if wrong:
        return f"{bundle} is {quote(os.environ[bundle], 300)}, {wrong}", f"Correct {bundle}, or unset it."
    if not isinstance(failed, (ValueError, TypeError)):
        return None
    name, proxy = proxy_of(url)
    if not proxy:
        return "twilio:apiUrl names no host that there can be", "Correct twilio:apiUrl (TWILIO_API_URL)."
    if isinstance(failed, InvalidSchema) and proxy.lower().startswith("socks"):
        return (
            f"{name} names a SOCKS proxy, and the package PySocks is not installed",
            "Install it into the environment that runs the program (`pip install pysocks`), or use an HTTP proxy.",
        )
    value = f" {quote(proxy)}" if PLAIN_PROXY.fullmatch(proxy) else ""
    return f"{name}{value} is not the URL of a proxy that can be used", f"Correct {name}: {PROXY_FORM}."


def proxy_of(url: str) -> tuple[str, str]:
    """The variable that names the proxy for requests to `url`, and that proxy's URL; "" if they go through none."""
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None)) or ""
    names = (f"{url.partition(':')[0]}_proxy", "all_proxy")
    named = [name for name, value in os.environ.items() if name.lower() in names and value == proxy]
    return min(named, key=lambda name: names.index(name.lower()), default="the system's settings"), proxy


def _wrong_bundle(path: str) -> str | None:
    """Why certificates to trust can't be read from this path; None if they can."""
    if not os.path.exists(path):  # noqa: PTH110  unlike pathlib, False for a path that is too long
        return "which is not there"
    if os.path.isdir(path):  # noqa: PTH112
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "which has no certificates in PEM form"
    except OSError as failed:
        return f"which can't be read: {failed.strerror}"
    return None
