"""The sandbox's own end points, under /sandbox/: what people at the phones do, and what happened so far.

They need no credentials. No page of another site may use them: a request that a browser says comes from elsewhere is
refused, and so is one by a name that is none of this machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from . import wire
from .account import LocalTwilio
from .callbacks import Callbacks
from .calls import CallIsOver
from .faults import Faults
from .recording import Recording
from .store import StateFileError

PREFIX = "/sandbox/"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Control:
    """Handlers of these end points, each named after its path."""

    def __init__(self, twilio: LocalTwilio, callbacks: Callbacks, faults: Faults, recording: Recording) -> None:
        self._twilio = twilio
        self._callbacks = callbacks
        self._faults = faults
        self._recording = recording

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.get("/sandbox/state", self._state),
            web.post("/sandbox/calls/{sid}/answer", self._answer),
            web.post("/sandbox/calls/{sid}/digits", self._digits),
            web.post("/sandbox/calls/{sid}/hangup", self._hangup),
        )

    @staticmethod
    def concerns(request: web.Request) -> bool:
        """Whether a request is for these end points, which are neither recorded nor subject to faults."""
        return request.path.startswith(PREFIX)

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What a request to one of them is answered."""
        if not _from_here(request):
            return _refusal(403, "The sandbox is for this machine alone, and for no page of another site.")
        try:
            return await handler(request)
        except KeyError:
            return _refusal(404, f"There is no call {_sid(request)}.")
        except CallIsOver as refusal:
            return _refusal(409, f"Not possible: {refusal}.")
        except StateFileError as failure:
            return _refusal(500, str(failure))

    async def _answer(self, request: web.Request) -> web.Response:
        """The person picks up, and says nothing yet."""
        self._twilio.answer(_sid(request))
        return web.json_response(self._seen(request))

    async def _digits(self, request: web.Request) -> web.Response:
        """The person who is called keys `Digits` in."""
        digits = (await read_form(request)).get("Digits", "")
        return web.json_response({"verified": self._twilio.key_in(_sid(request), digits), **self._seen(request)})

    async def _hangup(self, request: web.Request) -> web.Response:
        self._twilio.hang_up(_sid(request))
        return web.json_response(self._seen(request))

    async def _state(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the shape of a handler
        """All caller IDs and calls, for people to look at. No auth token, no API secret."""
        return web.json_response(
            {
                "caller_ids": [wire.caller_id(record) for record in self._twilio.caller_ids()],
                "calls": [dataclasses.asdict(call) for call in self._twilio.placed_calls()],
            }
        )

    def _seen(self, request: web.Request) -> dict[str, str]:
        call = next(call for call in self._twilio.placed_calls() if call.sid == _sid(request))
        return {"sid": call.sid, "status": call.status}


async def read_form(request: web.Request) -> dict[str, str]:
    """The fields of a form. Like Twilio, which reads nothing else: JSON is as good as an empty form."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    except (ValueError, LookupError):  # no text in the charset it claims
        return {}


def _from_here(request: web.Request) -> bool:
    """By a name of this machine, so that no site can lead its own name here; and from no page but the sandbox's."""
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:  # as for a lone bracket
        return False
    if host not in LOOPBACK:
        return False
    return request.headers.get("Origin", f"http://{request.host}") == f"http://{request.host}"


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "status": status}, status=status)


def _sid(request: web.Request) -> str:
    return request.match_info.get("sid", "")
