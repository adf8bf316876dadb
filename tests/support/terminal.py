"""A terminal of its own for a command, and what is to be seen in it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyte

from tests.support.harness import SECONDS, Stack

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
