"""What the person at the terminal sees while a number waits to be verified.

The code comes first: a terminal cuts a resource's row on the right.
"""

from __future__ import annotations

from collections.abc import Callable

from .inputs import readable
from .twilio_api import CALLER, ValidationRequest
from .verification import Progress

REPEAT = 10.0
"""Seconds after which the time left is shown again: without a terminal, each text is a line of its own."""


def row_text(progress: Progress) -> str:
    """The text on the resource's own row, e.g. `483920 <- key in on +1 415-555-0101 (ringing, 4:54 left)`."""
    minutes, seconds = divmod(max(0, round(progress.remaining)), 60)
    number = readable(progress.phone_number)
    return f"{progress.validation_code} <- key in on {number} ({progress.state}, {minutes}:{seconds:02} left)"


def log_text(request: ValidationRequest) -> str:
    """The text for the log, once, for those who don't see rows (CI)."""
    number = readable(request.phone_number)
    caller = readable(CALLER)
    return f"{request.validation_code} is the code for {number}: Twilio calls it now from {caller}; key it in there."


class Row:
    """Shows progress on change of state, and the time left every REPEAT seconds. `show` takes the text, "" clears."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._state: str | None = None
        self._remaining = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.state == self._state and self._remaining - progress.remaining < REPEAT:
            return
        self._state, self._remaining = progress.state, progress.remaining
        self._show(row_text(progress))

    def clear(self) -> None:
        if self._state is not None:
            self._show("")
            self._state = None
