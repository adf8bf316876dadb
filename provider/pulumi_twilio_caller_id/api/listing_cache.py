"""Replace many requests for single caller IDs by one listing of their account, which is cached.

A caller ID that a listing lacks may be newer than the listing. A 404 for its sid may mean that the credentials don't
reach the account. Only both together prove that it is gone: see `find_in_listing_after_404`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pulumi_twilio_caller_id.errors import AccountUnreadable, CallerIdError, Interrupted, NotFound
from pulumi_twilio_caller_id.models import CallerId

from .client import PAGE_SIZE, Client, check_caller_id_sid

FRESH_SECONDS = 60.0
"""How long a listing replaces requests for single caller IDs: long enough for a whole refresh."""


class Listing:
    """All caller IDs of one account at one time."""

    def __init__(self, records: Iterable[CallerId]) -> None:
        self._by_sid = {record.sid: record for record in records}
        self._by_number = {record.phone_number: record for record in self._by_sid.values()}

    @property
    def pages(self) -> int:
        """How many pages Twilio's list has, each of which takes a request."""
        return 1 + len(self._by_sid) // PAGE_SIZE

    def by_number(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of a number in E.164."""
        return self._by_number.get(phone_number)

    def by_sid(self, sid: str) -> CallerId | None:
        """Return the caller ID with this sid."""
        return self._by_sid.get(sid)

    def discard(self, sid: str) -> None:
        """Remove the caller ID with this sid, if it is there."""
        record = self._by_sid.pop(sid, None)
        if record is not None:
            self._by_number.pop(record.phone_number, None)


@dataclass
class AccountState:
    """What is known about one account.

    lock: held while the account is listed. outcome: the latest listing, or the error that was raised in its place.
    received_at: when `outcome` arrived, by the clock. age_starts_at: the time from which its age counts.
    invalidated_sids: what `invalidate` has dropped since the latest listing was requested.
    fetches: how often `ListingCache.fetch` was called. active_verifications: how many wait for their codes.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Listing | CallerIdError | None = None
    age_starts_at: float = 0.0
    received_at: float = 0.0
    invalidated_sids: set[str] = field(default_factory=set)
    fetches: int = 0
    active_verifications: int = 0

    @property
    def pages(self) -> int:
        """How many pages the list has. One is assumed until the account has been listed."""
        return self.outcome.pages if isinstance(self.outcome, Listing) else 1

    def discard(self, sid: str) -> None:
        if isinstance(self.outcome, Listing):
            self.outcome.discard(sid)


class ListingCache:
    """The listings of one process, made by `context.Plugin`. clock: returns the seconds now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, str | None], AccountState] = {}

    def get(self, client: Client, max_age: float) -> Listing:
        """Return a listing that is younger than `max_age` seconds. An error is kept for the same time and raised again.

        If another thread is just listing the account, wait for its result, and share it.
        """
        account, asked_at = self.account_state(client), self.clock()
        with account.lock:
            outcome, listed_meanwhile = account.outcome, account.received_at >= asked_at
            if outcome is None or (not listed_meanwhile and self.clock() - account.age_starts_at >= max_age):
                outcome = self._list_account(account, client, max_age)
        if isinstance(outcome, CallerIdError):
            raise outcome
        return outcome

    def _list_account(self, account: AccountState, client: Client, max_age: float) -> Listing | CallerIdError:
        """List the account. An Interrupted is raised but not cached, as it concerns only this thread's operation."""
        requested_at = self.clock()
        with self._lock:
            account.invalidated_sids.clear()
        try:
            outcome: Listing | CallerIdError = Listing(client.stream())
        except Interrupted:
            raise
        except CallerIdError as error:
            outcome = error
        with self._lock:
            account.outcome, account.received_at = outcome, self.clock()
            # A listing ages from its request, as it may lack what was added later. An error, or a listing that took
            # longer than `max_age`, ages from its arrival: else it would be too old at once.
            was_fast = isinstance(outcome, Listing) and account.received_at - requested_at < max_age
            account.age_starts_at = requested_at if was_fast else account.received_at
            for sid in account.invalidated_sids:
                account.discard(sid)
        return outcome

    def fetch(self, client: Client, sid: str) -> CallerId:
        """Return the caller ID with this sid: from a listing, or by a request for the sid.

        The first fetch in an account asks for that sid; later ones share a listing. Raises BadSid for a malformed sid,
        and NotFound if Twilio answers so for this sid.
        """
        check_caller_id_sid(sid)
        account = self.account_state(client)
        with self._lock:
            account.fetches += 1
            is_first = account.fetches == 1
        if not is_first:
            try:
                record = self.get(client, FRESH_SECONDS).by_sid(sid)
            except CallerIdError:
                record = None
            if record is not None:
                return record
        return client.fetch(sid)

    def find_in_listing_after_404(self, not_found: NotFound, client: Client, sid: str) -> CallerId | None:
        """Check a 404: return the caller ID if its account still lists it, None if it is gone.

        A listing without the sid confirms the 404. A cached one is enough: a sid in the state existed before it, and is
        never used again. If the listing has the sid, or `invalidate` has dropped it, the account is listed again.
        Raises AccountUnreadable if the account can't be listed.
        """
        was_invalidated = sid in self.account_state(client).invalidated_sids
        try:
            if self.get(client, FRESH_SECONDS).by_sid(sid) is None and not was_invalidated:
                return None
            return self.get(client, 0).by_sid(sid)
        except CallerIdError as error:
            raise AccountUnreadable(sid, client.account_sid, error.what, client.credentials_source) from not_found

    def invalidate(self, sid: str) -> None:
        """Drop a caller ID from all listings, because this process has renamed or deleted it."""
        with self._lock:
            for account in self._accounts.values():
                account.invalidated_sids.add(sid)
                account.discard(sid)

    @contextmanager
    def active_verification(self, client: Client) -> Iterator[None]:
        """Count one more active verification in the client's account while this context is active."""
        account = self.account_state(client)
        with self._lock:
            account.active_verifications += 1
        try:
            yield
        finally:
            with self._lock:
                account.active_verifications -= 1

    def account_state(self, client: Client) -> AccountState:
        """Return what is known about the client's account."""
        with self._lock:
            return self._accounts.setdefault(client.cache_key, AccountState())
