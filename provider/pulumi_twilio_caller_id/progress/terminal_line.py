"""Lines at the bottom of the terminal, for codes that Pulumi's table has no room for.

Pulumi cuts each row at the terminal's width: at 80 columns the code, which somebody must key into a ringing phone, is
not to be seen. The plugin shares Pulumi's controlling terminal, so it writes the codes there itself, over whatever is
at the bottom, and wipes them when the waits are over. Pulumi draws its table anew at least every second and at its
end, so nothing of it is lost.

Nothing is written, and nothing fails, where
  - there is no controlling terminal: CI, a service, Windows;
  - Pulumi's table is not on it. The table alone puts the terminal in raw mode, so that tells: the whole text is in the
    output as lines of its own with `--non-interactive`, `--diff`, `--json` or a pipe;
  - another job is in the foreground, or `stty tostop` is set, under which writing would stop the plugin;
  - the terminal is wide enough for the table to show the codes.

Limits: a resize may leave a line behind until Pulumi draws over it; so may a Pulumi that ends before the waits do.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread

NARROW = 130
"""Columns from which on the table shows the code: 79 for the type, the status and the code itself, which leaves 50 for
the longest name and the indentation."""

LINES = 3
"""At most, and at most a quarter of the terminal: what is under them can't be read."""

PERIOD = 0.1
"""Seconds between paintings. Pulumi draws every second, or more often, and covers the lines until the next one."""

SEPARATOR = " | "

TRIES = 5
"""How often a write is tried, 2 ms apart: Pulumi may be in the middle of one."""


def has_terminal(path: str = "/dev/tty") -> bool:
    """Whether this process has a controlling terminal: in CI it has none."""
    try:
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True


class TerminalLine:
    """The lines of all waits of this process. Its methods may be called from any thread, never raise, never block."""

    def __init__(self, path: str = "/dev/tty", *, period: float = PERIOD) -> None:
        self._path = path
        self._period = period
        self._lock = Lock()
        self._waits: dict[str, tuple[str, ...]] = {}
        self._painted: set[int] = set()
        self._terminal: _Terminal | None = None
        self._refresher: Thread | None = None
        self._given_up = False

    def show(self, key: str, text: str, *more: str) -> None:
        """Add the text of a wait, or change it. `more` follows it, and is left out, last part first, to save room."""
        with suppress(Exception), self._lock:
            self._waits[key] = tuple(map(_safe, (text, *more)))
            self._paint()
            if self._refresher is None and not self._given_up:
                # A daemon: the engine gives the plugin no time to end, and waits for other threads.
                refresher = Thread(target=self._refresh, name="terminal", daemon=True)
                refresher.start()
                self._refresher = refresher

    def clear(self, key: str) -> None:
        """The wait is over. Painted at once: what Pulumi draws when it hears of the end must be drawn over no more."""
        with suppress(Exception), self._lock:
            if self._waits.pop(key, None) is not None:
                self._paint()

    def _refresh(self) -> None:
        while True:
            time.sleep(self._period)
            with self._lock:
                self._paint()
                if self._given_up or not (self._waits or self._painted or self._is_owed()):
                    self._close()
                    self._refresher = None
                    return

    def _paint(self) -> None:
        """Have the terminal show the waits as they are now; whatever goes wrong with it is the last of it."""
        if self._given_up:
            return
        try:
            self._terminal = self._terminal or _Terminal(self._path)
            size = self._terminal.size()
            if size is None:
                self._painted.clear()
                return
            columns, rows = size
            lines = layout(list(self._waits.values()), columns, rows) if columns < NARROW else []
            wanted = dict(enumerate(lines, start=rows - len(lines) + 1))
            left = sorted(row for row in self._painted.difference(wanted) if row <= rows)
            if not (wanted or left):
                self._painted.clear()
                self._terminal.flush()
            elif self._terminal.write(_sequence({**dict.fromkeys(left, ""), **wanted})):
                self._painted = set(wanted)
        except Exception:  # noqa: BLE001  no terminal (OSError, termios.error), or none as we know them
            self._given_up = True
            self._painted.clear()
            self._close()

    def _is_owed(self) -> bool:
        return self._terminal is not None and self._terminal.owes

    def _close(self) -> None:
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None


bottom = TerminalLine()
"""The bottom of this process's terminal."""


class _Terminal:
    """A terminal that Pulumi's table is on. Raises where there is no such terminal, or no longer."""

    def __init__(self, path: str) -> None:
        if os.environ.get("TERM") == "dumb":
            raise OSError("a dumb terminal has no cursor to place")
        # Non-blocking: a terminal that takes nothing, held by the user or by its line, must not hold a wait.
        self._fd = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self._job = self._foreground()
        self._unsent = b""

    def close(self) -> None:
        os.close(self._fd)

    def size(self) -> tuple[int, int] | None:
        """Columns and rows at this moment; None while the terminal is not ours to write on."""
        import termios

        flags = termios.tcgetattr(self._fd)[3]
        if flags & (termios.ICANON | termios.TOSTOP) or self._foreground() != self._job:
            self._unsent = b""
            return None
        columns, rows = os.get_terminal_size(self._fd)
        return (columns, rows) if columns > 1 and rows > 1 else None

    def write(self, sequence: bytes) -> bool:
        """Whether it was written, or a part of it: the rest goes before the next, as half of one spoils the screen."""
        if not self.flush():
            return False
        written = self._write(sequence)
        if written:
            self._unsent = sequence[written:]
        return written > 0

    def flush(self) -> bool:
        """Whether nothing is left of what was written before."""
        if self._unsent:
            self._unsent = self._unsent[self._write(self._unsent) :]
        return not self._unsent

    @property
    def owes(self) -> bool:
        """Whether a part of what was written is not on the screen yet."""
        return bool(self._unsent)

    def _write(self, sequence: bytes) -> int:
        for _ in range(TRIES):
            with suppress(BlockingIOError):
                return os.write(self._fd, sequence)
            time.sleep(0.002)
        return 0

    def _foreground(self) -> int | None:
        """The job (process group) that has the terminal: Pulumi's, and a shell's after Pulumi was killed."""
        try:
            return os.tcgetpgrp(self._fd)
        except OSError:  # not the controlling terminal, which only a test gives
            return None


def layout(waits: Sequence[tuple[str, ...]], columns: int, rows: int) -> list[str]:
    """The lines that show the waits: as much of each as fits into the lines there may be, at least its first part."""
    width = columns - 1  # in the last column a cursor may wrap
    most = max(1, min(LINES, rows // 4))
    for parts in range(max(map(len, waits), default=0), 0, -1):
        lines = _packed([" ".join(wait[:parts]) for wait in waits], width)
        if len(lines) <= most:
            return lines
    texts = [wait[0] for wait in waits]
    for left_out in range(1, len(texts)):
        lines = _packed([*texts[:-left_out], f"+{left_out} more"], width)
        if len(lines) <= most:
            return lines
    return _packed(texts, width)[:most]


def _packed(texts: Sequence[str], width: int) -> list[str]:
    """As many texts a line as fit, in their order."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(SEPARATOR) + len(text) <= width:
            lines[-1] += SEPARATOR + text
        else:
            lines.append(text[:width])
    return lines


def _sequence(lines: dict[int, str]) -> bytes:
    """Writes lines, by their row, and puts the cursor back where and as it was. In one piece: Pulumi writes too."""
    painted = (f"\x1b[{row};1H\x1b[2K" + (f"\x1b[7m{line}\x1b[27m" if line else "") for row, line in lines.items())
    return f"\x1b7\x1b[0m{''.join(painted)}\x1b8".encode()


def _safe(text: str) -> str:
    """One column a character, and none that does anything to the terminal."""
    return re.sub(r"[^ -~]", "?", text)
