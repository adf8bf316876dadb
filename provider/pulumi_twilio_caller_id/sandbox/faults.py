"""Trouble on purpose: answers that are late, wrong, or never come.

A fault belongs to one endpoint, or to all of them, and is used for its next requests, `times` of them or for ever.
Requests to other endpoints leave it alone.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from .about import NAMED, kind, named
from .seconds import is_seconds

Endpoint = Literal["create", "list", "fetch", "update", "delete", "call", "account", "*"]
ENDPOINTS: tuple[str, ...] = get_args(Endpoint)

LOOK = 0.02
"""Seconds between looks whether an answer that is held back may go, as healing is done in another thread."""

BODILESS = (204, 304)
"""HTTP statuses of answers that have no body."""

ALLOWED = {
    "endpoint": f"one of {', '.join(ENDPOINTS)}",
    "status": "an HTTP status, 200 to 599",
    "code": "a whole number, one of Twilio's error codes",
    "message": "a text",
    "times": "a whole number, 1 or more; without it the fault lasts until it is healed",
    "retry_after": "a whole number of seconds, 0 or more",
    "delay": "a number of seconds, 0 or more",
    "hang": "true or false",
    "drop": "one of before, after",
    "body": "a text",
    "processed": "true or false",
    "location": "a URL",
    "about": "a phone number, or the sid of an account, a caller ID or a call",
}
"""What each field of a fault may be, in words that follow "must be"."""


def _whole(it: Any) -> bool:
    return isinstance(it, int) and not isinstance(it, bool)


def _text(it: Any) -> bool:
    return isinstance(it, str) and not re.search("[\ud800-\udfff]", it)  # half a character cannot be sent


_FITS: dict[str, Callable[[Any], bool]] = {
    "endpoint": lambda it: it in ENDPOINTS,
    "status": lambda it: _whole(it) and 200 <= it <= 599,
    "code": _whole,
    "message": _text,
    "times": lambda it: _whole(it) and it >= 1,
    "retry_after": lambda it: _whole(it) and it >= 0,
    "delay": is_seconds,
    "hang": lambda it: isinstance(it, bool),
    "drop": lambda it: it in ("before", "after"),
    "body": _text,
    "processed": lambda it: isinstance(it, bool),
    "location": lambda it: _text(it) and bool(it) and it.isprintable() and " " not in it,  # it goes into a header
    "about": lambda it: isinstance(it, str) and named(it) is not None,
}

_ANSWER = ("status", "body", "code", "message", "retry_after", "location", "processed")


@dataclass
class Fault:
    """What goes wrong.

    endpoint     "create" (the validation request), "list", "fetch", "update", "delete", "call" (GET on a Call),
                 "account" (GET on an account), or "*": each request to the API.
    status       HTTP status of the answer, 200 to 599. None: what the request itself brings about.
    code         Twilio's error code; None: the usual one for that status. `message` likewise.
    times        how many requests it is for; None: all, until healed.
    retry_after  seconds, sent as Retry-After.
    delay        seconds the answer is held back, or until healed.
    hang         True: the answer is held back until healed.
    drop         the connection is reset in place of an answer; "before": nothing happens; "after": the request has
                 taken effect.
    body         sent as it is instead of Twilio's JSON; the status is 200 unless given.
    location     where a redirect leads.
    about        a phone number, or the sid of an account, a caller ID or a call: only requests that name it are
                 concerned. None: all to the endpoint. A number is brought to E.164.
    processed    True: the request takes effect although the answer is the fault's, as when a gateway gives up.

    Raises `ValueError` for a value that makes no sense, and for one that would have no effect: without an answer of
    the fault's own, that is a status or a body, there is no code; after a drop there is neither.
    """

    endpoint: Endpoint
    status: int | None = None
    code: int | None = None
    message: str | None = None
    times: int | None = None
    retry_after: int | None = None
    delay: float = 0.0
    drop: Literal["before", "after"] | None = None
    body: str | None = None
    processed: bool = False
    location: str | None = None
    about: str | None = None
    hang: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (_FITS[field.name](value) or (value is None and field.default is None)):
                raise ValueError(f"{field.name} {value!r} must be {ALLOWED[field.name]}")
        if self.about is not None:
            self.about = named(self.about)
        idle = self._idle()
        if idle:
            raise ValueError(idle)

    def _idle(self) -> str:
        """What would have no effect, and what to do; empty where all has."""
        values = {name: getattr(self, name) for name in _ANSWER}
        answer = {name: f"{name} {it!r}" for name, it in values.items() if it is not None and it is not False}
        worded = answer.get("code") or answer.get("message")
        if self.hang and self.delay:
            return "delay is for answers that come, hang for those that do not: give one of them"
        if self.drop and answer:
            return f"drop {self.drop!r} leaves no answer, and {next(iter(answer.values()))} is for one: leave one out"
        if answer and not self.answers:
            return f"{next(iter(answer.values()))} is for an answer of the fault's own: add its status"
        if self.body is not None and worded:
            return f"{worded} would be lost, as the body is sent as it is: write it there, or leave the body out"
        if self.status in BODILESS and (worded or self.body):
            return f"{worded or answer['body']} would be lost, as status {self.status} has no body: leave one out"
        if not (self.answers or self.delay or self.hang or self.drop):
            return f"nothing would go wrong at {self.endpoint!r}: add status, body, delay, hang or drop"
        if self.about is not None and kind(self.about) not in NAMED.get(self.endpoint, (kind(self.about),)):
            names = " or ".join(NAMED[self.endpoint])
            return f"about {self.about!r} is {kind(self.about)}, and requests to {self.endpoint!r} name {names}"
        return ""

    @property
    def answers(self) -> bool:
        """Whether the answer is the fault's own."""
        return self.status is not None or self.body is not None

    @property
    def refuses(self) -> bool:
        """Whether the request has no effect."""
        return self.drop == "before" or (self.answers and not self.processed)


class Faults:
    """The faults that are waiting, first come first used. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._healed = 0

    def add(self, *faults: Fault) -> None:
        """Copies of them: their `times` count down."""
        with self._lock:
            self._waiting += [replace(fault) for fault in faults]

    def copy(self) -> list[Fault]:
        """Those that are waiting, each with the `times` that are left."""
        with self._lock:
            return [replace(fault) for fault in self._waiting]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._healed += 1

    async def hold(self, fault: Fault) -> None:
        """Lasts as long as the answer is held back."""
        healed, until = self._healed, time.monotonic() + (math.inf if fault.hang else fault.delay)
        while healed == self._healed and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110  healed by a thread
            await asyncio.sleep(min(left, LOOK))

    def take(self, endpoint: str, names: Collection[str] = ()) -> Fault | None:
        """The fault for a request to that endpoint that names these numbers and sids, used up by one."""
        with self._lock:
            for fault in self._waiting:
                concerned = fault.about is None or fault.about in map(named, names)
                if fault.endpoint in (endpoint, "*") and concerned:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._waiting = [other for other in self._waiting if other is not fault]
                    return fault
        return None
