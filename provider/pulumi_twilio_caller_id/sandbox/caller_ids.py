"""The verified numbers of all accounts. Not thread-safe: `account.py` sees to that."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from . import errors, wire
from .store import CallerId


class CallerIds:
    """Caller IDs by sid, oldest first. What it gives out is the record itself, not a copy."""

    def __init__(self, records: Iterable[CallerId] = ()) -> None:
        self._records = {record.sid: record for record in records}

    def __iter__(self) -> Iterator[CallerId]:
        return iter(self._records.values())

    def add(
        self, account_sid: str, phone_number: str, friendly_name: str, at: float, sid: str | None = None
    ) -> CallerId:
        """A new one, verified at that moment; `sid` where that has been decided already."""
        record = CallerId(
            sid=sid or new_sid(),
            account_sid=account_sid,
            phone_number=phone_number,
            friendly_name=friendly_name,
            created=at,
            updated=at,
        )
        self._records[record.sid] = record
        return record

    def find(self, account_sid: str, phone_number: str) -> CallerId | None:
        """The one for a number in an account."""
        return next(iter(self.matching(account_sid, phone_number)), None)

    def matching(
        self, account_sid: str | None = None, phone_number: str | None = None, friendly_name: str | None = None
    ) -> list[CallerId]:
        """Filters match exactly and are case sensitive. None: do not filter by it."""
        return [
            record
            for record in self
            if account_sid in (None, record.account_sid)
            and phone_number in (None, record.phone_number)
            and friendly_name in (None, record.friendly_name)
        ]

    def get(self, account_sid: str, sid: str) -> CallerId:
        """`TwilioError` 20404 unless that account has it."""
        record = self._records.get(sid)
        if record is None or record.account_sid != account_sid:
            raise errors.not_found(wire.caller_id_uri(account_sid, sid))
        return record

    def remove(self, account_sid: str, sid: str) -> None:
        """For good; `TwilioError` 20404 unless that account has it."""
        del self._records[self.get(account_sid, sid).sid]


def new_sid() -> str:
    return "PN" + secrets.token_hex(16)
