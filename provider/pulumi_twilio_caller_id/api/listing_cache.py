"""One listing of an account in place of many requests for single caller IDs.

A listing is evidence of what is there, never of what is not: it may lag, and it ages. Who needs to know that a caller
ID is gone asks for it by its sid.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken, run_cancellable
from pulumi_twilio_caller_id.errors import AccountUnseen, AnswerLost, CallerIdError, Interrupted, NotFound
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID
from pulumi_twilio_caller_id.models import CallerId, CallState

from .client import PAGE, Client

FRESH = 60.0
"""Seconds for which a listing serves reads: all those of a refresh, whatever else it is part of."""

SECOND = 1.0
TOLERANCE = 0.2
"""Seconds by which a round may come early."""

LAST_LOOK = 45.0
"""Seconds for a last look, whatever it waits for: its turn, or Twilio."""

R = TypeVar("R")

Account = tuple[str, str | None]
"""An account's sid, and the base URL that it is asked at."""


class Listing:
    """The caller IDs of one account, as they were at one time."""

    def __init__(self, records: Iterable[CallerId]) -> None:
        self._by_sid = {record.sid: record for record in records}
        self._by_number = {record.phone_number: record for record in self._by_sid.values()}

    @property
    def pages(self) -> int:
        """How many requests it takes."""
        return 1 + len(self._by_sid) // PAGE

    def of_number(self, phone_number: str) -> CallerId | None:
        """The caller ID of a number in E.164."""
        return self._by_number.get(phone_number)

    def of_sid(self, sid: str) -> CallerId | None:
        return self._by_sid.get(sid)

    def discard(self, sid: str) -> None:
        """Know nothing of the caller ID of this sid any more."""
        record = self._by_sid.pop(sid, None)
        if record is not None:
            self._by_number.pop(record.phone_number, None)


@dataclass
class _Entry:
    """Of one account: the last listing, or the error that came in its place. The lock is held while listing.

    since: from when its age counts. done: when it was there. forgotten: sids, since the last one was begun.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Listing | CallerIdError | None = None
    since: float = 0.0
    done: float = 0.0
    forgotten: set[str] = field(default_factory=set)
    asked: int = 0
    waits: int = 0

    @property
    def pages(self) -> int:
        """How many requests a listing takes, as far as is known."""
        return self.outcome.pages if isinstance(self.outcome, Listing) else 1

    def discard(self, sid: str) -> None:
        if isinstance(self.outcome, Listing):
            self.outcome.discard(sid)


class ListingCache:
    """Those of a process, for all its threads: who comes while one is being made, waits for it and has it too."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._shelves: dict[Account, _Entry] = {}

    def get(self, twilio: Client, age: float) -> Listing:
        """A listing that is less than `age` seconds old, counted from its beginning; from its end, where it took longer
        than that. Raises what Twilio's answer raises, for as long from its end.
        """
        shelf, came = self._shelf(twilio), self.now()
        with shelf.lock:
            outcome = shelf.outcome
            if outcome is None or (shelf.done < came and self.now() - shelf.since >= age):
                outcome = self._listed(shelf, twilio, age)
        if isinstance(outcome, CallerIdError):
            raise outcome
        return outcome

    def _listed(self, shelf: _Entry, twilio: Client, age: float) -> Listing | CallerIdError:
        """A new one, or the error in its place. Raises Interrupted, which is about who asked for it alone."""
        begun = self.now()
        with self._lock:
            shelf.forgotten.clear()
        try:
            outcome: Listing | CallerIdError = Listing(twilio.each())
        except Interrupted:
            raise
        except CallerIdError as failed:
            outcome = failed
        with self._lock:
            shelf.outcome, shelf.done = outcome, self.now()
            serves = isinstance(outcome, Listing) and shelf.done - begun < age
            shelf.since = begun if serves else shelf.done
            for sid in shelf.forgotten:
                shelf.discard(sid)
        return outcome

    def fetch(self, twilio: Client, sid: str) -> CallerId:
        """The caller ID of this sid, from a listing where many are asked for.

        Raises BadSid, and NotFound on Twilio's word for that very sid only.
        """
        if not CALLER_ID_SID.fullmatch(sid):
            return twilio.fetch(sid)
        shelf = self._shelf(twilio)
        with self._lock:
            shelf.asked += 1
            alone = shelf.asked == 1
        if not alone:
            try:
                record = self.get(twilio, FRESH).of_sid(sid)
            except CallerIdError:
                record = None
            if record is not None:
                return record
        return twilio.fetch(sid)

    def look_again(self, twilio: Client, sid: str, said: NotFound) -> CallerId | None:
        """The caller ID that Twilio said not to have, if its account lists it all the same; None if it is gone.

        One listing serves an account for the whole operation, unless it has the sid and is older than `said`.
        Raises AccountUnseen if the account can't be listed.
        """
        try:
            record = self.get(twilio, FRESH).of_sid(sid)
            return record and self.get(twilio, 0).of_sid(sid)
        except CallerIdError as failed:
            raise AccountUnseen(sid, twilio.account_sid, failed.what, twilio.credentials_source) from said

    def clear(self) -> None:
        """Forget all listings, as in a process that has just started."""
        with self._lock:
            self._shelves.clear()

    def forget(self, sid: str) -> None:
        """The caller ID has been changed or deleted by this process."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.forgotten.add(sid)
                shelf.discard(sid)

    @contextmanager
    def shared(
        self, twilio: Client, ending: CancelToken | None = None, timeout: float = math.inf
    ) -> Iterator[SharedPoller]:
        """For a wait: looks at Twilio that it shares with the other waits of this process, for as long as it lasts.

        ending: the wait's. timeout: seconds from now to its deadline.
        """
        shelf = self._shelf(twilio)
        with self._lock:
            shelf.waits += 1
        try:
            yield SharedPoller(self, shelf, twilio, ending or CancelToken(), self.now() + timeout)
        finally:
            with self._lock:
                shelf.waits -= 1

    def _shelf(self, twilio: Client) -> _Entry:
        with self._lock:
            return self._shelves.setdefault(twilio.account, _Entry())


class SharedPoller:
    """`verification.Sources` of one wait among others. Round by round all of them together ask for the list once a
    second at most; the last look, on which a failure rests, each takes for itself.

    A look is given up, and raises AnswerLost, as soon as the wait is to end; that of a round at the deadline, where the
    last one follows, and that one after LAST_LOOK.
    """

    def __init__(
        self,
        listings: ListingCache,
        shelf: _Entry,
        twilio: Client,
        ending: CancelToken,
        deadline: float,
        *,
        rounds: bool = False,
    ) -> None:
        self._listings = listings
        self._shelf = shelf
        self._twilio = twilio
        self._ending = ending
        self._deadline = deadline
        self._rounds = rounds
        self._looked: float | None = None

    def once(self) -> SharedPoller:
        """Those of the rounds, which come again by themselves."""
        return SharedPoller(self._listings, self._shelf, self._twilio.once(), self._ending, self._deadline, rounds=True)

    def twice(self) -> SharedPoller:
        """Those of the last look."""
        return SharedPoller(self._listings, self._shelf, self._twilio.twice(), self._ending, self._deadline)

    def find(self, phone_number: str) -> CallerId | None:
        """The caller ID of this number. In a round, it may be that of a listing of so many seconds ago as that took
        pages; where fewer numbers wait than that, each is asked for in turn, and None between its turns.
        """
        step = f"look up {phone_number}"
        if not self._rounds:
            return self._ask(step, lambda: self._twilio.find(phone_number))
        waits, pages = self._shelf.waits, self._shelf.pages
        if waits > pages:
            listing = self._ask(step, lambda: self._listings.get(self._twilio, SECOND * pages))
            return listing.of_number(phone_number)
        now = self._listings.now()
        if waits > 1 and self._looked is not None and now - self._looked < SECOND * waits - TOLERANCE:
            return None
        self._looked = now
        return self._ask(step, lambda: self._twilio.find(phone_number))

    def fetch(self, sid: str) -> CallerId:
        return self._ask(f"read caller ID {sid}", lambda: self._twilio.fetch(sid))

    def call_state(self, call_sid: str) -> CallState | None:
        return self._ask(f"read call {call_sid}", lambda: self._twilio.call_state(call_sid))

    def _ask(self, step: str, look: Callable[[], R]) -> R:
        left = max(SECOND, self._deadline - self._listings.now()) if self._rounds else LAST_LOOK
        try:
            return run_cancellable(self._ending.on_cancel, look, min(left, threading.TIMEOUT_MAX))
        except Cancelled as abandoned:
            raise AnswerLost(step, str(abandoned)) from None


listings = ListingCache()
"""Of the operation that this process is for."""
