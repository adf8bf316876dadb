"""Takes in what a program writes for an OutgoingCallerId: `validate_inputs`, and the names of what Check is told.

`models.py` has the inputs themselves. It is loaded with pydantic only if an input has changed: an unchanged stack
starts without both.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from .phone_number import DEFAULT_REGION, E164, REGION_KEY

ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
CALLER_ID_SID = re.compile(r"PN[0-9a-fA-F]{32}")

# Extra properties of a resource. `check` reads and removes them, so that no state has them. The transforms of a program
# see them: two underscores say that they are internal, as in the SDK's __provider.
IMPORT = "__import"  # the sid in `import_`, a resource option
DRY_RUN = "__dry_run"  # true in a preview: the engine tells only the program that it is one
CREATE_TIMEOUT = "__create_timeout"  # in a preview: `custom_timeouts.create`, such as "8m"
DECLARATION = (IMPORT, DRY_RUN, CREATE_TIMEOUT)


def validate_inputs(
    given: Mapping[str, Any],
    *,
    unknown: Container[str] = (),
    region: str = DEFAULT_REGION,
    region_setting: str = REGION_KEY,
    before: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Normalise the inputs of a resource one by one. None counts as left out.

    unknown: names of inputs whose value is known later; they pass. region, region_setting: see `e164`.
    before: the inputs in the state. If all given inputs equal them, they are taken as they are.

    Returns the normalised inputs, and the failures as (property, reason). A reason speaks of "it" and leaves out the
    value: the engine prints property and value before the reason, and knows which values are secret.
    """
    stored = before or {}
    present = {name: value for name, value in given.items() if value is not None}
    has_number = "phone_number" in present or "phone_number" in unknown
    if has_number and all(_is_stored(name, value, stored.get(name)) for name, value in present.items()):
        return present, []

    from .models import parse_input  # late, with pydantic

    good: dict[str, Any] = {}
    failures: list[tuple[str, str]] = []
    if not has_number:
        failures.append(("phone_number", "it is missing: give the number to verify, in E.164 such as +14155550101"))
    context = {"region": region, "setting": region_setting, "before": stored.get("phone_number")}
    for name, value in present.items():
        try:
            good[name] = parse_input(name, value, context)
        except ValueError as refused:
            failures.append((name, str(refused)))
    return good, failures


def _is_stored(name: str, value: object, stored: object) -> bool:
    """Whether a value is the one in the state, so that it was checked before. True and 1.0 are different values."""
    if name == "phone_number" and not E164.fullmatch(str(stored)):  # an import file may have put another form there
        return False
    return type(value) is type(stored) and value == stored


def camel_case(name: str) -> str:
    """A Python name as Pulumi writes it in configuration: `phoneNumber` for `phone_number`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
