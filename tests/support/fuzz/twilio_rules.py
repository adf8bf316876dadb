"""What should come of creating a caller ID, by the rules that the docs give, and not by the provider's code."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import CallerId
from tests.support.stack_runs import Account, Declared

ANSWERING = ("keys-code", "late-listed")
"""Phones at which a number gets verified."""

Place = tuple[str, str]
"""An account's sid, and a number."""


def place_of(record: CallerId | None) -> Place:
    return ("", "") if record is None else (record.account_sid, record.phone_number)


def at(account: Account, place: Place) -> CallerId | None:
    """The caller ID that a number has in an account."""
    return next((record for record in account.values() if place_of(record) == place), None)


class Rules:
    """Of one stack. main: the account of its settings. adopts: its `twilio:adopt`. phone: how all phones behave now.
    held: the resource that has a caller ID when the operation that is under way ends, as far as that is settled.
    """

    def __init__(self, main: str) -> None:
        self.main = main
        self.adopts = False
        self.phone = "keys-code"
        self.held: dict[str, str] = {}

    def place(self, declared: Declared) -> Place:
        return declared.account_sid or self.main, declared.number

    def expected(self, declared: Declared, name: str, account: Account) -> str:
        """What comes of a create without trouble: how it succeeds, or with which error it fails."""
        there = at(account, self.place(declared))
        if declared.import_sid:
            record = self._imported(declared, account)
            return "ImportMismatch" if record is None else self._free("import", record.sid, name)
        if there is not None:
            return self._free("adopt", there.sid, name) if self.wants(declared) else "AlreadyVerified"
        refused = {"refused": "TwilioRefused", "own-number": "TwilioRefused", "country-blocked": "NotVerified"}
        return "call" if self.phone in ANSWERING else refused.get(self.phone, "NotKeyedIn")

    def outlook(self, declared: Declared, name: str, account: Account) -> tuple[bool, str]:
        """Whether something speaks against creating it, and else what a preview says of it."""
        if declared.import_sid:
            record = self._imported(declared, account)
            return record is None or self.has_other(record.sid, name), f"import {declared.import_sid}"
        record = at(account, self.place(declared))
        if record is None:
            return False, "`pulumi up` will call"
        if self.has_other(record.sid, name):
            return True, ""
        if self.wants(declared):
            return False, f"adopt {record.sid}"
        return True, ""

    def wants(self, declared: Declared) -> bool:
        """Whether it is to be taken over where its number is verified."""
        return self.adopts if declared.adopt is None else declared.adopt

    def may_rename(self, declared: Declared, record: CallerId) -> bool:
        """Whether creating it may give a caller ID its name."""
        return self.wants(declared) and not declared.import_sid and self.place(declared) == place_of(record)

    def has_other(self, sid: str, name: str) -> bool:
        """Whether another resource of the program has the caller ID."""
        return self.held.get(sid, name) != name

    def _free(self, how: str, sid: str, name: str) -> str:
        return "AlreadyVerified" if self.has_other(sid, name) else how

    def _imported(self, declared: Declared, account: Account) -> CallerId | None:
        """The caller ID that an import names, if it is the one declared."""
        record = account.get(str(declared.import_sid))
        if record is None or place_of(record) != self.place(declared):
            return None
        return record if declared.friendly_name in (None, record.friendly_name) else None
