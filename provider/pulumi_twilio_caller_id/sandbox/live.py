"""What the page shows, as it changes: snapshots of the accounts, the calls and the callbacks, sent as events.

Most changes come with the clock and are announced by nobody. So, while somebody looks, a snapshot is made every tenth
of a second, and sent where it differs from the one before. It holds no validation code, for the person at the phone is
to read that where the program shows it, and no credentials.

Source of the format: WHATWG HTML, Server-sent events.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from pulumi_twilio_caller_id.phone_number import international_format

from . import calls, wire
from .account import LocalTwilio
from .callbacks import CallbackRecord, Callbacks
from .calls import PlacedCall
from .recording import RequestRecord
from .store import CallerId, StateFileError

PATH = "/sandbox/events"
LATEST = 100  # of each kind, so that a snapshot of a busy account stays small
LONGEST = 300  # characters of a text that came from outside; names have 64, addresses up to 1000

LOOK = 0.1  # seconds from look to look
SHARE = 0.1  # of the time, at most, goes into looking: where there is much to look at, it is done less often
UNSAVED = 0.5  # seconds until the next look where the state could not be saved
BEAT = 5.0  # seconds after which something is sent though nothing has changed, so that a dead connection is noticed
RECONNECT = 500  # milliseconds until a browser whose connection broke tries again


@dataclass
class _Request:
    """A validation request, and what of its answer may be shown."""

    record: RequestRecord
    call_sid: str | None = None
    code: int | None = None
    message: str | None = None


class Live:
    """The events, for any number of pages. Nothing is kept of one that has left."""

    def __init__(self, twilio: LocalTwilio, callbacks: Callbacks) -> None:
        self._twilio = twilio
        self._callbacks = callbacks
        self._requests: deque[_Request] = deque(maxlen=LATEST)
        self._requested = 0
        self._started_at = twilio.clock()
        self._snapshot: dict[str, Any] = {}
        self._text = ""
        self._due = 0.0
        self._stopping = asyncio.Event()

    def add_to(self, app: web.Application) -> None:
        """Has the application serve the events, and end them when it stops: they would hold it up."""
        app.router.add_get(PATH, self._events, allow_head=False)
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._stop)

    # What happens at the API; on the server's event loop

    def arrived(self, record: RequestRecord) -> None:
        """To be told of each request to the API."""
        if record.endpoint == "create":
            self._requests.append(_Request(record))
            self._requested += 1

    def answered(self, record: RequestRecord, response: web.StreamResponse) -> None:
        """To be told of each answer."""
        if record.endpoint != "create" or not isinstance(response, web.Response):
            return
        request = next((request for request in self._requests if request.record is record), None)
        if request is None:  # a hundred have come since
            return
        body: Any = None
        with contextlib.suppress(ValueError, RecursionError):  # an answer may be wrong on purpose
            body = json.loads(response.text or "")
        told = body if isinstance(body, dict) else {}
        request.call_sid = _text(told.get("call_sid"))
        request.code = code if isinstance(code := told.get("code"), int) else None
        request.message = _text(told.get("message"))

    # The events

    async def _start(self, _app: web.Application) -> None:
        self._stopping = asyncio.Event()

    async def _stop(self, _app: web.Application) -> None:
        self._stopping.set()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        with contextlib.suppress(ConnectionError):  # whoever looked has left
            await response.prepare(request)
            await response.write(f"retry: {RECONNECT}\n\n".encode())
            async with contextlib.aclosing(self._changes(request)) as changes:
                async for text in changes:
                    await response.write(f"data: {text}\n\n".encode() if text else b": nothing new\n\n")
        return response

    async def _changes(self, request: web.Request) -> AsyncGenerator[str, None]:
        """Each snapshot that differs from the one before; "" where there has been none for long."""
        sent, at = "", time.monotonic()
        while not self._stopping.is_set() and request.transport is not None:
            text = self._look()
            if text != sent or time.monotonic() - at > BEAT:
                yield "" if text == sent else text
                sent, at = text, time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(self._due - time.monotonic(), LOOK / 10))

    def _look(self) -> str:
        """The snapshot, as JSON without a line break; all pages share one look."""
        began = time.monotonic()
        if began >= self._due:
            pause = LOOK
            try:
                self._snapshot = self.snapshot()
            except StateFileError as failure:  # the page shows what is known, and why it is not more
                self._snapshot["trouble"] = str(failure)
                pause = UNSAVED
            self._text = json.dumps(self._snapshot, separators=(",", ":"))
            now = time.monotonic()
            self._due = now + max(pause, (now - began) / SHARE)
        return self._text

    def snapshot(self) -> dict[str, Any]:
        """All that the page shows. Lists are oldest first and hold the latest; `totals` says how many there are.

        A state file keeps calls and caller IDs, but neither requests nor callbacks. If there are calls from before this
        sandbox, `since` says when it started, so that nobody takes the requests and callbacks for all there were.
        Raises `StateFileError` where what has become due cannot be saved.
        """
        placed, caller_ids = self._twilio.placed_calls(), self._twilio.caller_ids()
        sent = self._callbacks.copy()
        numbered = list(enumerate(sent))
        return {
            "accounts": self._twilio.credentials.account_sids,
            "from": international_format(wire.CALLS_FROM),
            "tries": calls.TRIES,
            "requests": [
                _request(self._requested - len(self._requests) + at, request)
                for at, request in enumerate(self._requests)
            ],
            "calls": [_call(call, self._twilio.clock()) for call in _most_telling(placed)],
            "callbacks": [_callback(at, record) for at, record in numbered[-LATEST:]],
            "caller_ids": [_caller_id(record) for record in caller_ids[-LATEST:]],
            "totals": {
                "requests": self._requested,
                "calls": len(placed),
                "callbacks": len(sent),
                "caller_ids": len(caller_ids),
            },
            "since": self._started_at if any(call.placed < self._started_at for call in placed) else None,
            "trouble": None,
        }


def _most_telling(placed: Sequence[PlacedCall]) -> list[PlacedCall]:
    """The latest calls, in their order; one that goes on still is not crowded out by later ones that are over."""
    chosen = {call.sid for call in sorted(placed, key=lambda call: call.ended is None)[-LATEST:]}
    return [call for call in placed if call.sid in chosen]


def _request(at: int, request: _Request) -> dict[str, Any]:
    record = request.record
    given = record.form.get("PhoneNumber", "")
    return {
        "key": at,
        "at": record.at,
        "number": _number(given) if given.startswith("+") else _text(given),
        "friendly_name": _text(record.form.get("FriendlyName")),
        "account_sid": _text(record.path.removeprefix(f"{wire.API}/").partition("/")[0]),
        "call_sid": request.call_sid,
        "status": record.status,
        "dropped": record.dropped,
        "code": request.code,
        "message": request.message,
    }


def _call(call: PlacedCall, now: float) -> dict[str, Any]:
    return {
        "key": call.sid,
        "account_sid": call.account_sid,
        "number": _number(call.to),
        "friendly_name": _text(call.friendly_name),
        "status": call.status,
        "placed": call.placed,
        "ringing": call.ringing,
        "answered": call.answered,
        "ended": call.ended,
        "left": _seconds_left(call, now),
        "call_delay": call.call_delay,
        "extension": call.extension,
        "by_hand": call.by_hand,
        "tries_left": call.tries_left,
        "caller_id_sid": call.caller_id_sid,
        "listed": call.listed,
    }


def _seconds_left(call: PlacedCall, now: float) -> int | None:
    """Whole seconds for a person to key the code in; None if there is nothing for a person to do.

    They count from the request on, as `pulumi up` counts them, and not from when the phone rang. They are the call's:
    how long `pulumi up` waits may be set by the resource's `custom_timeouts`, which no request to Twilio tells.
    """
    if not call.by_hand or call.ringing is None or call.ends is None:
        return None
    return max(0, round(call.ends - (call.ringing - call.placed) - now))


def _callback(at: int, record: CallbackRecord) -> dict[str, Any]:
    parts = urlsplit(record.url)  # its query may hold somebody's secret, and for GET holds all the fields
    return {
        "key": at,
        "at": record.at,
        "url": _text(f"{parts.scheme}://{parts.netloc}{parts.path}"),
        "method": record.method,
        "call_sid": record.call_sid,
        "verification_status": record.fields.get("VerificationStatus"),
        "status": record.status,
        "error": _text(record.error),
    }


def _caller_id(record: CallerId) -> dict[str, Any]:
    return {
        "key": record.sid,
        "number": _number(record.phone_number),
        "friendly_name": _text(record.friendly_name),
        "account_sid": record.account_sid,
    }


def _text(given: object) -> str | None:
    if not isinstance(given, str):
        return None
    return given if len(given) <= LONGEST else given[: LONGEST - 1] + "…"


@functools.lru_cache(maxsize=4 * LATEST)
def _number(given: str) -> str:
    return international_format(given) if len(given) <= LONGEST else _text(given) or ""
