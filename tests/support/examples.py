"""The projects in `examples/`, copied into a stack's folder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support.harness import Stack
from tests.support.machine import ROOT

MADE_BY_RUNNING = (
    *(".venv", "__pycache__", "Pulumi.*.yaml", "sandbox.json", "softphone.json"),
    *("node_modules", "sdks", "go.sum"),
)


def copy(example: str, stack: Stack) -> None:
    """Put an example in the place of the stack's project."""
    folder = stack.project
    shutil.copytree(
        ROOT / "examples" / example, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*MADE_BY_RUNNING)
    )
    (folder / ".venv").symlink_to(sys.prefix)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert 1 == text.count(old)
    file.write_text(text.replace(old, new))
