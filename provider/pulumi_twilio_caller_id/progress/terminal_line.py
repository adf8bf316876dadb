"""Show the codes of ringing phones on the bottom line of a terminal that is too narrow for Pulumi's table to show them.

Pulumi cuts the rows of its table off at the terminal's width: with 80 columns, the code is lost. This process shares
the terminal with Pulumi, so it writes the codes there itself. Whatever the line covers comes back, because Pulumi
draws its table again at least every second and when it ends. After a resize, an old line may stay for that second.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock, Thread
from typing import NamedTuple

WIDE_ENOUGH_COLUMNS = 130
"""With so many columns or more, the table shows the code. The type, the status and the code take 79 columns, which
leaves 50 for the resource's name with its indentation."""

REPAINT_SECONDS = 0.1
"""Seconds until the line is painted again. Pulumi draws over the line whenever it draws its table."""


PAGE_SECONDS = 3.0
"""Seconds until the line shows other codes, if it has no room for all: long enough to read those it shows."""


class RingingPhone(NamedTuple):
    """What is shown for one ringing phone. The number comes first, because phones are sorted by it."""

    number: str
    code: str
    details: str


class TerminalLine:
    """The bottom line of a terminal, made by `context.Plugin` for all verifications. No method raises or blocks."""

    def __init__(self, path: str = "/dev/tty", *, repaint_seconds: float = REPAINT_SECONDS) -> None:
        self._path = path
        self._repaint_seconds = repaint_seconds
        self._lock = Lock()
        self._phones: dict[str, RingingPhone] = {}
        self._changed_at = 0.0  # when a phone came or went
        self._painter: Thread | None = None
        self._foreground_job: int | None = None
        self._may_be_visible = False
        self._is_usable = os.environ.get("TERM") != "dumb"  # such a terminal can't place its cursor

    def has_terminal(self) -> bool:
        """Return whether this process has a controlling terminal. In CI it has none."""
        with suppress(OSError):
            os.close(os.open(self._path, os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
            return True
        return False

    def shows_pulumi_table(self) -> bool:
        """Return whether Pulumi's table is on the terminal now. False if that is not certain."""
        with suppress(Exception), self._lock:  # OSError, termios.error; ImportError and AttributeError on Windows
            terminal = os.open(self._path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                return self._shows_pulumi_table(terminal)
            finally:
                os.close(terminal)
        return False

    def show(self, key: str, code: str, number: str, details: str) -> None:
        """Add or change the text of one phone call.

        key: identifies the phone call. details: left out if the line has no room for the details of all phone calls.
        """
        with suppress(RuntimeError), self._lock:  # raised if the system has no more threads
            if key not in self._phones:
                self._changed_at = time.monotonic()
            self._phones[key] = RingingPhone(number, code, details)
            self._paint()
            if self._is_usable and self._painter is None:
                # A daemon, because the interpreter waits for other threads before it ends.
                painter = Thread(target=self._keep_painting, name="terminal-line", daemon=True)
                painter.start()
                self._painter = painter

    def clear(self, key: str) -> None:
        """Remove the phone call's text, and paint immediately: a later painting could cover Pulumi's final output."""
        with self._lock:
            if self._phones.pop(key, None) is not None:
                self._changed_at = time.monotonic()
                self._paint()

    def _keep_painting(self) -> None:
        while True:
            time.sleep(self._repaint_seconds)
            with self._lock:
                self._paint()
                if not (self._is_usable and (self._phones or self._may_be_visible)):
                    self._painter = None
                    return

    def _paint(self) -> None:
        """Write the line. After an error, never write again."""
        if not self._is_usable:
            return
        try:
            # Non-blocking: a terminal that was stopped by ^S must not block a verification.
            terminal = os.open(self._path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                self._paint_on(terminal)
            finally:
                os.close(terminal)
        except Exception:  # noqa: BLE001  OSError, termios.error; ImportError and AttributeError on Windows
            self._is_usable = False

    def _paint_on(self, terminal: int) -> None:
        if not self._shows_pulumi_table(terminal):
            self._may_be_visible = False
            return
        columns, rows = os.get_terminal_size(terminal)
        line = ""
        if columns < WIDE_ENOUGH_COLUMNS:
            # The rightmost column stays free, as the cursor wraps after it.
            line = fit_line(self._phones.values(), columns - 1, time.monotonic() - self._changed_at)
            line = re.sub("[^ -~]", "?", line)  # a non-ASCII character may take two columns
        if line or self._may_be_visible:
            self._may_be_visible = True
            # Save the cursor, write in reverse video on the bottom row, restore the cursor and its attributes.
            if _write(terminal, f"\x1b7\x1b[0m\x1b[{rows};1H\x1b[2K\x1b[7m{line}\x1b8".encode()):
                self._may_be_visible = bool(line)

    def _shows_pulumi_table(self, terminal: int) -> bool:
        """Return whether Pulumi's table is on the terminal, and the terminal lets this background process write to it.

        Pulumi puts the terminal in raw mode for the table. Without a table (`--non-interactive`, `--diff`, a pipe), the
        codes are in Pulumi's output. Shells use raw mode too, so the foreground process group must still be the one
        first seen: Pulumi's. A program that runs Pulumi by its Automation API may use raw mode without a table.
        """
        if os.environ.get("PULUMI_AUTOMATION_API") == "true":
            return False
        import termios  # late: Windows has none

        local_modes = termios.tcgetattr(terminal)[3]
        job = os.tcgetpgrp(terminal)
        self._foreground_job = self._foreground_job or job
        # With TOSTOP, the terminal stops background processes that write to it.
        return job == self._foreground_job and not local_modes & (termios.ICANON | termios.TOSTOP)


def instruction(code: str, number: str) -> str:
    """Return what somebody is to do, such as `483920: enter on +1 415-555-0101`."""
    return f"{code}: enter on {number}"


def fit_line(phones: Iterable[RingingPhone], width: int, seconds_since_change: float = 0.0) -> str:
    """Return a line of at most `width` characters, sorted by number.

    It has all phones: with their details, else without, else each as `483920: +1 415-555-0101`. If not even those fit,
    it has as many as do, and says how many more there are. Those follow after PAGE_SECONDS.

    seconds_since_change: how long ago a phone came or went.
    """
    sorted_phones = sorted(phones)
    instructions = [instruction(phone.code, phone.number) for phone in sorted_phones]
    details = [f"{text} ({phone.details})" for text, phone in zip(instructions, sorted_phones, strict=True)]
    short = [f"{phone.code}: {phone.number}" for phone in sorted_phones]
    for texts in (details, instructions, short):
        line = " | ".join(texts)
        if len(line) <= width:
            return line
    turn = int(seconds_since_change / PAGE_SECONDS)
    for count in range(len(sorted_phones) - 1, 0, -1):
        for texts in (instructions, short):
            pages = [texts[first : first + count] for first in range(0, len(texts), count)]
            lines = [" | ".join([*page, f"{len(texts) - len(page)} more"]) for page in pages]
            if max(map(len, lines)) <= width:
                return lines[turn % len(lines)]
    return short[turn % len(short)][: max(0, width)]


def _write(terminal: int, sequence: bytes) -> bool:
    """Write the sequence within 20 ms; the terminal may be busy with Pulumi's table. Return whether all was written."""
    for _ in range(10):
        with suppress(BlockingIOError):
            sequence = sequence[os.write(terminal, sequence) :]
        if not sequence:
            return True
        time.sleep(0.002)
    return False
