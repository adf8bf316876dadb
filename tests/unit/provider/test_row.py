"""What the person at the terminal sees while a number waits to be verified."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest

from pulumi_twilio_caller_id.models import ValidationRequest
from pulumi_twilio_caller_id.progress.row import ProgressDisplay, code_message, row_text
from pulumi_twilio_caller_id.progress.terminal_line import TerminalLine
from pulumi_twilio_caller_id.verification.waiter import Progress

CALL = "CA" + "1" * 32


class RecordingLine(TerminalLine):
    """A terminal's last line that keeps what it is told in place of painting it."""

    def __init__(self, path: str = os.devnull) -> None:
        super().__init__(path)
        self.told: list[tuple[str, ...]] = []

    def show(self, key: str, text: str, details: str) -> None:
        self.told.append((key, text, details))

    def clear(self, key: str) -> None:
        self.told.append((key,))


def progress(state: str = "ringing", remaining: float = 294) -> Progress:
    return Progress("+14155550101", "048392", state, remaining)


def text(state: str, left: str) -> str:
    return f"048392 <- key in on +1 415-555-0101 ({state}, {left} left)"


def on_row(*reports: Progress, line: TerminalLine | None = None) -> list[str]:
    """The texts that the row is given, but for the one that removes the last."""
    texts: list[str] = []
    with ProgressDisplay(CALL, texts.append, line or RecordingLine()) as display:
        for report in reports:
            display(report)
        return [*texts]


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


def test_the_log_has_the_code_and_who_calls() -> None:
    request = ValidationRequest(call_sid=CALL, phone_number="+442071838750", validation_code="048392")
    expected = "048392 is the code for +44 20 7183 8750: Twilio calls it now from +1 415-723-4000; key it in there."
    assert expected == code_message(request)


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
    reports = [("ringing", 300), ("ringing", 200), ("ringing", 100), ("in-progress", 99)]
    assert [text("ringing", "5:00"), text("in-progress", "1:39")] == on_row(
        *(progress(state, remaining) for state, remaining in reports), line=RecordingLine("/nonexistent")
    )


def test_the_end_clears_the_row_and_the_terminals_last_line() -> None:
    texts, line = list[str](), RecordingLine()
    with suppress(KeyError), ProgressDisplay(CALL, texts.append, line) as display:
        display(progress())
        display(progress(remaining=293))
        raise KeyError
    assert [text("ringing", "4:54"), ""] == texts
    code_and_number = "048392 +1 415-555-0101"
    assert [
        (CALL, code_and_number, "ringing, 4:54 left"),
        (CALL, code_and_number, "ringing, 4:53 left"),
        (CALL,),
    ] == line.told


def test_without_a_report_there_is_nothing_to_clear_on_the_row() -> None:
    texts: list[str] = []
    with ProgressDisplay(CALL, texts.append, RecordingLine()):
        pass
    assert [] == texts
