"""The HTTP receiver of Twilio's StatusCallback.

Each wait has a path of its own, which cannot be guessed. A callback is taken for Twilio's word only with a valid
signature; where no signature can be checked, it is a reason to look at Twilio at once, and nothing more. Callbacks are
never needed: where none can be received, whoever waits is told so once, and polls.

One server per process and listen address serves all waits. It runs in a thread of its own while there are any.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from .errors import shown
from .signature import signed_by

if TYPE_CHECKING:
    from aiohttp import web

REQUEST_TIMEOUT = 10.0
"""Seconds from connecting within which the whole request must be there."""

LARGEST = 64 * 1024
"""Bytes of a body. A callback has about one thousand."""

_STOPPING = 0.05
"""Seconds that a request under way gets for its answer when the last wait ends."""

_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Such as ::1, which localhost is too, on a machine without IPv6."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Callback:
    """What a StatusCallback said.

    `verification_status`: "success", "failed" or None. `caller_id_sid`: the new caller ID, on success only.
    `trusted`: Twilio's signature was there and valid; without it, nothing else of this means anything.
    """

    call_sid: str
    account_sid: str
    call_status: str
    verification_status: str | None
    caller_id_sid: str | None
    trusted: bool


@dataclass(frozen=True)
class Reception:
    """How callbacks can reach this process.

    `public_url`: the base URL that leads, from outside, to `listen` (host:port; port 0 takes a free one).
    `tokens`: the auth tokens that may have signed a callback; without any, none can be trusted.
    """

    public_url: str
    listen: str = "127.0.0.1:8585"
    tokens: tuple[str, ...] = field(default=(), repr=False)


@contextmanager
def expecting(
    reception: Reception,
    receive: Callable[[Callback], None],
    warn: Callable[[str], None],
    *,
    request_timeout: float = REQUEST_TIMEOUT,
) -> Iterator[str | None]:
    """The StatusCallback URL of one wait, or None, after one warning, where callbacks can't be received.

    `receive` and `warn` are called in the server's thread, so they have to be quick. `request_timeout` counts where
    this wait starts the server.
    """
    wait = _Wait(reception, receive, warn)
    server = None
    try:
        server = _join(wait, request_timeout)
    except (OSError, ValueError, RuntimeError) as failed:
        reason = _reason(failed)
    if server is None:
        warn(f"Twilio's callbacks can't be received at {shown(reception.listen, 80)} ({shown(reason)}): polling only.")
        yield None
        return
    try:
        yield wait.url
    finally:
        _leave(wait, server)


def _reason(failed: Exception) -> str:
    if isinstance(failed, OSError) and failed.errno and failed.errno > 0:
        return os.strerror(failed.errno)  # less the address, which is said already
    return getattr(failed, "strerror", None) or str(failed)


def listening(reception: Reception) -> tuple[str, int] | None:
    """Host and port where this process listens for `reception` just now."""
    with _servers_lock:
        server = _servers.get(reception.listen)
        return server.address if server else None


_servers: dict[str, _Server] = {}
_servers_lock = threading.Lock()


def _join(wait: _Wait, request_timeout: float) -> _Server:
    """Have the server of the wait's address serve it too. Starts that server for the first."""
    with _servers_lock:
        server = _servers.get(wait.reception.listen)
        if server is None:
            server = _Server(_bind(wait.reception.listen), request_timeout)
            _servers[wait.reception.listen] = server
        server.waits[wait.path] = wait
        return server


def _leave(wait: _Wait, server: _Server) -> None:
    """Under the lock to the end, so that the next to join finds the address free again."""
    with _servers_lock:
        del server.waits[wait.path]
        if not server.waits:
            del _servers[wait.reception.listen]
            server.stop()


class _Wait:
    """What one wait expects: a callback on its own path."""

    def __init__(self, reception: Reception, receive: Callable[[Callback], None], warn: Callable[[str], None]) -> None:
        self.reception = reception
        self.path = secrets.token_urlsafe(24)
        self.url = f"{reception.public_url.rstrip('/')}/{self.path}"
        self._receive = receive
        self._warn = warn
        self._warned = False

    def take(self, query: str | None, body: bytes | None, signature: str | None, *, shared_key: bool) -> int:
        """The status to answer with. `query`: raw, None where there is none; `body`: None for a GET."""
        url = self.url if query is None else f"{self.url}?{query}"
        fields = _parse(query or "" if body is None else body.decode("utf-8", "replace"))
        trusted = False
        if shared_key:
            self._warn_once("is signed with a shared key, not with the account's auth token")
        elif not any(self.reception.tokens):
            self._warn_once("can't be checked, since the account's auth token is not known")
        elif signed_by(self.reception.tokens, url, None if body is None else fields, signature):
            trusted = True
        else:
            return 403
        self._guarded(self._receive, _callback(dict(fields), trusted=trusted))
        return 204

    def _warn_once(self, problem: str) -> None:
        if not self._warned:
            self._warned = True
            self._guarded(
                self._warn,
                f"A callback {problem}: it only made us look at Twilio at once."
                " To have callbacks count, set twilio:callbackAuthTokens to the auth token that signs them.",
            )

    def _guarded(self, function: Callable[[Any], None], argument: object) -> None:
        """What goes wrong on our side is no business of whoever sent the request."""
        try:
            function(argument)
        except Exception as failed:  # noqa: BLE001
            _logger.warning("A callback could not be passed on: %s", type(failed).__name__)  # its text may quote


def _parse(encoded: str) -> list[tuple[str, str]]:
    return parse_qsl(encoded, keep_blank_values=True, encoding="utf-8", errors="replace")


def _callback(fields: dict[str, str], *, trusted: bool) -> Callback:
    status = fields.get("VerificationStatus")
    return Callback(
        call_sid=fields.get("CallSid", ""),
        account_sid=fields.get("AccountSid", ""),
        call_status=fields.get("CallStatus", ""),
        verification_status=status if status in ("success", "failed") else None,
        caller_id_sid=fields.get("OutgoingCallerIdSid") or None if status == "success" else None,
        trusted=trusted,
    )


def _bind(listen: str) -> list[socket.socket]:
    """Sockets that listen on every address of the host. Raises OSError or ValueError with the reason."""
    parts = re.fullmatch(r"(?:\[([^]]+)\]|([^:\[\]]+)):([0-9]{1,5})", listen)
    if parts is None or int(parts[3]) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:8585")
    host, port = parts[1] or parts[2], int(parts[3])
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in found if port else found[:1]:
            try:
                sockets.append(socket.create_server(address, family=family, backlog=128))
            except OSError as failed:
                unavailable = failed
                if failed.errno not in _NO_SUCH_ADDRESS:
                    raise
        if not sockets:
            raise unavailable
    except OSError:
        _close(sockets)  # half of a taken port is worse than none: who has the other half?
        raise
    return sockets


def _close(sockets: list[socket.socket]) -> None:
    for bound in sockets:
        bound.close()


class _Server:
    """An HTTP server in a thread of its own. `waits`: by the last part of their path."""

    def __init__(self, sockets: list[socket.socket], request_timeout: float) -> None:
        self.waits: dict[str, _Wait] = {}
        self.address: tuple[str, int] = sockets[0].getsockname()[:2]
        self._timeout = request_timeout
        self._started: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="twilio-callbacks", daemon=True)
        try:
            self._thread.start()
            self._stop = self._started.result()
        except BaseException:
            _close(sockets)
            raise

    def stop(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: whatever ended the thread, it is over
            self._stop()
        self._thread.join()

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(sockets))
        except BaseException as failed:
            if self._started.done():
                raise
            self._started.set_exception(failed)

    async def _serve(self, sockets: list[socket.socket]) -> None:
        from aiohttp import web  # late: a run without callbacks has no use for it

        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        manager = web.Server(self._handle)
        connection = _connections(manager, loop, self._timeout)
        servers = [await loop.create_server(connection, sock=bound) for bound in sockets]
        self._started.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()
        for server in servers:
            server.close()
        await manager.shutdown(_STOPPING)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        target = request.raw_path.partition("#")[0]  # a fragment would not be signed, so it must not be read
        path, mark, query = target.partition("?")
        # What is before the last slash is the ingress's business: it may strip the path of the public URL or not.
        own = path.rpartition("/")[2]
        if own not in self.waits:
            return _answer(404)
        if request.method not in ("GET", "POST"):
            return _answer(405)
        body = None
        if request.method == "POST":
            body = await _body(request)
            if body is None:
                return _answer(413)
        wait = self.waits.get(own)
        if wait is None:  # it ended while the body was on its way
            return _answer(404)
        signature = request.headers.get("X-Twilio-Signature")
        shared_key = "X-Twilio-Webhooks-Signature-Settings" in request.headers
        return _answer(wait.take(query if mark else None, body, signature, shared_key=shared_key))


async def _body(request: web.BaseRequest) -> bytes | None:
    """None where it is too large; no more than that is read."""
    body = bytearray()
    if (request.content_length or 0) > LARGEST:
        return None
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _answer(status: int) -> web.Response:
    """A status and nothing else, on a connection that ends with it."""
    from aiohttp import web

    response = web.Response(status=status, headers={"Server": ""})  # else aiohttp puts its version there
    response.force_close()
    return response


def _connections(
    manager: web.Server, loop: asyncio.AbstractEventLoop, timeout: float
) -> Callable[[], web.RequestHandler]:
    """Makes aiohttp's side of a connection, less what it says and logs on its own, and cut off after `timeout`."""
    from aiohttp import web

    class Connection(web.RequestHandler):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._cut_off = loop.call_later(timeout, cast(asyncio.Transport, transport).abort)

        def connection_lost(self, exc: BaseException | None) -> None:
            self._cut_off.cancel()
            super().connection_lost(exc)

        def handle_error(self, *_: object, **__: object) -> web.StreamResponse:
            return _answer(400)  # it was no HTTP, or ended halfway

        def log_exception(self, *_: object, **__: object) -> None:
            pass  # it would quote what strangers send

    # Compressed bodies are not Twilio's; left as they are, they can't grow past LARGEST.
    return lambda: Connection(manager, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
