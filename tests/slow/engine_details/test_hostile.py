"""Names that would steer a terminal, end a string or differ from themselves, all the way through the real engine."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.sandbox import rules
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Result, Stack

NAMES = {
    "quotes": '"""\'); x = "\\',
    "braces": "{x} {{}} %s $(id) #",
    "joined": "\U0001f468\u200d\U0001f469 team",
    "hebrew": "\u05d0\u05d1 \u200e(1)",
    "changed": "  Cafe\u0301 ",
}
STEERING = "\x1b[2J\x1b]0;x\x07\u202e\x9b2J\r\nDesk"
IN_STATE = "\ufffd[2J\ufffd]0;x\ufffd\ufffd\ufffd2J\ufffd\ufffdDesk"
ALIKE = "D\u0435sk"  # with a Cyrillic letter
DRIFTED = "+14155550100"


def harmless(*results: Result) -> bool:
    """Whether nothing in what was printed steers a terminal."""
    text = "".join(result.output for result in results)
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf") for char in text)


def declared(names: dict[str, str]) -> str:
    return "".join(
        f"OutgoingCallerId({name!a}, phone_number='+1415555010{at}', friendly_name={given!a})\n"
        for at, (name, given) in enumerate(names.items())
    )


@pytest.fixture
def _changing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Twilio that takes blanks off the ends of a name and composes its accents."""
    as_given = rules.friendly_name
    monkeypatch.setattr(
        rules, "friendly_name", lambda name, number: unicodedata.normalize("NFC", as_given(name, number)).strip()
    )


@pytest.mark.usefixtures("_changing")
def test_names_come_and_go_as_they_are(
    stack: Stack, sandbox: Sandbox, make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.program(declared(NAMES | {"alike": "Desk"}))
    created = stack.up()
    assert "friendly name" not in created.output
    unchanged = stack.refresh("--expect-no-changes")
    assert {**NAMES, "changed": "Caf\u00e9", "alike": "Desk"} == {
        name: state["outputs"]["friendly_name"] for name, state in stack.resources().items()
    }

    with monkeypatch.context() as raw:
        raw.setattr(rules, "friendly_name", lambda name, _number: name)
        [sid] = [known.sid for known in sandbox.caller_ids if known.phone_number == DRIFTED]
        sandbox.rename(sid, STEERING)
    stack.program(declared(NAMES | {"alike": ALIKE}))
    preview = stack.preview("--refresh", "--diff")
    assert f'~ friendly_name: "Desk" => "{ALIKE}"' in preview.output
    assert "~ 2 to update" in preview.output
    assert harmless(created, unchanged, preview)

    imported = make_stack("imported", environment=sandbox.environment)
    command = [sys.executable, "-m", "pulumi_twilio_caller_id", "import-file", "--all", "--no-protect"]
    written = subprocess.run(
        [*command, "--program", "caller_ids.py"],
        cwd=imported.project,
        env=imported.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    (imported.project / "FILE").write_text(written.stdout)
    outcome = imported.pulumi(
        "import", "--file", "FILE", "--generate-code=false", "--protect=false", "--yes", "--skip-preview"
    )
    imported.program("import caller_ids\n")
    assert {} == imported.planned()
    assert {IN_STATE, "Desk", *NAMES.values()} - {NAMES["quotes"], NAMES["changed"]} | {"Caf\u00e9"} == {
        entry["outputs"]["friendly_name"] for entry in json.loads(written.stdout)["resources"]
    }
    destroyed = imported.destroy()
    assert harmless(Result(0, written.stdout, written.stderr), outcome, destroyed)
    assert [] == sandbox.caller_ids


def test_what_is_refused_is_not_printed_as_it_is(stack: Stack, sandbox: Sandbox) -> None:
    """The engine prints a refused value; text in another encoding ends the program before it gets there."""
    stack.program('OutgoingCallerId("bad", phone_number="+14155550101\\u202e\\x07", friendly_name="a\\x1b[2J\\x9b")\n')
    refused = stack.preview(ok=False)
    assert "has a problem: friendly_name: it holds '\\x1b', a line break or another control" in refused.output
    assert "has a problem: phone_number: it holds '\\x07', which is no part of a phone number" in refused.output
    assert harmless(refused)

    stack.program('OutgoingCallerId("half", phone_number="+14155550101", friendly_name="caf\\udce9")\n')
    refused = stack.preview(ok=False)
    assert "OutgoingCallerId 'half': friendly_name 'caf\\udce9' is not valid Unicode." in refused.output
    assert "Traceback" not in refused.output
    assert harmless(refused)
    assert [] == sandbox.requests
