"""Build Pulumi from the Go modules pinned in `tools/cli/` and `tools/language-host/`."""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from tools.engine import Unavailable
from tools.engine.progress import progress_line

TOOLS = Path(__file__).resolve().parents[1]
PROGRAMS = (
    ("cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
    ("language-host", "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"),
)
"""The modules in `tools/`, and the program that each is for."""

SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python")

COMPILER = ("-gcflags=all=-dwarf=false -l", "-gcflags=std=-dwarf=false")
LINKER = "-s -w"
"""Nobody debugs this engine. Without debugging data and inlining it is compiled in half the time. The standard library
keeps its inlining: the rest of the engine spends its time there.
"""

MODULE_FILES = tuple(f"{module}/{name}" for module, _ in PROGRAMS for name in ("go.mod", "go.sum"))
CORE_MINUTES = 8.0
"""The minutes that one core needs, with empty caches and half of its time for this."""

STALE = "{{if .Stale}}{{.ImportPath}}{{end}}"
STALE_NOT_STANDARD = "{{if and .Stale (not .Standard)}}{{.ImportPath}}{{end}}"
"""Has `go list` name what is to be compiled, as Go's cache lacks it. The second leaves out the standard library."""

LAST_LINES = 5  # of the log, shown when the build fails

LACKS = """\
engine: this Pulumi runs programs in Python only. Its Python host is v3.68: it
engine: ignores `virtualenv` and `toolchain` (uv, ...); `pulumi install` and
engine: `pulumi new` put their virtual environment into the project's folder
engine: itself; `pulumi package add` fails. For all that, install Pulumi:
engine: https://www.pulumi.com/docs/install/"""


class Counts:
    """What Go has told so far, for `what` is being built."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.downloaded = self.found = self.compiled = 0

    def line(self, seconds: float) -> str:
        compiled = f", {self.compiled} of {self.found} packages compiled" if self.compiled else ""
        return f"{self.what}: {self.downloaded} modules downloaded{compiled}, {seconds:.0f} s"

    def listed(self, line: str) -> None:
        """Count a line of `go list`: a module that is downloaded, or a package that is to be compiled."""
        if line.startswith("go: downloading "):
            self.downloaded += 1
        elif line.strip():  # an empty line stands for a package that needs no compiling
            self.found += 1

    def built(self, line: str) -> None:
        """Count a line of `go build -v`: a package that is compiled now. Those in Go's cache are not named."""
        self.compiled += not line.startswith(("go: ", "#"))


def pinned_version() -> str:
    """The version of Pulumi that is downloaded or built, as cli/go.mod says."""
    found = re.search(rf"^\s*{re.escape(SDK)} v(\S+)", (TOOLS / "cli" / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"tools/cli/go.mod does not name {SDK}")
    return found[1]


def estimate() -> str:
    """How long the build takes here, if nothing of it is in Go's caches."""
    minutes = math.ceil(CORE_MINUTES / (os.cpu_count() or 1))
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"


def environment() -> dict[str, str]:
    """The variables for Go. It never writes the module files, and no setting of the user's changes what is built."""
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}


def go(module: str, *args: str) -> str:
    """Run Go in one of the modules in `tools/`, and return its output. What it says of errors is shown."""
    done = subprocess.run(
        ["go", *args], cwd=TOOLS / module, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


def go_logged(log: TextIO, told: Callable[[str], None], module: str, *args: str) -> None:
    """Run Go, and pass each line that it prints to the log and to `told`. Raises Unavailable if it fails."""
    command = ["go", *args]
    log.write(f"$ cd tools/{module} && {shlex.join(command)}\n")
    with subprocess.Popen(
        command, cwd=TOOLS / module, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            log.write(line)
            told(line)
    log.flush()
    if process.returncode:
        raise Unavailable(f"`go {args[0]}` ended with {process.returncode}")


def build(folder: Path, log_file: Path, what: str = "engine", programs: Sequence[tuple[str, str]] = PROGRAMS) -> None:
    """Build programs into `folder`: CLI and Python host, or others. All that Go says goes to `log_file`.

    Raises Unavailable.
    """
    try:
        with log_file.open("w") as log:
            _build(folder, log, Counts(what), programs)
            if programs is PROGRAMS:
                _copy_scripts(folder)
    except (OSError, subprocess.CalledProcessError, Unavailable) as failed:
        said = [f"  {line}\n" for line in log_file.read_text(errors="replace").splitlines()[-LAST_LINES:]]
        raise Unavailable(f"building it failed: {failed}\n{''.join(said)}The whole log: {log_file}") from failed


def _build(folder: Path, log: TextIO, counts: Counts, programs: Sequence[tuple[str, str]]) -> None:
    flags = f"{LINKER} -X {SDK}/go/common/version.Version={pinned_version()}"
    with progress_line(counts.line):
        stale = STALE
        for module, package in programs:
            go_logged(log, counts.listed, module, "list", "-deps", "-f", stale, *COMPILER, package)
            stale = STALE_NOT_STANDARD
        for module, package in programs:
            output = str(folder / package.rpartition("/")[2])
            go_logged(log, counts.built, module, "build", "-v", *COMPILER, "-ldflags", flags, "-o", output, package)


def _copy_scripts(folder: Path) -> None:
    """Copy the scripts of the Python host out of their module."""
    source = Path(go("cli", "list", "-m", "-f", "{{.Dir}}", SDK)) / "python"
    for script in SCRIPTS:
        shutil.copyfile(source / script, folder / Path(script).name)
        (folder / Path(script).name).chmod(0o755)
