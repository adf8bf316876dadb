"""Draw the picture of a terminal in docs/images/ from a real `pulumi up`: `make screenshots`.

It is SVG, so that it is sharp and small, and its text can be searched. It has its own background, so it can be read on
light and dark pages. It loads nothing: pages show such pictures without their scripts and fonts.
"""

from __future__ import annotations

import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pyte.graphics import FG_BG_256

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack
from tests.support.machine import ROOT
from tests.support.terminal import Clock, Terminal

PICTURE = ROOT / "docs" / "images" / "terminal.svg"

NUMBER, CODE = "+14155550101", "476021"
PROGRAM = f"""\
desk = OutgoingCallerId("front-desk", phone_number="{NUMBER}", friendly_name="Front desk")
pulumi.export("desk", desk.sid)
"""
COMMAND = "pulumi up --yes"
COLUMNS, ROWS = 100, 22
LATER = "Later, when the person has keyed in the code:"

WIDTH, HEIGHT, MARGIN = 8.4, 19, 18
"""Of a character and of the picture's margin, in pixels, at the font size below."""

STYLE = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.frame { fill: #0d1117; stroke: #6e7681 } .default, .white { fill: #e6edf3 } .black { fill: #8b949e }
.red { fill: #ff7b72 } .green { fill: #56d364 } .brown { fill: #e3b341 } .blue { fill: #79c0ff }
.magenta { fill: #d2a8ff } .cyan { fill: #56d4dd }
.bold { font-weight: bold } .note { fill: #8b949e; font-style: italic }
"""

COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
CLASSES = {
    "default": "default",
    **dict(zip(COLOURS, COLOURS, strict=True)),
    **dict(zip(FG_BG_256[:16], COLOURS * 2, strict=True)),
}
"""A colour as pyte names it -> its class in STYLE. Bright ones are shown as the others."""

Line = list[tuple[int, str, str]]
"""What is in a line: the column where each piece begins, its classes in STYLE, and its text."""


def lines(screen: Any) -> list[Line]:
    """What was written to a screen, without the empty lines at its end."""
    found = [_pieces(cells) for cells in [*screen.history.top, *(screen.buffer[row] for row in range(screen.lines))]]
    while found and not found[-1]:
        found.pop()
    return found


def _pieces(cells: Any) -> Line:
    """Pieces end where the style changes, and at two spaces: so columns stay in line, however wide the font is."""
    pieces: Line = []
    for style, group in groupby(range(COLUMNS), lambda column: _style(cells[column])):
        columns = list(group)
        text = "".join(cells[column].data for column in columns)
        pieces += [(columns[0] + piece.start(), style, piece[0]) for piece in re.finditer(r"\S+(?: \S+)*", text)]
    return pieces


def _style(cell: Any) -> str:
    return CLASSES[cell.fg] + (" bold" if cell.bold else "")


def svg(shown: list[Line]) -> str:
    """The picture of these lines."""
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), len(shown) * HEIGHT + 2 * MARGIN
    texts = "\n".join(
        f'<text x="{MARGIN + column * WIDTH:.1f}" y="{MARGIN + row * HEIGHT + 14}" textLength="{len(text) * WIDTH:.1f}"'
        f' lengthAdjust="spacingAndGlyphs" class="{style}">{escape(text)}</text>'
        for row, line in enumerate(shown)
        for column, style, text in line
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>{COMMAND} in a terminal: a phone rings, the code is shown, the caller ID is created</title>
<style>
{STYLE}</style>
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" class="frame"/>
{texts}
</svg>
"""


def draw(picture: Path, folder: Path) -> None:
    """Runs `pulumi up` in a folder, and draws it twice: while the phone rings, and when all is done."""
    clock = Clock()
    phones = {NUMBER: {"behaviour": "keys-code", "validation_code": CODE}}
    with Sandbox(phones=phones, delays=Delays(queued=0.5, rings=2, talks=1), clock=clock) as sandbox:
        stack = Stack(folder, sandbox.environment)
        stack.program(PROGRAM)
        terminal = Terminal(COLUMNS, ROWS, clock, [f"$ {COMMAND}"])
        while_it_rings: list[Line] = []

        def sampled(screen: str) -> None:
            if "ringing" in screen and "creating" in screen:
                while_it_rings[:] = lines(terminal.screen)

        terminal.run(stack, COMMAND, sampled)
    later = lines(terminal.screen)
    updating = next(number for number, line in enumerate(later) if line and line[0][2].startswith("Updating"))
    note: list[Line] = [[], [(0, "note", LATER)], []]
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(svg([*while_it_rings, *note, *later[updating:]]), encoding="utf-8")


def words(picture: Path) -> str:
    """The text of a picture, without what is different each time: times, sids, and how much of the row is cut off."""
    text = " ".join(re.findall("<text.*?>(.*?)</text>", picture.read_text(encoding="utf-8")))
    text = re.sub(r"PN[0-9a-f]{32}|\d+:\d\d left|\(\d+s\)\.*|Duration: \S+", "...", text)
    return re.sub(f"(creating ... ){CODE}.*?(?={CODE})", r"\1", text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE, Path(temporary))
    sys.stdout.write(f"drawn: {PICTURE.name}\n")
