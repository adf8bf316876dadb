"""Twilio's API as the tests know it: the extract of its description, and the plugin that has all tests heed it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import ROOT
from tests.support.openapi.official import OFFICIAL, extract
from tests.support.openapi.schemas import Document, resolved

REFUSALS = ["400", "401", "403", "404", "429", "500", "503"]
OPERATIONS = (
    "ListOutgoingCallerId",
    "CreateValidationRequest",
    "FetchOutgoingCallerId",
    "UpdateOutgoingCallerId",
    "DeleteOutgoingCallerId",
    "FetchCall",
)
DIFFERENCES: dict[str, dict[str, tuple[object, object]]] = {
    "The links of a page are relative, which is no `uri`: prism refuses true answers for it.": {
        f"ListOutgoingCallerId: answer 200: {link}: format": ("uri-reference", "uri")
        for link in ("first_page_uri", "next_page_uri", "previous_page_uri", "uri")
    },
    "Twilio describes no refusal. Statuses and body are from its docs, usage/twilios-response and api/errors.": {
        f"{operation}: refusals": (REFUSALS, []) for operation in OPERATIONS
    },
    "Limits that Twilio's docs tell in prose: voice/api/outgoing-caller-ids, voice/api/verifying-caller-ids-scale.": {
        "CreateValidationRequest: form: FriendlyName: maxLength": (64, None),
        "UpdateOutgoingCallerId: form: FriendlyName: maxLength": (64, None),
        "CreateValidationRequest: form: CallDelay: minimum": (0, None),
        "CreateValidationRequest: form: CallDelay: maximum": (60, None),
        "CreateValidationRequest: form: StatusCallback: maxLength": (1000, None),
    },
}
"""Reason -> what is different -> what our extract says, and what Twilio's description does."""


# The extract


@pytest.mark.skipif(not OFFICIAL.exists(), reason="Twilio's own description is not beside the project")
def test_the_extract_says_what_twilio_says_but_for_what_is_listed_here() -> None:
    ours, theirs = dict(facts(extract())), dict(facts(json.loads(OFFICIAL.read_text(encoding="utf-8"))))
    ours = {
        name: value for name, value in ours.items() if not name.startswith("FetchAccount")
    }  # not beside the project
    different = {
        name: (ours.get(name), theirs.get(name))
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    }
    assert {name: both for listed in DIFFERENCES.values() for name, both in listed.items()} == different
    assert len(theirs) > 200  # or the facts were not found


def facts(document: Document) -> Iterator[tuple[str, object]]:
    """All that a description says and that a client could notice: name and value."""
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete", "head", "options"}:
            operation = item[method]
            name = operation["operationId"]
            yield name, f"{method} {path}"
            security = operation.get("security", document["security"])
            for scheme in (document["components"]["securitySchemes"][key] for each in security for key in each):
                yield f"{name}: security", f"{scheme['type']} {scheme['scheme']}"
            for given in operation.get("parameters", ()):
                parameter = resolved(document, given)
                place = f"{name}: {parameter['in']}: {parameter['name']}"
                yield f"{place}: required", parameter.get("required", False)
                yield from of_schema(document, place, parameter["schema"])
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{name}: form", kind
                yield from of_schema(document, f"{name}: form", content["schema"])
            statuses = sorted(operation["responses"])
            yield f"{name}: answers", [status for status in statuses if status < "400"]
            yield f"{name}: refusals", [status for status in statuses if status >= "400"]
            for status in statuses:
                answer = resolved(document, operation["responses"][status])
                for kind, content in answer.get("content", {}).items() if status < "400" else ():
                    yield f"{name}: answer {status}", kind
                    yield from of_schema(document, f"{name}: answer {status}", content["schema"])


def of_schema(document: Document, place: str, given: Document) -> Iterator[tuple[str, object]]:
    schema = resolved(document, given)
    kept = ("type", "format", "pattern", "enum", "nullable", "minLength", "maxLength", "minimum", "maximum")
    for word in (*kept, "required", "additionalProperties"):
        if schema.get(word) is not None:
            yield f"{place}: {word}", schema[word]
    for name, field in schema.get("properties", {}).items():
        yield from of_schema(document, f"{place}: {name}", field)
    if "items" in schema:
        yield from of_schema(document, f"{place}: items", schema["items"])


# The plugin

TESTS = """
import pytest
import requests

from tests.support.waiting import PATIENCE, SleeplessToken
from pulumi_twilio_caller_id.api import client as twilio_api
from pulumi_twilio_caller_id.sandbox import wire
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.errors import CallerIdError


@pytest.fixture
def sandbox():
    with Sandbox(numbers={"+14155550101": None}) as running:
        yield running


@pytest.fixture
def twilio(sandbox):
    settings = Settings(account_sid=sandbox.account_sid, auth_token=sandbox.auth_token, api_url=sandbox.url)
    return twilio_api.Client(settings, cancel=SleeplessToken())


def test_all_is_well(twilio):
    assert len(list(twilio.stream())) == 1


def test_an_answer_is_wrong(twilio, monkeypatch):
    monkeypatch.setattr(wire, "rfc2822", lambda at: "2026-11-24T10:00:00Z")
    assert len(list(twilio.stream())) == 1


def test_a_request_is_wrong(twilio, monkeypatch):
    monkeypatch.setattr(twilio_api, "PAGE_SIZE", 1001)
    assert len(list(twilio.stream())) == 1


def test_a_fault_is_wrong_on_purpose(sandbox, twilio):
    sandbox.fail("list", status=201, body='{"x": 1}')
    with pytest.raises(CallerIdError):
        list(twilio.stream())


def test_a_test_asks_what_it_likes(sandbox):
    auth = (sandbox.account_sid, sandbox.auth_token)
    asked = f"{sandbox.url}{wire.caller_ids_uri(sandbox.account_sid)}?PageSize=many&x=y"
    assert requests.get(asked, auth=auth, timeout=PATIENCE).status_code == 400
"""


def test_a_violation_fails_the_test_during_which_it_happened(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TWILIO_"))}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "1",
            "-p",
            "tests.support.plugins.conformance",
            "-p",
            "no:cacheprovider",
            "-rf",
        ],
        cwd=tmp_path,
        env=outside | {"PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 failed, 3 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "FAILED test_it.py::test_an_answer_is_wrong" in ran.stdout
    assert "answer 200: outgoing_caller_ids/0/date_created: " in ran.stdout
    assert "FAILED test_it.py::test_a_request_is_wrong" in ran.stdout
    assert "request: PageSize: 1001 is greater than the maximum of 1000" in ran.stdout
    assert "(extract): 7 requests, 4 answers, 3 violations" in ran.stdout
