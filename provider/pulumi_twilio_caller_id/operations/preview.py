"""Preview a resource to be created: say in one line what `pulumi up` will do, or why it will fail.

A reviewer has to see whose phone will ring. A preview only reads. If a request to Twilio fails, it warns and continues.
Without credentials, or with `preflight` off, it makes no request.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import CallerIdError, CredentialsMissing, NotFound, OwnershipUnknown, SettingsError
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID, DEFAULT_TIMEOUT_SECONDS, Failure
from pulumi_twilio_caller_id.ownership import name_of
from pulumi_twilio_caller_id.phone_number import international_format

from .adopt import already_verified, import_not_found_reason, mismatches, wants_adoption
from .friendly_name import friendly_name_differs

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.api.listing_cache import Listing

Outcome = str | list[Failure]
"""A line that says what `pulumi up` will do, or the failures that it will end with."""


def preview_create(
    plugin: Plugin,
    operation: Operation,
    inputs: Properties,
    unknown: Container[str],
    *,
    import_sid: object = None,
    timeout: str | None = None,
    region_note: str | None = None,
) -> list[Failure]:
    """Say what creating this resource will do. Return the failures that `pulumi up` would end with.

    inputs: the known inputs, normalised. unknown: the names of the inputs that only `pulumi up` knows.
    import_sid: the value of `import_`. timeout: the resource's `custom_timeouts.create`, such as "8m".
    region_note: says which country was assumed for the number. None without such an assumption.
    """
    try:
        plugin.ownership.fail_if_notes_unusable()
    except OwnershipUnknown as failed:
        plugin.log_once("warning", f"`pulumi up` will stop: {failed}")
    ask_twilio = _may_ask_twilio(plugin, unknown)
    if import_sid is not None:
        outcome = _import_outcome(plugin, operation, inputs, import_sid, ask_twilio=ask_twilio)
    else:
        outcome = _creation_outcome(plugin, operation, inputs, unknown, timeout, ask_twilio=ask_twilio)
    if isinstance(outcome, list):
        return outcome
    # Before a replacement, the engine calls check, diff, and check again. Diff stored which caller ID will be deleted.
    replaced = plugin.ownership.replaced_caller_id(operation.urn)
    if replaced:  # only `pulumi up` finds out whether another resource or an option keeps it
        outcome += f", then delete {replaced} unless another resource or retain_on_delete keeps it"
    if region_note is not None:
        outcome += f"; {region_note}"
    operation.log("info", outcome)
    return []


def _may_ask_twilio(plugin: Plugin, unknown: Container[str]) -> bool:
    """Return False without valid credentials, with `preflight` off, or if only `pulumi up` will know the account."""
    try:
        settings = plugin.settings
    except CredentialsMissing:
        plugin.log_once(
            "info",
            "could not check which numbers are verified already: no credentials; `pulumi up` will need them",
        )
        return False
    except SettingsError as failed:
        plugin.log_once("warning", str(failed))
        return False
    return settings.preflight and "account_sid" not in unknown


def _import_outcome(
    plugin: Plugin, operation: Operation, inputs: Properties, sid: object, *, ask_twilio: bool
) -> Outcome:
    """Return what `pulumi up` will do with a resource that has `import_`.

    ask_twilio: if it is False, only the form of the sid is checked.
    """
    if not isinstance(sid, str) or not CALLER_ID_SID.fullmatch(sid):
        return [("import_", "it is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits")]
    if ask_twilio:
        owner = _other_owner(plugin, operation, sid)
        if owner is not None:
            return [("import_", f"it is managed as {owner!r} in this stack already")]
        failures = _import_failures(plugin, operation, inputs, sid)
        if failures:
            return failures
    plugin.ownership.acquire(sid, operation.urn)
    return f"import {sid}, no call"


def _import_failures(plugin: Plugin, operation: Operation, inputs: Properties, sid: str) -> list[Failure]:
    """Return why the caller ID of this sid can't be imported: it does not exist, or differs from the inputs."""
    listing = _listing(plugin, operation, inputs.get("account_sid"))
    if listing is None:
        return []
    caller_id = listing.by_sid(sid)
    if caller_id is None:  # the listing may be out of date
        client = _client(plugin, operation, inputs.get("account_sid"))
        try:
            caller_id = client.fetch(sid)
        except NotFound:
            return [("import_", import_not_found_reason(listing.by_number(inputs.get("phone_number", ""))))]
        except CallerIdError as failed:
            _warn_listing_failed(plugin, failed)
            return []
    return list(mismatches(inputs, caller_id))


def _creation_outcome(
    plugin: Plugin,
    operation: Operation,
    inputs: Properties,
    unknown: Container[str],
    timeout: str | None,
    *,
    ask_twilio: bool,
) -> Outcome:
    """Return what `pulumi up` will do with a resource without `import_`. timeout: such as "8m"."""
    number = inputs.get("phone_number")
    number_text = international_format(number) if number else "the number"
    listing = _listing(plugin, operation, inputs.get("account_sid")) if ask_twilio and number else None
    caller_id = listing.by_number(number) if listing and number else None
    if caller_id is None:
        # "8m" becomes "8 min". Other durations, such as "1h30m", stay.
        within = re.sub(r"^(\d+)m$", r"\1 min", timeout or f"{DEFAULT_TIMEOUT_SECONDS / 60:g}m")
        return f"`pulumi up` will call {number_text} (someone must key in a 6-digit code within {within})"
    owner = _other_owner(plugin, operation, caller_id.sid)
    if owner is not None:
        return [("phone_number", f"it is managed as {owner!r} in this stack already ({caller_id.sid})")]
    if wants_adoption(plugin.settings, inputs.get("adopt")):
        plugin.ownership.acquire(caller_id.sid, operation.urn)
        rename = friendly_name_differs(inputs.get("friendly_name"), caller_id.friendly_name)
        return f"adopt {caller_id.sid}, no call" + (", and rename it" if rename else "")
    if "adopt" in unknown:
        unless = "adopt, not known yet, turns out true"
        return f"{number_text} is already verified as {caller_id.sid}: `pulumi up` will fail unless {unless}"
    todo = already_verified(caller_id, inputs, operation.urn).todo
    reason = (
        f"it is a caller ID of account {caller_id.account_sid} already: {caller_id.sid}. No call was placed.\n{todo}"
    )
    return [("phone_number", reason)]


def _client(plugin: Plugin, operation: Operation, account_sid: str | None) -> Client:
    from pulumi_twilio_caller_id.api.transport import PREVIEW_RETRIES  # late: some previews never ask Twilio

    return plugin.client(account_sid, operation.cancel, policy=PREVIEW_RETRIES)


def _listing(plugin: Plugin, operation: Operation, account_sid: str | None) -> Listing | None:
    """Return the account's caller IDs, listed once for the whole preview; None, with a warning, if that fails."""
    client = _client(plugin, operation, account_sid)
    try:
        # A listing of any age will do, because this process ends with the preview.
        return plugin.listing_cache.get(client, math.inf)
    except CallerIdError as failed:
        _warn_listing_failed(plugin, failed)
        return None


def _other_owner(plugin: Plugin, operation: Operation, sid: str) -> str | None:
    """Return the name of another resource that owns the caller ID, None if there is no other owner."""
    owner = plugin.ownership.owner(sid)
    return name_of(owner) if owner and owner != operation.urn else None


def _warn_listing_failed(plugin: Plugin, failed: CallerIdError) -> None:
    plugin.log_once("warning", f"This preview can't tell verified numbers from new ones: {failed}")
