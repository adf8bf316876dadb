"""What the tests share: the stack, on an engine and a Twilio that are thrown away afterwards."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from pulumi import automation as auto

from pulumi_twilio_caller_id.testing import Sandbox

pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin"]

PROJECT = Path(__file__).parents[1]

# The last one: what is in the config of a real stack goes before the environment, and would lead to its account.
NOT_COPIED = shutil.ignore_patterns(".venv", "tests", "__pycache__", "Pulumi.*.yaml")


@pytest.fixture
def stack(twilio_sandbox: Sandbox, tmp_path: Path) -> auto.Stack:
    """A new stack of this project, in a copy of it, with a backend of its own. Its Twilio is the sandbox."""
    project, backend = tmp_path / "project", tmp_path / "backend"
    shutil.copytree(PROJECT, project, ignore=NOT_COPIED)
    (project / ".venv").symlink_to(sys.prefix)
    backend.mkdir()
    variables = {"PULUMI_BACKEND_URL": f"file://{backend}", "PULUMI_CONFIG_PASSPHRASE": ""}
    return auto.create_stack("test", work_dir=str(project), opts=auto.LocalWorkspaceOptions(env_vars=variables))
