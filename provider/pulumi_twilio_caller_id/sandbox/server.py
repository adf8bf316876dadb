"""The sandbox over HTTP: Twilio's end points for caller IDs. Those of the sandbox's own, for people, are `control.py`.

Only HTTP is handled here; what a request means is decided in `account.py`. A request passes, in this order: the
recording, the traffic, the faults, the check of credentials, its handler.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import struct
import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from . import errors, page, wire
from .account import LocalTwilio
from .callbacks import Callbacks
from .control import Control, read_form
from .credentials import read_basic
from .errors import TwilioError
from .faults import Fault, Faults
from .live import Live
from .recording import Recording, RequestRecord
from .store import StateFileError
from .traffic import Traffic

logger = logging.getLogger(__name__)

AT_ONCE = struct.pack("ii", 1, 0)
"""As SO_LINGER: a connection that is closed is reset, which is an error to the client whatever it waits for."""


class Server:
    """Everything that is served. `on_answer` is told of each request to the API once it has been answered."""

    def __init__(
        self,
        twilio: LocalTwilio,
        *,
        clock: Callable[[], float] = time.time,
        callbacks: Callbacks | None = None,
        traffic: Traffic | None = None,
        on_answer: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.twilio = twilio
        self.callbacks = callbacks or Callbacks(twilio)
        self.traffic = traffic or Traffic()
        self.faults = Faults()
        self.recording = Recording()
        self._clock = clock
        self._on_answer = on_answer
        self._live = Live(twilio, self.callbacks)
        self._control = Control(twilio, self.callbacks, self.faults, self.recording)
        self._endpoints: dict[Handler, str] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware()])
        caller_ids, caller_id = wire.caller_ids_uri("{account_sid}"), wire.caller_id_uri("{account_sid}", "{sid}")
        for endpoint, method, path, handler in (
            ("create", "POST", caller_ids, self._create),
            ("list", "GET", caller_ids, self._list),
            ("fetch", "GET", caller_id, self._fetch),
            ("update", "POST", caller_id, self._update),
            ("delete", "DELETE", caller_id, self._delete),
            ("call", "GET", wire.call_uri("{account_sid}", "{sid}"), self._call),
            ("account", "GET", wire.account_uri("{account_sid}"), self._account),
        ):
            app.router.add_route(method, path, handler)
            self._endpoints[handler] = endpoint
        app.router.add_routes(self._control.routes())
        self._live.add_to(app)
        page.add_to(app)
        return app

    # Twilio's end points

    async def _create(self, request: web.Request) -> web.Response:
        answer = self.twilio.request_validation(_account_sid(request), await read_form(request))
        await self.callbacks.placed(answer["call_sid"])
        return web.json_response(answer)  # 200, not 201: there is no caller ID yet

    async def _list(self, request: web.Request) -> web.Response:
        filters = {name: request.query[name] for name in ("PhoneNumber", "FriendlyName") if request.query.get(name)}
        paging = wire.Paging.read(request.query)
        records = self.twilio.caller_ids(_account_sid(request), filters.get("PhoneNumber"), filters.get("FriendlyName"))
        return web.json_response(wire.page_of_caller_ids(_account_sid(request), records, paging, filters))

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(wire.caller_id(self.twilio.fetch(_account_sid(request), _sid(request))))

    async def _update(self, request: web.Request) -> web.Response:
        friendly_name = (await read_form(request)).get("FriendlyName")
        return web.json_response(
            wire.caller_id(self.twilio.rename(_account_sid(request), _sid(request), friendly_name))
        )

    async def _delete(self, request: web.Request) -> web.Response:
        self.twilio.remove(_account_sid(request), _sid(request))
        return web.Response(status=204)

    async def _call(self, request: web.Request) -> web.Response:
        return web.json_response(self.twilio.call_body(_account_sid(request), _sid(request)))

    async def _account(self, request: web.Request) -> web.Response:
        authorization = request.headers.get("Authorization")
        return web.json_response(self.twilio.credentials.account(authorization, _account_sid(request)))

    # Around every request

    def _middleware(self) -> Middleware:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._control.concerns(request):
                return await self._control.answer(request, handler)
            record = await self._arrived(request)
            try:
                async with self.traffic.under_way(_account_sid(request)) as admitted:
                    refusal = _error_response(errors.general(429))
                    response = await self._answer(request, handler, record) if admitted else refusal
            except BaseException:  # the sandbox is stopped meanwhile
                self.recording.dropped(record)
                raise
            if response is None:
                self.recording.dropped(record)
                return _reset(request)
            self._answered(request, record, response)
            return response

        return middleware

    async def _arrived(self, request: web.Request) -> RequestRecord:
        username, _ = read_basic(request.headers.get("Authorization"))
        record = RequestRecord(
            method=request.method,
            path=request.path,
            endpoint=self._endpoints.get(request.match_info.handler, ""),
            params=dict(request.query),
            form=await read_form(request),
            username=username,
            at=self._clock(),
        )
        self.recording.arrived(record)
        self._live.arrived(record)
        return record

    def _answered(
        self,
        request: web.Request,  # noqa: ARG002 - who looks at the answers wants to know what was asked
        record: RequestRecord,
        response: web.StreamResponse,
    ) -> None:
        """Every answer to the API passes here before it goes out."""
        self.recording.answered(record, response.status)
        self._live.answered(record, response)
        if self._on_answer:
            self._on_answer(record)

    async def _answer(self, request: web.Request, handler: Handler, record: RequestRecord) -> web.StreamResponse | None:
        """The answer, or None where the connection is to be dropped instead."""
        numbers = (given["PhoneNumber"] for given in (record.form, record.params) if "PhoneNumber" in given)
        fault = self.faults.take(record.endpoint, {_account_sid(request), _sid(request), *numbers})
        if fault is None:
            return await self._process(request, handler)
        response = None if fault.refuses else await self._process(request, handler)
        await self.faults.hold(fault)
        if fault.drop:
            return None
        return _fault_response(fault) if fault.answers else response

    async def _process(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith(f"{wire.API}/"):
                authorization = request.headers.get("Authorization")
                self.twilio.credentials.authenticate(authorization, _account_sid(request))
            return await handler(request)
        except TwilioError as refusal:
            return _error_response(refusal)
        except StateFileError as failure:  # it has been logged; and nothing has happened
            return _error_response(errors.general(500, message=str(failure)))
        except web.HTTPNotFound:
            return _error_response(errors.not_found(request.path))
        except web.HTTPException as refusal:  # such as 405, from the router
            return _error_response(errors.general(refusal.status))
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return _error_response(errors.general(500))


def _account_sid(request: web.Request) -> str:
    """From the path, also where that leads nowhere: who asks is checked before what is asked for."""
    if "account_sid" in request.match_info:
        return request.match_info["account_sid"]
    return request.path.removeprefix(f"{wire.API}/").partition("/")[0].removesuffix(".json")


def _sid(request: web.Request) -> str:
    return request.match_info.get("sid", "")


class FaultResponse(web.Response):
    """An answer that a fault has been told to give, right or wrong."""


def _error_response(error: TwilioError, kind: type[web.Response] = web.Response) -> web.Response:
    response = kind(text=json.dumps(error.body), status=error.status, content_type="application/json")
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def _fault_response(fault: Fault) -> web.Response:
    status = 200 if fault.status is None else fault.status
    if fault.body is None:
        response = _error_response(errors.general(status, fault.code, fault.message), FaultResponse)
    else:
        html = fault.body.lstrip().startswith("<")
        response = FaultResponse(
            status=status, text=fault.body, content_type="text/html" if html else "application/json"
        )
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    if fault.location is not None:
        response.headers["Location"] = fault.location
    return response


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        with contextlib.suppress(OSError):  # the client has left already
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        request.transport.abort()
    return web.Response()  # goes nowhere; aiohttp wants one
