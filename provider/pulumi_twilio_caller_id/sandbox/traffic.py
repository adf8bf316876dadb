"""How busy the way to Twilio is: how long every answer takes, and how many requests an account may have under way.

Source of the limit: Twilio docs: api/errors/20429. How many requests Twilio allows is not documented.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Traffic:
    """Requests to the API, of all accounts; used on the server's event loop alone.

    `latency` is how long each answer is held back, in seconds, whatever else is under way. `concurrency` is how many
    requests each account may have under way at once; None: any number. It is meant to be used with a latency, which
    need not be large: without one a request is answered before the next is looked at, and they hardly ever overlap.

    Raises `ValueError` for a latency that is negative or infinite, and for a concurrency below 1.
    """

    def __init__(
        self,
        latency: float = 0.0,
        concurrency: int | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not (math.isfinite(latency) and latency >= 0):
            raise ValueError(f"latency is a number of seconds, 0 or more, not {latency!r}")
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"concurrency is a number of requests, 1 or more, or None, not {concurrency!r}")
        self._latency = latency
        self._concurrency = concurrency
        self._sleep = sleep
        self._under_way: Counter[str] = Counter()  # by AccountSid

    @asynccontextmanager
    async def under_way(self, account_sid: str) -> AsyncIterator[bool]:
        """One request, from its arrival until its answer may go out: the end of the block is held back.

        Gives False where the account has too many under way. Such a request is to be refused without effect; it is not
        held back, and does not count.
        """
        if self._concurrency is not None and self._under_way[account_sid] >= self._concurrency:
            yield False
            return
        self._under_way[account_sid] += 1
        try:
            yield True
            if self._latency:
                await self._sleep(self._latency)
        finally:
            # Before the answer goes out, so that whoever asks one thing after the other is never refused.
            self._under_way[account_sid] -= 1
