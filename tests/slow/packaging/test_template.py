"""`pulumi new` from a copy of the project: a project of one's own, that previews and deploys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.checkout import OFFLINE, copy_project, lend_packages
from tests.support.engine_setup import engine_path
from tests.support.harness import Stack


@pytest.fixture
def new(make_stack: Callable[..., Stack], sandbox: Sandbox, tmp_path: Path) -> Stack:
    """What `pulumi new` makes of the project, with its requirements installed as it says."""
    template = copy_project(tmp_path / "template")
    stack = make_stack(environment=sandbox.environment)
    for path in stack.project.iterdir():
        path.unlink()
    stack.pulumi("new", str(template), "--name", "my-numbers", "--yes", "--generate-only")
    lend_packages(stack.project / ".venv")
    python = stack.project / ".venv" / "bin" / "python"
    subprocess.run(["python3", "-m", "venv", ".venv"], cwd=stack.project, check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
    subprocess.run(install, cwd=stack.project, env={**os.environ, **OFFLINE}, check=True)
    stack.environment["PATH"] = os.pathsep.join([str(python.parent), engine_path(), os.environ["PATH"]])
    return stack


def test_a_new_project_previews_and_deploys(new: Stack, sandbox: Sandbox) -> None:
    assert "my-numbers" == yaml.safe_load((new.project / "Pulumi.yaml").read_text())["name"]
    new.pulumi("stack", "init", "dev")
    number = ("--path", "callerIds.desk.phoneNumber", "--type", "string", "+14155550101")
    new.pulumi("config", "set", *number)
    assert {"desk": "create"} == {name: op for name, op in new.planned().items() if not name.endswith("-dev")}
    new.up()

    assert {"desk": sandbox.caller_ids[0].sid} == new.outputs()
    new.destroy()
    assert [] == sandbox.caller_ids


def test_its_sandbox_stack_works_under_the_new_name(new: Stack, sandbox: Sandbox) -> None:
    """Three numbers to try with, whose config names no project."""
    new.environment["PULUMI_CONFIG_PASSPHRASE"] = ""
    new.pulumi("stack", "init", "sandbox")
    new.up()

    assert {"front-desk", "support", "berlin"} == set(new.outputs())


def test_what_pulumi_new_asks(tmp_path: Path) -> None:
    """The token is a secret; the questions are of keys that mean something."""
    template = yaml.safe_load((copy_project(tmp_path) / "Pulumi.yaml").read_text())["template"]
    assert template["description"]
    assert {"twilio:accountSid", "twilio:authToken", "twilio:defaultRegion"} == set(template["config"])
    assert ["twilio:authToken"] == [key for key, asked in template["config"].items() if asked.get("secret")]
