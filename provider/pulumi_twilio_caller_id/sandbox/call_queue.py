"""The queue of an account's calls: Twilio starts them at a steady rate, and the others wait for their turn.

Source: Twilio docs: voice/api/call-resource: calls placed by API are queued, by default at one per second and account.
That verification calls are queued with them is not said there, and taken for granted here.
"""

from __future__ import annotations

import math
from collections.abc import Reversible

from .calls import Call


class CallQueue:
    """Calls start in the order of their requests, each account's by themselves; a call after a pause starts at once.

    `calls_per_second` is the rate of each account; None: there is no queue. Raises `ValueError` for a rate that is not
    above 0.
    """

    def __init__(self, calls_per_second: float | None = None) -> None:
        if calls_per_second is not None and not (math.isfinite(calls_per_second) and calls_per_second > 0):
            raise ValueError(f"calls_per_second is a number above 0, or None for no queue, not {calls_per_second!r}")
        self._interval = None if calls_per_second is None else 1 / calls_per_second

    def wait(self, account_sid: str, now: float, calls: Reversible[Call]) -> float:
        """Seconds that a call waits for its turn if it is placed now. `calls`: all that were placed, oldest first.

        A call's turn stays its own although it was canceled meanwhile; CallDelay counts from the turn on.
        """
        if self._interval is None:
            return 0.0
        for call in reversed(calls):
            # One from the future was placed before the clock was set back: who waits for it might wait for ever.
            if call.account_sid == account_sid and call.placed <= now:
                return max(0.0, call.turn + self._interval - now)
        return 0.0
