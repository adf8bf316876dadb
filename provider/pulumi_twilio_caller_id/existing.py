"""Numbers that are verified already: what a preview says of them, and taking one over without a call.

`import_` takes over exactly one sid and changes nothing at Twilio; `adopt` takes over whatever the number has.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from . import engine
from .errors import (
    AlreadyVerified,
    CallerIdError,
    CredentialsMissing,
    ImportMismatch,
    NotFound,
    SettingsError,
)
from .inputs import CALLER_ID_SID, DELETE_BEFORE_REPLACE, IMPORT, CallerIdInputs, readable
from .memory import Memory, name_of
from .preflight import connect, preflight
from .settings import Settings
from .twilio_api import CallerId, TwilioApi

Failure = tuple[str, str]
"""A property and the reason why its value won't do."""


def foreseen(
    urn: str,
    inputs: Mapping[str, Any],
    unknown: Container[str],
    hints: Mapping[str, Any],
    account: Callable[[], Settings],
    memory: Memory,
) -> list[Failure]:
    """What speaks against a new resource, as far as reading tells; its row says what else is going to happen.

    inputs: those with a value, normalised. unknown: those without one yet. hints: what its options say of `import_` and
    `delete_before_replace`. account: where it is not set, or `preflight` is off, Twilio is not asked.
    """
    try:
        settings = account()
    except CredentialsMissing:
        settings = None
    except SettingsError as failed:
        settings = None
        preflight.warn(str(failed))
    if settings is not None and (not settings.preflight or "account_sid" in unknown):
        settings = None
    outlook = _Outlook(urn, inputs, settings, memory)
    if IMPORT in hints:
        return outlook.of_import(hints[IMPORT])
    return outlook.of_number(refuse="adopt" not in unknown and not hints.get(DELETE_BEFORE_REPLACE))


class _Outlook:
    def __init__(self, urn: str, inputs: Mapping[str, Any], settings: Settings | None, memory: Memory) -> None:
        self._urn = urn
        self._inputs = inputs
        self._settings = settings
        self._memory = memory

    def of_import(self, sid: object) -> list[Failure]:
        """Whether the caller ID that `import_` names can be taken over; its row says so."""
        if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
            return [("import_", "it is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits")]
        failures = self._against_import(sid)
        if not failures:
            self._row(f"import {sid}, no call")
        return failures

    def _against_import(self, sid: str) -> list[Failure]:
        if self._settings is None:
            return []
        holder = self._other_holder(sid)
        if holder is not None:
            return [("import_", f"it is managed as {holder!r} in this stack already")]
        listing = preflight.listing(self._settings, self._inputs.get("account_sid"))
        if listing is None:
            return []
        record = listing.of_sid(sid) or self._fetched(sid)
        if isinstance(record, NotFound):
            return [("import_", _not_there(listing.of_number(self._inputs.get("phone_number", ""))))]
        return [] if record is None else list(mismatches(self._inputs, record))

    def of_number(self, *, refuse: bool) -> list[Failure]:
        """Whether the number is verified already, and so adopted or refused; its row says so.

        refuse: not where the program may yet ask for its adoption, or may have it deleted before it is created again.
        """
        number = self._inputs.get("phone_number")
        if self._settings is None or number is None:
            return []
        listing = preflight.listing(self._settings, self._inputs.get("account_sid"))
        record = listing.of_number(number) if listing else None
        if record is None:
            return []
        holder = self._other_holder(record.sid)
        if holder is not None:
            return [("phone_number", f"it is managed as {holder!r} in this stack already ({record.sid})")]
        if wants_adoption(self._settings, self._inputs.get("adopt")):
            renaming = _renaming(record, self._inputs)
            self._row(f"adopt {record.sid}, no call" + (f", and rename {renaming}" if renaming else ""))
            return []
        if not refuse:
            self._row(f"is {record.sid} already: up stops, unless that is adopted or deleted first")
            return []
        todo = already_verified(record, self._inputs.get("account_sid"), self._urn).todo
        return [
            (
                "phone_number",
                f"it is a caller ID of account {record.account_sid} already: {record.sid}. No call was placed.\n{todo}",
            ),
        ]

    def _row(self, text: str) -> None:
        engine.log("info", text, urn=self._urn)

    def _other_holder(self, sid: str) -> str | None:
        holder = self._memory.holder(sid)
        return name_of(holder) if holder and holder != self._urn else None

    def _fetched(self, sid: str) -> CallerId | NotFound | None:
        """Listings may lag: what one lacks is asked for by its sid before it is said not to be there."""
        assert self._settings is not None, "asked only with credentials"  # noqa: S101
        try:
            return connect(self._settings, self._inputs.get("account_sid")).fetch(sid)
        except NotFound as failed:
            return failed
        except CallerIdError as failed:
            preflight.warn_of(failed)
            return None


def import_caller_id(settings: Settings, inputs: CallerIdInputs, sid: str) -> CallerId:
    """Take over exactly this caller ID: nothing is changed at Twilio.

    Raises ImportMismatch where it is not there, or another number or (where the program gives one) friendly name.
    """
    twilio = TwilioApi(settings, inputs.account_sid)
    try:
        record = twilio.fetch(sid)
    except NotFound as failed:
        raise ImportMismatch(
            f"import_ of {readable(inputs.phone_number)} is {sid}: {_not_there(twilio.find(inputs.phone_number))}.",
            "Nothing was changed at Twilio.",
        ) from failed
    given = inputs.model_dump(exclude_none=True)
    for name, reason in mismatches(given, record):
        raise ImportMismatch(f"{name} is {given[name]!r}: {reason}.", "Nothing was changed at Twilio.")
    engine.log("info", f"imported {sid}, no call", urn=_urn())
    return record


def adopt(twilio: TwilioApi, inputs: CallerIdInputs, record: CallerId) -> CallerId:
    """Take over the caller ID that the number has, under the program's friendly name where it gives one."""
    renaming = _renaming(record, inputs.model_dump())
    if renaming and inputs.friendly_name is not None:
        record = twilio.rename(record.sid, inputs.friendly_name)
        renaming = f", and renamed {renaming}"
    engine.log("info", f"adopted {record.sid}, no call{renaming}", urn=_urn())
    return record


def wants_adoption(settings: Settings, adopt: bool | None) -> bool:
    """The resource's `adopt`, else that of the settings."""
    return settings.adopt if adopt is None else adopt


def mismatches(inputs: Mapping[str, Any], record: CallerId) -> Iterator[Failure]:
    """What the program gives, and Twilio has otherwise: with a reason that goes behind the program's value."""
    number, name = inputs.get("phone_number"), inputs.get("friendly_name")
    if number is not None and number != record.phone_number:
        yield "phone_number", f"{record.sid}, which import_ names, is {record.phone_number} at Twilio: correct either"
    if name is not None and name != record.friendly_name:
        reason = f"{record.sid}, which import_ names, is {record.friendly_name!r} at Twilio, where an import changes"
        yield "friendly_name", f"{reason} nothing: give that name or none, and rename it once it is imported"


def already_verified(record: CallerId, account_sid: str | None, urn: str) -> AlreadyVerified:
    """The number has a caller ID that the stack does not: how it can get there, to be copied and pasted.

    account_sid: the resource's, where it has one.
    """
    select = f"--phone-number {record.phone_number}"
    if urn:
        select += f" --name {name_of(urn)}"
    if account_sid:
        select += f" --account-sid {account_sid}"
    return AlreadyVerified(
        f"{readable(record.phone_number)} is a caller ID of account {record.account_sid} already: {record.sid}."
        " No call was placed.",
        "To have this stack manage it, without a call, one of:\n"
        f'  in the program       opts=pulumi.ResourceOptions(import_="{record.sid}")\n'
        "  in the program       adopt=True\n"
        f"  on the command line  python -m pulumi_twilio_caller_id import-file {select} > import.json\n"
        "                       pulumi import --file import.json --generate-code=false\n"
        "If it is in this stack under another name: opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=...)]).",
    )


def _not_there(same_number: CallerId | None) -> str:
    said = "the account has no such OutgoingCallerId (20404)"
    if same_number is not None:
        return f"{said}; the one of {same_number.phone_number} is {same_number.sid}"
    return f"{said}; a number bought from Twilio has a sid of the same form, but is none"


def _renaming(record: CallerId, inputs: Mapping[str, Any]) -> str:
    """From which to which friendly name, "" where the program wants no other."""
    name = inputs.get("friendly_name")
    return "" if name in (None, record.friendly_name) else f"from {record.friendly_name!r} to {name!r}"


def _urn() -> str:
    rpc = engine.current_rpc()
    return rpc.urn if rpc else ""
