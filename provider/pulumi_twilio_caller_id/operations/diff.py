"""Find the differences between the program and the state, and between the state and Twilio."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.phone_number import international_format

from .friendly_name import friendly_name_differs


def diff(
    plugin: Plugin,
    operation: Operation,
    sid: str,
    old_outputs: Properties,
    new_inputs: Properties,
    unknown: Container[str],
) -> tuple[list[str], list[str]]:
    """Return the properties that change, and those of them that force a replacement.

    A changed number or account forces a replacement. A changed friendly name is an update. All other inputs matter
    only when the resource is created. unknown: the names of the inputs without a value yet, which count as changed.
    """
    replaces = _replacing_properties(plugin, old_outputs, new_inputs, unknown)
    # If `import_` names another sid than the state's, replace the resource, as Pulumi's import does.
    if plugin.ownership.import_sid(operation.urn) not in (None, sid):
        replaces.append("import_")
    if replaces:
        # Otherwise `delete` would take this resource for its own replacement (same URN), and keep the caller ID.
        plugin.ownership.release(sid, operation.urn)
        # The preview of the replacement logs which caller ID will be deleted.
        number = international_format(str(old_outputs.get("phone_number")))
        plugin.ownership.set_replaced_caller_id(operation.urn, f"{number} ({sid})")
    else:
        acquire_if_declared(plugin, operation, sid, old_outputs)
    old_name = old_outputs.get("friendly_name")
    renamed = "friendly_name" in unknown or friendly_name_differs(new_inputs.get("friendly_name"), old_name)
    return [*replaces, *(["friendly_name"] if renamed else [])], replaces


def _replacing_properties(
    plugin: Plugin, old_outputs: Properties, new_inputs: Properties, unknown: Container[str]
) -> list[str]:
    # Without an `account_sid` of its own, a resource belongs to the account of the settings.
    wanted = {**new_inputs, "account_sid": new_inputs.get("account_sid") or plugin.account_sid}
    return [
        name
        for name in ("phone_number", "account_sid")
        if name in old_outputs and (name in unknown or wanted.get(name) not in (None, old_outputs[name]))
    ]


def acquire_if_declared(plugin: Plugin, operation: Operation, sid: str, old_outputs: Properties) -> None:
    """Make a declared resource the owner of its caller ID, so that another resource's `delete` leaves it alone.

    Raises AlreadyVerified if another resource owns the caller ID already.
    """
    # `destroy --refresh` runs diff but no program. If diff made an owner there, `delete` would keep the caller ID.
    if plugin.ownership.is_declared_and_in_state(operation.urn):
        plugin.ownership.acquire_or_fail(sid, operation.urn, str(old_outputs.get("phone_number")))


def refreshed_inputs(inputs: Properties | None, outputs: Properties) -> dict[str, Any] | None:
    """Return the inputs with Twilio's current values, which a refresh shows as drift. Return None if nothing drifted.

    inputs: the inputs in the state. outputs: the caller ID as Twilio has it now.
    """
    if not inputs or "phone_number" not in inputs:  # a resource that `OutgoingCallerId.get` declares
        return None
    current = {"phone_number": outputs["phone_number"]}
    if friendly_name_differs(inputs.get("friendly_name"), outputs["friendly_name"]):
        current["friendly_name"] = outputs["friendly_name"]
    refreshed = {name: current.get(name, value) for name, value in inputs.items()}
    return None if refreshed == inputs else refreshed
