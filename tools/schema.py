"""Make the schema of the native provider from the models, the settings and their docs: part of `make reference`.

The provider serves the file; a test fails if it is not what this makes. Source: Pulumi docs, Pulumi package schema.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pulumi_twilio_caller_id import functions
from pulumi_twilio_caller_id.docstrings import attributes, first_paragraph, parameters
from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.models import CallerId, OutgoingCallerIdInputs
from pulumi_twilio_caller_id.native.rewording import PACKAGE, language_neutral
from pulumi_twilio_caller_id.resource import OutgoingCallerId
from pulumi_twilio_caller_id.settings.sources import SETTINGS

FILE = Path(functions.__file__).with_name("native") / "schema.json"
TYPES = {"int": "integer", "bool": "boolean"}
REPLACING = ("phone_number", "account_sid")

Schema = dict[str, Any]


def schema() -> Schema:
    told, types = parameters(OutgoingCallerId.__init__), inspect.signature(OutgoingCallerId).parameters
    inputs = {
        name: _property(told[name], TYPES.get(re.findall("str|int|bool", str(types[name].annotation))[0], "string"))
        | ({"willReplaceOnChanges": True} if name in REPLACING else {})
        for name in OutgoingCallerIdInputs.model_fields
    }
    told_get = parameters(OutgoingCallerId.get)
    described = attributes(functions.CallerIdResult)
    outputs = {name: _property(described[name]) for name in CallerId.model_fields}
    required = [name for name, field in CallerId.model_fields.items() if field.is_required()]
    filters = {n: _property(t) for n, t in parameters(functions.get_outgoing_caller_ids).items() if n != "provider"}
    one = {"type": "object", "properties": _camel(outputs), "required": [*map(camel_case, required)]}
    record = f"{PACKAGE}:index:CallerId"
    many = {"callerIds": {"type": "array", "items": {"$ref": f"#/types/{record}"}, "description": "The caller IDs."}}
    settings = {name: _setting(name) for name in SETTINGS}
    get_one, get_many = functions.get_outgoing_caller_id, functions.get_outgoing_caller_ids
    return {
        "name": PACKAGE,
        "displayName": "Twilio caller IDs",
        "description": "Phone numbers that a Twilio account has verified for use as caller ID.",
        "keywords": ["pulumi", "twilio", "category/utility"],
        "license": "Apache-2.0",
        # A Python program has a package of the name that Pulumi would choose: the dynamic provider's.
        "language": {"python": {"packageName": "pulumi_twilio_caller_id_native"}},
        "config": {"variables": _camel(settings)},
        "types": {record: {"description": _told(functions.CallerIdResult), **one}},
        "provider": {"description": "One Twilio account.", "inputProperties": _camel(settings)},
        "resources": {
            f"{PACKAGE}:index:OutgoingCallerId": {
                "description": _told(OutgoingCallerId),
                "inputProperties": _camel(inputs),
                "requiredInputs": ["phoneNumber"],
                "properties": _camel(outputs),
                "required": [*map(camel_case, required)],
                "stateInputs": {"type": "object", "properties": {"accountSid": _property(told_get["account_sid"])}},
            }
        },
        "functions": {
            f"{PACKAGE}:index:getOutgoingCallerId": _function(get_one, filters, one),
            f"{PACKAGE}:index:getOutgoingCallerIds": _function(
                get_many, filters, {"type": "object", "properties": many, "required": ["callerIds"]}
            ),
        },
    }


def _property(text: str, kind: str = "string") -> Schema:
    return {"type": kind, "description": language_neutral(text)}


def _setting(name: str) -> Schema:
    setting = SETTINGS[name]
    items = {"items": {"type": "string"}} if setting.type == "array" else {}
    secret = {"secret": True} if setting.secret else {}
    variable = f" Environment: `{setting.variable}`." if setting.variable else ""
    return _property(setting.doc + variable, setting.type) | items | secret


def _function(function: Callable[..., Any], filters: Schema, outputs: Schema) -> Schema:
    inputs = {"type": "object", "properties": _camel(filters)}
    return {"description": _told(function), "inputs": inputs, "outputs": outputs}


def _told(documented: object) -> str:
    return language_neutral(first_paragraph(documented))


def _camel(properties: Mapping[str, Any]) -> Schema:
    return {camel_case(name): value for name, value in properties.items()}


def made() -> str:
    """The file."""
    return f"{json.dumps(schema(), indent=2)}\n"
