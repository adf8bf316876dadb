"""`sandbox --help`: what a newcomer needs to write the files that it speaks of, and where the rest is said."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from email.message import Message
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.callback_plan import HOWS
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.faults import ALLOWED, ENDPOINTS
from pulumi_twilio_caller_id.sandbox.phones import Behaviour, Phone, PhoneBook
from pulumi_twilio_caller_id.sandbox.server import Server

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=[80, 120])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


@pytest.mark.parametrize("command", [["list"], ["import-file"], []])
def test_help_of_other_commands_fits_the_terminal_too(
    command: list[str], columns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert (True, []) == (len(lines) > 10, [line for line in lines if len(line) > columns])


@pytest.fixture
def shown(columns: int, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])
    return capsys.readouterr().out


def option(shown: str, name: str) -> str:
    """What is said of an option, on one line."""
    found = re.findall(rf"^  --{name}\b(.*?)(?=^  --|^\S|\Z)", shown, re.MULTILINE | re.DOTALL)
    return " ".join("".join(found).split())


def test_it_is_in_groups(shown: str) -> None:
    groups = ["options", "phones", "account", "trouble", "running"]
    assert [*groups, "examples", "for scripts, while it runs"] == re.findall(r"^(\w[^:\n]*):$", shown, re.MULTILINE)


def test_no_line_is_longer_than_the_terminal_is_wide(shown: str, columns: int) -> None:
    assert [] == [line for line in shown.splitlines() if len(line) > columns]


def test_it_has_the_words_that_files_and_options_take(shown: str) -> None:
    phones, faults = option(shown, "phones"), option(shown, "faults")
    assert f"Behaviours: {', '.join(Behaviour)}. Keys: {', '.join(Phone.model_fields)} (" in phones
    assert f"Endpoints: {', '.join(ENDPOINTS)} (" in faults
    assert f"Keys: {', '.join(ALLOWED)} (" in faults
    assert f"how callbacks go: {', '.join(HOWS)} (" in option(shown, "callbacks")


def test_a_command_is_a_command(shown: str) -> None:
    assert "usage: pulumi-twilio-caller-id sandbox [options] [-- COMMAND ...]\n" == shown.splitlines(keepends=True)[0]


def test_former_names_of_options_are_not_shown(shown: str) -> None:
    assert [] == re.findall(r"--(?:run|queued|rings|talks)\b", shown)


def test_the_end_points_that_it_names_are_there(shown: str) -> None:
    app = Server(LocalTwilio(Credentials(), PhoneBook(), time.time)).application()
    served = {(route.method, route.resource.canonical if route.resource else "") for route in app.router.routes()}
    named = re.findall(r"^  ([A-Z]+) +(/\S+)", shown, re.MULTILINE)
    assert (5, set()) == (len(named), set(named) - served)


def test_it_says_where_the_rest_is(shown: str) -> None:
    [page] = re.findall(r"\b\w+\.md\b", shown)
    assert (ROOT / "docs" / page).is_file()
    assert "the folder docs/ in the sources" in " ".join(shown.split())


def test_other_commands_need_not_wait_for_the_modules_that_know_those_words() -> None:
    code = (
        "import sys; from pulumi_twilio_caller_id import cli\n"
        "try: cli.main(['list', '--help'])\n"
        "except SystemExit: print([m for m in sys.modules if m.startswith('pulumi_twilio_caller_id.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.splitlines()[-1]


def test_the_program_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main([])
    out, err = capsys.readouterr()
    assert ("", ["list", "import-file", "sandbox"]) == (out, re.findall(r"^    (\w\S+)", err, re.MULTILINE))
    assert "--version" in err


def test_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    [version] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert (0, (f"pulumi-twilio-caller-id {version}\n", "")) == (ended.value.code, capsys.readouterr())


@pytest.mark.parametrize(
    ("urls", "shown"),
    [
        ([], "the folder docs/ in the sources of pulumi-twilio-caller-id"),
        (["Homepage, https://example.com", "Documentation, https://example.com/docs"], "https://example.com/docs"),
    ],
)
def test_the_address_of_the_docs_is_that_of_the_package(
    urls: list[str], shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = Message()
    for url in urls:
        package["Project-URL"] = url
    monkeypatch.setattr("pulumi_twilio_caller_id.cli.common.metadata", lambda: package)
    main([])
    assert capsys.readouterr().err.endswith(f"Documentation: {shown}\n")
