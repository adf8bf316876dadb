"""Copies of the project as git has it, and virtual environments for them that are set up in a moment and offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.machine import ROOT

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""What has pip use nothing but what is installed, also to build a package. (The 0 does mean: no isolation.)"""


def copy_project(folder: Path) -> Path:
    """Copy what is committed, and what would be: no environment, engine or state."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def lend_packages(venv: Path) -> None:
    """Let a virtual environment, made already or not yet, find installed what is installed in the running one.

    Installing requirements.txt there checks its versions and fetches nothing. The provider itself does not come along:
    the running environment has it by a .pth file of its own, and Python heeds none in a folder that another one names.
    """
    site = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
