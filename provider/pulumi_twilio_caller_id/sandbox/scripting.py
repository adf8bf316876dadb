"""The sandbox's own end points for scripts: phones, trouble, the clock, and somebody who works in the Console.

What they do is what `testing.Sandbox` has methods for. All take and answer JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from . import errors, wire
from .account import LocalTwilio
from .callback_plan import Plan, read_how
from .callbacks import Callbacks
from .control_bodies import CallbacksBody, ClockBody, NewCallerId, NewName, read_body, read_json
from .faults import Faults
from .faults_file import read_fault, read_faults
from .phones import PhoneBook, read_phones
from .recording import Recording


class Scripting:
    """Handlers of these end points. What makes no sense raises `ValueError` or `TwilioError`."""

    def __init__(self, twilio: LocalTwilio, callbacks: Callbacks, faults: Faults, recording: Recording) -> None:
        self._twilio = twilio
        self._callbacks = callbacks
        self._faults = faults
        self._recording = recording

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.get("/sandbox/state", self._state),
            web.get("/sandbox/requests", self._requests),
            web.get("/sandbox/callbacks", self._callback_records),
            web.put("/sandbox/callbacks", self._plan_callbacks),
            web.put("/sandbox/phones/{number}", self._set_phone),
            web.post("/sandbox/faults", self._fail),
            web.delete("/sandbox/faults", self._heal),
            web.post("/sandbox/clock", self._advance),
            web.post("/sandbox/caller-ids", self._add_caller_id),
            web.post("/sandbox/caller-ids/{sid}", self._rename),
            web.delete("/sandbox/caller-ids/{sid}", self._remove),
        )

    # What there is, and what happened

    async def _state(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the shape of a handler
        """All there is, for scripts and people to look at. No auth token, no API secret."""
        credentials = self._twilio.credentials
        return web.json_response(
            {
                "account_sid": credentials.account_sid,
                "subaccounts": list(credentials.subaccounts),
                "now": self._twilio.clock(),
                "caller_ids": [wire.caller_id(record) for record in self._twilio.caller_ids()],
                "calls": [dataclasses.asdict(call) for call in self._twilio.placed_calls()],
                "phones": phones_as_json(self._twilio.phones),
                "faults": self._faults_as_json(),
                "callbacks": dataclasses.asdict(self._callbacks.plan),
            }
        )

    async def _requests(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.json_response([dataclasses.asdict(record) for record in self._recording.copy()])

    async def _callback_records(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.json_response([dataclasses.asdict(record) for record in self._callbacks.copy()])

    # Phones and the clock

    async def _set_phone(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        body = await read_json(request, '"busy"', '{"behaviour": "busy", "rings": 1}')
        (described,) = read_phones({number: body}).items()
        self._twilio.phones.set(*described)
        return web.json_response({described[0]: phones_as_json(self._twilio.phones)[described[0]]})

    async def _advance(self, request: web.Request) -> web.Response:
        self._twilio.clock.advance((await read_body(request, ClockBody)).advance)
        return web.json_response({"now": self._twilio.clock()})

    # Trouble

    async def _fail(self, request: web.Request) -> web.Response:
        """One fault, or a list of them: all or, where one makes no sense, none."""
        content = await read_json(request, '{"endpoint": "list", "status": 500}')
        self._faults.add(*(read_faults(content) if isinstance(content, list) else [read_fault(content)]))
        return web.json_response({"faults": self._faults_as_json()})

    async def _heal(self, request: web.Request) -> web.Response:  # noqa: ARG002
        self._faults.clear()
        return web.json_response({"faults": self._faults_as_json()})

    async def _plan_callbacks(self, request: web.Request) -> web.Response:
        body = await read_body(request, CallbacksBody)
        self._callbacks.go(Plan(read_how(body.how), body.delay))
        return web.json_response(dataclasses.asdict(self._callbacks.plan))

    # Somebody works in the Console

    async def _add_caller_id(self, request: web.Request) -> web.Response:
        """A number gets verified elsewhere."""
        body = await read_body(request, NewCallerId)
        account_sid = self._twilio.credentials.account_sid if body.account_sid is None else body.account_sid
        record = self._twilio.add_caller_id(account_sid, body.phone_number, body.friendly_name)
        return web.json_response(wire.caller_id(record), status=201)

    async def _rename(self, request: web.Request) -> web.Response:
        sid = request.match_info["sid"]
        body = await read_body(request, NewName)
        return web.json_response(wire.caller_id(self._twilio.rename(self._account_of(sid), sid, body.friendly_name)))

    async def _remove(self, request: web.Request) -> web.Response:
        sid = request.match_info["sid"]
        self._twilio.remove(self._account_of(sid), sid)
        return web.Response(status=204)

    def _account_of(self, sid: str) -> str:
        account_sid = self._twilio.account_of(sid)
        if account_sid is None:
            raise errors.general(404, message=f"There is no caller ID {sid}")
        return account_sid

    def _faults_as_json(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(fault) for fault in self._faults.copy()]


def phones_as_json(book: PhoneBook) -> dict[str, dict[str, Any]]:
    """Each phone that is described, with what was said of it."""
    return {number: phone.model_dump(mode="json", exclude_none=True) for number, phone in book.described().items()}
