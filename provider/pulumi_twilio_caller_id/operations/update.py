"""Update a caller ID at Twilio. Only its friendly name can change."""

from __future__ import annotations

from typing import Any

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import Gone, NotFound
from pulumi_twilio_caller_id.phone_number import international_format

from .delete import fail_if_listed
from .diff import acquire_if_declared
from .friendly_name import friendly_name_differs, rename


def update(
    plugin: Plugin, operation: Operation, sid: str, old_outputs: Properties, new_inputs: Properties
) -> dict[str, Any]:
    """Give the caller ID the program's friendly name, and return the outputs. Raises Gone if it is not at Twilio."""
    acquire_if_declared(plugin, operation, sid, old_outputs)
    name = new_inputs.get("friendly_name")
    if not friendly_name_differs(name, old_outputs.get("friendly_name")):
        return dict(old_outputs)
    client = plugin.client(old_outputs.get("account_sid"), operation.cancel)
    try:
        return rename(operation, client, sid, str(name)).outputs()
    except NotFound as failed:
        fail_if_listed(plugin, client, sid, failed)
        number = international_format(str(old_outputs.get("phone_number", "")))
        raise Gone(
            f"{number} can't be renamed: its caller ID {sid} was removed at Twilio.",
            "Run `pulumi refresh` to take it out of the state, then `pulumi up` to verify the number again.",
        ) from failed
    finally:
        plugin.listing_cache.invalidate(sid)
