"""What a preview says of a resource, as far as reading tells: what `up` is going to do, and what speaks against it.

Each new or changed number gets one line on its row: somebody who reviews it has to see that a phone is going to ring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.errors import CallerIdError, CredentialsMissing, NotFound, OwnershipUnknown, SettingsError
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID, DELETE_BEFORE_REPLACE, DRY_RUN, IMPORT
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.ownership import Ownership, name_of
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import quote_name
from pulumi_twilio_caller_id.verification.waiter import TIMEOUT

from .adopt import Failure, already_verified, mismatches, not_there, renaming_of, wants_adoption
from .diff import is_renamed
from .friendly_name import conceal_made
from .preflight import connect, preflight

ADOPT_OR_DELETE = "you set adopt=True or delete it first"


def warn_without_notes(ownership: Ownership) -> None:
    """Warn, once, if `up` will stop because the plugin processes can't tell each other what they own."""
    try:
        ownership.check_notes()
    except OwnershipUnknown as failed:
        preflight.warn(f"`pulumi up` will stop: {failed}")


def of_new(
    urn: str,
    inputs: Mapping[str, Any],
    unknown: Container[str],
    hints: Mapping[str, Any],
    account: Callable[[], Settings],
    ownership: Ownership,
) -> list[Failure]:
    """Of a resource that is to be created.

    inputs: those with a value, normalised. unknown: those without one yet. hints: what its declaration says beside its
    inputs. account: where it is not set, or `preflight` is off, Twilio is not asked.
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
    if IMPORT in hints:
        outlook: _Outlook = _Import(urn, inputs, settings, ownership, hints[IMPORT])
    else:
        unless = "it deletes that first (delete_before_replace)" if hints.get(DELETE_BEFORE_REPLACE) else ""
        unless = ADOPT_OR_DELETE if "adopt" in unknown else unless
        outlook = _Creation(urn, inputs, settings, ownership, wait=hints[DRY_RUN], unless=unless)
    failures, text = outlook.tell()
    if text and not failures:
        old = ownership.replaced_caller_id(urn)
        if old:  # a resource that takes it over may come later; whether it is retained, the state alone knows
            delete = "after deleting" if hints.get(DELETE_BEFORE_REPLACE) else "then delete"
            text += f", {delete} {old} unless another resource or retain_on_delete keeps it"
        pulumi_sdk.log("info", text, urn=urn)
    return failures


def of_change(urn: str, sid: str, olds: Mapping[str, Any], news: Mapping[str, Any], *, replaced: bool) -> str:
    """Of a resource that is in the state: its caller ID, in words, if it is replaced; else say which name it gets."""
    if replaced:
        return f"{readable(str(olds.get('phone_number')))} ({sid})"
    old, new = olds.get("friendly_name"), news.get("friendly_name")
    rpc = pulumi_sdk.current_rpc()
    conceal_made(old, ((rpc and rpc.old_inputs) or {}).get("friendly_name"))
    if pulumi_sdk.is_unknown(new):
        pulumi_sdk.log("info", f"rename from {quote_name(old)}, to a name that is not known yet", urn=urn)
    elif is_renamed(olds, news):
        pulumi_sdk.log("info", f"rename {renaming_of(old, new)}", urn=urn)
    return ""


class _Outlook:
    """Of one new resource. settings: None where Twilio is not to be asked."""

    def __init__(self, urn: str, inputs: Mapping[str, Any], settings: Settings | None, ownership: Ownership) -> None:
        self._urn = urn
        self._inputs = inputs
        self._settings = settings
        self._ownership = ownership

    def tell(self) -> tuple[list[Failure], str]:
        """What speaks against it, and what else happens."""
        raise NotImplementedError

    def _other_holder(self, sid: str) -> str | None:
        holder = self._ownership.owner(sid)
        return name_of(holder) if holder and holder != self._urn else None


class _Import(_Outlook):
    """Of a resource with `import_`."""

    def __init__(
        self, urn: str, inputs: Mapping[str, Any], settings: Settings | None, ownership: Ownership, sid: object
    ) -> None:
        super().__init__(urn, inputs, settings, ownership)
        self._sid = sid

    def tell(self) -> tuple[list[Failure], str]:
        sid = self._sid
        if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
            return [("import_", "it is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits")], ""
        failures = [] if self._settings is None else self._against(self._settings, sid)
        if not failures:
            self._ownership.acquire(sid, self._urn)
        return failures, f"import {sid}, no call"

    def _against(self, settings: Settings, sid: str) -> list[Failure]:
        holder = self._other_holder(sid)
        if holder is not None:
            return [("import_", f"it is managed as {holder!r} in this stack already")]
        listing = preflight.listing(settings, self._inputs.get("account_sid"))
        if listing is None:
            return []
        record = listing.of_sid(sid) or self._fetched(settings, sid)
        if isinstance(record, NotFound):
            return [("import_", not_there(listing.of_number(self._inputs.get("phone_number", ""))))]
        return [] if record is None else list(mismatches(self._inputs, record))

    def _fetched(self, settings: Settings, sid: str) -> CallerId | NotFound | None:
        """Listings may lag: what one lacks is asked for by its sid before it is said not to be there."""
        try:
            return connect(settings, self._inputs.get("account_sid")).fetch(sid)
        except NotFound as failed:
            return failed
        except CallerIdError as failed:
            preflight.warn_of(failed)
            return None


class _Creation(_Outlook):
    """Of a resource that is to be verified, unless its number is.

    wait: how long `pulumi up` waits for the code. unless: what may still keep `pulumi up` from failing if the number is
    verified already; "" if nothing may.
    """

    def __init__(
        self,
        urn: str,
        inputs: Mapping[str, Any],
        settings: Settings | None,
        ownership: Ownership,
        *,
        wait: object,
        unless: str,
    ) -> None:
        super().__init__(urn, inputs, settings, ownership)
        self._wait = re.sub(r"^(\d+)m$", r"\1 min", wait) if isinstance(wait, str) else f"{TIMEOUT / 60:g} min"
        self._unless = unless

    def tell(self) -> tuple[list[Failure], str]:
        number = self._inputs.get("phone_number")
        whom = readable(number) if number else "the number"
        phone = f"`pulumi up` will call {whom} (someone must key in a 6-digit code within {self._wait})"
        if self._settings is None or number is None:
            return [], phone
        listing = preflight.listing(self._settings, self._inputs.get("account_sid"))
        record = listing.of_number(number) if listing else None
        if record is None:
            return [], phone
        holder = self._other_holder(record.sid)
        if holder is not None:
            return [("phone_number", f"it is managed as {holder!r} in this stack already ({record.sid})")], ""
        if wants_adoption(self._settings, self._inputs.get("adopt")):
            self._ownership.acquire(record.sid, self._urn)
            renaming = renaming_of(record.friendly_name, self._inputs.get("friendly_name"))
            return [], f"adopt {record.sid}, no call" + (f", and rename {renaming}" if renaming else "")
        if self._unless:
            return [], f"{whom} is already verified as {record.sid}: `pulumi up` will fail unless {self._unless}"
        todo = already_verified(record, self._inputs.get("account_sid"), self._urn).todo
        reason = f"it is a caller ID of account {record.account_sid} already: {record.sid}. No call was placed.\n{todo}"
        return [("phone_number", reason)], ""
