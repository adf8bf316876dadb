"""`pulumi up` in a terminal: whoever holds the phone can read the code, at any width, as long as it is of use."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyte
import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import SECONDS, TYPE, Stack

UP = "pulumi up --yes --skip-preview"
EARLIER = [f"$ command {n}" for n in range(60)]
"""What is on the screen before: in a terminal in use, the table is drawn at the very bottom."""

# Makes the terminal on its standard input the controlling one, as a terminal emulator does for its shell.
LAUNCHER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"

# Takes what is written to the terminal, whatever keeps this process busy. Pulumi asks for the background's colour, and
# waits 5 seconds for a terminal that does not tell.
TAKER = r"""
import os, sys
while True:
    try:
        data = os.read(int(sys.argv[1]), 65536)
    except OSError:  # the last process that had the terminal open has ended
        break
    if b"\x1b]11;?" in data:
        os.write(int(sys.argv[1]), b"\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[1;1R")
    os.write(1, data)
"""

SAVE_CURSOR = b"\x1b7"
"""Our line begins with it, and Pulumi's output has none."""


STEP = 0.25
"""Seconds by which the clock goes on at most, from look to look."""


class Clock:
    """That of the sandbox, and of what is measured. It stands still where nobody looks at the terminal: on a machine
    that stands still, or is too busy, nothing is late, and no call is over before its code could be seen.
    """

    def __init__(self) -> None:
        self._now = time.time()
        self._looked = time.monotonic()

    def __call__(self) -> float:
        return self._now

    def look(self) -> None:
        before, self._looked = self._looked, time.monotonic()
        self._now += min(self._looked - before, STEP)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock) -> dict[str, Any]:
    return {"delays": Delays(queued=0.5, rings=1.5, talks=1), "clock": clock}


@dataclass
class Terminal:
    """Runs a command in a terminal of its own; `sampled` is called whenever the screen may have changed."""

    columns: int
    rows: int
    clock: Clock
    earlier: list[str] = field(default_factory=list)
    received: bytes = b""

    def __post_init__(self) -> None:
        self.screen = pyte.HistoryScreen(self.columns, self.rows, history=1000, ratio=1)
        self._stream = pyte.ByteStream(self.screen)
        self._stream.feed("".join(f"{line}\r\n" for line in self.earlier).encode())

    def run(self, stack: Stack, command: str, sampled: Callable[[str], None] = lambda _: None) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-ISc", LAUNCHER, "sh", "-c", command],
            cwd=stack.project,
            env=stack.variables({"TERM": "xterm-256color", "PULUMI_DISABLE_CI_DETECTION": "true"}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        taken = stack.folder / "terminal"
        with taken.open("wb") as file:
            command_line = [sys.executable, "-ISc", TAKER, str(master)]
            taker = subprocess.Popen(command_line, stdout=file, pass_fds=[master])
        os.close(slave)
        os.close(master)
        try:
            self._follow(taker, taken, sampled)
            assert 0 == process.wait(SECONDS), self.text
        finally:
            for each in (process, taker):
                each.kill()
                each.wait()

    def _follow(self, taker: subprocess.Popen[bytes], taken: Path, sampled: Callable[[str], None]) -> None:
        end = time.monotonic() + SECONDS
        with taken.open("rb") as file:
            while time.monotonic() < end:
                over = taker.poll() is not None
                if data := file.read(65536):
                    self.received += data
                    self._stream.feed(data)
                elif over:
                    return
                else:
                    time.sleep(0.02)
                self.clock.look()
                sampled("\n".join(self.screen.display))
        raise AssertionError(f"not done after {SECONDS} s:\n{self.text}")

    @property
    def lines(self) -> list[str]:
        """All there is, with what was scrolled out of sight."""
        scrolled = ["".join(line[column].data for column in range(self.columns)) for line in self.screen.history.top]
        return [line.rstrip() for line in (*scrolled, *self.screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Watch:
    """For each call of the sandbox, how long its code was not on the screen while it was of use. `more`: whether the
    line ever said that four more codes do not fit."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._last: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.gaps: dict[str, float] = {}
        self.more = False

    def __call__(self, screen: str) -> None:
        self.more |= "+4 more" in screen
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
    assert (fitting < count) == watch.more
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
