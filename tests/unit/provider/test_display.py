"""What the person at the terminal sees while a number waits to be verified."""

from __future__ import annotations

import math

import pytest

from pulumi_twilio_caller_id.models import ValidationRequest
from pulumi_twilio_caller_id.progress.row import Row, log_text, row_text
from pulumi_twilio_caller_id.verification.waiter import Progress


def progress(state: str = "ringing", remaining: float = 294) -> Progress:
    return Progress("+14155550101", "048392", state, remaining)


def test_without_a_terminal_the_time_left_is_not_repeated() -> None:
    shown: list[str] = []
    row = Row(shown.append, repeat=math.inf)
    for remaining in (300, 200, 100):
        row(progress("ringing", remaining))
    row(progress("in-progress", 99))

    assert [text("ringing", "5:00"), text("in-progress", "1:39")] == shown


def text(state: str, left: str) -> str:
    return f"048392 <- key in on +1 415-555-0101 ({state}, {left} left)"


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
def test_the_row_shows_code_number_state_and_time_left(remaining: float, left: str) -> None:
    """The code comes first, with its leading zero: terminals cut rows on the right."""
    assert text("ringing", left) == row_text(progress(remaining=remaining))


def test_the_log_shows_the_code_and_who_calls() -> None:
    request = ValidationRequest(call_sid="CA" + "1" * 32, phone_number="+442071838750", validation_code="048392")
    expected = "048392 is the code for +44 20 7183 8750: Twilio calls it now from +1 415-723-4000; key it in there."
    assert expected == log_text(request)


def test_the_row_changes_with_the_state() -> None:
    shown: list[str] = []
    row = Row(shown.append)
    for state, remaining in [("calling", 300), ("queued", 299), ("queued", 298), ("ringing", 297), ("queued", 296)]:
        row(progress(state, remaining))
    assert [text("calling", "5:00"), text("queued", "4:59"), text("ringing", "4:57"), text("queued", "4:56")] == shown


def test_the_time_left_is_shown_again_every_ten_seconds() -> None:
    """Without a terminal each text is a line of its own, so there are not more of them."""
    shown: list[str] = []
    row = Row(shown.append)
    for remaining in range(300, 269, -1):
        row(progress(remaining=remaining))
    assert [text("ringing", left) for left in ("5:00", "4:50", "4:40", "4:30")] == shown


def test_a_change_of_state_starts_the_ten_seconds_anew() -> None:
    shown: list[str] = []
    row = Row(shown.append)
    for state, remaining in [("queued", 300), ("ringing", 295), ("ringing", 290), ("ringing", 285.1), ("ringing", 285)]:
        row(progress(state, remaining))
    assert [text("queued", "5:00"), text("ringing", "4:55"), text("ringing", "4:45")] == shown


def test_clear_takes_the_text_away_once() -> None:
    shown: list[str] = []
    row = Row(shown.append)
    row(progress())
    row.clear()
    row.clear()
    assert [text("ringing", "4:54"), ""] == shown


def test_clear_without_a_text_shows_nothing() -> None:
    shown: list[str] = []
    Row(shown.append).clear()
    assert shown == []


def test_after_clear_the_same_state_is_shown_again() -> None:
    shown: list[str] = []
    row = Row(shown.append)
    for _ in range(2):
        row(progress())
        row.clear()
    assert [text("ringing", "4:54"), ""] * 2 == shown
