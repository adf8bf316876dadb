"""Shows the progress of a verification on its resource's row, and has the text that the log gets once.

The code comes first, because a terminal cuts a resource's row on the right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, readable
from pulumi_twilio_caller_id.text import sanitize

from .terminal_line import TerminalLine

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.models import ValidationRequest
    from pulumi_twilio_caller_id.verification.waiter import Progress

REPEAT = 10.0
"""Seconds after which the row shows the time left again. Without a terminal it does not, as each text is a new line of
the output there."""


class ProgressDisplay:
    """Shows one verification on the resource's row and on the terminal's last line, until its `with` block ends."""

    def __init__(self, call_sid: str, log: Callable[[str], None], terminal_line: TerminalLine) -> None:
        """Make the display of one phone call.

        :param call_sid: The call's sid, which names its text on the terminal's last line.
        :param log: Shows a text on the resource's row, in place of the text before it; "" removes that.
        :param terminal_line: The last line of the terminal, which all verifications of the process share.
        """
        self._call_sid = call_sid
        self._log = log
        self._terminal_line = terminal_line
        self._repeat = REPEAT if terminal_line.has_terminal() else math.inf
        self._on_row: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Show the progress on the terminal's last line. The row gets it if the state is new, or after `REPEAT`."""
        code_and_number = f"{progress.validation_code} {readable(progress.phone_number)}"
        details = f"{progress.state}, {_minutes(progress.remaining)} left"
        self._terminal_line.show(self._call_sid, code_and_number, details)
        before = self._on_row
        if before and before.state == progress.state and before.remaining - progress.remaining < self._repeat:
            return
        self._on_row = progress
        self._log(row_text(progress))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_row:
            self._log("")
        self._terminal_line.clear(self._call_sid)


def row_text(progress: Progress) -> str:
    """Return the text for the row, such as `483920 <- key in on +1 415-555-0101 (ringing, 4:54 left)`."""
    number = readable(progress.phone_number)
    left = _minutes(progress.remaining)
    return sanitize(f"{progress.validation_code} <- key in on {number} ({progress.state}, {left} left)")


def log_text(request: ValidationRequest) -> str:
    """Return the text for the log, which is for people who don't see rows, as in CI."""
    number = readable(request.phone_number)
    caller = readable(VALIDATION_CALL_FROM)
    code = request.validation_code
    return sanitize(f"{code} is the code for {number}: Twilio calls it now from {caller}; key it in there.")


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02}"
