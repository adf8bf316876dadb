"""The last line of the terminal, on a pseudo-terminal whose screen an emulator keeps."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyte
import pytest

from pulumi_twilio_caller_id.progress.terminal_line import (
    PAGE_SECONDS,
    WIDE_ENOUGH_COLUMNS,
    RingingPhone,
    TerminalLine,
    fit_line,
)
from tests.support.waiting import PATIENCE, until

PERIOD = 0.01
NUMBER = "+1 415-555-0101"
SHOWN = "048392: enter on +1 415-555-0101 (ringing)"
SIX = [RingingPhone(f"+1 415-555-010{n}", f"48392{n}", "ringing, 4:54 left") for n in range(6)]


class Tty:
    """A terminal in raw mode, as Pulumi's table leaves it, full of text, its cursor in the middle."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        self.path = os.ttyname(self.slave)
        tty.setraw(self.slave)
        os.set_blocking(self._master, False)
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.received = b""
        self.resize(80, 24)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def fill(self) -> list[str]:
        rows = [f"row {row} of Pulumi's table" for row in range(self.screen.lines)]
        self._stream.feed(b"\x1b[H\x1b[31m" + "\r\n".join(rows).encode() + b"\x1b[7;5H")
        return rows

    def read(self) -> list[str]:
        """The rows of the screen, with all that was written until now."""
        while True:
            try:
                data = os.read(self._master, 65536)
            except BlockingIOError:
                break
            self.received += data
            self._stream.feed(data)
        return [row.rstrip() for row in self.screen.display]

    def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        def looks() -> list[str]:
            rows = self.read()
            return rows if holds(rows) else []

        return until(looks, lambda: "\n".join(self.read()))

    def hang_up(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        self.hang_up()
        os.close(self.slave)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tty]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: 1)  # it is no test's controlling terminal
    made = Tty()
    yield made
    made.close()


@pytest.fixture
def bottom(screen: Tty) -> TerminalLine:
    return TerminalLine(screen.path, repaint_seconds=PERIOD)


@pytest.fixture
def another_look(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Gives a function that waits until the terminal has been looked at once more, and what came of it is done."""
    look, looks = termios.tcgetattr, list[int]()

    def counted(fd: int) -> list[Any]:
        looks.append(fd)
        return look(fd)

    def wait() -> None:
        before = len(looks)
        until(lambda: len(looks) >= before + 2)  # the second look begins once the first is over

    monkeypatch.setattr(termios, "tcgetattr", counted)
    return wait


def painters() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "terminal-line"]


@pytest.fixture(autouse=True)
def ended(screen: Tty) -> Iterator[None]:
    """Every test clears what it shows, and the thread that paints then ends; it never keeps a process."""
    yield
    assert all(thread.daemon for thread in painters())
    until(lambda: not painters())


def test_a_wait_is_shown_on_the_last_row_and_nothing_else_changes(screen: Tty, bottom: TerminalLine) -> None:
    before = screen.fill()
    bottom.show("CA1", "048392", NUMBER, "ringing, 4:54 left")

    assert [*before[:-1], "048392: enter on +1 415-555-0101 (ringing, 4:54 left)"] == screen.read()
    cursor = screen.screen.cursor
    assert (6, 4, "red", False) == (cursor.y, cursor.x, cursor.attrs.fg, cursor.attrs.reverse)
    assert not screen.screen.margins

    bottom.clear("CA1")
    assert [*before[:-1], ""] == screen.read()


@pytest.mark.parametrize(("columns", "codes"), [(80, 2), (100, 3), (WIDE_ENOUGH_COLUMNS - 1, 4)])
def test_six_waits_share_the_line(screen: Tty, bottom: TerminalLine, columns: int, codes: int) -> None:
    screen.resize(columns, 24)
    before = screen.fill()
    for wait in reversed(SIX):
        bottom.show(wait.code, wait.code, wait.number, wait.details)

    words = "enter on " if codes == 2 else ""  # they leave room for 2 in 80 columns, but not for 3 in 100
    expected = [*(f"{wait.code}: {words}{wait.number}" for wait in SIX[:codes]), f"{6 - codes} more"]
    assert [*before[:-1], " | ".join(expected)] == screen.read()

    for wait in SIX:
        bottom.clear(wait.code)
    assert [*before[:-1], ""] == screen.read()


def test_the_end_of_a_wait_makes_room_for_the_next(screen: Tty, bottom: TerminalLine) -> None:
    for wait in SIX[:4]:
        bottom.show(wait.code, wait.code, wait.number, wait.details)
    bottom.clear(SIX[0].code)
    assert " | ".join(f"{wait.code}: {wait.number}" for wait in SIX[1:4]) == screen.read()[-1]

    bottom.clear(SIX[1].code)
    assert " | ".join(f"{wait.code}: enter on {wait.number}" for wait in SIX[2:4]) == screen.read()[-1]
    bottom.clear(SIX[2].code)
    assert f"{SIX[3].code}: enter on {SIX[3].number} ({SIX[3].details})" == screen.read()[-1]
    bottom.clear(SIX[3].code)


def test_a_text_changes(screen: Tty, bottom: TerminalLine) -> None:
    bottom.show("CA1", "048392", NUMBER, "calling")
    bottom.show("CA1", "048392", NUMBER, "ringing")
    assert SHOWN == screen.read()[-1]
    bottom.clear("CA1")
    bottom.clear("CA1")
    bottom.clear("CA2")


def test_what_pulumi_draws_over_is_painted_again(screen: Tty, bottom: TerminalLine) -> None:
    bottom.show("CA1", "048392", NUMBER, "ringing")
    screen.until(lambda rows: rows[-1] == SHOWN)
    os.write(screen.slave, b"\x1b[24;1H\x1b[2KPulumi's row")
    screen.until(lambda rows: rows[-1] == SHOWN)
    bottom.clear("CA1")


def test_a_wide_terminal_gets_nothing(screen: Tty, bottom: TerminalLine, another_look: Callable[[], None]) -> None:
    screen.resize(WIDE_ENOUGH_COLUMNS, 24)
    bottom.show("CA1", "048392", NUMBER, "ringing")
    another_look()
    bottom.clear("CA1")
    screen.read()
    assert b"" == screen.received


def test_a_resize_counts_at_once(screen: Tty, bottom: TerminalLine) -> None:
    screen.resize(WIDE_ENOUGH_COLUMNS, 24)
    bottom.show("CA1", "048392", NUMBER, "ringing")
    screen.resize(80, 12)
    screen.until(lambda rows: rows[11] == SHOWN)
    screen.resize(80, 24)
    screen.until(lambda rows: rows[23] == SHOWN)
    screen.resize(WIDE_ENOUGH_COLUMNS, 24)
    screen.until(lambda rows: rows[23] == "")
    bottom.clear("CA1")


def test_control_characters_do_nothing(screen: Tty, bottom: TerminalLine) -> None:
    before = screen.fill()
    bottom.show("CA1", "04\x1b[2J8392\r\n", NUMBER, "\x9b1;1Hé漢\x07")
    assert [*before[:-1], "04?[2J8392??: enter on +1 415-555-0101 (?1;1H???)"] == screen.read()
    bottom.clear("CA1")


def fill_up(slave: int) -> None:
    os.set_blocking(slave, False)
    with suppress(BlockingIOError):
        while os.write(slave, b"." * 1024):
            pass


def stop(slave: int) -> None:
    termios.tcflow(slave, termios.TCOOFF)


@pytest.mark.parametrize("hold", [fill_up, stop])
def test_a_terminal_that_takes_nothing_holds_nobody(
    screen: Tty, bottom: TerminalLine, hold: Callable[[int], None]
) -> None:
    hold(screen.slave)
    start = time.monotonic()
    for n in range(5):
        bottom.show("CA1", f"04839{n}", NUMBER, "ringing")
    bottom.show("CA2", "111111", NUMBER, "ringing")
    bottom.clear("CA2")
    assert time.monotonic() - start < PATIENCE / 2

    if hold is stop:
        termios.tcflow(screen.slave, termios.TCOON)
    screen.until(lambda rows: rows[-1] == SHOWN.replace("048392", "048394"))
    bottom.clear("CA1")
    screen.until(lambda rows: rows[-1] == "")


def test_what_was_written_in_part_is_completed(screen: Tty, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an escape sequence would make the terminal misread what follows, and the cursor would stay where it is."""
    write, takes = os.write, iter([9, 0, 3])
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: next(takes, len(data))]))
    before = screen.fill()
    bottom = TerminalLine(screen.path, repaint_seconds=PERIOD)
    bottom.show("CA1", "048392", NUMBER, "ringing")
    screen.until(lambda rows: rows == [*before[:-1], SHOWN])
    assert (6, 4) == (screen.screen.cursor.y, screen.screen.cursor.x)
    bottom.clear("CA1")


def cooked(slave: int) -> None:
    attributes = termios.tcgetattr(slave)
    attributes[3] |= termios.ICANON
    termios.tcsetattr(slave, termios.TCSANOW, attributes)


def tostop(slave: int) -> None:
    attributes = termios.tcgetattr(slave)
    attributes[3] |= termios.TOSTOP
    termios.tcsetattr(slave, termios.TCSANOW, attributes)


def test_the_table_is_seen_as_long_as_it_is_there(screen: Tty, bottom: TerminalLine) -> None:
    assert bottom.shows_pulumi_table()
    cooked(screen.slave)
    assert not bottom.shows_pulumi_table()


def test_without_certainty_there_is_no_table(tmp_path: Path) -> None:
    """No terminal, or what is no terminal."""
    file = tmp_path / "file"
    file.touch()
    assert [False, False] == [TerminalLine(str(path)).shows_pulumi_table() for path in (file, tmp_path / "none")]


def test_a_program_that_runs_pulumi_by_the_automation_api_keeps_its_terminal(
    screen: Tty, bottom: TerminalLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have the terminal in raw mode for a screen of its own, and Pulumi then draws no table."""
    monkeypatch.setenv("PULUMI_AUTOMATION_API", "true")
    bottom.show("CA1", "048392", NUMBER, "ringing")
    assert not bottom.shows_pulumi_table()
    bottom.clear("CA1")
    screen.read()
    assert b"" == screen.received


@pytest.mark.parametrize("mode", [cooked, tostop])
def test_nothing_is_written_without_pulumis_table_or_where_writing_stops_us(
    screen: Tty, bottom: TerminalLine, another_look: Callable[[], None], mode: Callable[[int], None]
) -> None:
    mode(screen.slave)
    bottom.show("CA1", "048392", NUMBER, "ringing")
    another_look()
    bottom.clear("CA1")
    screen.read()
    assert b"" == screen.received


def test_another_job_in_the_foreground_is_left_alone(
    screen: Tty, bottom: TerminalLine, another_look: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell whose Pulumi was killed: it puts the terminal in raw mode too, to read a command."""
    job = [1]
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: job[0])
    bottom.show("CA1", "048392", NUMBER, "ringing")
    job[0] = 2
    another_look()
    screen.read()
    written = screen.received
    bottom.show("CA1", "048392", NUMBER, "ringing")
    bottom.clear("CA1")
    screen.read()
    assert written == screen.received


def test_a_dumb_terminal_gets_nothing(screen: Tty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    bottom = TerminalLine(screen.path, repaint_seconds=PERIOD)
    bottom.show("CA1", "048392", NUMBER, "ringing")
    bottom.clear("CA1")
    screen.read()
    assert b"" == screen.received


def test_a_terminal_that_is_gone_is_the_end_of_it(screen: Tty, bottom: TerminalLine) -> None:
    bottom.show("CA1", "048392", NUMBER, "ringing")
    screen.hang_up()
    bottom.show("CA1", "048392", NUMBER, "ringing")


def test_without_a_controlling_terminal_nothing_happens() -> None:
    program = (
        "import threading; from pulumi_twilio_caller_id.progress.terminal_line import TerminalLine\n"
        "terminal_line = TerminalLine()\n"
        "for _ in range(2): terminal_line.show('CA1', '048392', '', ''); terminal_line.clear('CA1')\n"
        "assert threading.active_count() == 1"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, timeout=PATIENCE, start_new_session=True
    )
    assert (0, b"", b"") == (run.returncode, run.stdout, run.stderr)


def test_many_threads_at_once(screen: Tty, bottom: TerminalLine) -> None:
    def wait(n: int) -> None:
        for _ in range(20):
            bottom.show(f"CA{n}", f"{n:06}", NUMBER, "ringing")
            bottom.clear(f"CA{n}")

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    # Read all the time: what a full terminal cuts off after an ESC is no escape sequence for the emulator.
    screen.until(lambda _: not any(thread.is_alive() for thread in threads))
    screen.until(lambda rows: rows == [""] * 24)


def test_the_rest_of_a_last_line_is_not_lost(
    screen: Tty, bottom: TerminalLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal takes a part of what clears the line, while it is busy with Pulumi's table."""
    bottom.show("CA1", "048392", NUMBER, "ringing")
    write, takes = os.write, iter([9, 0, 0, 0, 0, 0, 0])
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: next(takes, len(data))]))
    bottom.clear("CA1")

    screen.until(lambda rows: rows == [""] * 24)


@pytest.mark.parametrize(
    ("numbers", "width", "line"),
    [
        ("", 80, ""),
        ("1", 80, "c1: enter on 1 (a)"),
        ("21", 39, "c1: enter on 1 (a) | c2: enter on 2 (a)"),
        ("21", 38, "c1: enter on 1 | c2: enter on 2"),
        ("21", 30, "c1: 1 | c2: 2"),
        ("321", 21, "c1: 1 | c2: 2 | c3: 3"),
        # then as many as fit, and how many more there are
        ("321", 20, "c1: 1 | 2 more"),
        ("876543210", 39, "c0: 0 | c1: 1 | c2: 2 | c3: 3 | 5 more"),
        ("876543210", 15, "c0: 0 | 8 more"),
        ("12", 12, "c1: 1"),
        ("1", 4, "c1: "),
        ("1", 0, ""),
        ("1", -1, ""),
    ],
)
def test_the_line_has_as_much_as_fits_by_number(numbers: str, width: int, line: str) -> None:
    assert line == fit_line([RingingPhone(number, f"c{number}", "a") for number in numbers], width)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_in_80_columns_the_line_says_what_to_do_with_the_codes(count: int) -> None:
    phones = [RingingPhone(f"+1 415-555-010{n}", f"48392{n}", "ringing, 4:54 left") for n in range(count)]
    line = fit_line(phones, 79)
    shown = [phone.number for phone in phones if f"{phone.code}: enter on {phone.number}" in line]
    assert [phone.number for phone in phones[:2]] == shown


def test_in_80_columns_three_codes_stay() -> None:
    phones = [RingingPhone(f"+1 415-555-010{n}", f"48392{n}", "ringing, 4:54 left") for n in range(3)]
    assert [" | ".join(f"{phone.code}: {phone.number}" for phone in phones)] * 2 == [
        fit_line(phones, 79, seconds) for seconds in (0, PAGE_SECONDS)
    ]


@pytest.mark.parametrize(
    ("width", "pages"), [(79, ["01", "23", "45", "6"]), (57, list("0123456")), (20, list("0123456"))]
)
def test_codes_that_do_not_fit_take_turns(width: int, pages: list[str]) -> None:
    phones = [RingingPhone(f"+1 415-555-010{n}", f"48392{n}", "ringing, 4:54 left") for n in range(7)]
    seen = [fit_line(phones, width, PAGE_SECONDS * (turn + 0.5)) for turn in range(len(pages) + 1)]
    assert [*pages, pages[0]] == ["".join(n for n in "0123456" if f"48392{n}: " in line) for line in seen]
    assert all(len(line) <= width for line in seen)


def test_whether_there_is_a_terminal() -> None:
    """A process in a session of its own has none, whatever it was started from."""
    program = (
        "from pulumi_twilio_caller_id.progress.terminal_line import TerminalLine; print(TerminalLine().has_terminal())"
    )
    alone = subprocess.run(
        [sys.executable, "-c", program], start_new_session=True, capture_output=True, text=True, check=True
    )
    assert "False\n" == alone.stdout
    assert TerminalLine(os.devnull).has_terminal()
