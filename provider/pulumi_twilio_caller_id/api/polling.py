"""Share requests among the active verifications of one process, so that ten numbers don't need ten times as many.

A verification is active from its phone call until `verification.waiter` has its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken, run_cancellable
from pulumi_twilio_caller_id.errors import AnswerLost
from pulumi_twilio_caller_id.models import CallerId, CallState

from .client import Client
from .listing_cache import ListingCache
from .transport import FINAL_LOOKUP_RETRIES, POLL_RETRIES

SHARED_LIST_INTERVAL = 1.0
"""Seconds between two requests for an account's list, by all its active verifications together."""

TOLERANCE_SECONDS = 0.2
"""A round may start this many seconds too early, as timers are imprecise, and still look the number up."""

LOOKUP_TIMEOUT = 15.0
"""Longest time in seconds for one look-up, including the time it queues behind those of other verifications."""

R = TypeVar("R")


@contextmanager
def poller_for(client: Client, listing_cache: ListingCache, cancel: CancelToken) -> Iterator[VerificationPoller]:
    """Yield the poller of one verification, and count it as active in this context. `operations.create` uses it.

    cancel: the operation's token. A look-up raises AnswerLost if it is cancelled or takes longer than LOOKUP_TIMEOUT.
    """
    with listing_cache.active_verification(client):
        yield VerificationPoller(client, listing_cache, cancel)


class VerificationPoller:
    """Looks up one number, its call and its caller ID for `verification.waiter`.

    Each verification has its own poller. All pollers of an account together send about one list request per
    SHARED_LIST_INTERVAL.
    """

    def __init__(self, client: Client, listing_cache: ListingCache, cancel: CancelToken) -> None:
        self._client = client.with_retry_policy(POLL_RETRIES)
        self._final_client = client.with_retry_policy(FINAL_LOOKUP_RETRIES)
        self._fetch_client = client.with_retry_policy(POLL_RETRIES, CancelToken())
        self._listing_cache = listing_cache
        self._account = listing_cache.account_state(client)
        self._cancel = cancel
        self._list_requested_at: float | None = None

    def find(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of this number, None if there is none or if it is too early to ask again.

        A list takes one request per page. With fewer pages than active verifications, one listing serves them all, and
        is reused for one second per page. Otherwise each asks for its own number, on average one poller a second.
        """
        active, pages = self._account.active_verifications, self._account.pages
        if active > pages:
            get = self._listing_cache.get
            listing = self._run(f"look up {phone_number}", lambda: get(self._client, SHARED_LIST_INTERVAL * pages))
            return listing.by_number(phone_number)
        now, before = self._listing_cache.clock(), self._list_requested_at
        if active > 1 and before is not None and now - before < SHARED_LIST_INTERVAL * active - TOLERANCE_SECONDS:
            return None
        self._list_requested_at = now
        return self._run(f"look up {phone_number}", lambda: self._client.find(phone_number))

    def final_lookup(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of this number, by a new request. If there is none, the verification has failed."""
        return self._run(f"look up {phone_number}", lambda: self._final_client.find(phone_number))

    def fetch(self, sid: str) -> CallerId:
        """Return the caller ID with this sid. Raises NotFound if there is none yet.

        An interruption ends neither this look-up nor its wait for a free slot, because a callback has reported success.
        """
        return self._run(f"read caller ID {sid}", lambda: self._fetch_client.fetch(sid), CancelToken())

    def call_state(self, call_sid: str) -> CallState | None:
        """Return the state of the call, None if Twilio does not show it yet."""
        return self._run(f"read call {call_sid}", lambda: self._client.call_state(call_sid))

    def _run(self, action: str, look_up: Callable[[], R], cancel: CancelToken | None = None) -> R:
        try:
            return run_cancellable(cancel or self._cancel, look_up, LOOKUP_TIMEOUT)
        except (Cancelled, TimeoutError) as stopped:
            raise AnswerLost(action, str(stopped)) from None
