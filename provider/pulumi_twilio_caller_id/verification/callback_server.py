"""The HTTP server under `callback`: sockets, a thread of its own, limits, and answers that say nothing.

It knows who waits behind which path, and neither what a callback says nor who signed it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

from .sockets import accept_no_more, close

if TYPE_CHECKING:
    from aiohttp import web

_logger = logging.getLogger(__name__)

REQUEST_TIMEOUT = 10.0
"""Seconds from connecting within which the whole request must be there."""

LARGEST = 64 * 1024
"""Bytes of a body. A callback has about one thousand."""

LARGEST_REQUEST = 2 * LARGEST
"""Bytes of all that a connection sends: request line, headers, and the body with what frames its chunks."""

MOST_CONNECTIONS = 100
"""Connections at once. One more takes the place of the oldest: whoever holds some open keeps nobody out."""

_QUEUE = 1024
"""Connections that wait to be accepted. One for which there is no place there would try again after a second."""

_ACCEPTED = 20
"""Of those, how many are accepted in one go: with MOST_CONNECTIONS the bound of the files we have open."""

_STOPPING = 0.05
"""Seconds that a request under way gets for its answer when the last wait ends."""


class Wait(Protocol):
    """Whoever expects a callback."""

    def take(self, query: str | None, body: bytes | None, signature: str | None, *, shared_key: bool) -> int:
        """The status to answer with. `query`: raw, None where there is none; `body`: None for a GET."""


class Server:
    """An HTTP server in a thread of its own. `waits`: by the last part of their path."""

    def __init__(self, sockets: list[socket.socket], request_timeout: float) -> None:
        self.waits: dict[str, Wait] = {}
        self._timeout = request_timeout
        self._started: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="twilio-callbacks", daemon=True)
        try:
            self._thread.start()
            self._stop = self._started.result()
        except BaseException:
            close(sockets)
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
        loop.set_exception_handler(_failed)
        stopped = asyncio.Event()
        manager = web.Server(self._handle)
        connection = _connections(manager, loop, self._timeout, stopped)
        servers = [await loop.create_server(connection, sock=bound, backlog=_ACCEPTED) for bound in sockets]
        for bound in sockets:
            bound.listen(_QUEUE)
        self._started.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()
        await accept_no_more(sockets)
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


def _failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Of what goes wrong beneath us, its kind alone: asyncio's own words may quote, and would be seen."""
    _logger.debug("The receiver of callbacks: %s", type(context.get("exception")).__name__)


def _answer(status: int) -> web.Response:
    """A status and nothing else, on a connection that ends with it."""
    from aiohttp import web

    response = web.Response(status=status, headers={"Server": ""})  # else aiohttp puts its version there
    response.force_close()
    return response


def _connections(
    manager: web.Server, loop: asyncio.AbstractEventLoop, timeout: float, stopped: asyncio.Event
) -> Callable[[], web.RequestHandler]:
    """Makes aiohttp's side of a connection, less what it says and logs on its own, and bounded: in time by `timeout`,
    in size, and in number. None is taken once `stopped` is set.
    """
    from aiohttp import web

    open_: dict[Connection, asyncio.Transport] = {}  # oldest first

    class Connection(web.RequestHandler):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            ours = cast(asyncio.Transport, transport)
            self._left = LARGEST_REQUEST
            self._cut_off = loop.call_later(timeout, ours.abort)
            if len(open_) >= MOST_CONNECTIONS:
                open_.pop(next(iter(open_))).abort()
            open_[self] = ours
            if stopped.is_set():
                ours.abort()

        def connection_lost(self, exc: BaseException | None) -> None:
            open_.pop(self, None)
            self._cut_off.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._left -= len(data)
            if self._left >= 0:
                super().data_received(data)
            elif self in open_:
                open_[self].abort()

        def handle_error(self, *_: object, **__: object) -> web.StreamResponse:
            return _answer(400)  # it was no HTTP, or ended halfway

        def log_exception(self, *_: object, **__: object) -> None:
            pass  # it would quote what strangers send

    # Compressed bodies are not Twilio's; left as they are, they can't grow past LARGEST.
    return lambda: Connection(manager, loop=loop, access_log=None, auto_decompress=False)  # type: ignore[arg-type]
