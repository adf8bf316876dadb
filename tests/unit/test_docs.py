"""The documentation says what the code does: every input, output and setting is there, and links lead somewhere."""

from __future__ import annotations

import inspect
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id import errors, testing
from pulumi_twilio_caller_id.inputs import CallerIdInputs
from pulumi_twilio_caller_id.settings import SOURCES
from pulumi_twilio_caller_id.twilio_api import CallerId

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
]


def rows(heading: str) -> set[str]:
    """What the first column of the table under a heading names."""
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_input_is_documented() -> None:
    assert set(CallerIdInputs.model_fields) == rows("Inputs")


def test_every_key_of_the_stacks_config_is_documented() -> None:
    program = (ROOT / "__main__.py").read_text(encoding="utf-8")
    keys = {name: key for key, name in re.findall(r'^    "(\w+)": "(\w+)",$', program, re.MULTILINE)}
    assert set(CallerIdInputs.model_fields) == set(keys)
    assert [] == [name for name, key in keys.items() if f"| `{name}` | `{key}` |" not in README]


def test_every_output_is_documented() -> None:
    assert set(CallerId.model_fields) == rows("Outputs")


def test_every_setting_is_documented() -> None:
    keys = {f"twilio:{key}" for key, _ in SOURCES.values()} | {"twilio:defaultRegion"}
    assert keys == rows("Settings")
    for _, variable in SOURCES.values():
        assert variable is None or f"`{variable}`" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert [] == missing


@pytest.mark.parametrize("module", [pulumi_twilio_caller_id, testing], ids=lambda module: module.__name__)
def test_public_names_have_docstrings(module: Any) -> None:
    bare = []
    for name in module.__all__:
        it = getattr(module, name)
        members = [m for m in vars(it).items() if not m[0].startswith("_")] if inspect.isclass(it) else []
        methods = [(f"{name}.{k}", v) for k, v in members if callable(v) or isinstance(v, (property, classmethod))]
        bare += [label for label, what in [(name, it), *methods] if not inspect.getdoc(what)]
    assert [] == bare


def test_the_tree_of_errors_is_drawn_whole() -> None:
    classes = {
        name
        for name, it in vars(errors).items()
        if inspect.isclass(it) and issubclass(it, Exception) and it.__module__ == errors.__name__
    }
    assert classes == set(re.findall(r"^[│├└─ ]*(\w+)", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE))
