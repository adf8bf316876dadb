"""`pulumi up` in a terminal: whoever holds the phone can read the code, at any width, as long as it is of use."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import TYPE, Stack
from tests.support.terminal import Clock, Terminal

UP = "pulumi up --yes --skip-preview"
EARLIER = [f"$ command {n}" for n in range(60)]
"""What is on the screen before: in a terminal in use, the table is drawn at the very bottom."""

SAVE_CURSOR = b"\x1b7"
"""Our line begins with it, and Pulumi's output has none."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock) -> dict[str, Any]:
    return {"delays": Delays(queued=0.5, rings=1.5, talks=1), "clock": clock}


class Watch:
    """For each call of the sandbox, how long its code was not on the screen while it was of use. `more`: whether the
    line ever said that more codes do not fit."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._last: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.gaps: dict[str, float] = {}
        self.more = False

    def __call__(self, screen: str) -> None:
        self.more |= bool(re.search(r"\| \d more", screen))
        now = self._clock()
        for call in self._sandbox.calls:
            if call.status not in ("queued", "ringing", "in-progress"):
                continue
            since = self._last.setdefault(call.sid, call.placed)
            if call.sid in self.first:
                self.gaps[call.sid] = max(self.gaps.get(call.sid, 0), now - since)
            if call.validation_code in screen:
                self._last[call.sid] = now
                self.first.setdefault(call.sid, now - call.placed)


def program(count: int) -> str:
    lines = (f'OutgoingCallerId("desk-{n}", phone_number="+1415555010{n}")\n' for n in range(count))
    return "".join(lines)


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize(
    ("columns", "rows", "earlier"),
    [(80, 24, []), (80, 24, EARLIER), (100, 30, EARLIER), (200, 50, EARLIER)],
    ids=["80-empty", "80", "100", "200"],
)
def test_the_code_can_be_read_as_long_as_the_call_lasts(
    stack: Stack, sandbox: Sandbox, clock: Clock, columns: int, rows: int, earlier: list[str], count: int
) -> None:
    stack.program(program(count))
    terminal, watch = Terminal(columns, rows, clock, earlier), Watch(sandbox, clock)
    terminal.run(stack, UP, watch)

    calls = sandbox.calls
    assert [f"+1415555010{n}" for n in range(count)] == sorted(call.to for call in calls)
    fitting = 2 if (columns, count) == (80, 6) else count
    seen_after = sorted(watch.first.values())
    assert fitting <= len(seen_after), terminal.text
    assert seen_after[fitting - 1] < 2, watch.first
    assert sorted(watch.gaps.values())[fitting - 1] < 1.5, watch.gaps  # the others give way to the count of the rest
    assert (columns < 130 and count == 6) == watch.more
    assert (columns < 130) == (SAVE_CURSOR in terminal.received)
    assert_whole(terminal, count)
    assert {f"desk-{n}" for n in range(count)} == set(stack.resources())


def assert_whole(terminal: Terminal, count: int) -> None:
    """Nothing of ours is left: no code, and nothing under Diagnostics. Nothing that was there before, or that Pulumi
    wrote, is missing.
    """
    lines = terminal.lines
    assert not re.search(r"\b\d{6}: |Diagnostics", terminal.text), terminal.text
    assert terminal.earlier == lines[: len(terminal.earlier)], terminal.text
    header = next(n for n, line in enumerate(lines) if re.match(r" +Type +Name", line))
    table = lines[header + 1 : header + 2 + count]
    assert all(line.startswith((" +   pulumi:pulumi:Stack", f" +   ├─ {TYPE} ", f" +   └─ {TYPE} ")) for line in table)
    assert count + 1 == len(table)
    summary = lines.index("Resources:")
    assert f"    + {count + 1} created" == lines[summary + 1], terminal.text
    assert lines[summary + 3].startswith("Duration: "), terminal.text
    assert [] == [line for line in lines[summary + 4 :] if line], terminal.text


@pytest.mark.parametrize("command", [f"{UP} --non-interactive", f"{UP} --diff", f"{UP} | cat"])
def test_without_the_table_nothing_is_drawn_over_the_output(
    stack: Stack, sandbox: Sandbox, clock: Clock, command: str
) -> None:
    """The codes are in the output, as lines of their own."""
    stack.program(program(1))
    terminal = Terminal(80, 24, clock)
    terminal.run(stack, command)

    assert SAVE_CURSOR not in terminal.received
    code = sandbox.calls[0].validation_code
    assert f"{code}: enter this code when Twilio (+1 415-723-4000) calls +1 415-555-0100".encode() in terminal.received
    assert f"{code}: enter on +1 415-555-0100".encode() in terminal.received
