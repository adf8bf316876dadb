"""Rewords messages for programs of every Pulumi language: `operations` name Python's options and `twilio:...` keys."""

from __future__ import annotations

import functools
import re

from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.settings.sources import SETTINGS

PACKAGE = "twilio-caller-id"

OPTIONS = ("custom_timeouts", "delete_before_replace", "replacement_trigger", "retain_on_delete")

REWORDED = (
    (r"\btwilio:(?=[a-z])", f"{PACKAGE}:"),
    (r"python -m pulumi_twilio_caller_id", "pulumi-twilio-caller-id"),
    (r"\bimport-file --", "import-file --native --"),
    (r"(pulumi import --file \S+) --generate-code=false", r"\1"),
    (r"opts=(?:pulumi\.)?ResourceOptions\((\w+)=([^()]*(?:\([^()]*\)[^()]*)*)\)", r"the option \1: \2"),
    (r"(?:pulumi\.Alias|CustomTimeouts)\((\w+)=([^()]*)\)", r"{\1: \2}"),
    (r"\bimport_(?!\w)", "import"),
    (r"\badopt=True", "adopt: true"),
    (r": True\b", ": true"),
    # The arguments of an explicit native provider are not completed from the stack's config.
    (r"fall back to the stack's config", "come from the environment"),
)
"""What a message says of a Python program, and what it says here instead."""


def language_neutral(text: str) -> str:
    """Return the message with property names, options and config keys as every language has them."""
    for pattern, replacement in REWORDED:
        text = re.sub(pattern, replacement, text)
    return _names().sub(lambda found: camel_case(found[0]), text)


@functools.cache
def _names() -> re.Pattern[str]:
    from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs  # late, with pydantic: few runs show a message

    names = {*SETTINGS, *OutgoingCallerIdInputs.model_fields, *OPTIONS}
    return re.compile(rf"\b(?:{'|'.join(sorted(name for name in names if '_' in name))})\b")
