"""`make lint` on the imports within the core: no circle, and none from a lower layer to a higher one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools import imports


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(imports.FOLDER, tmp_path / imports.PACKAGE))


def add(module: Path, line: str) -> None:
    """Put a line before the first import of a module, or at its end."""
    text = module.read_text()
    place = text.find("\nimport ") + 1 or len(text)
    module.write_text(f"{text[:place]}{line}\n{text[place:]}")


def test_the_core_is_in_order_and_its_floors_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == imports.main()
    printed = capsys.readouterr().out.splitlines()
    assert "text" in printed[0].removeprefix("floor 1: ").split(", ")
    assert "errors" in printed[1].removeprefix("floor 2: ").split(", ")
    assert " late imports" in printed[-1]


def test_a_circle_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(copy / "text.py", "from .errors import CallerIdError")
    assert 1 == imports.main(copy)
    printed = capsys.readouterr().out.strip()
    assert printed in {
        f"imports in a circle: {chain}" for chain in ("text <- errors <- text", "errors <- text <- errors")
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("from .operations.diff import PICKLED_PROVIDER", "operations.diff"),
        ("from .operations import friendly_name", "operations.friendly_name"),
        ("from . import lifecycle as shell", "lifecycle"),
        ("import pulumi_twilio_caller_id.testing", "testing"),
        ("try:\n    from .cli.common import main\nexcept ImportError:\n    pass", "cli.common"),
    ],
)
def test_an_import_from_a_higher_layer_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    add(copy / "cancellation.py", line)
    assert 1 == imports.main(copy)
    assert f"cancellation imports {told}, which is in a higher layer" in capsys.readouterr().out


def test_an_import_for_type_checking_or_in_a_function_is_none(copy: Path) -> None:
    line = "    from .lifecycle import OutgoingCallerIdProvider"
    add(copy / "cancellation.py", f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n{line}")
    add(copy / "text.py", f"def late() -> None:\n{line}")
    assert 0 == imports.main(copy)


def test_a_module_without_a_layer_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "attic.py").write_text("from .text import quote\n")
    assert 1 == imports.main(copy)
    assert "attic is in none of the LAYERS of tools/imports.py\n" == capsys.readouterr().out
