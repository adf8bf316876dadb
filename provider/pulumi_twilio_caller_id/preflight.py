"""The look ahead that check takes for new resources: which numbers an account has verified already.

One listing serves an account for the whole operation, however many resources ask. It tells what is likely to happen;
create looks for itself. Where Twilio can't be asked, a preview goes on with a warning: it must not depend on that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from . import engine
from .errors import CallerIdError
from .settings import Settings
from .twilio_api import CallerId, TwilioApi

ATTEMPTS = 2
SECONDS = 5.0  # for each attempt: somebody waits for the preview


def connect(settings: Settings, account_sid: str | None) -> TwilioApi:
    """The account as a preview asks it: it would rather know less than keep somebody waiting."""
    return TwilioApi(settings, account_sid, attempts=ATTEMPTS, timeout=SECONDS)


class Listing:
    """The caller IDs of one account, as they were when the operation first asked."""

    def __init__(self, records: Iterable[CallerId]) -> None:
        self._by_sid = {record.sid: record for record in records}
        self._by_number = {record.phone_number: record for record in self._by_sid.values()}

    def of_number(self, phone_number: str) -> CallerId | None:
        """The caller ID of a number in E.164."""
        return self._by_number.get(phone_number)

    def of_sid(self, sid: str) -> CallerId | None:
        return self._by_sid.get(sid)

    def without(self, sid: str) -> Listing:
        return Listing(record for record in self._by_sid.values() if record.sid != sid)


class Preflight:
    """The listings of one operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held while listing: whoever comes meanwhile needs the same answer
        self._listings: dict[tuple[str, str | None], Listing | None] = {}
        self._warned: set[str] = set()

    def listing(self, settings: Settings, account_sid: str | None) -> Listing | None:
        """What the account has; None, with one warning, where it does not answer."""
        key = (account_sid or settings.account_sid, settings.api_url)
        with self._lock:
            if key not in self._listings:
                try:
                    self._listings[key] = Listing(connect(settings, account_sid).each())
                except CallerIdError as failed:
                    self.warn_of(failed)
                    self._listings[key] = None
            return self._listings[key]

    def forget(self, sid: str) -> None:
        """The caller ID has been deleted by this operation."""
        with self._lock:
            for key, listing in self._listings.items():
                if listing is not None:
                    self._listings[key] = listing.without(sid)

    def warn_of(self, failed: CallerIdError) -> None:
        self.warn(f"Numbers that are verified already can't be told from new ones now: {failed}")

    def warn(self, text: str) -> None:
        """On the stack's row, once: each of the stack's numbers would say the same."""
        if text not in self._warned:
            self._warned.add(text)
            engine.log("warning", text)


preflight = Preflight()
"""Of the operation that this process is for."""
