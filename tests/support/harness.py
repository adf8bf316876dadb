"""Stacks on the real Pulumi engine, each with a project folder, backend and PULUMI_HOME of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tests.support.engine_setup import PROJECT, engine_variables, fake_pip, initialised_stack
from tests.support.machine import command

TYPE = "pulumi-python:dynamic/twilio:OutgoingCallerId"
SECONDS = 120
STACK_FILE = "Pulumi.test.yaml"
SECRET_MARKER = "1b47061264138c4ac30d75fd1eb44270"  # how a state file marks an encrypted value

HEADER = """\
import pulumi
from pulumi import Output, ResourceOptions, CustomTimeouts
from pulumi_twilio_caller_id import OutgoingCallerId, Provider
"""


@dataclass(frozen=True)
class Result:
    """What one run of `pulumi` printed, and its exit code."""

    code: int
    stdout: str
    stderr: str
    untranslated: str = ""  # all that it printed, if a NativeStack has translated it

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def error(self) -> str:
        """What the diagnostics say of the first caller ID that failed, from `error:` on."""
        return next(iter(self.errors.values()), "")

    @property
    def errors(self) -> dict[str, str]:
        """The same for each caller ID that failed, by its name in the program."""
        return self._diagnostics("error:")

    @property
    def awaiting(self) -> dict[str, str]:
        """The warnings about each caller ID that awaits the next `up`, by its name in the program."""
        told = self._diagnostics("warning:").items()
        return {name: text for name, text in told if f"{name} **create awaiting**" in self.stdout}

    def _diagnostics(self, severity: str) -> dict[str, str]:
        """What the diagnostics say of each caller ID, from the first line on that begins with `severity`."""
        found = {}
        for block in self.stdout.partition("Diagnostics:\n")[2].split("\n\n"):
            title, *lines = [line.strip() for line in block.strip().splitlines()] or [""]
            told = list(dropwhile(lambda line: not line.startswith(severity), lines))
            if told and title.startswith(TYPE):
                found[title.removeprefix(TYPE).strip(" ():")] = "\n".join(told)
        return found


@dataclass(frozen=True)
class Running:
    """A `pulumi` that is under way; what it prints goes to a file."""

    process: subprocess.Popen[bytes]
    file: Path
    read: Callable[[str], str] = str  # a NativeStack translates

    @property
    def output(self) -> str:
        return self.read(self.file.read_text())

    def until(self, holds: Callable[[], object], seconds: float = 60) -> float:
        """Wait until `holds()` is true; return the seconds waited. After `seconds`, fail with what was printed."""
        begin = time.monotonic()
        while not holds():
            assert time.monotonic() - begin < seconds, f"not so within {seconds} s:\n{self.output}"
            time.sleep(0.02)
        return time.monotonic() - begin

    def ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        if not self.ended():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Stack:
    """A project with one stack, `test`. `environment` is what its commands get beside the engine's own variables.

    `seconds` is how long a command may take.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = SECONDS

    namespace: ClassVar[str] = "twilio"  # of the keys in the stack's config

    def __post_init__(self) -> None:
        for name in ("project", "backend", "home"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.project / "Pulumi.yaml").write_text(PROJECT)
        self.program("")
        initialised = initialised_stack()
        shutil.copytree(initialised / "backend", self.folder / "backend", dirs_exist_ok=True)
        shutil.copy(initialised / "project" / STACK_FILE, self.project)
        self._select("test")

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def _select(self, name: str) -> None:
        """Select a stack, as `pulumi stack select` does. Pulumi stores the choice per project."""
        path = os.path.realpath(self.project / "Pulumi.yaml")
        noted = f"caller-ids-{hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()}-workspace.json"
        (self.home / "workspaces").mkdir(exist_ok=True)
        (self.home / "workspaces" / noted).write_text(json.dumps({"stack": name}))

    def program(self, text: str) -> None:
        (self.project / "__main__.py").write_text(HEADER + text)

    def configure(self, values: Mapping[str, object]) -> None:
        """Write plain values into the stack's config, as `pulumi config set` does."""
        file = self.project / STACK_FILE
        content = yaml.safe_load(file.read_text())
        content.setdefault("config", {}).update(values)
        file.write_text(yaml.safe_dump(content))

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a command."""
        return {**engine_variables(self.folder), **fake_pip(), **self.environment, **(extra or {})}

    def pulumi(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        """Run `pulumi`. If `ok`, fail the test unless it succeeds."""
        pipe = subprocess.PIPE
        process = self._popen(args, env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        try:
            stdout, stderr = process.communicate(stdin, timeout=self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise AssertionError(
                f"pulumi {' '.join(args)} was not done after {self.seconds} s:\n{stdout}{stderr}"
            ) from None
        result = Result(process.returncode, stdout, stderr)
        assert not ok or result.code == 0, f"pulumi {' '.join(args)} exited with {result.code}:\n{result.output}"
        return result

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> Running:
        """Start `pulumi` and leave it running."""
        output = self.folder / f"output.{len(list(self.folder.glob('output.*')))}"
        with output.open("w") as file:
            process = self._popen(args, env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        return Running(process, output)

    def _popen(self, args: Iterable[str], env: Mapping[str, str] | None, **streams: Any) -> subprocess.Popen[Any]:
        command_line = ["pulumi", *args, "--non-interactive"]
        return subprocess.Popen(
            command_line, cwd=self.project, env=self.variables(env), start_new_session=True, **streams
        )

    def run(self, *command: str) -> Result:
        """Run any command in the project's folder, with the variables of the stack."""
        options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": self.seconds}
        done = subprocess.run(command, check=False, cwd=self.project, env=self.variables(), **options)
        return Result(done.returncode, done.stdout, done.stderr)

    def up(self, *args: str, ok: bool = True, settled: bool = True, env: Mapping[str, str] | None = None) -> Result:
        """Run `pulumi up`. If it succeeds, a preview right after it must plan nothing, unless `settled` is False."""
        result = self.pulumi("up", "--yes", "--skip-preview", *args, ok=ok, env=env)
        if ok and settled and "--expect-no-changes" not in args:
            assert self.planned(env=env) == {}, "`up` has left something to do"
        return result

    def preview(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None) -> Result:
        return self.pulumi("preview", *args, ok=ok, env=env)

    def refresh(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None) -> Result:
        return self.pulumi("refresh", "--yes", "--skip-preview", *args, ok=ok, env=env)

    def destroy(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None) -> Result:
        return self.pulumi("destroy", "--yes", "--skip-preview", *args, ok=ok, env=env)

    def planned(self, *, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a preview would do: resource name -> operation, without what stays the same."""
        told = json.loads(self.preview("--json", env=env).stdout)
        steps = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in told["steps"]}
        return {name: op for name, op in steps.items() if op not in ("same", "read") and not name.endswith("-test")}

    def export(self) -> dict[str, Any]:
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export").stdout)
        return exported

    def deployment(self) -> dict[str, Any]:
        """The deployment, as `stack export` gives it. The file of the only stack is read: that needs no `pulumi`."""
        files = list((self.folder / "backend" / ".pulumi" / "stacks").glob("*/*.json"))
        kept: dict[str, Any] = (
            json.loads(files[0].read_text(encoding="utf-8"))["checkpoint"].get("latest") or {}
            if len(files) == 1
            else self.export()["deployment"]
        )
        return kept

    def resources(self) -> dict[str, dict[str, Any]]:
        """The caller IDs in state, by name."""
        found = self.deployment().get("resources", [])
        return {r["urn"].rsplit("::", 1)[1]: r for r in found if r["type"] == TYPE}

    def pending(self) -> list[Any]:
        found: list[Any] = self.deployment().get("pending_operations") or []
        return found

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, from its file. Only Pulumi can decrypt them if a secret is among them."""
        [stack] = [r for r in self.deployment().get("resources", []) if r["type"] == "pulumi:pulumi:Stack"]
        found: dict[str, Any] = stack.get("outputs", {})
        if SECRET_MARKER in json.dumps(found):
            found = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets").stdout)
        return found

    def files(self) -> Iterable[Path]:
        """All files that the engine keeps: state, history, backups, the stack's config, logs."""
        return (path for path in self.folder.rglob("*") if path.is_file())

    def drop_cut_off_attributes(self) -> None:
        """Delete `.attrs` files that a killed engine left empty, as docs/troubleshooting.md says."""
        for file in (self.folder / "backend").rglob("*.attrs"):
            if not file.stat().st_size:
                file.unlink()

    def plugins(self) -> list[int]:
        """The processes that run the provider."""
        return [pid for pid in self.processes() if "pulumi.dynamic" in command(pid)]

    def left_behind(self) -> dict[int, str]:
        """Wait up to 30 seconds for this stack's processes to end; return those still running, each with its command.

        An engine that ends while its language host starts leaves the host running, for five minutes at most. That is
        Pulumi's way, so such a host is ended here and not returned.
        """
        deadline = time.monotonic() + 30
        while (left := self.of_the_provider()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in self.processes():
            if pid not in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return {pid: command(pid) for pid in left}

    def of_the_provider(self) -> list[int]:
        """This stack's processes without Pulumi's language hosts."""
        host = "pulumi-language-"
        return [pid for pid in self.processes() if host not in (command(pid) or host)]

    def processes(self) -> list[int]:
        """The processes started for this stack that are still there."""
        marker = f"PULUMI_HOME={self.home}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile
                continue
        return found
