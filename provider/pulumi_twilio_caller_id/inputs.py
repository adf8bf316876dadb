"""Validates a resource's inputs, and names the hidden properties that its constructor adds for `check`.

The inputs themselves are defined in `models.py`. It is imported, with pydantic, only if an input changed, so that
unchanged stacks start faster.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from .phone_number import DEFAULT_REGION, E164, DefaultRegion

ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
CALLER_ID_SID = re.compile(r"PN[0-9a-fA-F]{32}")

# Hidden properties: the resource's constructor adds them, and `check` reads and removes them.
# Pulumi transforms see them: the double underscore marks them as internal, like the SDK's `__provider`.
IMPORT = "__import"  # the sid in the resource option `import_`
DRY_RUN = "__dry_run"  # True in a preview: the program knows that, the provider does not
CREATE_TIMEOUT = "__create_timeout"  # `custom_timeouts.create`, such as "8m". Only previews have it, to print it.
HIDDEN_PROPERTIES = (IMPORT, DRY_RUN, CREATE_TIMEOUT)

DEFAULT_TIMEOUT_SECONDS = 300.0
"""How long create waits if `custom_timeouts.create` is not set. A validation call is over in two minutes."""

Failure = tuple[str, str]
"""The name of an input ("" for the whole resource), and the reason why it can't be used.

A reason begins with "it" and omits the value: the engine prints name and value before it, and hides secret values.
"""


def validate_inputs(
    inputs: Mapping[str, Any],
    *,
    unknown: Container[str] = (),
    region: DefaultRegion = DEFAULT_REGION,
    old_inputs: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[Failure]]:
    """Return the normalised inputs of a resource, and a failure for each that is invalid. None means "not set".

    unknown: names of further inputs, which have no value yet.
    region: the country of phone numbers without a country code.
    old_inputs: the inputs in the state. If all given inputs equal them, none is validated.
    """
    old_inputs = old_inputs or {}
    present = {name: value for name, value in inputs.items() if value is not None}
    has_number = "phone_number" in present or "phone_number" in unknown
    if has_number and all(_is_unchanged(name, value, old_inputs.get(name)) for name, value in present.items()):
        return present, []

    from .models import parse_input  # late, with pydantic

    valid: dict[str, Any] = {}
    failures: list[Failure] = []
    if not has_number:
        failures.append(("phone_number", "it is missing: give the number to verify, in E.164 such as +14155550101"))
    for name, value in present.items():
        try:
            valid[name] = parse_input(name, value, region, old_inputs.get("phone_number"))
        except ValueError as refused:
            failures.append((name, str(refused)))
    return valid, failures


def inputs_to_import(
    phone_number: str, friendly_name: str | None, account_sid: str | None = None
) -> dict[str, Any] | None:
    """Return the inputs that declare this caller ID in a program; None if its number can't be declared.

    A friendly name that `check` would refuse is left out, so that it stays Twilio's.
    """
    given = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    # Only an E.164 number that equals the old one passes unchanged. Others fail, or normalise to a different number.
    valid, _ = validate_inputs(given, old_inputs={"phone_number": phone_number})
    return valid if valid.get("phone_number") == phone_number else None


def _is_unchanged(name: str, value: object, old_value: object) -> bool:
    """Whether an input has the same value as in the state. Values were validated before they came there."""
    if name == "phone_number" and not E164.fullmatch(str(old_value)):  # `pulumi import --file` stores it unvalidated
        return False
    return type(value) is type(old_value) and value == old_value  # True == 1.0, but they are different inputs


def camel_case(name: str) -> str:
    """Return a Python name as Pulumi writes it in configuration: `phoneNumber` for `phone_number`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
