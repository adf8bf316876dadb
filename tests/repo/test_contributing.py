"""What a contributor finds: `make help`, pre-commit's hooks and the devcontainer agree with the Makefile."""

from __future__ import annotations

import json
import os
import re
import subprocess

import yaml

from tests.support.machine import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {name for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE) for name in line.split()}


def shown() -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "help"]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout


def test_help_has_every_target_once_in_its_group() -> None:
    listed = re.findall(r"^  make ([\w-]+) ", shown(), re.MULTILINE)
    assert sorted(TARGETS - {"help"}) == sorted(listed)
    assert ["Try", "Develop", "Maintain"] == re.findall(r"^(\w+)", shown(), re.MULTILINE)


def test_help_fits_a_terminal_of_80_columns() -> None:
    assert [] == [line for line in shown().splitlines() if len(line) > 80]


def test_each_rule_is_a_target_that_is_no_file() -> None:
    rules = {name for line in re.findall(r"^([a-z][\w -]*):(?!=)", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert rules == TARGETS


def test_the_hooks_of_pre_commit_are_commands_of_lint() -> None:
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert "local" == repository["repo"]  # the versions of requirements-dev.txt, not others
    lint = MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0].replace("$(VENV)", ".venv")
    for hook in repository["hooks"]:
        command = hook["entry"].removesuffix(" --force-exclude")
        assert f"\t@{command}\n" in lint or f"\t@{command} --check\n" in lint


def test_the_devcontainer_sets_up_what_make_needs() -> None:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    described = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    make, *targets = described["postCreateCommand"].split()
    assert ("make", ["setup", ".venv/ready-dev"]) == (make, targets)
    assert {"go", "node"} == {name.rpartition("/")[2].partition(":")[0] for name in described["features"]}
