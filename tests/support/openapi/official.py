"""Requests and answers held against a description of Twilio's API, in OpenAPI 3.0.

Two descriptions: the extract in data/twilio.openapi.yaml, and Twilio's own where it lies beside the project. In one
thing stricter than OpenAPI: an object in an answer has all the properties that are described, if only as null, and no
others. That is how Twilio answers, though its description requires none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from tests.support.openapi.schemas import Document, json_schema, resolved, validator_of, violations_of

ROOT = Path(__file__).resolve().parents[3]
EXTRACT = ROOT / "tests" / "data" / "twilio.openapi.yaml"
OFFICIAL = ROOT.parent / "shared" / "spec" / "twilio_outgoing_caller_ids.openapi.json"

ACCOUNT = "/2010-04-01/Accounts/{AccountSid}.json"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """A request; names of headers are in lower case, or the mapping does not care."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    form: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


def extract() -> Document:
    """Our extract."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it
    document: Document = yaml.load(EXTRACT.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe
    return document


def official() -> Document | None:
    """Twilio's own description as its answers really are, None where it is not there.

    The links of a page are relative there, for which the description has `format: uri`. The part of the description
    that is beside the project lacks the account itself, so that is taken from our extract.
    """
    if not OFFICIAL.exists():
        return None
    document: Document = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    pages = [found for found in _mappings(document["paths"]) if "first_page_uri" in found.get("properties", ())]
    for page in pages:
        for schema in page["properties"].values():
            if schema.get("format") == "uri":
                schema["format"] = "uri-reference"
    ours = extract()
    document["paths"][ACCOUNT] = _inlined(ours, ours["paths"][ACCOUNT])
    return document


def documents() -> dict[str, Document]:
    """Those that there are, by name; ours is always there."""
    twilios = official()
    return {"extract": extract()} | ({} if twilios is None else {"official": twilios})


def descriptions(read: Mapping[str, Document]) -> dict[str, Description]:
    """What `documents` gave, made ready."""
    error = read["extract"]["components"]["schemas"]["error"]
    return {name: Description(document, error) for name, document in read.items()}


class Description:
    """A description, with its validators made ready.

    `error` is the schema of what any refusal says, as Twilio's own description has none: where an operation lists no
    status from 400 on, each of them will do.
    """

    def __init__(self, document: Document, error: Document) -> None:
        self._error = validator_of(json_schema(document, error))
        self._operations = [
            (method.upper(), _path_pattern(path), Operation(document, operation, item.get("parameters", ())))
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]

    def violations_of_request(self, asked: Asked) -> list[str]:
        """What is wrong with a request; nothing, where it is as described."""
        found = self._find(asked)
        if found is None:
            return [f"there is no {asked.method} {asked.path}"]
        operation, places = found
        return [f"request: {wrong}" for wrong in operation.of_request(asked, places)]

    def violations_of_answer(self, asked: Asked, answered: Answered) -> list[str]:
        """What is wrong with an answer, whatever the request was like."""
        found = self._find(asked)
        listed = found[0].answers if found else {}
        status = str(answered.status)
        if status in listed:
            validator = listed[status]
        elif answered.status >= 400 and max(listed, default="0") < "400":
            validator = self._error
        else:
            return [f"answer: {status} is not among {', '.join(listed) or 'what a path that is not there is answered'}"]
        return [f"answer {status}: {wrong}" for wrong in _violations_of_body(validator, answered)]

    def _find(self, asked: Asked) -> tuple[Operation, dict[str, str]] | None:
        for method, pattern, operation in self._operations:
            if method == asked.method and (match := pattern.fullmatch(asked.path)):
                return operation, match.groupdict()
        return None


class Operation:
    """One method on one path. `answers`: validators of the body by status, None for no body."""

    def __init__(self, document: Document, operation: Document, shared: Sequence[Document]) -> None:
        parameters = [resolved(document, parameter) for parameter in (*shared, *operation.get("parameters", ()))]
        self._secured = bool(operation.get("security", document.get("security")))
        self._path = Fields(document, [parameter for parameter in parameters if parameter["in"] == "path"])
        self._query = Fields(document, [parameter for parameter in parameters if parameter["in"] == "query"])
        contents = operation.get("requestBody", {}).get("content", {})
        self._form: Fields | None = None
        if FORM in contents:
            schema = resolved(document, contents[FORM]["schema"])
            required = schema.get("required", ())
            self._form = Fields(
                document,
                [
                    {"name": name, "schema": field, "required": name in required}
                    for name, field in schema["properties"].items()
                ],
            )
        self.answers: dict[str, jsonschema_rs.Validator | None] = {}
        for status, response in operation["responses"].items():
            content = resolved(document, response).get("content", {})
            self.answers[status] = validator_of(json_schema(document, content[JSON]["schema"])) if content else None

    def of_request(self, asked: Asked, places: Mapping[str, str]) -> Iterator[str]:
        yield from self._path.violations(list(places.items()))
        yield from self._query.violations(asked.query)
        if self._form is not None:
            yield from self._form.violations(asked.form)
            if asked.form and (kind := asked.headers.get("content-type", "").partition(";")[0]) != FORM:
                yield f"its body is {kind or 'of no type'}, not {FORM}"
        elif asked.form:
            yield f"it has a body: {', '.join(name for name, _ in asked.form)}"
        if self._secured and not asked.headers.get("authorization", "").startswith("Basic "):
            yield "it has no Basic credentials"


class Fields:
    """Fields that come as text: of a path, a query or a form."""

    def __init__(self, document: Document, parameters: Sequence[Document]) -> None:
        schemas = {parameter["name"]: json_schema(document, parameter["schema"]) for parameter in parameters}
        self._whole = {name for name, schema in schemas.items() if schema["type"] == "integer"}
        self._validator = validator_of(
            {
                "type": "object",
                "properties": schemas,
                "required": [parameter["name"] for parameter in parameters if parameter.get("required")],
                "additionalProperties": False,
            }
        )

    def violations(self, given: Sequence[tuple[str, str]]) -> Iterator[str]:
        names = [name for name, _ in given]
        yield from (f"{name} is given twice" for name in sorted({name for name in names if names.count(name) > 1}))
        yield from violations_of(self._validator, {name: self._read(name, value) for name, value in given})

    def _read(self, name: str, value: str) -> str | int:
        return int(value) if name in self._whole and re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) else value


def _mappings(node: Any) -> Iterator[Document]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _mappings(child)


def _inlined(document: Document, node: Any) -> Any:
    """The node with all that it refers to in place of the references."""
    if isinstance(node, dict):
        return {name: _inlined(document, child) for name, child in resolved(document, node).items()}
    return [_inlined(document, child) for child in node] if isinstance(node, list) else node


def _path_pattern(path: str) -> re.Pattern[str]:
    literal = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", literal))


def _violations_of_body(validator: jsonschema_rs.Validator | None, answered: Answered) -> Iterator[str]:
    if validator is None:
        if answered.body:
            yield f"it has a body, of {len(answered.body)} bytes"
        return
    if (kind := answered.headers.get("content-type", "").partition(";")[0]) != JSON:
        yield f"its body is {kind or 'of no type'}, not {JSON}"
    try:
        body = json.loads(answered.body)
    except ValueError:
        yield "its body is no JSON"
        return
    yield from violations_of(validator, body)
