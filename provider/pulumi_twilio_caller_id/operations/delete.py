"""Delete a caller ID at Twilio."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import AnswerLost, NotFound, OwnershipUnknown
from pulumi_twilio_caller_id.ownership import name_of

from .stored_credentials import stored_credentials

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client


def delete(plugin: Plugin, call: Call, sid: str, props: Mapping[str, Any]) -> None:
    """Delete the caller ID. One that is gone already, by its sid and by its account's list, counts as deleted.

    Skip it if its replacement, or another resource, took the caller ID over in this operation.
    """
    owner = plugin.ownership.begin_delete(sid, call.urn)
    if owner is not None:
        call.log("info", f"{sid} stays at Twilio: {name_of(owner)!r} has it")
        return
    account_sid = props.get("account_sid")
    try:
        with stored_credentials(plugin, call, account_sid, to_delete=True):
            client = plugin.client(account_sid, call.cancel)
            try:
                client.remove(sid)
            except NotFound as failed:
                fail_if_listed(plugin, client, sid, failed)
    except BaseException:
        with suppress(OwnershipUnknown):  # the first error matters more
            plugin.ownership.abort_delete(sid, call.urn)
        raise
    plugin.listing_cache.forget(sid)


def fail_if_listed(plugin: Plugin, client: Client, sid: str, not_found: NotFound) -> None:
    """Raise AnswerLost if the account still lists a caller ID that Twilio said not to have."""
    if plugin.listing_cache.find_despite(not_found, client, sid) is not None:
        raise AnswerLost(
            not_found.step,
            f"it said that there is no such caller ID (20404), yet account {client.account_sid} lists it",
            "Run the same command again in a minute.",
        ) from not_found
