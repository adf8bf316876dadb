"""Read a caller ID, for a refresh and for `OutgoingCallerId.get`."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import Gone, NotFound, OwnershipUnknown
from pulumi_twilio_caller_id.phone_number import international_format

from .diff import refreshed_inputs
from .stored_credentials import advise_if_credentials_refused


def read(
    plugin: Plugin, operation: Operation, sid: str, old_outputs: Properties
) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
    """Return the outputs that Twilio has now, and the inputs if they changed; None if the caller ID is gone.

    Gone means that Twilio knows no such sid (404 with 20404) and that a listing of its account lacks it. For
    `OutgoingCallerId.get`, raise Gone instead of returning None.
    """
    account_sid = old_outputs.get("account_sid")
    # For `get`, the engine passes what the program gives, without the sid. In a later refresh, it passes all outputs.
    is_get = "sid" not in old_outputs
    client = plugin.client(account_sid, operation.cancel)
    # `get` runs with the program, so its credentials are current, not stored ones.
    with nullcontext() if is_get else advise_if_credentials_refused(plugin, operation, account_sid):
        try:
            caller_id = plugin.listing_cache.fetch(client, sid)
        except NotFound as failed:
            listed = plugin.listing_cache.find_in_listing_after_404(failed, client, sid)
            if listed is None and is_get:
                raise Gone(
                    f"There is no OutgoingCallerId {sid} in account {client.account_sid} (20404).",
                    "Check the sid: a number bought from Twilio has such a sid too.",
                ) from failed
            if listed is None:
                number = international_format(str(old_outputs.get("phone_number")))
                is_read_only = "phone_number" not in (operation.read_old_inputs() or {})  # a `get` of an earlier run
                consequence = "" if is_read_only else "; the next `pulumi up` will call it"
                operation.log("warning", f"{number} ({sid}) is gone at Twilio{consequence}")
                return None
            caller_id = listed
    if is_get:
        with suppress(OwnershipUnknown):  # without notes, `delete` refuses to run
            plugin.ownership.record_read(sid, operation.urn)
            plugin.ownership.fail_if_deleted(sid, caller_id.phone_number)
    outputs = caller_id.outputs()
    return outputs, refreshed_inputs(operation.read_old_inputs(), outputs)
