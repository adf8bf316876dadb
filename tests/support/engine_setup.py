"""What a `pulumi` command needs: the engine, an environment of its own, and a stack that is initialised already."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.support.machine import ROOT

PASSPHRASE = "engine tests"

PROJECT = f"""\
name: caller-ids
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {sys.prefix}
"""


def engine_path() -> str:
    """The folder of the engine that `make setup` found or built."""
    noted = ROOT / ".engine" / "path"
    if not noted.exists():
        raise RuntimeError("no Pulumi engine is set up here: run the tests by `make test`, or `make setup` first")
    return noted.read_text()


@cache
def fake_pip() -> dict[str, str]:
    """Variables that replace `pip list` with a stored answer: it takes a third of each operation."""
    listed = Path(tempfile.mkdtemp(prefix="fake-pip-")) / "list.json"
    atexit.register(shutil.rmtree, listed.parent, ignore_errors=True)
    command_line = [sys.executable, "-m", "pip", "list", "-v", "--format", "json", "--disable-pip-version-check"]
    listed.write_bytes(subprocess.run(command_line, capture_output=True, check=True).stdout)
    path = [str(ROOT / "tests" / "support" / "fake_pip"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path), "FAKE_PIP_PREFIX": sys.prefix, "FAKE_PIP_LIST": str(listed)}


def engine_variables(folder: Path) -> dict[str, str]:
    """The environment of a command on the stack in a folder. No TWILIO_ or PULUMI_ variable comes from outside."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO_", "PULUMI_"))}
    return {
        **outside,
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), engine_path(), outside["PATH"]]),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


@cache
def initialised_stack() -> Path:
    """The files of an initialised stack `test`, to copy: `stack init` takes a third of a second."""
    folder = Path(tempfile.mkdtemp(prefix="initialised-stack-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("project", "backend", "home"):
        (folder / name).mkdir()
    (folder / "project" / "Pulumi.yaml").write_text(PROJECT)
    command_line = ["pulumi", "stack", "init", "test", "--non-interactive"]
    subprocess.run(command_line, cwd=folder / "project", env=engine_variables(folder), capture_output=True, check=True)
    return folder
