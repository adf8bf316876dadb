"""Convert properties between Pulumi's wire format, in camelCase, and the operations' dicts, in snake_case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.rpc import UNKNOWN

from pulumi_twilio_caller_id.inputs import camel_case

__all__ = ["UNKNOWN", "Properties", "camel_keys", "from_struct", "secret", "snake_case", "split_unknowns", "to_struct"]

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""In the wire format, a dict with SECRET under the key SIGNATURE wraps a secret value."""

Properties = dict[str, Any]


def from_struct(sent: Struct) -> Properties:
    """Return the properties that have a value, without Pulumi's own. Secrets, which Configure gets, are unwrapped."""
    given = {name: value for name, value in MessageToDict(sent).items() if value is not None}
    plain = {name: value["value"] if _is_secret(value) else value for name, value in given.items()}
    return {snake_case(name): value for name, value in plain.items() if not name.startswith("__")}


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def secret(value: Any) -> Properties:
    """Wrap a value, so that the state encrypts it."""
    return {SIGNATURE: SECRET, "value": value}


def split_unknowns(sent: Struct) -> tuple[Properties, Properties]:
    """Split the properties into those with a value, and those whose value is not known before `pulumi up`."""
    given = from_struct(sent)
    unknown = {name: value for name, value in given.items() if value == UNKNOWN}
    return {name: value for name, value in given.items() if name not in unknown}, unknown


def to_struct(properties: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(camel_keys(properties))
    return struct


def camel_keys(properties: Mapping[str, Any]) -> Properties:
    """Return the properties that are not None, by their names in the wire format."""
    return {camel_case(name): value for name, value in properties.items() if value is not None}


def snake_case(name: str) -> str:
    """Return a property's name as the operations have it: `phone_number` for `phoneNumber`."""
    return re.sub(r"(?<=.)[A-Z]", lambda found: f"_{found[0].lower()}", name)
