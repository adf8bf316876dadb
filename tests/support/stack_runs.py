"""What the in-process engine deals with: programs, the state, and what came of an operation on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi_twilio_caller_id import changes
from pulumi_twilio_caller_id.inputs import DELETE_BEFORE_REPLACE, DRY_RUN, IMPORT
from pulumi_twilio_caller_id.testing import CallerId
from tests.support.fuzz.network_faults import Answer

Method = Literal["check", "diff", "create", "read", "update", "delete"]
Account = dict[str, CallerId]
"""What Twilio has, in all accounts: sid -> caller ID."""


@dataclass(frozen=True)
class Declared:
    """A resource in the program. `delete_first` is its delete_before_replace."""

    number: str
    friendly_name: str | None = None
    adopt: bool | None = None
    account_sid: str | None = None
    import_sid: str | None = None
    delete_first: bool = False

    def properties(self, provider: str, *, preview: bool) -> dict[str, Any]:
        """As `resource.OutgoingCallerId` gives them to the SDK, and that to the engine."""
        given = {
            "phone_number": self.number,
            "friendly_name": self.friendly_name,
            "adopt": self.adopt,
            "account_sid": self.account_sid,
            IMPORT: self.import_sid,
            DELETE_BEFORE_REPLACE: self.delete_first or None,
            DRY_RUN: preview or None,
            changes.PROVIDER_KEY: provider,
        }
        return {name: value for name, value in given.items() if value is not None}


Program = Mapping[str, Declared]


@dataclass(eq=False)
class Entry:
    """A resource in the state. pending: "delete" until the deletion that a replacement has left is done, "create" where
    it has been deleted first and the replacement is not there yet.
    """

    name: str
    sid: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    pending: Literal["", "delete", "create"] = ""


@dataclass(frozen=True)
class Event:
    """One call of the engine, and what came of it. `error`: the text that the engine is given. `new_calls`: the numbers
    that Twilio was told to phone meanwhile. `told`: what was logged.
    """

    method: Method
    name: str
    sid: str
    olds: dict[str, Any]
    news: dict[str, Any]
    before: Account
    after: Account
    new_calls: list[tuple[str, str]]
    answers: list[Answer]
    result: Any
    raised: BaseException | None
    error: str
    told: list[str]


@dataclass
class Run:
    """One operation. `killed`: the plugin process died. `failed`: what the engine says of each failure."""

    operation: str
    program: Program
    begin: Account
    replaced: frozenset[str] = frozenset()
    events: list[Event] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    killed: bool = False

    @property
    def is_preview(self) -> bool:
        return self.operation == "preview"

    @property
    def said(self) -> str:
        return "\n".join([*self.failed, *(text for event in self.events for text in (*event.told, event.error))])
