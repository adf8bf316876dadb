from __future__ import annotations

import json
import os
import subprocess
import sys

from harness import quick_pip


def pip(*args: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "pip", *args], env=environment, capture_output=True, check=True
    ).stdout.decode()


def test_the_engine_is_told_the_packages_that_pip_lists() -> None:
    listing = ("list", "-v", "--format", "json")
    quick, real = pip(*listing, **quick_pip()), pip(*listing, PYTHONPATH="")

    assert json.loads(real) == json.loads(quick)
    assert {"pulumi", "pulumi-twilio-caller-id"} <= {package["name"] for package in json.loads(quick)}


def test_another_environment_and_other_commands_are_pips_own() -> None:
    elsewhere = {**quick_pip(), "QUICK_PIP_PREFIX": "/elsewhere", "QUICK_PIP_LIST": os.devnull}
    assert "pulumi" in pip("list", "-v", "--format", "json", **elsewhere)
    assert pip("--version", PYTHONPATH="") == pip("--version", **quick_pip())
