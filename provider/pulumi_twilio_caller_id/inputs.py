"""Validates a resource's inputs, and names the hidden properties that its constructor passes to Check.

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

# Hidden properties: the resource's constructor sets them, and `check` removes them (IMPORT only with a URN).
# Pulumi transforms also see them. The double underscore marks them as internal, like the SDK's `__provider`.
IMPORT = "__import"  # the sid in the resource option `import_`
DRY_RUN = "__dry_run"  # True in a preview: the engine tells the program, not the provider
CREATE_TIMEOUT = "__create_timeout"  # `custom_timeouts.create`, such as "8m": a preview says how long create waits
HIDDEN_PROPERTIES = (IMPORT, DRY_RUN, CREATE_TIMEOUT)

DEFAULT_TIMEOUT_SECONDS = 300.0
"""How long create waits if `custom_timeouts.create` is not set. A validation call is over in two minutes."""

Failure = tuple[str, str]
"""The name of an input ("" for the whole resource), and why it can't be used; the text calls the input "it"."""


def validate_inputs(
    inputs: Mapping[str, Any],
    *,
    unknown: Container[str] = (),
    region: DefaultRegion = DEFAULT_REGION,
    old_inputs: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[Failure]]:
    """Normalise each input of a resource independently. None means that an input is not set.

    unknown: names of further inputs, which have no value yet.
    region: the country of phone numbers without a country code, and how failures name its setting.
    old_inputs: the inputs in the state. If every given input equals its stored value, none is validated.

    Returns the normalised inputs, and the failures as (property, reason). A reason begins with "it" and omits the
    value: the engine prints property and value before the reason, and knows which values are secret.
    """
    stored = old_inputs or {}
    present = {name: value for name, value in inputs.items() if value is not None}
    has_number = "phone_number" in present or "phone_number" in unknown
    if has_number and all(_is_stored(name, value, stored.get(name)) for name, value in present.items()):
        return present, []

    from .models import parse_input  # late, with pydantic

    valid: dict[str, Any] = {}
    failures: list[Failure] = []
    if not has_number:
        failures.append(("phone_number", "it is missing: give the number to verify, in E.164 such as +14155550101"))
    number_options = {"region": region, "old_number": stored.get("phone_number")}
    for name, value in present.items():
        try:
            valid[name] = parse_input(name, value, number_options)
        except ValueError as refused:
            failures.append((name, str(refused)))
    return valid, failures


def _is_stored(name: str, value: object, stored: object) -> bool:
    """Whether a value is in the state, so that it was validated earlier. True and 1.0 are different values."""
    if name == "phone_number" and not E164.fullmatch(str(stored)):  # `pulumi import --file` may have stored it
        return False
    return type(value) is type(stored) and value == stored


def camel_case(name: str) -> str:
    """Return a Python name as Pulumi writes it in configuration: `phoneNumber` for `phone_number`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
