from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.engine_setup import fake_pip


def pip(*args: str, **variables: str) -> str:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "pip", *args], env=environment, capture_output=True, check=True
    ).stdout.decode()


def test_the_engine_is_told_the_packages_that_pip_lists() -> None:
    listing = ("list", "-v", "--format", "json")
    fake, real = pip(*listing, **fake_pip()), pip(*listing, PYTHONPATH="")

    assert json.loads(real) == json.loads(fake)
    assert {"pulumi", "pulumi-twilio-caller-id"} <= {package["name"] for package in json.loads(fake)}


def test_another_environment_and_other_commands_are_pips_own() -> None:
    elsewhere = {**fake_pip(), "FAKE_PIP_PREFIX": "/elsewhere", "FAKE_PIP_LIST": os.devnull}
    assert "pulumi" in pip("list", "-v", "--format", "json", **elsewhere)
    assert pip("--version", PYTHONPATH="") == pip("--version", **fake_pip())
