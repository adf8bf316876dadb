"""The look ahead that check takes for new resources: which numbers an account has verified already.

One listing serves an account for the whole operation, however many resources ask. It tells what is likely to happen;
create looks for itself. Where Twilio can't be asked, a preview goes on with a warning: it must not depend on that.
"""

from __future__ import annotations

import math

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import Listing, ListingCache, listings
from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.settings.model import Settings

ATTEMPTS = 2
SECONDS = 5.0  # for each attempt: somebody waits for the preview


def connect(settings: Settings, account_sid: str | None) -> Client:
    """The account as a preview asks it: it would rather know less than keep somebody waiting."""
    return Client(settings, account_sid, attempts=ATTEMPTS, timeout=SECONDS, patience=SECONDS)


class Preflight:
    """What one operation has been told so far."""

    def __init__(self, listings: ListingCache = listings) -> None:
        self._listings = listings
        self._warned: set[str] = set()

    def reset(self) -> None:
        """Forget which warnings were shown, as in a process that has just started."""
        self._warned.clear()

    def listing(self, settings: Settings, account_sid: str | None) -> Listing | None:
        """What the account has; None, with one warning, where it does not answer."""
        try:
            return self._listings.get(connect(settings, account_sid), math.inf)
        except CallerIdError as failed:
            self.warn_of(failed)
            return None

    def warn_of(self, failed: CallerIdError) -> None:
        self.warn(f"Numbers that are verified already can't be told from new ones now: {failed}")

    def warn(self, text: str) -> None:
        """On the stack's row, once: each of the stack's numbers would say the same."""
        if text not in self._warned:
            self._warned.add(text)
            pulumi_sdk.log("warning", text)


preflight = Preflight()
"""Of the operation that this process is for."""
