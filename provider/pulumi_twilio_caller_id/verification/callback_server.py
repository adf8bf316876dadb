"""The HTTP server that receives Twilio's callbacks. It runs in its own thread and answers with an HTTP status only.

It passes each request to the handler of the verification that the path names. `status_callback` reads the request.
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

from .sockets import listen_on, stop_accepting

_logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
"""A longer request is refused. Twilio's callbacks have about one thousand bytes."""

MAX_CONNECTIONS = 100
"""One more connection closes the oldest, so idle ones can't keep Twilio out. Before that, asyncio accepts up to 100
(its default backlog), so 200 may be open briefly.
"""

SHUTDOWN_SECONDS = 0.05
"""How long a request under way may still take when the server stops."""

Handler = Callable[[web.BaseRequest, bytes | None], int]
"""Takes a request and its body (None for a GET), and returns the HTTP status of the answer. It must not wait, because
it runs in the server's thread.
"""


class CallbackServer:
    """An HTTP server for all verifications that share a listen address.

    handlers: the handler of each verification, by the last part of its path.
    request_timeout: seconds after which a connection is closed, even in the middle of a request.

    Making one starts it. Raises OSError, ValueError or RuntimeError if that is not possible.
    """

    def __init__(self, listen_address: str, request_timeout: float) -> None:
        self.handlers: dict[str, Handler] = {}
        self._request_timeout = request_timeout
        self._stop_function: Future[Callable[[], object]] = Future()  # set once the server runs
        sockets = listen_on(listen_address)
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="twilio-callbacks", daemon=True)
        try:
            self._thread.start()
            self._stop_function.result()  # wait until the server runs, or raise why it can't
        except BaseException:
            for listening in sockets:
                listening.close()
            raise

    def stop(self) -> None:
        """Stop the server, and return when its address is free again."""
        stop_serving = self._stop_function.result()
        with suppress(RuntimeError):  # the loop has ended already
            stop_serving()
        self._thread.join()

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(sockets))
        except BaseException as error:
            if self._stop_function.done():
                raise
            self._stop_function.set_exception(error)

    async def _serve(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_error_type)
        stopping = asyncio.Event()
        server = web.Server(
            self._answer,
            request_factory=lambda message, payload, protocol, writer, task: web.BaseRequest(
                message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES
            ),
        )

        def new_connection() -> web.RequestHandler:
            for oldest in server.connections[: 1 - MAX_CONNECTIONS]:  # all but the newest 99
                oldest.force_close()
            # No access log. Compressed bodies are not unpacked, since they could grow to any size.
            options: dict[str, Any] = {"access_log": None, "auto_decompress": False, "lingering_time": 0}
            connection = _Connection(server, loop=loop, **options)
            loop.call_later(self._request_timeout, connection.force_close)
            return connection

        listeners = [await loop.create_server(new_connection, sock=listening) for listening in sockets]
        self._stop_function.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
        await stopping.wait()
        await stop_accepting(sockets)
        for listener in listeners:
            listener.close()
        await server.shutdown(SHUTDOWN_SECONDS)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = request.raw_path.partition("#")[0].partition("?")[0]
        handler = self.handlers.get(path.rpartition("/")[2])  # a reverse proxy may strip the rest
        if handler is None:
            return _empty_response(404)
        if request.method not in ("GET", "POST"):
            return _empty_response(405)
        try:
            body = await request.read() if request.method == "POST" else None
        except web.HTTPRequestEntityTooLarge:
            return _empty_response(413)
        return _empty_response(handler(request, body))


class _Connection(web.RequestHandler):
    """A connection of aiohttp that answers a malformed request with 400, and does not log it."""

    def handle_error(self, *_args: object, **_options: object) -> web.StreamResponse:
        return _empty_response(400)

    def log_exception(self, *_args: object, **_options: object) -> None:
        pass


def _empty_response(status: int) -> web.Response:
    """Make an answer without a body and without a server's name, which closes the connection."""
    response = web.Response(status=status, headers={"Server": ""})
    response.force_close()
    return response


def _log_error_type(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log only the type of an error in the server's thread: its text may quote the request."""
    _logger.debug("Error in the callback server: %s", type(context.get("exception")).__name__)
