"""Trouble on purpose: answers that are late, wrong, or never come.

A fault belongs to one endpoint, or to all of them, and is used for its next requests, `times` of them or for ever.
Requests to other endpoints leave it alone.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

Endpoint = Literal["create", "list", "fetch", "update", "delete", "call", "*"]
ENDPOINTS: tuple[str, ...] = get_args(Endpoint)

LOOK = 0.02
"""Seconds between looks whether an answer that is held back may go, as healing is done in another thread."""

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
    "about": "a phone number or a sid",
}
"""What each field of a fault may be, in words that follow "must be"."""


@dataclass
class Fault:
    """What goes wrong.

    endpoint     "create" (the validation request), "list", "fetch", "update", "delete", "call" (GET on a Call), or "*":
                 each request to the API.
    status       HTTP status of the answer, 200 to 599. None: what the request itself brings about.
    code         Twilio's error code; None: the usual one for that status. `message` likewise.
    times        how many requests it is for; None: all, until healed.
    retry_after  seconds, sent as Retry-After.
    delay        seconds the answer is held back, or until healed.
    hang         True: the answer is held back until healed.
    drop         "before": the connection is closed and nothing happens; "after": the request takes effect, then the
                 connection is closed without an answer.
    body         sent as it is instead of Twilio's JSON; the status is 200 unless given.
    location     where a redirect leads.
    about        a phone number or a sid: only requests that name it are concerned. None: all to the endpoint.
    processed    True: the request takes effect although the answer is the fault's, as when a gateway gives up.

    Raises `ValueError` for a value that makes no sense, and where both `delay` and `hang` are given.
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
        for name, fits in (
            ("endpoint", self.endpoint in ENDPOINTS),
            ("status", self.status is None or 200 <= self.status <= 599),
            ("times", self.times is None or self.times >= 1),
            ("retry_after", self.retry_after is None or self.retry_after >= 0),
            ("delay", math.isfinite(self.delay) and self.delay >= 0),
            ("drop", self.drop in (None, "before", "after")),
        ):
            if not fits:
                raise ValueError(f"{name} {getattr(self, name)!r} must be {ALLOWED[name]}")
        if self.hang and self.delay:
            raise ValueError("delay is for answers that come, hang for those that do not: give one of them")

    @property
    def answers(self) -> bool:
        """Whether the answer is the fault's own."""
        return self.status is not None or self.body is not None

    @property
    def refuses(self) -> bool:
        """Whether the request has no effect."""
        return self.drop == "before" or (self.answers and not self.processed and self.drop is None)


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

    def take(self, endpoint: str, about: Collection[str] = ()) -> Fault | None:
        """The fault for a request to that endpoint that names these numbers and sids, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if fault.endpoint in (endpoint, "*") and (fault.about is None or fault.about in about):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._waiting = [other for other in self._waiting if other is not fault]
                    return fault
        return None
