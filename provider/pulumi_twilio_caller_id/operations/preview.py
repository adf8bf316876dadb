"""What a preview says about a resource to be created: one line on what `pulumi up` will do, or why it will fail.

A reviewer has to see whose phone will ring. A preview only reads. If Twilio can't be asked, it goes on with a warning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping
from typing import Any

from pulumi_twilio_caller_id.api.listing_cache import Listing
from pulumi_twilio_caller_id.api.transport import PREVIEW
from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import CallerIdError, CredentialsMissing, NotFound, OwnershipUnknown, SettingsError
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID, CREATE_TIMEOUT, IMPORT
from pulumi_twilio_caller_id.ownership import name_of
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.verification.waiter import TIMEOUT

from .adopt import Failure, already_verified, mismatches, not_there, wants_adoption
from .friendly_name import is_other_name

Outcome = str | list[Failure]
"""What `pulumi up` will do, in words; or why it will fail."""


def preview_create(
    plugin: Plugin, call: Call, inputs: Mapping[str, Any], unknown: Container[str], declaration: Mapping[str, Any]
) -> list[Failure]:
    """Say what creating this resource will do. Return why it will fail, if it will.

    inputs: the known inputs, normalized. unknown: the names of the inputs that only `pulumi up` knows.
    declaration: the extra properties of the resource, see `inputs.DECLARATION`.
    """
    try:
        plugin.ownership.check_notes()
    except OwnershipUnknown as failed:
        plugin.warn_once(f"`pulumi up` will stop: {failed}")
    settings = _listing_settings(plugin, unknown)
    if IMPORT in declaration:
        outcome = _import(plugin, call, inputs, settings, declaration[IMPORT])
    else:
        timeout = declaration.get(CREATE_TIMEOUT)
        outcome = _create(plugin, call, inputs, settings, timeout, is_adopt_known="adopt" not in unknown)
    if isinstance(outcome, list):
        return outcome
    # The engine checks a resource that is to be replaced twice. Between the two, diff has stored what is replaced.
    replaced = plugin.ownership.replaced_caller_id(call.urn)
    if replaced:  # only `pulumi up` finds out whether something keeps it
        outcome += f", then delete {replaced} unless another resource or retain_on_delete keeps it"
    call.log("info", outcome)
    return []


def _listing_settings(plugin: Plugin, unknown: Container[str]) -> Settings | None:
    """Return the settings to list the account with.

    None if they are missing or wrong, if `preflight` is off, or if the account is known only in `pulumi up`.
    """
    try:
        settings = plugin.settings()
    except CredentialsMissing:
        return None
    except SettingsError as failed:
        plugin.warn_once(str(failed))
        return None
    return settings if settings.preflight and "account_sid" not in unknown else None


def _import(plugin: Plugin, call: Call, inputs: Mapping[str, Any], settings: Settings | None, sid: object) -> Outcome:
    """Return what `pulumi up` will do with a resource that has `import_`."""
    if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
        return [("import_", "it is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits")]
    if settings is not None:
        owner = _other_owner(plugin, call, sid)
        if owner is not None:
            return [("import_", f"it is managed as {owner!r} in this stack already")]
        failures = _import_failures(plugin, call, inputs, settings, sid)
        if failures:
            return failures
    plugin.ownership.acquire(sid, call.urn)
    return f"import {sid}, no call"


def _import_failures(
    plugin: Plugin, call: Call, inputs: Mapping[str, Any], settings: Settings, sid: str
) -> list[Failure]:
    """Return why the caller ID of this sid can't be imported: Twilio has no such sid, or it is another number."""
    listing = _listing(plugin, call, settings, inputs.get("account_sid"))
    if listing is None:
        return []
    record = listing.with_sid(sid)
    if record is None:  # the listing may lag
        client = plugin.client(inputs.get("account_sid"), call.cancel, settings=settings, policy=PREVIEW)
        try:
            record = client.fetch(sid)
        except NotFound:
            return [("import_", not_there(listing.with_number(inputs.get("phone_number", ""))))]
        except CallerIdError as failed:
            _warn_unasked(plugin, failed)
            return []
    return list(mismatches(inputs, record))


def _create(
    plugin: Plugin,
    call: Call,
    inputs: Mapping[str, Any],
    settings: Settings | None,
    timeout: str | None,
    *,
    is_adopt_known: bool,
) -> Outcome:
    """Return what `pulumi up` will do with a resource without `import_`.

    timeout: the resource's `custom_timeouts.create`, such as "8m".
    """
    number = inputs.get("phone_number")
    whom = readable(number) if number else "the number"
    listing = _listing(plugin, call, settings, inputs.get("account_sid")) if settings and number else None
    record = listing.with_number(number) if listing and number else None
    if settings is None or record is None:
        within = re.sub(r"^(\d+)m$", r"\1 min", timeout or f"{TIMEOUT / 60:g}m")
        return f"`pulumi up` will call {whom} (someone must key in a 6-digit code within {within})"
    owner = _other_owner(plugin, call, record.sid)
    if owner is not None:
        return [("phone_number", f"it is managed as {owner!r} in this stack already ({record.sid})")]
    if wants_adoption(settings, inputs.get("adopt")):
        plugin.ownership.acquire(record.sid, call.urn)
        rename = is_other_name(inputs.get("friendly_name"), record.friendly_name)
        return f"adopt {record.sid}, no call" + (", and rename it" if rename else "")
    if not is_adopt_known:
        unless = "you set adopt=True or delete it first"
        return f"{whom} is already verified as {record.sid}: `pulumi up` will fail unless {unless}"
    todo = already_verified(record, inputs.get("account_sid"), call.urn).todo
    reason = f"it is a caller ID of account {record.account_sid} already: {record.sid}. No call was placed.\n{todo}"
    return [("phone_number", reason)]


def _listing(plugin: Plugin, call: Call, settings: Settings, account_sid: str | None) -> Listing | None:
    """Return the account's caller IDs, listed once for the whole preview; None, with a warning, if that fails."""
    client = plugin.client(account_sid, call.cancel, settings=settings, policy=PREVIEW)
    try:
        return plugin.listing_cache.get(client, math.inf)
    except CallerIdError as failed:
        _warn_unasked(plugin, failed)
        return None


def _other_owner(plugin: Plugin, call: Call, sid: str) -> str | None:
    """Return the name of the resource that owns the caller ID in this operation, None if it is this one or none."""
    owner = plugin.ownership.owner(sid)
    return name_of(owner) if owner and owner != call.urn else None


def _warn_unasked(plugin: Plugin, failed: CallerIdError) -> None:
    plugin.warn_once(f"Numbers that are verified already can't be told from new ones now: {failed}")
