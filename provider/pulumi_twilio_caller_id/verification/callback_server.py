"""The HTTP server that receives callbacks. It runs in a thread of its own, and answers with a status and nothing else.

It knows which wait has which path. What a callback says, and who signed it, is the business of `status_callback`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from aiohttp import web

from .sockets import bind, stop_accepting

_logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
"""Twilio's callbacks have about one thousand bytes."""

MAX_CONNECTIONS = 100
"""If so many are open, a new connection takes the place of the oldest: whoever holds some open keeps nobody out. There
may be twice as many for a moment, since asyncio accepts up to 100 in one go.
"""

SHUTDOWN_SECONDS = 0.05
"""How long a request under way may take to be answered when the last wait ends."""

Handler = Callable[[web.BaseRequest, bytes | None], int]
"""Takes a request and the body of a POST, and returns the status to answer with. It runs in the server's thread, so it
must not wait.
"""


class CallbackServer:
    """An HTTP server for all waits that share a listen address. handlers: by the last part of a wait's path."""

    def __init__(self, listen: str, request_timeout: float) -> None:
        """Start it. Raises OSError, ValueError or RuntimeError if that is not possible.

        request_timeout: seconds after which a connection is cut off, however far its request has come.
        """
        self.handlers: dict[str, Handler] = {}
        self._request_timeout = request_timeout
        self._started: Future[Callable[[], object]] = Future()
        sockets = bind(listen)
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="twilio-callbacks", daemon=True)
        try:
            self._thread.start()
            self._stop = self._started.result()
        except BaseException:
            for bound in sockets:
                bound.close()
            raise

    def stop(self) -> None:
        """Return once the address is free again."""
        with suppress(RuntimeError):  # the loop has ended already
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
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_type)
        stopping = asyncio.Event()
        server = web.Server(
            self._answer,
            request_factory=lambda message, payload, protocol, writer, task: web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES
            ),
        )

        def new_connection() -> web.RequestHandler:
            for oldest in server.connections[: 1 - MAX_CONNECTIONS]:
                oldest.force_close()
            # No access log; and compressed bodies stay as they are, since unpacked they could have any size.
            options: dict[str, Any] = {"access_log": None, "auto_decompress": False, "lingering_time": 0}
            connection = _Connection(server, loop=loop, **options)
            loop.call_later(self._request_timeout, connection.force_close)
            return connection

        listeners = [await loop.create_server(new_connection, sock=bound) for bound in sockets]
        self._started.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
        await stopping.wait()
        await stop_accepting(sockets)
        for listener in listeners:
            listener.close()
        await server.shutdown(SHUTDOWN_SECONDS)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = request.raw_path.partition("#")[0].partition("?")[0]
        handler = self.handlers.get(path.rpartition("/")[2])  # an ingress may strip the path of the public URL or not
        if handler is None:
            return _status(404)
        if request.method not in ("GET", "POST"):
            return _status(405)
        try:
            body = await request.read() if request.method == "POST" else None
        except web.HTTPRequestEntityTooLarge:
            return _status(413)
        return _status(handler(request, body))


class _Connection(web.RequestHandler):
    """A connection of aiohttp that neither tells strangers, nor logs, what was wrong with their requests."""

    def handle_error(self, *_args: object, **_options: object) -> web.StreamResponse:
        return _status(400)

    def log_exception(self, *_args: object, **_options: object) -> None:
        pass


def _status(status: int) -> web.Response:
    """Make an answer without a body and without the name of a server. The connection ends with it."""
    response = web.Response(status=status, headers={"Server": ""})
    response.force_close()
    return response


def _log_type(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log only the type of an error in the server's thread: its text may quote the request."""
    _logger.debug("The receiver of callbacks: %s", type(context.get("exception")).__name__)
