"""The data of the in-process engine: programs, the state, and the results of operations."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi.output
from pulumi.dynamic import CheckFailure

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.inputs import DRY_RUN, IMPORT
from pulumi_twilio_caller_id.testing import CallerId
from tests.support.fuzz.network_faults import Answer
from tests.support.harness import TYPE

Method = Literal["check", "diff", "create", "read", "update", "delete"]
Account = dict[str, CallerId]
"""What Twilio has, in all accounts: sid -> caller ID."""


@dataclass(frozen=True)
class Declared:
    """A resource in the program. `delete_first` is its delete_before_replace, `after` the resource it depends on.

    secret: whether its number is a secret. late: whether its number is made from an output of `after`. provider: the
    name of its explicit Provider.
    """

    number: str
    friendly_name: str | None = None
    adopt: bool | None = None
    account_sid: str | None = None
    import_sid: str | None = None
    delete_first: bool = False
    secret: bool = False
    after: str | None = None
    late: bool = False
    provider: str | None = None

    def properties(self, provider: str, *, preview: bool, known: bool = True) -> dict[str, Any]:
        """The properties that the engine receives from the SDK."""
        given = {
            "phone_number": self.number if known else pulumi.output.Unknown(),  # type: ignore[no-untyped-call]
            "friendly_name": self.friendly_name,
            "adopt": self.adopt,
            "account_sid": self.account_sid,
            IMPORT: self.import_sid,
            DRY_RUN: preview or None,
            pulumi_sdk.PICKLED_PROVIDER: provider,
        }
        return {name: value for name, value in given.items() if value is not None}


Program = Mapping[str, Declared]


@dataclass(eq=False)
class Entry:
    """A resource in the state. declared: as the program declared it last.

    pending: "delete" if a replacement still has to delete it; "create" if it was deleted first and its replacement is
    still missing.
    """

    name: str
    sid: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    declared: Declared
    pending: Literal["", "delete", "create"] = ""


@dataclass(frozen=True)
class Event:
    """One call of a provider method by the engine, and its result.

    before, after: what Twilio had. new_calls: the phone calls placed meanwhile, (account sid, number). error: the text
    that the engine gets. told: the lines logged.
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
    """One operation. begin: what Twilio had before it. killed: the plugin process died.

    failed: the engine's text for each failure. planned: name -> operation, without the resources that stay the same.
    awaiting: the provider's text for each resource that awaits the next `up`.
    """

    operation: str
    program: Program
    begin: Account
    replaced: frozenset[str] = frozenset()
    events: list[Event] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    awaiting: list[str] = field(default_factory=list)
    planned: dict[str, str] = field(default_factory=dict)
    killed: bool = False

    @property
    def is_preview(self) -> bool:
        return self.operation == "preview"

    @property
    def said(self) -> str:
        return "\n".join([*self.failed, *(text for event in self.events for text in (*event.told, event.error))])


class Failed(Exception):
    """The engine got an error, or no answer."""


class Awaits(Failed):
    """The engine got an error that asks it to count the resource as awaiting."""


class Context:
    """The gRPC context of one call."""

    _error: type[Failed] = Failed

    def add_callback(self, _callback: Callable[[], None]) -> bool:
        return True

    def set_trailing_metadata(self, metadata: Iterable[tuple[str, bytes]]) -> None:
        if any(b"/pulumirpc.ErrorResourceAwaitFailed" in value for _, value in metadata):
            self._error = Awaits

    def abort(self, _code: object, details: str) -> None:
        raise self._error(details)


def problem(name: str, failure: CheckFailure, news: dict[str, Any]) -> str:
    """What the engine says of an input that check refuses."""
    of = f": property {failure.property} value {{{news.get(failure.property)}}}" if failure.property else ""
    return f"{TYPE} resource '{name}'{of} has a problem: {failure.reason}"


def served(request: object, context: Context, operation: Callable[[], Any]) -> Any:
    """Act as the SDK's servicer: keep `request` and `context` in the frame, and report a traceback if it raises."""
    try:
        return operation()
    except Exception as raised:  # noqa: BLE001 - what is raised, is judged
        try:
            context.abort("UNKNOWN", traceback.format_exc())
        except Failed as failed:
            raise failed from raised
