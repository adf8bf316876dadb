"""Copies of the working tree without ignored files, and virtual environments for them, set up at once and offline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.machine import ROOT

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""Make pip use only installed packages, for builds too. (0 means: no isolation.)"""


def copy_project(folder: Path) -> Path:
    """Copy all files that git tracks or would add."""
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
    """Make the packages of the running environment available in `venv`, which need not exist yet.

    Installing requirements.txt there checks its versions and fetches nothing. The provider isn't included: the running
    environment finds it by its own .pth file, and Python ignores .pth files in a folder that a .pth file names.
    """
    site = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
