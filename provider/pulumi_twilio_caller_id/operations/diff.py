"""Tell what is a change: between the program and the state, and between the state and Twilio."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.phone_number import readable

from .friendly_name import is_other_name


def diff(
    plugin: Plugin, call: Call, sid: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: Container[str]
) -> tuple[bool, list[str]]:
    """Return whether anything changes, and the properties for which the caller ID is replaced by another one.

    Another number or account is another caller ID; another friendly name is an update; the other inputs matter for
    creation alone. unknown: the inputs that have no value yet, which count as changed.
    """
    replaces = _replacing_properties(plugin, olds, news, unknown)
    if plugin.ownership.import_sid(call.urn) not in (None, sid):  # as the engine's own import does with another sid
        replaces.append("import_")
    if replaces:
        plugin.ownership.release(sid, call.urn)
        # The engine checks the resource again, as a new one. The preview of that check says what is deleted.
        number = readable(str(olds.get("phone_number")))
        plugin.ownership.set_replaced_caller_id(call.urn, f"{number} ({sid})")
    else:
        keep_from_deletion(plugin, call, sid, olds)
    renamed = "friendly_name" in unknown or is_other_name(news.get("friendly_name"), olds.get("friendly_name"))
    return bool(replaces) or renamed, replaces


def _replacing_properties(
    plugin: Plugin, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: Container[str]
) -> list[str]:
    # A resource that names no account means that of the settings.
    wanted = {**news, "account_sid": news.get("account_sid") or plugin.account_sid}
    return [
        name
        for name in ("phone_number", "account_sid")
        if name in olds and (name in unknown or wanted.get(name) not in (None, olds[name]))
    ]


def keep_from_deletion(plugin: Plugin, call: Call, sid: str, olds: Mapping[str, Any]) -> None:
    """Claim the caller ID for this declared resource, so that `delete` leaves it alone.

    Raises AlreadyVerified if another resource has taken the caller ID over.
    """
    if plugin.ownership.is_in_state(call.urn):  # not in a refresh, which calls diff too, and may precede a destroy
        plugin.ownership.acquire_or_fail(sid, call.urn, str(olds.get("phone_number")))


def refreshed_inputs(inputs: Mapping[str, Any] | None, outputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the inputs with what Twilio has now, so that a refresh shows drift on the property it is in.

    None if they are up to date. outputs: what Twilio has now.
    """
    if not inputs or "phone_number" not in inputs:
        return None
    current = {"phone_number": outputs["phone_number"]}
    if is_other_name(inputs.get("friendly_name"), outputs["friendly_name"]):
        current["friendly_name"] = outputs["friendly_name"]
    refreshed = {name: current.get(name, value) for name, value in inputs.items()}
    return None if refreshed == inputs else refreshed
