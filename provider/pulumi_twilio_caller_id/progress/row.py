"""What the person at the terminal sees while a number waits to be verified.

The code comes first: a terminal cuts a resource's row on the right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Self

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.models import ValidationRequest
from pulumi_twilio_caller_id.phone_number import VALIDATION_CALL_FROM, readable
from pulumi_twilio_caller_id.text import sanitize
from pulumi_twilio_caller_id.verification.waiter import Progress

from . import terminal_line as terminal

REPEAT = 10.0
"""Seconds after which the time left is shown again; without a terminal never, as each text is a line of its own."""


def row_text(progress: Progress) -> str:
    """The text on the resource's own row, e.g. `483920 <- key in on +1 415-555-0101 (ringing, 4:54 left)`."""
    number = readable(progress.phone_number)
    left = _minutes(progress.remaining)
    return sanitize(f"{progress.validation_code} <- key in on {number} ({progress.state}, {left} left)")


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02}"


def log_text(request: ValidationRequest) -> str:
    """The text for the log, once, for those who don't see rows (CI)."""
    number = readable(request.phone_number)
    caller = readable(VALIDATION_CALL_FROM)
    code = request.validation_code
    return sanitize(f"{code} is the code for {number}: Twilio calls it now from {caller}; key it in there.")


class ProgressDisplay:
    """One wait, shown where it is: on the resource's row, and at the bottom of a terminal too narrow for that."""

    def __init__(self, urn: str, call_sid: str) -> None:
        show = partial(pulumi_sdk.log, "info", urn=urn, ephemeral=True)
        self._row = Row(show, repeat=REPEAT if terminal.has_terminal() else math.inf)
        self._key = call_sid

    def __call__(self, progress: Progress) -> None:
        self._row(progress)
        code_and_number = f"{progress.validation_code} {readable(progress.phone_number)}"
        terminal.bottom.show(self._key, code_and_number, progress.state, f"{_minutes(progress.remaining)} left")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._row.clear()
        terminal.bottom.clear(self._key)


class Row:
    """Shows progress on change of state, and the time left every `repeat` seconds. `show` takes the text, "" clears."""

    def __init__(self, show: Callable[[str], None], *, repeat: float = REPEAT) -> None:
        self._show = show
        self._repeat = repeat
        self._state: str | None = None
        self._remaining = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.state == self._state and self._remaining - progress.remaining < self._repeat:
            return
        self._state, self._remaining = progress.state, progress.remaining
        self._show(row_text(progress))

    def clear(self) -> None:
        if self._state is not None:
            self._show("")
            self._state = None
