"""Let one listing of an account answer for many requests about single caller IDs.

A listing proves what is there, never what is missing: it may lag behind, and it ages. To know that a caller ID is gone,
ask for it by its sid.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pulumi_twilio_caller_id.errors import AccountUnseen, CallerIdError, Interrupted, NotFound
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID
from pulumi_twilio_caller_id.models import CallerId

from .client import PAGE, Client

FRESH_SECONDS = 60.0
"""How long a listing answers for single caller IDs: long enough for all of a refresh."""


class Listing:
    """The caller IDs of one account, as they were at one time."""

    def __init__(self, records: Iterable[CallerId]) -> None:
        self._by_sid = {record.sid: record for record in records}
        self._by_number = {record.phone_number: record for record in self._by_sid.values()}

    @property
    def pages(self) -> int:
        """How many requests the listing takes."""
        return 1 + len(self._by_sid) // PAGE

    def with_number(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of a number in E.164."""
        return self._by_number.get(phone_number)

    def with_sid(self, sid: str) -> CallerId | None:
        """Return the caller ID of this sid."""
        return self._by_sid.get(sid)

    def discard(self, sid: str) -> None:
        """Remove the caller ID of this sid, if it is there."""
        record = self._by_sid.pop(sid, None)
        if record is not None:
            self._by_number.pop(record.phone_number, None)


@dataclass
class _Entry:
    """The last listing of one account, or the error that was raised for it.

    lock: held while the account is listed. requested_at, received_at: clock times of `outcome`. changed: the sids that
    this process has changed or deleted since the listing was requested. fetches: how many single caller IDs were asked
    for. waiting: how many waits for a verification there are.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Listing | CallerIdError | None = None
    requested_at: float = 0.0
    received_at: float = 0.0
    changed: set[str] = field(default_factory=set)
    fetches: int = 0
    waiting: int = 0

    @property
    def pages(self) -> int:
        """How many requests a listing takes, as far as is known."""
        return self.outcome.pages if isinstance(self.outcome, Listing) else 1

    def discard(self, sid: str) -> None:
        if isinstance(self.outcome, Listing):
            self.outcome.discard(sid)


class ListingCache:
    """The listings of one process, for all its threads. A thread that asks while an account is listed gets the result.

    now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str | None], _Entry] = {}

    def get(self, client: Client, max_age: float) -> Listing:
        """Return a listing that was requested less than `max_age` seconds ago.

        A failed request is remembered for the same time, and its error raised again. If a request takes longer than
        `max_age`, its result counts as requested when it arrived: else it would be out of date at once.
        """
        entry, asked_at = self.entry(client), self.now()
        with entry.lock:
            outcome = entry.outcome
            if outcome is None or (entry.received_at < asked_at and self.now() - entry.requested_at >= max_age):
                outcome = self._request(entry, client, max_age)
        if isinstance(outcome, CallerIdError):
            raise outcome
        return outcome

    def _request(self, entry: _Entry, client: Client, max_age: float) -> Listing | CallerIdError:
        """List the account. Raises Interrupted, which concerns only the thread that asked."""
        requested_at = self.now()
        with self._lock:
            entry.changed.clear()
        try:
            outcome: Listing | CallerIdError = Listing(client.each())
        except Interrupted:
            raise
        except CallerIdError as failed:
            outcome = failed
        with self._lock:
            entry.outcome, entry.received_at = outcome, self.now()
            in_time = isinstance(outcome, Listing) and entry.received_at - requested_at < max_age
            entry.requested_at = requested_at if in_time else entry.received_at
            for sid in entry.changed:
                entry.discard(sid)
        return outcome

    def fetch(self, client: Client, sid: str) -> CallerId:
        """Return the caller ID of this sid. The first one is fetched alone; later ones come from a shared listing.

        Raises BadSid, and NotFound if Twilio says so about this very sid.
        """
        if not CALLER_ID_SID.fullmatch(sid):
            return client.fetch(sid)
        entry = self.entry(client)
        with self._lock:
            entry.fetches += 1
            is_first = entry.fetches == 1
        if not is_first:
            try:
                record = self.get(client, FRESH_SECONDS).with_sid(sid)
            except CallerIdError:
                record = None
            if record is not None:
                return record
        return client.fetch(sid)

    def find_despite(self, not_found: NotFound, client: Client, sid: str) -> CallerId | None:
        """Return the caller ID that Twilio said not to have, if its account lists it all the same; None if it is gone.

        One listing serves an account for the whole operation. If it has the sid, the account is listed once more, as
        that listing may be older than `not_found`. Raises AccountUnseen if the account can't be listed.
        """
        try:
            record = self.get(client, FRESH_SECONDS).with_sid(sid)
            return record and self.get(client, 0).with_sid(sid)
        except CallerIdError as failed:
            raise AccountUnseen(sid, client.account_sid, failed.what, client.credentials_source) from not_found

    def forget(self, sid: str) -> None:
        """Drop the caller ID from all listings, as this process has changed or deleted it."""
        with self._lock:
            for entry in self._entries.values():
                entry.changed.add(sid)
                entry.discard(sid)

    @contextmanager
    def waiting(self, client: Client) -> Iterator[_Entry]:
        """Count one more wait of the client's account while this context is active."""
        entry = self.entry(client)
        with self._lock:
            entry.waiting += 1
        try:
            yield entry
        finally:
            with self._lock:
                entry.waiting -= 1

    def entry(self, client: Client) -> _Entry:
        """Return what is kept for the client's account."""
        with self._lock:
            return self._entries.setdefault(client.account, _Entry())
