"""Update a caller ID at Twilio, where only its friendly name can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import Gone, NotFound
from pulumi_twilio_caller_id.phone_number import readable

from .delete import fail_if_listed
from .diff import keep_from_deletion
from .friendly_name import is_other_name, rename


def update(plugin: Plugin, call: Call, sid: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the caller ID if the program gives another friendly name, and return the outputs. Raises Gone."""
    keep_from_deletion(plugin, call, sid, olds)
    name = news.get("friendly_name")
    if not is_other_name(name, olds.get("friendly_name")):
        return dict(olds)
    client = plugin.client(olds.get("account_sid"), call.cancel)
    try:
        return rename(call, client, sid, str(name)).outputs()
    except NotFound as failed:
        fail_if_listed(plugin, client, sid, failed)
        number = readable(str(olds.get("phone_number", "")))
        raise Gone(
            f"{number} can't be renamed: its caller ID {sid} was removed at Twilio.",
            "Run `pulumi refresh` to take it out of the state, then `pulumi up` to verify the number again.",
        ) from failed
    finally:
        plugin.listing_cache.forget(sid)
