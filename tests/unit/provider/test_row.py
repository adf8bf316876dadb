"""What the person at the terminal sees while a number waits to be verified."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from pulumi_twilio_caller_id.context import Operation, Severity
from pulumi_twilio_caller_id.models import ValidationRequest
from pulumi_twilio_caller_id.progress.row import ProgressDisplay, code_message, row_text
from pulumi_twilio_caller_id.progress.terminal_line import TerminalLine
from pulumi_twilio_caller_id.verification.waiter import Progress

CALL = "CA" + "1" * 32
REQUEST = ValidationRequest(call_sid=CALL, phone_number="+14155550101", validation_code="048392")
FIRST = "048392: enter this code when Twilio (+1 415-723-4000) calls +1 415-555-0101"


class RecordingLine(TerminalLine):
    """A terminal's last line that keeps what it is told in place of painting it."""

    def __init__(self, path: str = os.devnull, *, shows_table: bool = True) -> None:
        super().__init__(path)
        self.told: list[tuple[str, ...]] = []
        self._shows_table = shows_table

    def shows_pulumi_table(self) -> bool:
        return self._shows_table

    def show(self, key: str, code: str, number: str, details: str) -> None:
        self.told.append((key, code, number, details))

    def clear(self, key: str) -> None:
        self.told.append((key,))


def progress(state: str = "ringing", remaining: float = 294) -> Progress:
    return Progress("+14155550101", "048392", state, remaining)


def text(state: str, left: str) -> str:
    return f"048392: enter on +1 415-555-0101 ({state}, {left} left)"


class RecordingLog:
    """Keeps what is logged: on the row alone, and in the log for good."""

    def __init__(self) -> None:
        self.row: list[str] = []
        self.kept: list[str] = []

    def __call__(self, severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
        assert ("info", "urn") == (severity, urn)
        (self.row if ephemeral else self.kept).append(text)

    @property
    def call(self) -> Operation:
        return Operation(urn="urn", send_log=self)


def on_row(*reports: Progress, line: TerminalLine | None = None) -> list[str]:
    """The texts that the row is given after the first one, but for the one that removes the last."""
    log = RecordingLog()
    with ProgressDisplay(log.call, REQUEST, line or RecordingLine()) as display:
        shown = len(log.row)
        for report in reports:
            display(report)
        return log.row[shown:]


@pytest.mark.parametrize(
    ("remaining", "left"),
    [
        (300, "5:00"),
        (294, "4:54"),
        (61.4, "1:01"),
        (59.6, "1:00"),
        (9, "0:09"),
        (0.2, "0:00"),
        (-3, "0:00"),
        (3600, "60:00"),
    ],
)
def test_the_row_has_code_number_state_and_time_left(remaining: float, left: str) -> None:
    """The code comes first, with its leading zero: terminals cut rows on the right."""
    assert text("ringing", left) == row_text(progress(remaining=remaining))


def test_the_first_text_has_the_code_and_who_calls() -> None:
    request = ValidationRequest(call_sid=CALL, phone_number="+442071838750", validation_code="048392")
    assert "048392: enter this code when Twilio (+1 415-723-4000) calls +44 20 7183 8750" == code_message(request)


@pytest.mark.parametrize("shows_table", [True, False])
def test_the_code_is_in_the_log_only_where_there_is_no_table(shows_table: bool) -> None:
    """Pulumi's table repeats the log when it ends, and the code is of no use then."""
    log, line = RecordingLog(), RecordingLine(shows_table=shows_table)
    with ProgressDisplay(log.call, REQUEST, line):
        pass
    assert (([FIRST, ""], []) if shows_table else ([], [FIRST])) == (log.row, log.kept)


def test_the_row_changes_with_the_state() -> None:
    reports = [("calling", 300), ("queued", 299), ("queued", 298), ("ringing", 297), ("queued", 296)]
    assert [text("calling", "5:00"), text("queued", "4:59"), text("ringing", "4:57"), text("queued", "4:56")] == on_row(
        *(progress(state, remaining) for state, remaining in reports)
    )


def test_the_row_gets_the_time_left_every_ten_seconds() -> None:
    reports = [progress(remaining=remaining) for remaining in range(300, 269, -1)]
    assert [text("ringing", left) for left in ("5:00", "4:50", "4:40", "4:30")] == on_row(*reports)


def test_a_change_of_state_starts_the_ten_seconds_anew() -> None:
    reports = [("queued", 300), ("ringing", 295), ("ringing", 290), ("ringing", 285.1), ("ringing", 285)]
    assert [text("queued", "5:00"), text("ringing", "4:55"), text("ringing", "4:45")] == on_row(
        *(progress(state, remaining) for state, remaining in reports)
    )


def test_without_a_terminal_the_row_does_not_repeat_the_time_left() -> None:
    """Each text is a line of its own there, so there are not more of them."""
    reports = [("ringing", 300), ("ringing", 200), ("ringing", 100), ("answered", 99)]
    assert [text("ringing", "5:00"), text("answered", "1:39")] == on_row(
        *(progress(state, remaining) for state, remaining in reports),
        line=RecordingLine("/nonexistent", shows_table=False),
    )


def test_the_end_clears_the_row_and_the_terminals_last_line() -> None:
    log, line = RecordingLog(), RecordingLine()
    with suppress(KeyError), ProgressDisplay(log.call, REQUEST, line) as display:
        display(progress())
        display(progress(remaining=293))
        raise KeyError
    assert [FIRST, text("ringing", "4:54"), ""] == log.row
    code_and_number = "048392", "+1 415-555-0101"
    assert [
        (CALL, *code_and_number, "ringing, 4:54 left"),
        (CALL, *code_and_number, "ringing, 4:53 left"),
        (CALL,),
    ] == line.told
