"""How faults are described, in a file or a program, and what those do that last: `hang` and the endpoint "*"."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.sandbox.faults import ALLOWED, Faults
from pulumi_twilio_caller_id.sandbox.faults_file import FaultsFileError, load_faults, read_faults
from pulumi_twilio_caller_id.testing import Delays, Fault, Sandbox
from rest import ask, place

NUMBER = "+14155550101"
KEYS = (
    "endpoint, status, code, message, times, retry_after, delay, hang, drop, body, processed, location, about"
)  # fmt: skip
ENDPOINTS = "create, list, fetch, update, delete, call, *"


# The file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "faults.yaml",
            (
                "- {endpoint: create, status: 429, code: 20429, message: Slow down, times: 2, retry_after: 1}\n"
                "- {endpoint: list, delay: 0.5, drop: after, about: +14155550101}\n"
                "- endpoint: '*'\n  hang: true\n"
                "- {endpoint: fetch, body: <html>, processed: yes, location: http://127.0.0.1/}\n"
            ),
        ),
        (
            "faults.json",
            (
                '[{"endpoint": "create", "status": 429, "code": 20429, "message": "Slow down", "times": 2,'
                '"retry_after": 1},'
                '{"endpoint": "list", "delay": 0.5, "drop": "after", "about": "+14155550101"},'
                '{"endpoint": "*", "hang": true},'
                '{"endpoint": "fetch", "body": "<html>", "processed": true, "location": "http://127.0.0.1/"}]'
            ),
        ),
    ],
)
def test_a_faults_file_is_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert [
        Fault("create", status=429, code=20429, message="Slow down", times=2, retry_after=1),
        Fault("list", delay=0.5, drop="after", about=NUMBER),
        Fault("*", hang=True),
        Fault("fetch", body="<html>", processed=True, location="http://127.0.0.1/"),
    ] == load_faults(tmp_path / name)


def test_every_field_of_a_fault_can_be_written_in_a_file() -> None:
    assert {field.name for field in dataclasses.fields(Fault)} == set(ALLOWED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {endpoint: creat}", f"entry 1: endpoint 'creat' must be one of {ENDPOINTS}"),
        ("- {status: 500}", f"entry 1: endpoint is missing: it must be one of {ENDPOINTS}"),
        ("- {endpoint: list}\n- {endpoint: list, state: 500}", f"entry 2: 'state' is not one of {KEYS}"),
        ("- {endpoint: list, status: 1000}", "entry 1: status 1000 must be an HTTP status, 200 to 599"),
        ("- {endpoint: list, status: ok}", "entry 1: status 'ok' must be an HTTP status, 200 to 599"),
        ("- {endpoint: list, code: x}", "entry 1: code 'x' must be a whole number, one of Twilio's error codes"),
        (
            "- {endpoint: list, times: 0}",
            "entry 1: times 0 must be a whole number, 1 or more; without it the fault lasts until it is healed",
        ),
        ("- {endpoint: list, delay: -1}", "entry 1: delay -1.0 must be a number of seconds, 0 or more"),
        ("- {endpoint: list, delay: .inf}", "entry 1: delay '.inf' must be a number of seconds, 0 or more"),
        ("- {endpoint: list, delay: inf}", "entry 1: delay inf must be a number of seconds, 0 or more"),
        ("- {endpoint: list, retry_after: -1}", "entry 1: retry_after -1 must be a whole number of seconds, 0 or more"),
        ("- {endpoint: list, drop: during}", "entry 1: drop 'during' must be one of before, after"),
        ("- {endpoint: list, hang: for ever}", "entry 1: hang 'for ever' must be true or false"),
        ("- {endpoint: list, processed: 5}", "entry 1: processed '5' must be true or false"),
        ("- {endpoint: list, body: [1]}", "entry 1: body ['1'] must be a text"),
        (
            "- {endpoint: list, hang: true, delay: 1}",
            "entry 1: delay is for answers that come, hang for those that do not: give one of them",
        ),
        ("- list", "entry 1: 'list' is not a mapping such as {endpoint: create, status: 500}"),
        ("endpoint: list", "must be a list of faults, each a mapping such as {endpoint: create, status: 500}"),
        ("", "must be a list of faults, each a mapping such as {endpoint: create, status: 500}"),
        ("a: b: c", "is not YAML (mapping values are not allowed here"),
    ],
)  # fmt: skip
def test_a_bad_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(FaultsFileError) as explained:
        load_faults(path)
    assert str(explained.value).startswith(f"{path}: {message}")
    assert "\n" not in str(explained.value)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("[")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    for name, message in (
        ("missing.yaml", "cannot be read (No such file or directory)"),
        ("broken.json", "is not JSON ("),
        ("deep.json", "is nested too deeply"),
    ):
        with pytest.raises(FaultsFileError) as explained:
            load_faults(tmp_path / name)
        assert str(explained.value).startswith(f"{tmp_path / name}: {message}")


# In a program


def test_a_sandbox_has_its_faults_from_the_start() -> None:
    mapping: dict[str, Any] = {"endpoint": "list", "status": 500, "times": 1}
    with Sandbox(faults=[mapping, Fault("fetch", status=503)]) as sandbox:
        assert [500, 200] == [ask(sandbox, "GET", "OutgoingCallerIds.json").status_code for _ in range(2)]
        assert 503 == ask(sandbox, "GET", "OutgoingCallerIds/PN1.json").status_code
    with pytest.raises(ValueError, match=r"^entry 1: endpoint 'lst' must be one of "):
        Sandbox(faults=[{"endpoint": "lst"}])
    with pytest.raises(ValueError, match=r"^must be a list of faults"):
        read_faults("list")


def test_a_fault_is_not_used_up_for_whoever_gave_it() -> None:
    fault, faults = Fault("list", status=500, times=2), Faults()
    faults.add(fault, fault)
    assert [2, 2] == [waiting.times for waiting in faults.copy()]
    taken = [faults.take("list") for _ in range(3)]
    assert [1] == [waiting.times for waiting in faults.copy()]
    assert (3, 2) == (len([one for one in taken if one]), fault.times)


def test_a_fault_of_every_endpoint() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("*", status=503, times=3)
        answers = [
            ask(sandbox, "GET", "OutgoingCallerIds.json").status_code,
            place(sandbox).status_code,
            ask(sandbox, "GET", "Calls/CA1.json").status_code,
            ask(sandbox, "GET", "OutgoingCallerIds.json").status_code,
        ]
        assert [503, 503, 503, 200] == answers
        assert [] == sandbox.calls


def test_an_answer_hangs_until_it_is_healed_and_the_request_counts() -> None:
    with Sandbox(delays=Delays(0, 0, 0)) as sandbox:
        sandbox.fail("create", hang=True)
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(place(sandbox).status_code), daemon=True)
        asking.start()
        arrived = threading.Event()
        while not sandbox.calls:
            arrived.wait(0.01)
        asking.join(0.1)
        assert ([], True) == (answers, asking.is_alive())
        sandbox.heal()
        asking.join(10)
        assert [200] == answers


def test_a_sandbox_stops_although_an_answer_hangs() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("list", hang=True)
        with pytest.raises(requests.ReadTimeout):
            requests.get(
                f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json", timeout=(5, 0.1)
            )
