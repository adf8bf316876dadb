"""Say how far a long step has come, in one line."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

TERMINAL_INTERVAL = 0.5
"""Seconds between two repaints of the line in a terminal."""

LOG_INTERVAL = 15.0
"""Seconds between two lines where there is no terminal, such as in a CI log."""


def say(line: str) -> None:
    """Print one line for the person who ran `make`."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def progress_line(
    describe: Callable[[float], str], stream: TextIO | None = None, interval: float | None = None
) -> Iterator[None]:
    """Show `describe(seconds so far)` until the block ends. A terminal's line is repainted, and removed at the end."""
    out = stream or sys.stderr
    terminal = out.isatty()
    pause = interval or (TERMINAL_INTERVAL if terminal else LOG_INTERVAL)
    started = time.monotonic()
    ended = threading.Event()

    def paint() -> None:
        while not ended.wait(pause):
            line = describe(time.monotonic() - started)
            if terminal:
                width = shutil.get_terminal_size().columns - 1  # a full last column would move on to the next line
                out.write(f"\r\x1b[K{line[:width]}")
            else:
                out.write(f"{line}\n")
            out.flush()

    painter = threading.Thread(target=paint, daemon=True)
    painter.start()
    try:
        yield
    finally:
        ended.set()
        painter.join()
        if terminal:
            out.write("\r\x1b[K")
            out.flush()
