"""Draw docs/images/performance.svg from the table in docs/performance.md: `python benchmarks/plot.py`."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "performance.md"
IMAGE = DOCS / "images" / "performance.svg"

LONGEST = 1.6
"""The ratio at the right end of the axis."""
LEFT, SCALE, ROW, TOP = 390, 560, 30, 44  # in pixels; SCALE: for a ratio of 1
WITHIN, ABOVE, AIM, TEXT, GRID = "#2f6f9f", "#c46a1b", "#1c1c1c", "#1c1c1c", "#d9d9d9"


class Figure(NamedTuple):
    """A row of the page's table. ratio, aim: to the baseline. Figures in seconds have no ratio, some have no aim."""

    name: str
    what: str
    ratio: float | None
    aim: float | None


def figures(page: str) -> list[Figure]:
    """Return the rows of the table whose first column is `name`."""
    lines = page.split("\n| name |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Figure(row[0].strip("`"), row[1], _number(row[4]), _number(row[5])) for row in cells]


def _number(cell: str) -> float | None:
    return float(cell) if cell.replace(".", "").isdigit() else None


def svg(page: str) -> str:
    """Return the drawing: a bar for how much each ratio is above 1, the baseline, and a mark for its aim."""
    rows = [(figure.what, figure.ratio, figure.aim) for figure in figures(page) if figure.ratio is not None]
    bottom = TOP + ROW * len(rows)
    width, height = LEFT + round((LONGEST - 1) * SCALE) + 60, bottom + 44
    size = f'width="{width}" height="{height}"'
    font = 'font-family="Helvetica, Arial, sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" {font}>',
        f'<rect {size} rx="6" fill="#ffffff"/>',
        _text(LEFT, 22, "more time, or memory, than a resource that does nothing", "start"),
    ]
    for tenth in range(round((LONGEST - 1) * 10) + 1):
        x = LEFT + round(tenth / 10 * SCALE)
        parts.append(f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{bottom}" stroke="{GRID}"/>')
        parts.append(_text(x, bottom + 18, f"+{10 * tenth} %", "middle"))
    for number, (what, ratio, aim) in enumerate(rows):
        y, end = TOP + ROW * number, LEFT + round((ratio - 1) * SCALE)
        color = ABOVE if aim and ratio > aim else WITHIN
        parts.append(_text(LEFT - 10, y + 15, what, "end"))
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{end - LEFT}" height="20" fill="{color}"/>')
        label = end
        if aim:
            x = LEFT + round((aim - 1) * SCALE)
            parts.append(f'<line x1="{x}" y1="{y - 3}" x2="{x}" y2="{y + 23}" stroke="{AIM}" stroke-width="2"/>')
            label = max(end, x) if x - end < 40 else end
        parts.append(_text(label + 6, y + 15, f"+{100 * (ratio - 1):.0f} %", "start"))
    parts.append(_text(LEFT, bottom + 36, "The black mark is the aim. An orange bar misses it.", "start"))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: int, y: int, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{TEXT}">{escape(text)}</text>'


if __name__ == "__main__":
    IMAGE.write_text(svg(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
