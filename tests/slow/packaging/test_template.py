"""`pulumi new` from a clone that has been used: a small project of one's own, that previews and deploys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.checkout import OFFLINE, copy_project, lend_packages
from tests.support.engine_setup import engine_path
from tests.support.harness import Stack
from tests.support.machine import ROOT, TEMPLATE

FILES = {".gitignore", "Pulumi.yaml", "README.md", "__main__.py", "requirements.txt"}


@pytest.fixture(scope="module")
def used_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone after `make up` and `make dist`: with a virtual environment, an engine, local state and a wheel."""
    clone = copy_project(tmp_path_factory.mktemp("used") / "clone")
    subprocess.run(["python3", "-m", "venv", "--without-pip", ".venv"], cwd=clone, check=True)
    (clone / ".engine").symlink_to(ROOT / ".engine")
    (clone / ".state" / ".pulumi").mkdir(parents=True)
    wheel = [sys.executable, "-m", "build", "--no-isolation", "--wheel"]
    subprocess.run(wheel, cwd=clone, capture_output=True, check=True)
    return clone


@pytest.fixture
def new(make_stack: Callable[..., Stack], sandbox: Sandbox, used_clone: Path) -> Stack:
    """What `pulumi new` makes of the template, with its requirements installed as they are written."""
    stack = make_stack(environment=sandbox.environment)
    for path in stack.project.iterdir():
        path.unlink()
    template = used_clone / TEMPLATE.relative_to(ROOT)
    stack.pulumi("new", str(template), "--name", "my-numbers", "--yes", "--generate-only")
    assert {path.name for path in stack.project.iterdir()} == FILES

    lend_packages(stack.project / ".venv")
    python = stack.project / ".venv" / "bin" / "python"
    subprocess.run(["python3", "-m", "venv", ".venv"], cwd=stack.project, check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--ignore-installed", "--no-deps"]
    wheels = {"PIP_FIND_LINKS": str(used_clone / "dist")}
    command = [*install, "-r", "requirements.txt"]
    subprocess.run(command, cwd=stack.project, env={**os.environ, **OFFLINE, **wheels}, check=True)
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


def test_what_pulumi_new_asks() -> None:
    """The token is a secret; the questions are of keys that mean something."""
    template = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())["template"]
    assert template["description"]
    assert {"twilio:accountSid", "twilio:authToken", "twilio:defaultRegion"} == set(template["config"])
    assert ["twilio:authToken"] == [key for key, asked in template["config"].items() if asked.get("secret")]


def test_the_template_and_make_up_declare_the_same_config() -> None:
    """`make up` runs the template's program with a Pulumi.yaml of its own."""
    ours = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    template = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text())
    assert ours == {key: value for key, value in template.items() if key != "template"}
