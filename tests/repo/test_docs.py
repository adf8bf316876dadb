"""The documentation says what the code does: tables, messages, commands, programs and links hold."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id import cli, errors, testing
from pulumi_twilio_caller_id.cli import import_file
from pulumi_twilio_caller_id.errors import ADVICE
from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.models import CALL_ENDED, CallerId, CallState, OutgoingCallerIdInputs, ValidationRequest
from pulumi_twilio_caller_id.settings.sources import SETTINGS
from pulumi_twilio_caller_id.verification import evidence
from tests.support import messages
from tools import reference, schema

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
]
OURS = [page for page in PAGES if page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") or page.parent.name == "docs"]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def blocks(pages: list[Path] = PAGES) -> Iterator[Block]:
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            plain = re.sub(f"^{found[1]}", "", found[3], flags=re.MULTILINE)
            yield Block(page, text.count("\n", 0, found.start()) + 1, found[2], plain)


def of_language(language: str, pages: list[Path] = OURS) -> list[Block]:
    return [block for block in blocks(pages) if block.language == language]


def rows(heading: str) -> set[str]:
    """What the first column of the reference's table under a heading names."""
    section = REFERENCE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


# Tables


def test_every_input_is_documented() -> None:
    assert set(OutgoingCallerIdInputs.model_fields) == rows("Inputs")


def test_every_key_of_the_stacks_config_is_documented() -> None:
    keys = {name: camel_case(name) for name in OutgoingCallerIdInputs.model_fields}
    assert [] == [name for name, key in keys.items() if not re.search(rf"\| `{name}`[^|]* \| `{key}` \|", REFERENCE)]


def test_every_output_is_documented() -> None:
    assert set(CallerId.model_fields) == rows("Outputs")


def test_every_setting_is_documented() -> None:
    assert {setting.key for setting in SETTINGS.values()} == rows("Settings")


def test_the_tables_of_the_reference_are_those_of_the_code() -> None:
    """If they are not: `make reference`."""
    assert reference.made(REFERENCE) == REFERENCE
    assert sorted(reference.TABLES) == sorted(re.findall(r"^<!-- made: (\w+) -->$", REFERENCE, re.MULTILINE))


def test_the_native_providers_schema_is_that_of_the_code() -> None:
    """If it is not: `make reference`."""
    assert schema.FILE.read_text(encoding="utf-8") == schema.made()


def test_the_settings_in_the_readme_are_those_of_the_reference() -> None:
    """The README has the usual ones only."""
    keys, variables = ({*re.findall(rf"`({form}\w+)`", README)} for form in ("twilio:", "TWILIO_"))
    assert keys
    assert keys <= {setting.key for setting in SETTINGS.values()}
    assert variables <= {setting.variable for setting in SETTINGS.values()}


@pytest.mark.parametrize("page", ["docs/native.md", "examples/typescript/Pulumi.yaml", "examples/go/Pulumi.yaml"])
def test_the_plugin_is_installed_by_its_version(page: str) -> None:
    written = re.findall(r"twilio-caller-id[ @]v?(\d+\.\d+\.\d+)", (ROOT / page).read_text(encoding="utf-8"))
    assert {version("pulumi-twilio-caller-id")} == set(written)


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len(README.splitlines()) <= 150


def test_every_argument_of_a_provider_is_documented() -> None:
    accounts = (ROOT / "docs" / "accounts.md").read_text(encoding="utf-8")
    taken = inspect.signature(pulumi_twilio_caller_id.Provider).parameters.keys() - {"resource_name", "opts"}
    listed = accounts.split("`Provider` takes the settings as arguments: ", 1)[1].split(".", 1)[0]
    assert taken == set(re.findall(r"`(\w+)`", listed))


def test_every_place_to_change_something_exists() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## What to change where", 1)[1]
    places = re.findall(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)", section.split("\n## ")[0])
    assert len(places) > 10
    for path, names in places:
        code = (ROOT / "provider" / "pulumi_twilio_caller_id" / path).read_text(encoding="utf-8")
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^\s*(?:def {name}\(|class {name}\b|{name}\b.* = )", code, re.MULTILINE), (path, name)


def test_every_module_is_in_the_table_of_contributing() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Where things are", 1)[1].split("\n## ")[0]
    named = set(re.findall(r"`(?:[\w/]+/|\.\.\./)?([\w.]+)(?:/)?`", table))
    package = ROOT / "provider" / "pulumi_twilio_caller_id"
    modules = {path.name for path in package.glob("*.py") if not path.name.startswith("__")}
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert set() == (modules | rooms) - named


@pytest.mark.parametrize("module", [pulumi_twilio_caller_id, testing], ids=lambda module: module.__name__)
def test_public_names_have_docstrings(module: Any) -> None:
    bare = []
    for name in module.__all__:
        it = getattr(module, name)
        members = [m for m in vars(it).items() if not m[0].startswith("_")] if inspect.isclass(it) else []
        methods = [(f"{name}.{k}", v) for k, v in members if callable(v) or isinstance(v, (property, classmethod))]
        bare += [label for label, what in [(name, it), *methods] if not inspect.getdoc(what)]
    assert [] == bare


def test_the_tree_of_errors_is_drawn_whole() -> None:
    classes = {
        name
        for name, it in vars(errors).items()
        if inspect.isclass(it) and issubclass(it, Exception) and it.__module__ == errors.__name__
    }
    assert classes == set(re.findall(r"^[│├└─ ]*(\w+)", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE))


# Every message, in troubleshooting.md


def missing(texts: set[str]) -> list[str]:
    """Those that the page does not have."""
    page = re.sub(r"\n(?!\|)", " ", re.sub(r"[`']", "", TROUBLESHOOTING))  # the rows of its tables are apart
    return sorted(text for text in texts if not re.search(messages.pattern(text), page))


@pytest.mark.parametrize("source", messages.sources(), ids=name_of)
def test_every_message_has_a_cause_and_a_cure(source: Path) -> None:
    assert [] == missing(messages.messages(source.read_text(encoding="utf-8")))


def test_messages_are_found_in_the_source() -> None:
    """The other side: one that is new would be missed in the page."""
    source = """
def go(x):
    raise SettingsError(f"the {x} is made up.", "Never mind.")
    failures.append((name, "it is made up too"))
    engine.log("warning", "made up as well: " f"{x}")
    raise ValueError("made up.\\nSecond line") from None
    engine.log("debug", "not shown to anybody")
WHY_REASONS = {1: "made up for a dict"}
"""
    assert {
        f"the {messages.ANY} is made up.",
        "it is made up too",
        f"made up as well: {messages.ANY}",
        "made up for a dict",
    } == {text for text in messages.messages(source) if text != "made up."}
    assert ["it is made up too"] == missing({"it is made up too", "it is not a phone number"})


def test_every_kind_of_error_is_there_with_what_it_says() -> None:
    said = messages.of_error_classes()
    assert [] == [kind for kind in said if f"`{kind}`" not in TROUBLESHOOTING]
    assert [] == missing({text for text in said.values() if text != messages.ANY})


def test_every_code_with_a_hint_is_there() -> None:
    first = re.findall(r"^\| ([\d, ]+) \|", TROUBLESHOOTING, re.MULTILINE)
    assert sorted(ADVICE) == sorted({int(code) for cell in first for code in cell.split(",")} & ADVICE.keys())


def failures() -> Iterator[tuple[str, bool]]:
    """Each way in which a verification can fail, in words, and whether the number may await the next `up`."""
    request = ValidationRequest(call_sid="CA" + "1" * 32, phone_number="+14155550101", validation_code="476021")
    for reason in evidence.FailureReason:
        for status in sorted(CALL_ENDED):
            for sid in (None, "PN" + "1" * 32):
                seen = evidence.Evidence(0.0, 300.0, call=CallState(status=status), call_end_seen_at=1.0)
                seen = replace(seen, reported_failure_status=status, reported_sid=sid)
                failed = evidence.not_verified_error(request, seen, reason, 9.0)
                happened = failed.what.split("was not verified: ", 1)[1].partition(" (call CA")[0]
                yield re.sub("PN1+", "...", happened), isinstance(failed, errors.NotKeyedIn)


def test_every_way_in_which_a_verification_fails_is_there_and_whether_it_awaits() -> None:
    section = TROUBLESHOOTING.split("## The number was not verified\n", 1)[1].split("\n## ", 1)[0]
    rows = dict(re.findall(r"^\| `([^|]+)` \| (\w+) \|", section, re.MULTILINE))
    assert {"awaits", "error"} == {*rows.values()}
    assert {happened: "awaits" if awaits else "error" for happened, awaits in failures()}.items() <= rows.items()


# Commands


def commands() -> list[Any]:
    """The package's command lines in all pages."""
    begin = r"(?:python -m pulumi_twilio_caller_id|pulumi-twilio-caller-id) ((?:list|import-file|sandbox)\b[^`\n]*)"
    found = [(page, line) for page in PAGES for line in re.findall(begin, page.read_text(encoding="utf-8"))]
    return [pytest.param(line, id=f"{page.stem}: {line}") for page, line in dict.fromkeys(found)]


def words(line: str) -> list[str]:
    """Up to where the shell does something else, with placeholders filled in."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    taken: list[str] = []
    for word in lexer:
        if re.fullmatch(r"[|&;<>]+", word):
            break
        taken.append(word.replace("AC...", "AC" + "0" * 32))
    return taken


@pytest.mark.parametrize("line", commands())
def test_a_command_is_one_that_the_parser_takes(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    parse = argparse.ArgumentParser.parse_args

    def parsed(*given: Any) -> argparse.Namespace:
        arguments: argparse.Namespace = parse(*given)
        arguments.command = noted
        return arguments

    def noted(arguments: argparse.Namespace) -> int:
        if words(line)[0] == "import-file":
            import_file._refuse_contradictions(arguments)
        ran.append(line)
        return 0

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed)
    assert (0, [line]) == (cli.main(words(line)), ran)


def shell_lines() -> Iterator[tuple[Block, str]]:
    for block in of_language("sh"):
        for line in block.text.splitlines():
            yield block, line


def test_blocks_of_commands_hold_nothing_but_commands_that_are_checked() -> None:
    known = (
        r"(pulumi|make|jq|python -m pulumi_twilio_caller_id|python3 -m venv|\. \.venv|pip install|uv tool install|echo"
        r"|eval|export) ?\S*"
    )
    assert [] == [f"{block}: {line}" for block, line in shell_lines() if not re.match(known, line)]


def test_make_has_the_targets() -> None:
    targets = {line.split()[1] for _, line in shell_lines() if line.startswith("make ")}
    rules = re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"up", "destroy", "phone"} == targets
    assert set() == targets - {name for rule in rules for name in rule.split()}


def pulumi_commands() -> dict[str, set[str]]:
    """The commands of Pulumi in our pages, in blocks and in the text, with the long options they are given."""
    found: dict[str, set[str]] = {}
    for page in OURS:
        for line in re.findall(
            r"(?:^|[`|] ?)(pulumi (?!import pulumi-python)[a-z][^`\n]*)", page.read_text(), re.MULTILINE
        ):
            given = words(line.partition(" TYPE ")[0])[1:]
            command = " ".join(given[: 2 if given[0] in ("stack", "state", "config", "plugin", "package") else 1])
            command = command if len(command.split()) < 2 or re.fullmatch(r"[a-z]+", given[1]) else given[0]
            found.setdefault(command, set()).update(word.partition("=")[0] for word in given if word.startswith("--"))
    return found


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the engine, which `make test` has on PATH")
@pytest.mark.parametrize(("command", "options"), sorted(pulumi_commands().items()))
def test_pulumi_has_the_commands_and_options(command: str, options: set[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PULUMI_HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    shown = subprocess.run(
        ["pulumi", *command.split(), "--help"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    usage = re.findall(
        r"^Usage:\n  pulumi((?: [a-z]+)+)", shown, re.MULTILINE
    )  # a command may be there by another name
    assert [len(command.split())] == [len(names.split()) for names in usage]
    assert set() == options - set(re.findall(r"--[\w-]+", shown))


# Figures


def benchmark(module: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module(module)


def test_the_aims_are_those_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    table = PERFORMANCE.split("\n| name |", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    aims = [(row[0].strip("`"), row[5]) for row in rows if row[5]]
    assert sorted(benchmark("aims", monkeypatch).AIMS.items()) == sorted(aims)


def test_the_plot_has_the_figures_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    plot = benchmark("plot", monkeypatch)
    assert plot.svg(PERFORMANCE) == (ROOT / "docs" / "images" / "performance.svg").read_text(encoding="utf-8")


# Programs


def test_each_block_says_what_it_is() -> None:
    """Programs, commands and data are run or read by the tests here; what is `text` is output, or a drawing."""
    known = {"python", "sh", "text", "yaml", "json", "mermaid", "typescript", "go"}
    assert [] == [str(b) for b in blocks(OURS) if b.language not in known and b.page.name != "CONTRIBUTING.md"]


@pytest.mark.parametrize("block", of_language("python", PAGES), ids=str)
def test_a_program_is_valid(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize(
    ("language", "file"), [("yaml", "yaml/Pulumi.yaml"), ("typescript", "typescript/index.ts"), ("go", "go/main.go")]
)
def test_a_program_in_another_language_is_that_of_the_example(language: str, file: str) -> None:
    """The slow tests run the examples."""
    program = (ROOT / "examples" / file).read_text(encoding="utf-8")
    assert program in [block.text for block in of_language(language, [ROOT / "docs" / "native.md"])]


@pytest.mark.parametrize("block", of_language("json") + of_language("yaml"), ids=str)
def test_data_can_be_read(block: Block) -> None:
    assert (json.loads if block.language == "json" else yaml.safe_load)(block.text)


@pytest.mark.parametrize("block", of_language("mermaid"), ids=str)
def test_a_sequence_diagram_can_be_drawn(block: Block) -> None:
    """GitHub shows an error in place of a drawing if a line is unknown, or something is opened and not closed."""
    kind, *lines = (line.strip() for line in block.text.splitlines())
    assert "sequenceDiagram" == kind
    actors = {found[1] for line in lines if (found := re.match(r"(?:participant|actor) (\w+) as \S", line))}
    opened = 0
    for line in lines:
        if message := re.fullmatch(r"(\w+)--?>>(\w+): [^;#]+", line):
            assert {message[1], message[2]} <= actors, line
        elif line == "end":
            opened -= 1
        else:
            assert re.match(r"(participant|actor|alt|else|loop|opt) [^;#]+$", line), line
            opened += line.startswith(("alt ", "loop ", "opt "))
        assert opened >= 0, line
    assert 0 == opened


RUN = """
import asyncio, sys
import pulumi, pulumi.runtime

class Loops(asyncio.DefaultEventLoopPolicy):
    # Pulumi's mocks make a loop in each thread that registers a resource and close none: where such a loop dies after
    # its socket, Python says so in stderr.
    made = []

    def new_event_loop(self):
        self.made.append(super().new_event_loop())
        return self.made[-1]

asyncio.set_event_loop_policy(Loops())

class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, {"outputs": {"twilioAccountSid": "AC" + "3" * 32, "twilioToken": "token"}}
        return args.resource_id or "PN" + "1" * 32, {"phone_number": "+14155550102", **args.inputs}

    def call(self, args):
        return {}

pulumi.runtime.set_all_config({"project:euToken": "token"}, ["project:euToken"])
pulumi.runtime.set_mocks(Cloud(), project="project", stack="stack")

@pulumi.runtime.test
def run():
    exec(compile(sys.argv[1], "<page>", "exec"), {"__name__": "__main__"})

run()
for loop in Loops.made:
    loop.close()
"""


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_a_program_runs(block: Block) -> None:
    """Each by itself, with all that it imports; the engine is a mock, Twilio the sandbox."""
    with testing.Sandbox(numbers={"+14155550102": "Lobby"}) as twilio:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "PULUMI_"))}
        done = subprocess.run(
            [sys.executable, "-c", RUN, block.text],
            env={**outside, **twilio.environment},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (0, "") == (done.returncode, done.stderr)


# Links


def slugs(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    outside = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        to = page.parent / path if path else page
        if not to.exists() or (anchor and anchor not in slugs(to)):
            lost.append(link)
    assert [] == lost


def test_the_index_has_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = re.findall(r"\]\(([\w-]+\.md)\)", index.read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(page.name for page in OURS if page.parent.name == "docs" and page != index)


def test_the_readme_leads_to_the_index() -> None:
    assert "](docs/README.md)" in README
