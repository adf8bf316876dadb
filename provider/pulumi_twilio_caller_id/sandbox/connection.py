"""How Twilio asks the address of a StatusCallback: how long it waits, after which failures it asks again, and with what
login. All of that may be written into the address.

Sources: Twilio docs: usage/webhooks/webhooks-connection-overrides (what stands after #; that a value which cannot be is
as if it were not there, is a guess), usage/security (user:password@).
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp

FAILURES = ("ct", "rt", "4xx", "5xx")
"""No connection, no answer in time, answers by their status."""

RETRY = 0.1
"""Seconds until a retry; Twilio's own pause is unknown."""

Answer = TypeVar("Answer")
Request = Callable[[aiohttp.ClientTimeout, Mapping[str, str]], Awaitable[Answer]]
"""Makes one request, within a time and with these headers."""


@dataclass(frozen=True)
class Connection:
    """To one address. Times are in seconds, `total` is for all retries together.

    retries        how many more requests there are, as long as each fails in a way that is in `policy`.
    authorization  what a request that was answered 401 is repeated with; None: it is not.
    """

    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    authorization: str | None = None

    @classmethod
    def to(cls, address: str) -> Connection:
        """As the address has it, else Twilio's defaults."""
        parts = urlsplit(address)
        given = {name: values[-1] for name, values in parse_qs(parts.fragment).items()}
        usual = cls()
        return cls(
            retries=_whole(given.get("rc"), 0, 5, usual.retries),
            policy=_policy(given.get("rp"), usual.policy),
            connect=_whole(given.get("ct"), 100, 10_000, usual.connect * 1000) / 1000,
            read=_whole(given.get("rt"), 100, 15_000, usual.read * 1000) / 1000,
            total=_whole(given.get("tt"), 100, 15_000, usual.total * 1000) / 1000,
            authorization=_basic(parts.netloc.rpartition("@")[0]),
        )

    async def ask(self, request: Request[Answer], headers: Mapping[str, str]) -> Answer:
        """Makes the request with these headers, and again with the login where that is asked for."""
        return await self._ask(request, headers, time.monotonic() + self.total)

    async def ask_until_answered(self, request: Request[int | Exception], headers: Mapping[str, str]) -> None:
        """Likewise, and makes it again as often as `retries` and the time allow, where it fails as in `policy`."""
        deadline = time.monotonic() + self.total
        outcome = await self._ask(request, headers, deadline)
        for _ in range(self.retries):
            if self._failure(outcome) not in self.policy or time.monotonic() + RETRY >= deadline:
                return
            await asyncio.sleep(RETRY)
            token = {"I-Twilio-Idempotency-Token": str(uuid.uuid4())}
            outcome = await self._ask(request, {**headers, **token}, deadline)

    async def _ask(self, request: Request[Answer], headers: Mapping[str, str], deadline: float) -> Answer:
        outcome = await request(self._timeout(deadline), headers)
        if outcome == 401 and self.authorization is not None:
            outcome = await request(self._timeout(deadline), {**headers, "Authorization": self.authorization})
        return outcome

    def _timeout(self, deadline: float) -> aiohttp.ClientTimeout:
        left = max(deadline - time.monotonic(), 0.001)  # 0 would be none
        return aiohttp.ClientTimeout(total=left, sock_connect=self.connect, sock_read=self.read)

    @staticmethod
    def _failure(outcome: int | Exception) -> str:
        """One of FAILURES; also a status that is none, such as 2xx, and "" for what is never tried again."""
        match outcome:
            case int():
                return f"{outcome // 100}xx"
            case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
                return "ct"
            case aiohttp.SocketTimeoutError():
                return "rt"
        return ""


def _whole(given: str | None, least: int, most: int, usual: float) -> int:
    if given is not None and re.fullmatch("[0-9]{1,5}", given) and least <= int(given) <= most:
        return int(given)
    return int(usual)


def _policy(given: str | None, usual: frozenset[str]) -> frozenset[str]:
    kinds = frozenset((given or "").split(","))
    if not kinds <= {*FAILURES, "all"}:
        return usual
    return frozenset(FAILURES) if "all" in kinds else kinds


def _basic(login: str) -> str | None:
    """A Basic Authorization header of user:password, in which what has a meaning in addresses is percent-encoded."""
    if not login:
        return None
    user, _, password = login.partition(":")
    return f"Basic {base64.b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"
