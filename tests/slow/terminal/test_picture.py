"""The README's picture of a terminal: it shows what `pulumi up` shows today, and loads nothing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.slow.terminal.picture import PICTURE, draw, words

MAX_BYTES = 60_000


def test_the_picture_shows_what_a_run_shows_today(tmp_path: Path) -> None:
    """If it does not: `make screenshots`."""
    draw(tmp_path / "terminal.svg", tmp_path / "stack")
    assert words(tmp_path / "terminal.svg") == words(PICTURE)


def test_the_picture_is_small_and_loads_nothing() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    assert len(text.encode()) < MAX_BYTES
    assert {"svg", "title", "style", "rect", "text"} == {
        element.tag.rpartition("}")[2]
        for element in ElementTree.fromstring(text).iter()  # noqa: S314  our own file
    }
    assert [] == re.findall(r"href|url\(|@import|@font-face|\bon\w+=", text)
