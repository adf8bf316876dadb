"""Schemas of OpenAPI 3.0, as validators: what they mean in JSON Schema, and the formats that Twilio's have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Any

import jsonschema_rs

Document = dict[str, Any]


@lru_cache(4096)
def _is_date(text: str) -> bool:
    """As Twilio writes dates: RFC 2822, in GMT, spelled in one way alone."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return False
    return format_datetime(date) == text and text.endswith(" +0000")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time-rfc-2822": _is_date,
    "phone-number": _matches(r"\+[1-9][0-9]{1,14}"),  # E.164: Twilio accepts others, and answers none
    "currency": _matches(r"[A-Z]{3}"),
}
BUILT_IN = frozenset({"uri", "uri-reference"})
SAID_OTHERWISE = frozenset({"int64", "uri-map", "http-method"})
"""By the type, by what an object may have, by an enum."""


# From OpenAPI 3.0 to JSON Schema


def json_schema(document: Document, schema: Document) -> Document:
    """The schema with its references resolved, its objects closed and complete; `ValueError` for an unknown format."""
    schema = resolved(document, schema)
    made = {name: value for name, value in schema.items() if name in _KEPT}
    if (name := schema.get("format")) is not None and name not in FORMATS.keys() | BUILT_IN | SAID_OTHERWISE:
        raise ValueError(f"format {name!r} is not known here")
    if schema.get("nullable"):
        made["type"] = [schema["type"], "null"]
        if "enum" in schema:
            made["enum"] = [*schema["enum"], None]
    if "items" in schema:
        made["items"] = json_schema(document, schema["items"])
    if "properties" in schema:
        made["properties"] = {name: json_schema(document, field) for name, field in schema["properties"].items()}
        made |= {"required": list(schema["properties"]), "additionalProperties": False}
    if schema.get("format") == "uri-map":
        made["additionalProperties"] = {"type": "string", "format": "uri-reference"}
    return made


_KEPT = ("type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum")


def resolved(document: Document, node: Document) -> Document:
    """What a reference stands for; what is none, as it is."""
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def validator_of(schema: Document) -> jsonschema_rs.Validator:
    """Made once and used often: looking at a thousand records takes some milliseconds."""
    return jsonschema_rs.Draft202012Validator(schema, formats=FORMATS, validate_formats=True)


def violations_of(validator: jsonschema_rs.Validator, value: Any) -> Iterator[str]:
    """What is wrong with a value, each with where."""
    for error in validator.iter_errors(value):
        where = "/".join(str(step) for step in error.instance_path)
        yield f"{where}: {error.message}" if where else error.message
