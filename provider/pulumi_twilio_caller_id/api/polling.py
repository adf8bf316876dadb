"""Share the requests of all waits of one process, so that ten waiting numbers don't ask ten times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken, run_cancellable
from pulumi_twilio_caller_id.errors import AnswerLost
from pulumi_twilio_caller_id.models import CallerId, CallState

from .client import Client
from .listing_cache import ListingCache
from .transport import LAST_LOOK, POLL

ROUND_SECONDS = 1.0
"""How often all waits of an account together ask for its list."""

TOLERANCE_SECONDS = 0.2
"""By how much a round may come early."""

LOOK_SECONDS = 15.0
"""Longest time that a look-up may take, with its turn behind the look-ups of other waits."""

R = TypeVar("R")


@contextmanager
def poller_for(client: Client, listing_cache: ListingCache, cancel: CancelToken) -> Iterator[SharedPoller]:
    """The look-ups of one wait, shared with the other waits of the same account while this context is active.

    cancel: ends a look-up at once, which then raises AnswerLost, as a look-up that takes too long does.
    """
    with listing_cache.waiting(client):
        yield SharedPoller(client, listing_cache, cancel)


class SharedPoller:
    """What one wait asks Twilio. All waits of an account together request its list once a second at most."""

    def __init__(self, client: Client, listing_cache: ListingCache, cancel: CancelToken) -> None:
        self._client = client.with_retries(POLL)
        self._last_look = client.with_retries(LAST_LOOK)
        self._listing_cache = listing_cache
        self._entry = listing_cache.entry(client)
        self._cancel = cancel
        self._asked_at: float | None = None

    def find(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of this number, None if there is none or if it is not this wait's turn to ask.

        In a small account each waiting number is looked up by itself, in turn. If more numbers wait than the account
        has pages, one listing serves them all; it may be a few seconds old.
        """
        waiting, pages = self._entry.waiting, self._entry.pages
        if waiting > pages:
            get = self._listing_cache.get
            listing = self._run(f"look up {phone_number}", lambda: get(self._client, ROUND_SECONDS * pages))
            return listing.with_number(phone_number)
        now = self._listing_cache.now()
        if (
            waiting > 1
            and self._asked_at is not None
            and now - self._asked_at < ROUND_SECONDS * waiting - TOLERANCE_SECONDS
        ):
            return None
        self._asked_at = now
        return self._run(f"look up {phone_number}", lambda: self._client.find(phone_number))

    def find_last(self, phone_number: str) -> CallerId | None:
        """Return the caller ID of this number, asked for by this wait alone: a failure is told on this answer."""
        return self._run(f"look up {phone_number}", lambda: self._last_look.find(phone_number))

    def fetch(self, sid: str) -> CallerId:
        """Return the caller ID of this sid. Raises NotFound if there is none yet.

        An interruption that came before does not end this look-up: a callback has reported this sid as verified.
        """
        return self._run(f"read caller ID {sid}", lambda: self._client.fetch(sid), even_if_cancelled=True)

    def call_state(self, call_sid: str) -> CallState | None:
        """Return how the call stands, None if Twilio does not know it yet."""
        return self._run(f"read call {call_sid}", lambda: self._client.call_state(call_sid))

    def _run(self, step: str, look: Callable[[], R], *, even_if_cancelled: bool = False) -> R:
        cancel = CancelToken() if even_if_cancelled and self._cancel.reason else self._cancel
        try:
            return run_cancellable(cancel, look, LOOK_SECONDS)
        except (Cancelled, TimeoutError) as stopped:
            raise AnswerLost(step, str(stopped)) from None
