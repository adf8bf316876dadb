"""What `make test-oldest` installs and runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support.machine import ROOT
from tools import versions

RANGES = ["pulumi>=3.268,<4", "twilio<10,>=9.4.1"]


def test_of_each_range_the_oldest_or_the_newest() -> None:
    assert ["pulumi==3.268", "twilio==9.4.1"] == versions.wanted("oldest", RANGES)
    assert ["--upgrade", "--upgrade-strategy=eager", *RANGES] == versions.wanted("newest", RANGES)
    with pytest.raises(ValueError, match="unpack"):
        versions.lower_bound(Requirement("pulumi<4"))


def test_the_ranges_are_those_of_pyproject_with_its_extras() -> None:
    ranges = versions.ranges_of(ROOT / "pyproject.toml")
    assert {"pulumi", "twilio", "pydantic", "phonenumbers", "aiohttp", "apprise", "argcomplete"} == {
        Requirement(text).name for text in ranges
    }
    assert [] == [text for text in ranges if not versions.lower_bound(Requirement(text))]


@pytest.mark.parametrize(("file", "name"), versions.SMOKE.items())
def test_each_smoke_test_is_there(file: str, name: str) -> None:
    assert f"def test_{name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "stderr", "told"),
    [
        (0, "WARNING: The candidate selected is a yanked version: ...\n", "is a release that was withdrawn. Raise it."),
        (
            1,
            "ERROR: No matching distribution\n",
            "No matching distribution\nerror: the oldest dependencies can't be in",
        ),
    ],
)
def test_a_bound_that_nobody_can_install_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, stderr: str, told: str
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(versions, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SystemExit, match=told):
        versions.environment("oldest")
    [install] = ran
    assert str(tmp_path / "oldest" / "bin" / "python") == install[0]
    assert "pulumi==3.268" in install


def test_what_is_neither_is_told() -> None:
    with pytest.raises(SystemExit, match="error: eldest: it is oldest or newest, or both where none is named"):
        versions.main(["eldest", "newest"])
