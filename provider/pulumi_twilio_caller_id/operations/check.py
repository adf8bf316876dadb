"""Check the inputs of a resource: normalise them, refuse bad ones, and say what a preview knows of a new number."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import DeclaredTwice
from pulumi_twilio_caller_id.inputs import DECLARATION, DRY_RUN, IMPORT, validate_inputs
from pulumi_twilio_caller_id.phone_number import odd_length
from pulumi_twilio_caller_id.settings import sources
from pulumi_twilio_caller_id.text import is_displayable, quote, sanitize

Failure = tuple[str, str]
"""A property ("" for the whole resource), and the reason why its value is refused."""


def check(
    plugin: Plugin, call: Call, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: Container[str]
) -> tuple[dict[str, Any], list[Failure]]:
    """Return the normalised inputs, and what is wrong with them. unknown: the inputs that have no value yet.

    The preview of a new resource also says what will happen to its number, or to the caller ID that it imports.
    """
    declaration = {name: news[name] for name in DECLARATION if news.get(name) is not None}
    inputs, failures = validate_inputs(
        {name: value for name, value in news.items() if name not in declaration},
        unknown=unknown,
        region=sources.default_region(plugin.config),
        region_setting=sources.region_setting(plugin.config),
        before=olds,
    )
    if not olds and (warning := odd_length(inputs.get("phone_number", ""))):
        call.log("warning", warning)
    import_sid, is_preview = declaration.get(IMPORT), DRY_RUN in declaration
    plugin.ownership.record_declaration(call.urn, in_state=bool(olds), import_sid=import_sid, previewed=is_preview)
    failures += _declared_twice(plugin, call, inputs, unknown)
    if is_preview and not olds and not failures:
        from .preview import preview_create

        failures = preview_create(plugin, call, inputs, unknown, declaration)
    # Create looks the sid up by the resource's URN. If there is no URN, the inputs carry it.
    kept = {IMPORT: import_sid} if import_sid and not (olds or call.urn) else {}
    return {**inputs, **kept}, [_as_shown(*failure, news) for failure in failures]


def _declared_twice(plugin: Plugin, call: Call, inputs: Mapping[str, Any], unknown: Container[str]) -> list[Failure]:
    """Refuse the number if another resource of the stack declares it in the same account."""
    number = inputs.get("phone_number")
    if number is None or "account_sid" in unknown:
        return []
    try:
        plugin.ownership.declare_number(number, plugin.account_key(inputs.get("account_sid")), call.urn)
    except DeclaredTwice as failed:
        return [("phone_number", f"{failed.other!r} declares it too, in the same account: declare each number once")]
    return []


def _as_shown(name: str, reason: str, props: Mapping[str, Any]) -> Failure:
    """The failure as the engine may print it. It prints the property's value before the reason, as it is.

    So a value that steers a terminal, or fills it, goes unprinted. Of an option, such as import_, the engine knows no
    value, so the reason names it.
    """
    reason = sanitize(reason)
    if name == "import_":
        return "", f"import_ is {quote(props[IMPORT])}: {reason}"
    return (name, reason) if is_displayable(props.get(name)) else ("", f"{name}: {reason}")
