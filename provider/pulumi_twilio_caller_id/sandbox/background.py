"""The sandbox in a thread of its own, so that a test or a command can use it meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from aiohttp import web

from pulumi_twilio_caller_id.verification import sockets as listening

from .server import Server

HOST = "127.0.0.1"  # this machine only: the sandbox's credentials are public
SHUTDOWN = 0.1  # seconds for requests that are under way when it stops; one may be held back by a fault for ever


class BackgroundServer:
    """Serves from `start` until `stop`. `port` 0 takes a free one; `OSError` from `start` where it is taken."""

    def __init__(self, server: Server, port: int = 0) -> None:
        self._server = server
        self._port = port
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._end: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """Such as http://127.0.0.1:8484, once started."""
        return f"http://{HOST}:{self._port}"

    @property
    def running(self) -> bool:
        """Whether it has been started and not been stopped since."""
        return self._thread is not None

    def start(self) -> None:
        """Returns once it can be reached. After a stop it may be started again, and has the same port."""
        if self.running:
            raise RuntimeError("the sandbox is running already")
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="twilio-sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self.stop()
            raise failure

    def stop(self) -> None:
        """Returns once the port is free and the thread has ended. Does nothing where it is not running."""
        if self._thread is None:
            return
        self._end()
        self._thread.join()
        self._thread = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - it is raised again, in the thread that waits for us
            self._failure = failure
        finally:
            self._end = lambda: None  # the loop is closed, nothing may be asked of it
            self._ready.set()

    async def _serve(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._server.application(), access_log=None, shutdown_timeout=SHUTDOWN)
        async with self._server.callbacks.running():  # for as long as there are requests, which may bring them about
            await runner.setup()
            try:
                bound = listening.listen_on(f"{HOST}:{self._port}")
                for each in bound:
                    await web.SockSite(runner, each).start()
                self._port = runner.addresses[0][1]
                self._end = lambda: loop.call_soon_threadsafe(stopping.set)
                self._ready.set()
                await stopping.wait()
                await listening.stop_accepting(bound)
            finally:
                await runner.cleanup()
