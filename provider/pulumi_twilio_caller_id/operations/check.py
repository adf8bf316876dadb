"""Check the inputs of a resource: normalise them, refuse bad ones, and preview what happens to a new resource."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import DeclaredTwice
from pulumi_twilio_caller_id.inputs import CREATE_TIMEOUT, DRY_RUN, HIDDEN_PROPERTIES, IMPORT, Failure, validate_inputs
from pulumi_twilio_caller_id.phone_number import assumed_country_note, unusual_length_warning
from pulumi_twilio_caller_id.settings import sources
from pulumi_twilio_caller_id.text import is_displayable, quote, sanitize


def check(
    plugin: Plugin, operation: Operation, old_inputs: Properties, given: Properties, unknown: Container[str]
) -> tuple[dict[str, Any], list[Failure]]:
    """Return the normalised inputs, and what is wrong with them.

    In a preview of a new resource, also log what `pulumi up` will do.

    old_inputs: the inputs in the state; empty for a new resource. given: the program's inputs, with the sid of
    `import_` and what else the resource's class adds (`HIDDEN_PROPERTIES`). unknown: the inputs without a value yet.
    """
    is_new = not old_inputs
    hidden_properties = {name: given[name] for name in HIDDEN_PROPERTIES if given.get(name) is not None}
    region = sources.default_region(plugin.config)
    inputs, failures = validate_inputs(
        {name: value for name, value in given.items() if name not in hidden_properties},
        unknown=unknown,
        region=region,
        old_inputs=old_inputs,
    )
    if is_new and (warning := unusual_length_warning(inputs.get("phone_number", ""))):
        operation.log("warning", warning)
    import_sid = hidden_properties.get(IMPORT)
    plugin.ownership.record_declaration(operation.urn, in_state=not is_new, import_sid=import_sid)
    failures += _acquire_number(plugin, operation, inputs, unknown)
    if DRY_RUN in hidden_properties and is_new and not failures:
        from .preview import preview_create

        failures = preview_create(
            plugin,
            operation,
            inputs,
            unknown,
            import_sid=import_sid,
            timeout=hidden_properties.get(CREATE_TIMEOUT),
            region_note=assumed_country_note(given.get("phone_number"), region),
        )
    # `create` finds the sid that `record_declaration` stored for the URN. Without a URN, it needs the sid as an input.
    import_input = {IMPORT: import_sid} if import_sid and is_new and not operation.urn else {}
    return {**inputs, **import_input}, [_displayable_failure(*failure, given) for failure in failures]


def _acquire_number(plugin: Plugin, operation: Operation, inputs: Properties, unknown: Container[str]) -> list[Failure]:
    """Make this resource the owner of its number. Return a failure if another resource of the stack declares it too."""
    number = inputs.get("phone_number")
    if number is None or "account_sid" in unknown:
        return []
    try:
        plugin.ownership.acquire_number(number, plugin.account_key(inputs.get("account_sid")), operation.urn)
    except DeclaredTwice as failed:
        return [("phone_number", f"{failed.other!r} declares it too, in the same account: declare each number once")]
    return []


def _displayable_failure(name: str, reason: str, props: Properties) -> Failure:
    """Return the failure in a form that is safe in a terminal.

    The engine prints the value of the named property, then the reason. If the value is unsafe, name no property. The
    engine does not know the value of `import_`, so the reason quotes it.
    """
    reason = sanitize(reason)
    if name == "import_":
        return "", f"import_ is {quote(props[IMPORT])}: {reason}"
    return (name, reason) if is_displayable(props.get(name)) else ("", f"{name}: {reason}")
