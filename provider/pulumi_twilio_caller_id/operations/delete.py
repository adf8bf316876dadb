"""Delete a caller ID at Twilio."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import AnswerLost, NotFound, OwnershipUnknown
from pulumi_twilio_caller_id.ownership import name_of
from pulumi_twilio_caller_id.phone_number import international_format

from .stored_credentials import advise_if_credentials_refused

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client


def delete(plugin: Plugin, operation: Operation, sid: str, outputs: Properties) -> None:
    """Delete the caller ID, unless its replacement or another resource has just taken it over.

    A caller ID that Twilio neither finds by sid nor lists for the account counts as deleted.
    """
    owner = plugin.ownership.begin_delete(sid, operation.urn)
    if owner is not None:
        operation.log("info", f"{sid} stays at Twilio: {name_of(owner)!r} has it")
        return
    number = international_format(str(outputs.get("phone_number")))
    operation.log("info", f"deletes caller ID {number}", ephemeral=True)
    account_sid = outputs.get("account_sid")
    try:
        with advise_if_credentials_refused(plugin, operation, account_sid, to_delete=True):
            client = plugin.client(account_sid, operation.cancel)
            try:
                client.remove(sid)
            except NotFound as failed:
                fail_if_listed(plugin, client, sid, failed)
    except BaseException:
        with suppress(OwnershipUnknown):  # the first error matters more
            plugin.ownership.abort_delete(sid, operation.urn)
        raise
    plugin.listing_cache.invalidate(sid)


def fail_if_listed(plugin: Plugin, client: Client, sid: str, not_found: NotFound) -> None:
    """Raise AnswerLost if Twilio answers 404 for the sid but its account still lists it. not_found: that answer."""
    if plugin.listing_cache.find_in_listing_after_404(not_found, client, sid) is not None:
        raise AnswerLost(
            not_found.action,
            f"it said that there is no such caller ID (20404), yet account {client.account_sid} lists it",
            "Run the same command again in a minute.",
        ) from not_found
