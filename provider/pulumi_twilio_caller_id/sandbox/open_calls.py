"""Calls that may still bring something about: sids that are decided, numbers that get listed, places that are taken.

Not thread-safe: `account.py` sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .caller_ids import CallerIds, new_sid
from .calls import Call, timeline


class OpenCalls:
    """Those of all accounts, oldest first; what comes of them goes into `caller_ids`."""

    def __init__(self, calls: Iterable[Call], caller_ids: CallerIds) -> None:
        self._calls = list(calls)
        self._caller_ids = caller_ids

    def add(self, call: Call) -> None:
        self._calls.append(call)

    def settle(self, now: float) -> bool:
        """Decides on the sids of calls that have succeeded by now, and lists their numbers, in the order of the events.

        The two come apart on a late-listed phone alone: the callback tells a sid that cannot be fetched yet. Says
        whether anything has changed.
        """
        changed = False
        timelines = [(timeline(call), call) for call in self._calls]
        successes = [(time.ended, time.listed, call) for time, call in timelines if time.listed is not None]
        for ended, _, call in sorted(successes, key=lambda success: success[0]):
            if ended <= now and call.promised_sid is None:
                call.promised_sid = self._sid_for(call)
                changed = True
        for _, listed, call in sorted(successes, key=lambda success: success[1]):
            if listed <= now and call.caller_id_sid is None:
                caller_id = self._caller_ids.find(call.account_sid, call.to)
                if caller_id is None:  # a second success makes no second caller ID
                    caller_id = self._caller_ids.add(
                        call.account_sid, call.to, call.friendly_name, listed, call.promised_sid
                    )
                call.caller_id_sid = caller_id.sid
                changed = True
        self._calls = [call for time, call in timelines if max(time.ended, time.listed or 0) > now]
        return changed

    def taken(self, now: float) -> Iterator[tuple[str, str]]:
        """Account and number of all that are verified, or may be once the calls that are under way have ended."""
        for record in self._caller_ids:
            yield record.account_sid, record.phone_number
        for call in self._calls:
            if call.promised_sid or timeline(call).ended > now:
                yield call.account_sid, call.to

    def _sid_for(self, call: Call) -> str:
        """The sid that the number of a call has, or will have: two calls that succeed make one caller ID."""
        caller_id = self._caller_ids.find(call.account_sid, call.to)
        if caller_id is not None:
            return caller_id.sid
        of_number = [other for other in self._calls if (other.account_sid, other.to) == (call.account_sid, call.to)]
        promised = [other.promised_sid for other in of_number if other.promised_sid and not other.caller_id_sid]
        return promised[0] if promised else new_sid()
