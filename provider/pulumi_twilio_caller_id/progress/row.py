"""Show the code and the progress of a verification on its resource's row, in the log and on the terminal's bottom line.

Each text begins with the code, because the terminal cuts rows off on the right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, international_format
from pulumi_twilio_caller_id.text import sanitize

from .terminal_line import TerminalLine, instruction

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.context import Operation
    from pulumi_twilio_caller_id.models import ValidationRequest
    from pulumi_twilio_caller_id.verification.waiter import Progress

ROW_REFRESH_SECONDS = 10.0
"""Seconds between row updates when only the time left changes. Without a terminal, the row is not updated for that,
because each update would be a new line of output."""


class ProgressDisplay:
    """Shows one verification until its `with` block ends."""

    def __init__(self, operation: Operation, request: ValidationRequest, terminal_line: TerminalLine) -> None:
        """Make the display of one phone call.

        operation: the engine's request, whose `log` shows texts on the row. request: Twilio's answer, with the code.
        terminal_line: the bottom line, which all verifications of the process share.
        """
        self._operation = operation
        self._request = request
        self._terminal_line = terminal_line
        self._refresh_seconds = ROW_REFRESH_SECONDS if terminal_line.has_terminal() else math.inf
        self._last_on_row: Progress | None = None
        self._is_on_row = False

    def __call__(self, progress: Progress) -> None:
        """Show the progress on the bottom line, and on the row if its state changed or ROW_REFRESH_SECONDS passed."""
        number = international_format(progress.phone_number)
        self._terminal_line.show(self._request.call_sid, progress.validation_code, number, _details(progress))
        before = self._last_on_row
        if before and before.state == progress.state and before.remaining - progress.remaining < self._refresh_seconds:
            return
        self._last_on_row = progress
        self._show_on_row(row_text(progress))

    def __enter__(self) -> Self:
        """Show the code on the row if Pulumi shows its table, else in the log.

        With the table, the code stays out of the log, because Pulumi prints the log again when the table ends.
        """
        if self._terminal_line.shows_pulumi_table():
            self._show_on_row(code_message(self._request))
        else:
            self._operation.log("info", code_message(self._request))
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_on_row:
            self._show_on_row("")
        self._terminal_line.clear(self._request.call_sid)

    def _show_on_row(self, text: str) -> None:
        """Replace the text on the row. "" clears it."""
        self._is_on_row = bool(text)
        self._operation.log("info", text, ephemeral=True)


def row_text(progress: Progress) -> str:
    """Return the text for the row, such as `483920: enter on +1 415-555-0101 (ringing, 4:54 left)`."""
    number = international_format(progress.phone_number)
    return sanitize(f"{instruction(progress.validation_code, number)} ({_details(progress)})")


def code_message(request: ValidationRequest) -> str:
    """Return the text that is shown first: `483920: enter this code when Twilio (+1 ...) calls +1 415-555-0101`."""
    number = international_format(request.phone_number)
    caller = international_format(VALIDATION_CALL_FROM)
    return sanitize(f"{request.validation_code}: enter this code when Twilio ({caller}) calls {number}")


def _details(progress: Progress) -> str:
    minutes, seconds = divmod(max(0, round(progress.remaining)), 60)
    return f"{progress.state}, {minutes}:{seconds:02} left"
