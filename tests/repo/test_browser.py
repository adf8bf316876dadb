"""tools/browser.py finds a Chromium, installs one, or says how to; programs of the system are stand-ins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "browser.py"
SUDO = '[ "$1" = --non-interactive ] && shift; exec "$@"'
INSTALLS = """\
echo "$@" >> "$0.log"
if [ "$3" = install ]; then echo > "${0%/*}/chromium"; chmod +x "${0%/*}/chromium"; fi"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """All that is on PATH, but for what scripts need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("env", "chmod", "sh", "true"):
        (folder / name).symlink_to(next(path for path in (Path("/bin", name), Path("/usr/bin", name)) if path.exists()))
    return folder


def add(programs: Path, name: str, script: str = "") -> None:
    (programs / name).write_text(f"#!/bin/sh\n{script}\n")
    (programs / name).chmod(0o755)


def run(programs: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_one_that_is_there_is_used_and_nothing_said(programs: Path, name: str) -> None:
    add(programs, name)
    add(programs, "apt-get", "exit 1")
    assert (0, "", "") == run(programs)
    assert (0, str(programs / name), "") == run(programs, "--find")


def test_where_none_is_there_debian_s_is_installed(programs: Path) -> None:
    add(programs, "sudo", SUDO)
    add(programs, "apt-get", INSTALLS)
    status, _, said = run(programs)
    assert (
        0,
        "browser: installing Debian's chromium by apt-get, for the tests of the sandbox's page, about a minute",
    ) == (
        status,
        said,
    )
    log = (programs / "apt-get.log").read_text().splitlines()
    assert ["--quiet --quiet update", "--quiet --quiet install --yes --no-install-recommends chromium"] == log
    assert (0, str(programs / "chromium"), "") == run(programs, "--find")


@pytest.mark.parametrize(
    ("apt_get", "why"),
    [
        (None, "none is on PATH, and there is no apt-get to install it with"),
        ("echo 'E: no network' >&2; exit 100", "none is on PATH, and apt-get update failed (E: no network)"),
        ("", "none is on PATH, and none of chromium, chromium-browser, google-chrome came with the package chromium"),
    ],
    ids=["no apt-get", "fails", "installs nothing"],
)
def test_where_none_can_be_installed_it_says_so_and_is_no_failure(
    programs: Path, apt_get: str | None, why: str
) -> None:
    add(programs, "sudo", SUDO)
    if apt_get is not None:
        add(programs, "apt-get", apt_get)
    status, _, said = run(programs)
    assert 0 == status
    assert f"error: no Chromium to test the sandbox's page with: {why}." in said
    assert "apt-get install chromium" in said


def test_where_sudo_asks_for_a_password_nothing_is_installed(programs: Path) -> None:
    add(programs, "sudo", "exit 1")
    add(programs, "apt-get", INSTALLS)
    as_somebody = "import os, runpy, sys; os.geteuid = lambda: 1000; runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", as_somebody, str(SCRIPT)],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "installing it needs root (sudo asks for a password)" in done.stderr
    assert not (programs / "apt-get.log").exists()


def test_to_find_none_is_a_failure_and_installs_nothing(programs: Path) -> None:
    """So that a test that needs one fails with what to do."""
    add(programs, "sudo", SUDO)
    add(programs, "apt-get", INSTALLS)
    status, found, said = run(programs, "--find")
    assert (1, "") == (status, found)
    assert said.startswith("error: no Chromium to test the sandbox's page with: none is on PATH.")
    assert not (programs / "apt-get.log").exists()
