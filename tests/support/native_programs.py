"""Programs of the native provider in YAML, TypeScript and Go, with what `pulumi package add` would have written."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pulumi_twilio_caller_id.native.rewording import PACKAGE
from pulumi_twilio_caller_id.native.server import SCHEMA
from tests.support.engine_setup import engine_path
from tests.support.harness import Stack
from tools import languages

BIN = Path(sys.prefix) / "bin"
PLUGIN = BIN / f"pulumi-resource-{PACKAGE}"
SDK = Path("sdks") / PACKAGE


def run(*command: str | Path, cwd: Path, path: str) -> None:
    done = subprocess.run(command, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True)  # noqa: PLW1510
    assert 0 == done.returncode, f"{command} exited with {done.returncode}:\n{done.stdout}{done.stderr}"


def install_plugin(stack: Stack) -> None:
    """Install the plugin as docs/native.md says, and take it off PATH, where Pulumi would find it with a warning."""
    others = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder).resolve() != BIN.resolve()]
    stack.environment["PATH"] = os.pathsep.join([engine_path(), str(languages.ensure_programs()), *others])
    # Pulumi's Go module names a plugin that no program here needs, and each command would try to download it.
    stack.environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    number = version("pulumi-twilio-caller-id")
    stack.pulumi("plugin", "install", "resource", PACKAGE, number, "--file", str(PLUGIN))


def install_packages(language: str, stack: Stack) -> None:
    """Write the SDK, and get what the program imports, as `pulumi install` would. A YAML program needs neither."""
    sdk, path = stack.project / SDK, stack.environment["PATH"]
    if language == "go":
        languages.write_sdk("go", SCHEMA, sdk)
        run("go", "mod", "tidy", cwd=stack.project, path=path)
        stack.environment["GOFLAGS"] = "-ldflags=-w"  # each command links the program, and links faster so
    elif language == "typescript":
        packages = languages.ensure_node_packages()
        (stack.folder / "node_modules").symlink_to(packages)
        languages.write_sdk("nodejs", SCHEMA, sdk)
        run("node", "scripts/postinstall.js", cwd=sdk, path=os.pathsep.join([str(packages / ".bin"), path]))
        scope = stack.project / "node_modules" / "@pulumi"
        scope.mkdir(parents=True)
        (scope / PACKAGE).symlink_to(sdk)
