"""Trouble on purpose: answers that are late, wrong, or never come.

A fault belongs to one endpoint and is used for its next requests, `times` of them or for ever. Requests to other
endpoints leave it alone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Endpoint = Literal["create", "list", "fetch", "update", "delete", "call"]
ENDPOINTS: tuple[str, ...] = get_args(Endpoint)

LOOK = 0.02
"""Seconds between looks whether an answer that is held back may go, as healing is done in another thread."""


@dataclass
class Fault:
    """What goes wrong.

    endpoint     "create" (the validation request), "list", "fetch", "update", "delete", or "call" (GET on a Call).
    status       HTTP status of the answer. None: what the request itself brings about.
    code         Twilio's error code; None: the usual one for that status. `message` likewise.
    times        how many requests it is for; None: all, until healed.
    retry_after  seconds, sent as Retry-After.
    delay        seconds the answer is held back, or until healed.
    drop         "before": the connection is closed and nothing happens; "after": the request takes effect, then the
                 connection is closed without an answer.
    body         sent as it is instead of Twilio's JSON; the status is 200 unless given.
    location     where a redirect leads.
    about        a phone number or a sid: only requests that name it are concerned. None: all to the endpoint.
    processed    True: the request takes effect although the answer is the fault's, as when a gateway gives up.

    Raises `ValueError` for an endpoint or `drop` that is none of these.
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

    def __post_init__(self) -> None:
        if self.endpoint not in ENDPOINTS:
            raise ValueError(f"endpoint {self.endpoint!r} is not one of {', '.join(ENDPOINTS)}")
        if self.drop not in (None, "before", "after"):
            raise ValueError(f'drop {self.drop!r} is neither "before" nor "after"')
        if self.times is not None and self.times < 1:
            raise ValueError(f"times {self.times!r} is neither 1 or more nor None")

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

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self._healed += 1

    async def hold(self, fault: Fault) -> None:
        """Lasts as long as the answer is held back."""
        healed, until = self._healed, time.monotonic() + fault.delay
        while healed == self._healed and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110  healed by a thread
            await asyncio.sleep(min(left, LOOK))

    def take(self, endpoint: str, about: Collection[str] = ()) -> Fault | None:
        """The fault for a request to that endpoint that names these numbers and sids, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if fault.endpoint == endpoint and (fault.about is None or fault.about in about):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._waiting.remove(fault)
                    return fault
        return None
