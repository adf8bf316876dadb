"""Show a verification's progress on its resource's row, and word the message in the log that has the code.

The row's text begins with the code, because the terminal cuts the row off on the right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, international_format
from pulumi_twilio_caller_id.text import sanitize

from .terminal_line import TerminalLine

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.models import ValidationRequest
    from pulumi_twilio_caller_id.verification.waiter import Progress

ROW_REFRESH_SECONDS = 10.0
"""Seconds between row updates when only the time left changes. Without a terminal there are none, because each would be
a new line of output."""


class ProgressDisplay:
    """Shows one verification on the resource's row and on the terminal's bottom line, until its `with` block ends."""

    def __init__(self, call_sid: str, show_on_row: Callable[[str], None], terminal_line: TerminalLine) -> None:
        """Make the display of one phone call.

        call_sid: the key of the text on the terminal's bottom line.
        show_on_row: replaces the text on the resource's row; "" clears the text.
        terminal_line: the bottom line, which all verifications of the process share.
        """
        self._call_sid = call_sid
        self._show_on_row = show_on_row
        self._terminal_line = terminal_line
        self._refresh_seconds = ROW_REFRESH_SECONDS if terminal_line.has_terminal() else math.inf
        self._last_on_row: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Show the progress on the bottom line, and on the row if its state changed or ROW_REFRESH_SECONDS passed."""
        code_and_number = f"{progress.validation_code} {international_format(progress.phone_number)}"
        details = f"{progress.state}, {_minutes_and_seconds(progress.remaining)} left"
        self._terminal_line.show(self._call_sid, code_and_number, details)
        before = self._last_on_row
        if before and before.state == progress.state and before.remaining - progress.remaining < self._refresh_seconds:
            return
        self._last_on_row = progress
        self._show_on_row(row_text(progress))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last_on_row:
            self._show_on_row("")
        self._terminal_line.clear(self._call_sid)


def row_text(progress: Progress) -> str:
    """Return the text for the row, such as `483920 <- key in on +1 415-555-0101 (ringing, 4:54 left)`."""
    number = international_format(progress.phone_number)
    left = _minutes_and_seconds(progress.remaining)
    return sanitize(f"{progress.validation_code} <- key in on {number} ({progress.state}, {left} left)")


def code_message(request: ValidationRequest) -> str:
    """Return the text for the log, for people who see no rows, as in CI."""
    number = international_format(request.phone_number)
    caller = international_format(VALIDATION_CALL_FROM)
    code = request.validation_code
    return sanitize(f"{code} is the code for {number}: Twilio calls it now from {caller}; key it in there.")


def _minutes_and_seconds(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02}"
