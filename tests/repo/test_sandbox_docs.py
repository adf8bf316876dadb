"""docs/sandbox.md and the sandbox are in step: options, end points, behaviours, fields, ways of callbacks."""

from __future__ import annotations

import argparse
import dataclasses
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pulumi_twilio_caller_id.cli import import_file, listing, sandbox
from pulumi_twilio_caller_id.cli.common import Parser
from pulumi_twilio_caller_id.cli.sandbox_options import RENAMED
from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.callback_plan import HOWS
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.faults import ENDPOINTS
from pulumi_twilio_caller_id.sandbox.faults_file import load_faults
from pulumi_twilio_caller_id.sandbox.phones import PhoneBook, load_phones
from pulumi_twilio_caller_id.sandbox.server import Server
from pulumi_twilio_caller_id.testing import Behaviour, Fault, Phone, Sandbox
from tests.support.waiting import PATIENCE

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def table(heading: str, first: str) -> list[str]:
    """The first cells of the table in a section whose first column has that heading."""
    lines = section(heading).split(f"\n| {first} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [line.split(" | ")[0].removeprefix("| ") for line in lines]


def named(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def parsers() -> dict[str, Parser]:
    """The parser of each command, by its name."""
    commands = Parser().add_subparsers()
    for module in (listing, import_file, sandbox):
        module.add(commands)
    return dict(commands.choices)


def options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those that the help shows: former names are not told."""
    shown = (action for action in parser._actions if action.help != argparse.SUPPRESS)
    return (action for action in shown if action.option_strings and action.dest != "help")


# The command line


def test_every_option_of_the_sandbox_is_in_the_table_and_no_other() -> None:
    taken = [action.option_strings[-1] for action in options(parsers()["sandbox"])]
    assert sorted(taken) == sorted(cell.split()[0] for cell in named(table("Options", "option")))


def test_every_option_that_the_page_speaks_of_is_one() -> None:
    taken = {name for action in options(parsers()["sandbox"]) for name in action.option_strings} | {"--run", *RENAMED}
    own = re.sub(r" -- pulumi [^`\n]*", "", PAGE)
    assert set() == set(re.findall(r"(?<![\w-])--[a-z][\w-]*", own)) - taken


@pytest.mark.parametrize(("command", "parser"), parsers().items())
def test_every_option_of_every_command_has_a_help_text(command: str, parser: argparse.ArgumentParser) -> None:
    assert [] == [action.option_strings for action in parser._actions if not (action.help or "").strip()], command


def test_every_option_of_the_sandbox_says_its_default() -> None:
    silent = [a.option_strings for a in options(parsers()["sandbox"]) if "default" not in (a.help or "")]
    assert [] == silent


def test_the_table_has_the_defaults_of_the_parser() -> None:
    parser = parsers()["sandbox"]
    for name in ("ring_after", "answer_after", "talk_for", "latency", "calls_per_second"):
        default = parser.get_default(name)
        option = f"--{name.replace('_', '-')}"
        row = next(line for line in section("Options").splitlines() if f"`{option} " in line)
        assert f"{default:g}" in row.rpartition(" | ")[2]


# The API


def served() -> set[str]:
    app = Server(LocalTwilio(Credentials(), PhoneBook(), time.time)).application()
    routes = [(route.method, route.resource.canonical if route.resource else "") for route in app.router.routes()]
    return {f"{method} {path}" for method, path in routes if path.startswith("/sandbox/") and method != "HEAD"}


def test_every_end_point_of_the_sandbox_s_own_is_in_the_table_and_no_other() -> None:
    listed = named(table("Over HTTP", "request"))
    assert (served(), len(listed)) == (set(listed), len(set(listed)))


def test_the_requests_that_are_shown_are_taken() -> None:
    lines = [shlex.split(line) for line in section("Over HTTP").splitlines() if line.startswith("curl ")]
    assert len(lines) > 2
    with Sandbox() as running:
        for line in lines:
            options = dict(zip(line[1::2], line[2::2], strict=False)) if line[1] == "-X" else {}
            path = next(word for word in line if "/sandbox/" in word).partition(":8484")[2]
            answer = requests.request(
                options["-X"], running.url + path, data=line[line.index("-d") + 1], timeout=PATIENCE
            )
            assert 200 == answer.status_code, line


# What is described


def test_the_files_that_are_shown_are_read(tmp_path: Path) -> None:
    for heading, read in (("Phones", load_phones), ("Faults", load_faults)):
        file = tmp_path / f"{heading}.yaml"
        file.write_text(re.findall(r"```yaml\n(.*?)```", section(heading), re.DOTALL)[0])
        assert len(read(file)) > 3


def test_every_behaviour_is_in_the_table_and_no_other() -> None:
    assert list(Behaviour) == named(table("Phones", "behaviour"))


def test_every_field_of_a_phone_is_in_the_table_and_no_other() -> None:
    assert list(Phone.model_fields) == named(table("Phones", "key"))


def test_every_field_of_a_fault_is_in_the_table_and_no_other() -> None:
    assert sorted(field.name for field in dataclasses.fields(Fault)) == sorted(named(table("Faults", "key")))


def test_every_endpoint_of_a_fault_is_named() -> None:
    row = next(line for line in section("Faults").splitlines() if line.startswith("| `endpoint` |"))
    assert list(ENDPOINTS) == [name.strip('"') for name in re.findall(r"`([^`]+)`", row)[1:]]


def test_every_way_of_callbacks_is_in_the_table_and_no_other() -> None:
    assert list(HOWS) == named(table("Callbacks", "how"))
