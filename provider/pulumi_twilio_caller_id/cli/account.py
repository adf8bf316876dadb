"""The account that a command is about: its options, its settings, its caller IDs.

The settings come from a stack's config first, then from the environment, as they do for the resources.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_twilio_caller_id.errors import CredentialsMissing
from pulumi_twilio_caller_id.native.rewording import PACKAGE
from pulumi_twilio_caller_id.text import one_line

from .common import Mistake, Parser, say

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.models import CallerId
    from pulumi_twilio_caller_id.settings.model import Settings

PROGRESS_SECONDS = 2.0
PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")


def account_options() -> Parser:
    """The options that say which account, for a command's parser to have as a parent."""
    options = Parser(add_help=False)
    options.add_argument("--account-sid", type=_account_sid, metavar="AC...", help="a subaccount")
    options.add_argument(
        "--stack", metavar="NAME", help="the stack whose config has the credentials (default: the one selected)"
    )
    return options


def _account_sid(text: str) -> str:
    from pulumi_twilio_caller_id.inputs import ACCOUNT_SID

    if not ACCOUNT_SID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the sid of an account (AC and 32 hexadecimal digits)")
    return text


@dataclass(frozen=True)
class StackConfig:
    """The config of a stack, secrets included; `unreadable` says why there is none, where there should be one."""

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    unreadable: str | None = None


def project_file(folder: Path) -> Path | None:
    """The project that the folder is in, None where it is in none."""
    files = (parent / name for parent in (folder, *folder.parents) for name in PROJECT_FILES)
    return next((file for file in files if file.is_file()), None)


def project_name(folder: Path, default: str) -> str:
    """The name of the project that the folder is in, `default` outside of one. Raises Mistake for a damaged file."""
    file = project_file(folder)
    if file is None:
        return default
    import yaml  # a dependency of pulumi

    try:
        project = yaml.safe_load(file.read_bytes())
    except (OSError, yaml.YAMLError) as failed:
        raise Mistake(f"{file} can't be read: {one_line(failed)}") from failed
    name = project.get("name") if isinstance(project, dict) else None
    if not isinstance(name, str):
        raise Mistake(f"{file} gives the project no name")
    return name


def stack_config(stack: str | None) -> StackConfig:
    """The config of `stack`, or of the one that is selected where the working directory is in a project.

    Raises Mistake where `stack` is given and its config can't be read. Pulumi reads it, as it alone can decrypt it.
    """
    if stack is None and (project_file(Path.cwd()) is None or shutil.which("pulumi") is None):
        return StackConfig()
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive"]
    if stack is not None:
        command += ["--stack", stack]
    config = _asked(command)
    if stack is not None and config.unreadable is not None:
        raise Mistake(f"the config of stack {one_line(stack)} could not be read: {config.unreadable}", 1)
    return config


def _asked(command: list[str]) -> StackConfig:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as failed:
        missing = isinstance(failed, FileNotFoundError)
        return StackConfig(unreadable="pulumi is not on PATH" if missing else f"pulumi can't be run: {failed.strerror}")
    if done.returncode != 0:
        return StackConfig(unreadable=_why(done))
    try:
        told = json.loads(done.stdout)
        return StackConfig(_settings({key: entry["value"] for key, entry in told.items() if "value" in entry}))
    except (ValueError, AttributeError, TypeError):
        return StackConfig(unreadable="`pulumi config --json` gave something else than a config")


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    """The config with the native provider's keys as `twilio:...`, unless it has such keys of its own."""
    if any(key.startswith("twilio:") for key in values):
        return values
    return {re.sub(f"^{PACKAGE}:", "twilio:", key): value for key, value in values.items()}


def _why(failed: subprocess.CompletedProcess[bytes]) -> str:
    lines = failed.stderr.decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), f"pulumi exited with {failed.returncode}")
    return one_line(last).removeprefix("error: ")


def account_of(config: StackConfig) -> Settings:
    """The account's settings, the stack's config before the environment. Raises SettingsError as `resolve` does."""
    from pulumi_twilio_caller_id.settings.model import load_settings  # here, so that --help need not wait for it

    try:
        return load_settings(config.values.get, os.environ)
    except CredentialsMissing as missing:
        if config.unreadable is None:
            raise
        also = f"The stack's config could not be read: {config.unreadable.rstrip('.')}."
        raise CredentialsMissing(f"{missing.what}\n{also}", missing.todo) from missing


def collect(caller_ids: Iterable[CallerId], clock: Callable[[], float] = time.monotonic) -> list[CallerId]:
    """All of them; says on stderr how far it is where reading takes long."""
    found: list[CallerId] = []
    said = clock()
    for caller_id in caller_ids:
        now = clock()
        if now - said >= PROGRESS_SECONDS:
            said = now
            say(f"read {len(found):,} caller IDs ...")
        found.append(caller_id)
    return found
