"""Show the codes of ringing phones on the bottom line of a terminal that is too narrow for Pulumi's table to show them.

Pulumi cuts the rows of its table off at the terminal's width: with 80 columns, the code is lost. This process shares
the terminal with Pulumi, so it writes the codes there itself. Whatever the line covers comes back, because Pulumi
draws its table again at least every second and when it ends. After a resize, an old line may stay until then.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread

WIDE_ENOUGH_COLUMNS = 130
"""With so many columns or more, the table shows the code. The type, the status and the code take 79 columns, which
leaves 50 for the resource's name with its indentation."""

REPAINT_SECONDS = 0.1
"""Seconds until the line is painted again. Pulumi draws over the line whenever it draws its table."""


class TerminalLine:
    """The bottom line of a terminal, shared by all verifications of a process. No method raises or blocks."""

    def __init__(self, path: str = "/dev/tty", *, period: float = REPAINT_SECONDS) -> None:
        self._path = path
        self._period = period
        self._lock = Lock()
        self._texts: dict[str, tuple[str, str]] = {}
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

    def show(self, key: str, text: str, details: str) -> None:
        """Add or change the text for `key`. `details` follow each text if the line has room for all of them."""
        with suppress(RuntimeError), self._lock:  # raised if the system has no more threads
            self._texts[key] = text, details
            self._paint()
            if self._is_usable and self._painter is None:
                # A daemon, because the interpreter waits for other threads before it ends.
                painter = Thread(target=self._keep_painting, name="terminal-line", daemon=True)
                painter.start()
                self._painter = painter

    def clear(self, key: str) -> None:
        """Remove the text for `key`, and paint immediately: a later painting could cover Pulumi's final output."""
        with self._lock:
            if self._texts.pop(key, None) is not None:
                self._paint()

    def _keep_painting(self) -> None:
        while True:
            time.sleep(self._period)
            with self._lock:
                self._paint()
                if not (self._is_usable and (self._texts or self._may_be_visible)):
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
        # The rightmost column stays free, as the cursor wraps after it. Non-ASCII characters may take two columns.
        line = re.sub("[^ -~]", "?", fit([*self._texts.values()], columns - 1)) if columns < WIDE_ENOUGH_COLUMNS else ""
        if line or self._may_be_visible:
            self._may_be_visible = True
            # Save the cursor, write in reverse video on the bottom row, restore the cursor and its attributes.
            if _write(terminal, f"\x1b7\x1b[0m\x1b[{rows};1H\x1b[2K\x1b[7m{line}\x1b8".encode()):
                self._may_be_visible = bool(line)

    def _shows_pulumi_table(self, terminal: int) -> bool:
        """Return whether Pulumi's table is on the terminal, and a background process may write to it (no TOSTOP).

        Pulumi puts the terminal in raw mode for the table. Without a table (`--non-interactive`, `--diff`, a pipe), the
        codes are in Pulumi's output. The first foreground job that this process sees is Pulumi's. Another one may be
        a shell, which uses raw mode too.
        """
        import termios  # late: Windows has none

        local_modes = termios.tcgetattr(terminal)[3]
        job = os.tcgetpgrp(terminal)
        self._foreground_job = self._foreground_job or job
        return job == self._foreground_job and not local_modes & (termios.ICANON | termios.TOSTOP)


def fit(texts_and_details: Sequence[tuple[str, str]], width: int) -> str:
    """Return a line of at most `width` characters: all texts with their details, else as many texts as fit."""
    texts = [text for text, _ in texts_and_details]
    lines = [" | ".join(f"{text} {details}" for text, details in texts_and_details), " | ".join(texts)]
    lines += [" | ".join([*texts[:count], f"+{len(texts) - count} more"]) for count in range(len(texts) - 1, 0, -1)]
    return next((line for line in lines if len(line) <= width), lines[-1][: max(0, width)])


def _write(terminal: int, sequence: bytes) -> bool:
    """Try for 20 ms, as the terminal may be busy with Pulumi's table. Return whether it took the whole sequence."""
    for _ in range(10):
        with suppress(BlockingIOError):
            sequence = sequence[os.write(terminal, sequence) :]
        if not sequence:
            return True
        time.sleep(0.002)
    return False
