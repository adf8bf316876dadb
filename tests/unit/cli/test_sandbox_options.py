"""The options of `sandbox`: what each makes of the sandbox, and what is said about values that make no sense."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.cli.sandbox import NOBODY_IS_CALLED
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pulumi_twilio_caller_id.__path__[0]).parent)}
COMMAND = [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id", "sandbox"]
NAME = "pulumi-twilio-caller-id: "
NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "5" * 32
MAIN = Credentials().account_sid
STATE = """
import json, os, urllib.request
print(urllib.request.urlopen(os.environ["TWILIO_API_URL"] + "/sandbox/state").read().decode())
"""


def state_with(*options: str, capfd: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """What the sandbox says of itself that was started with these options, and what else was told before on stderr."""
    assert 0 == main(["sandbox", *options, "--run", sys.executable, "-c", STATE])
    out, err = capfd.readouterr()
    return json.loads(out), err.removeprefix(f"{NOBODY_IS_CALLED}\n")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of every Sandbox that is made."""
    noted: list[dict[str, Any]] = []

    class Noted(Sandbox):
        def __init__(self, **options: Any) -> None:
            noted.append(options)
            super().__init__(**options)

    monkeypatch.setattr("pulumi_twilio_caller_id.testing.Sandbox", Noted)
    return noted


def test_numbers_are_verified_already_under_their_name_or_twilio_s(capfd: pytest.CaptureFixture[str]) -> None:
    given = ["--number", f"{NUMBER}=Desk = front", "--number", "415-555-0102"]
    state, err = state_with(*given, capfd=capfd)
    assert [(NUMBER, "Desk = front"), ("+14155550102", "(415) 555-0102")] == [
        (record["phone_number"], record["friendly_name"]) for record in state["caller_ids"]
    ]
    assert "" == err


def test_subaccounts_are_shown_with_their_tokens(capfd: pytest.CaptureFixture[str]) -> None:
    other = "AC" + "6" * 32
    state, err = state_with("--subaccount", f"{SUBACCOUNT}=its token", "--subaccount", other, capfd=capfd)
    assert [SUBACCOUNT, other] == state["subaccounts"]
    made_up = Sandbox(subaccounts=[other]).subaccounts[other]
    assert [f"Subaccount {SUBACCOUNT}, auth token its token", f"Subaccount {other}, auth token {made_up}"] == (
        err.splitlines()
    )


def test_trouble_and_phones_are_those_of_their_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "faults.yaml").write_text("- {endpoint: create, status: 429, times: 2}\n")
    (tmp_path / "phones.yaml").write_text(f"{NUMBER}: busy\n'*': no-answer\n")
    files = ["--faults", str(tmp_path / "faults.yaml"), "--phones", str(tmp_path / "phones.yaml")]
    state, _ = state_with(*files, capfd=capfd)
    assert [("create", 429, 2)] == [(fault["endpoint"], fault["status"], fault["times"]) for fault in state["faults"]]
    assert {NUMBER: {"behaviour": "busy"}, "*": {"behaviour": "no-answer"}} == state["phones"]


def test_callbacks_go_as_the_command_line_says(capfd: pytest.CaptureFixture[str]) -> None:
    late, _ = state_with("--callbacks", "late", "--callback-delay", "2.5", capfd=capfd)
    lost, _ = state_with("--callbacks", "lost", capfd=capfd)
    usual, _ = state_with(capfd=capfd)
    assert [("late", 2.5), ("lost", None), ("normally", None)] == [
        (state["callbacks"]["how"], state["callbacks"]["delay"]) for state in (late, lost, usual)
    ]


def test_rules_of_accounts_are_taken_from_the_command_line(made: list[dict[str, Any]]) -> None:
    options = ["--trial", "--geo-permissions", "us, CA", "--own-number", "415-555-0101", "--own-number", "+14155550102"]
    for given in ([], options):
        assert 0 == main(["sandbox", *given, "--run", sys.executable, "-c", ""])
    names = ("trial", "geo_permissions", "own_numbers")
    assert [
        {"trial": False, "geo_permissions": None, "own_numbers": []},
        {"trial": True, "geo_permissions": ["us", "CA"], "own_numbers": ["415-555-0101", "+14155550102"]},
    ] == [{name: options[name] for name in names} for options in made]


# The page


def test_with_the_page_every_number_rings_that_no_file_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "phones.yaml").write_text(f"{NUMBER}: busy\n")
    (tmp_path / "all.yaml").write_text("'*': no-answer\n")
    manual = {"*": {"behaviour": "manual", "rings": 300}}
    silent = ' (only phones that are manual ring there: its "*" is no-answer)'
    for given, phones, told in (
        ([], manual, ""),
        (["--phones", str(tmp_path / "phones.yaml")], {NUMBER: {"behaviour": "busy"}, **manual}, ""),
        (["--phones", str(tmp_path / "all.yaml")], {"*": {"behaviour": "no-answer"}}, silent),
    ):
        state, err = state_with("--page", "--port", "0", *given, capfd=capfd)
        assert phones == state["phones"]
        assert f"Phone: URL/{told}\n" == re.sub(r"http://127\.0\.0\.1:\d+", "URL", err)
    assert {} == state_with(capfd=capfd)[0]["phones"]


def test_phones_that_a_person_answers_ring_as_long_as_up_waits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Unless their file says how long; and only with the page, at which somebody is."""
    file = tmp_path / "phones.yaml"
    file.write_text(f"{NUMBER}: manual\n'+14155550102': {{behaviour: manual, rings: 20}}\n'+14155550103': busy\n")
    state, _ = state_with("--page", "--port", "0", "--phones", str(file), capfd=capfd)
    assert {"*": 300, NUMBER: 300, "+14155550102": 20, "+14155550103": None} == {
        number: phone.get("rings") for number, phone in state["phones"].items()
    }
    without, _ = state_with("--phones", str(file), capfd=capfd)
    assert {"behaviour": "manual"} == without["phones"][NUMBER]


def test_the_page_s_address_is_shown_and_served() -> None:
    with subprocess.Popen(
        [*COMMAND, "--page", "--port", "0", "--subaccount", SUBACCOUNT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        try:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(3)]
            url = re.findall(r"http://127\.0\.0\.1:\d+", lines[0])[0]
            assert (f"Subaccount {SUBACCOUNT}, auth token ", f"Phone: {url}/\n") == (lines[1][:58], lines[2])
            assert "text/html" in requests.get(lines[2].split()[1], timeout=PATIENCE).headers["Content-Type"]
        finally:
            process.kill()


def test_the_port_is_the_usual_one_unless_a_command_runs_without_a_page(
    monkeypatch: pytest.MonkeyPatch, made: list[dict[str, Any]]
) -> None:
    """It is taken here, so that nothing is served."""

    def start(_: Sandbox) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(Sandbox, "start", start)
    run = ["--run", sys.executable, "-c", ""]
    for given in ([], ["--page"], ["--page", *run], run, ["--page", "--port", "0"], ["--port", "9", *run]):
        assert 1 == main(["sandbox", *given])
    assert [8484, 8484, 8484, 0, 0, 9] == [options["port"] for options in made]


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--number", "desk"], "--number: 'desk' is not a phone number; write it as +14155550101"),
        (["--own-number", "1"], "--own-number: '1' is not a phone number; write it as +14155550101"),
        (
            ["--subaccount", "AC1=token"],
            "--subaccount: 'AC1' is not the sid of an account: AC and 32 hexadecimal digits",
        ),
        (["--subaccount", "AC1"], "'AC1' is not the sid of an account: AC and 32 hexadecimal digits"),
        (
            ["--geo-permissions", "US,USA"],
            "--geo-permissions: 'USA' is not a country in two letters, such as US (ISO 3166-1 alpha-2)",
        ),
        (
            ["--callbacks", "never"],
            ("callbacks go normally, lost, late, doubled, badly-signed, unsigned, early, shared-key, not 'never'"),
        ),
        (["--number", f"{NUMBER}={'x' * 65}"], f"--number: {NUMBER}: FriendlyName is at most 64 characters, not 65"),
        (
            ["--number", f"{NUMBER}=Desk", "--number", "415-555-0101"],
            f"--number: '415-555-0101' is given twice (it is {NUMBER}, however it is written)",
        ),
        (
            ["--number", NUMBER, "--number", NUMBER],
            f"--number: '{NUMBER}' is given twice (it is {NUMBER}, however it is written)",
        ),
        (
            ["--own-number", NUMBER, "--own-number", "415-555-0101"],
            f"--own-number: '415-555-0101' is given twice (it is {NUMBER}, however it is written)",
        ),
    ],
)
def test_arguments_that_make_no_sense(
    arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["sandbox", *arguments, "--", "echo", "ran"])
    assert ("", f"{NAME}{message}\n") == capsys.readouterr()


def test_options_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {endpoint: creat}")
    state = str(tmp_path / "state.json")
    six = [option for index in range(6) for option in ("--number", f"+1415555010{index}")]
    run = ["--run", "echo", "ran"]
    for given, message in (
        (["--callback-delay", "1"], "--callback-delay is for --callbacks late"),
        (["--callbacks", "lost", "--callback-delay", "1"], "--callback-delay is for --callbacks late"),
        (["--join", "--state", state], "--join needs --state, and a command after --"),
        (["--join", *run], "--join needs --state, and a command after --"),
        (["--subaccount", MAIN, *run], f"--subaccount: {MAIN} is the main account"),
        (["--trial", *six, *run], "A trial account may verify at most 5 numbers. (21453)"),
        (["--faults", str(faults), *run], f"{faults}: entry 1: endpoint 'creat' must be one of create, list, fetch, "),
        (["--faults", "no.yaml", *run], "no.yaml: cannot be read (No such file or directory)"),
    ):
        assert 2 == main(["sandbox", *given])
        out, err = capsys.readouterr()
        assert ("", f"{NAME}{message}") == (out, err.rstrip("\n")[: len(NAME + message)])
        assert 1 == err.count("\n")
