"""The sandbox's own end points, under /sandbox/: what people at the phones do. Those for scripts are `scripting.py`.

They need no credentials. No page of another site may use them: a request that a browser says comes from elsewhere is
refused, and so is one by a name that is none of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from . import page
from .account import LocalTwilio
from .callbacks import Callbacks
from .calls import CallIsOver
from .control_bodies import WrongBody
from .errors import TwilioError
from .faults import Faults
from .recording import Recording
from .scripting import Scripting
from .store import StateFileError

PREFIX = "/sandbox/"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Control:
    """Handlers of these end points, each named after its path."""

    def __init__(self, twilio: LocalTwilio, callbacks: Callbacks, faults: Faults, recording: Recording) -> None:
        self._twilio = twilio
        self._scripting = Scripting(twilio, callbacks, faults, recording)

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post("/sandbox/calls/{sid}/answer", self._answer),
            web.post("/sandbox/calls/{sid}/digits", self._digits),
            web.post("/sandbox/calls/{sid}/hangup", self._hangup),
            *self._scripting.routes(),
        )

    @staticmethod
    def concerns(request: web.Request) -> bool:
        """Whether a request is for these end points, which are neither recorded nor subject to faults."""
        return request.path == page.PATH or request.path.startswith(PREFIX)

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
        except TwilioError as refusal:
            return _refusal(refusal.status, str(refusal))
        except ValueError as wrong:
            return _refusal(400, str(wrong))
        except StateFileError as failure:
            return _refusal(500, str(failure))
        except web.HTTPNotFound:
            return _refusal(404, f"There is nothing at {request.path}.")
        except web.HTTPMethodNotAllowed as refusal:
            allowed = ", ".join(sorted(refusal.allowed_methods))
            return _refusal(405, f"{request.method} is not possible at {request.path}: {allowed}.", {"Allow": allowed})
        except web.HTTPException as refusal:  # such as 413, for a body that is too large
            return _refusal(refusal.status, f"Not possible: {refusal.reason}.")

    async def _answer(self, request: web.Request) -> web.Response:
        """The person picks up, and says nothing yet."""
        self._twilio.answer(_sid(request))
        return web.json_response(self._seen(request))

    async def _digits(self, request: web.Request) -> web.Response:
        """The person who is called keys `Digits` in."""
        digits = (await read_form(request)).get("Digits", "")
        try:
            right = self._twilio.key_in(_sid(request), digits)
        except ValueError as wrong:
            raise WrongBody(f"{wrong}; they go in the form field Digits, as in -d Digits=476021") from wrong
        return web.json_response({"verified": right, **self._seen(request)})

    async def _hangup(self, request: web.Request) -> web.Response:
        self._twilio.hang_up(_sid(request))
        return web.json_response(self._seen(request))

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
    # A browser says so of a script or an image on another page, for which it sends no Origin. Following a link is fine.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin") and not _follows_link(request):
        return False
    return request.headers.get("Origin", f"http://{request.host}") == f"http://{request.host}"


def _follows_link(request: web.Request) -> bool:
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message, "status": status}, status=status, headers=headers)


def _sid(request: web.Request) -> str:
    return request.match_info.get("sid", "")
