"""Find a Pulumi engine, or get one, and write down in `.engine/path` the folder it is in.

Uses nothing but the standard library. The ways, in order:

1. a `pulumi` of at least MINIMUM on PATH with its Python language host: used as it is
2. the one an earlier run put into `.engine/bin`
3. the one another checkout of this user got: a copy of it
4. the official release, in the version pinned in `cli/go.mod`
5. Go is there: the engine is built from the Go modules pinned in `cli/` and `language-host/`
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.engine import Unavailable, cache, modules, release, unfinished
from tools.engine.progress import say

MINIMUM = (3, 254)  # the first whose import file takes a resource's inputs and outputs
HERE = Path(__file__).resolve().parent
HOME = (HERE.parent / ".engine").resolve()  # where it is a link, as in copies that tests make, it outlives the copy
MADE = HOME / "bin"
LOG = HOME / "build.log"

HELP = """\
error: no Pulumi engine: {why}.
       Install Pulumi 3.254 or newer (https://www.pulumi.com/docs/install/), or Go 1.25 or newer
       (https://go.dev/doc/install) so that it can be built here, then run the same command again."""


def version_of(pulumi: str) -> tuple[int, ...]:
    """The version of a pulumi binary, () where it can't be run or says something else."""
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        told = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=60, env=quiet, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", told.stdout.strip())
    return tuple(map(int, found.groups())) if found and told.returncode == 0 else ()


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def installed() -> Path | None:
    """The folder of a usable engine on PATH."""
    pulumi = shutil.which("pulumi")
    if pulumi is None or Path(pulumi).parent == MADE:
        return None
    version = version_of(pulumi)
    if version < MINIMUM:
        say(f"engine: leaving {pulumi} alone: {dotted(version) or 'unknown version'} is older than {dotted(MINIMUM)}")
        return None
    folder = Path(pulumi).resolve().parent
    if not (folder / "pulumi-language-python").exists() and shutil.which("pulumi-language-python") is None:
        say(f"engine: leaving {pulumi} alone: its Python language host (pulumi-language-python) is missing")
        return None
    return Path(pulumi).parent


def fingerprint(files: Iterable[str] = modules.MODULE_FILES) -> str:
    """Changes with anything that what is built from these files depends on; then it is made anew."""
    digest = hashlib.sha256()
    for part in files:
        digest.update((HERE / part).read_bytes())
    digest.update(f"{modules.COMPILER}\n{modules.LINKER}\n{platform.system()}\n{platform.machine()}".encode())
    return digest.hexdigest()


def made_before() -> bool:
    stamp = MADE / "fingerprint"
    return stamp.exists() and stamp.read_text() == fingerprint() and version_of(str(MADE / "pulumi")) >= MINIMUM


def make(how: Callable[[Path], None]) -> None:
    """Have an engine put into a folder beside its place, then move it there in one step. Raises Unavailable."""
    raw = unfinished(MADE)
    raw.mkdir(parents=True)
    try:
        how(raw)
        if version_of(str(raw / "pulumi")) < MINIMUM:
            raise Unavailable("it does not run on this machine")
        (raw / "fingerprint").write_text(fingerprint())
        shutil.rmtree(MADE, ignore_errors=True)
        raw.rename(MADE)
    finally:
        shutil.rmtree(raw, ignore_errors=True)


def get() -> str:
    """Get an engine into MADE, and say where it is from."""
    version, key = modules.pinned_version(), fingerprint()
    kept = cache.find(key)
    if kept is not None:
        try:
            make(lambda folder: cache.restore(kept, folder))
            return "copied from another checkout's"
        except Unavailable as failed:
            say(f"engine: {failed}")
    say(f"engine: looking for the official release of Pulumi {version}")
    try:
        make(lambda folder: release.download(version, folder))
        where = "the official release"
    except Unavailable as failed:
        say(f"engine: it can't be had: {failed}")
        where = built()
    cache.store(MADE, key)
    return where


def built() -> str:
    """Build an engine, or end with what to do."""
    if shutil.which("go") is None:
        raise SystemExit(HELP.format(why="it can't be downloaded, and Go is not there to build it"))
    say(f"engine: building it from its Go modules, once, {modules.estimate()} on {os.cpu_count()} cores")
    try:
        make(lambda folder: modules.build(folder, LOG))
    except Unavailable as failed:
        say(f"engine: {failed}")
        raise SystemExit(HELP.format(why="it can't be downloaded, and building it failed (see above)")) from None
    say(modules.LACKS)
    return "built from its Go modules"


def ensure() -> Path:
    folder = installed()
    if folder is not None:
        return folder
    if not made_before():
        started = time.monotonic()
        where = get()
        pulumi = dotted(version_of(str(MADE / "pulumi")))
        say(f"engine: Pulumi {pulumi} is ready after {time.monotonic() - started:.0f} s, {where}")
    return MADE


def main() -> int:
    try:
        folder = ensure()
    except KeyboardInterrupt:
        say("engine: interrupted. The next `make` goes on: Go keeps what it has compiled.")
        return 130
    HOME.mkdir(exist_ok=True)
    (HOME / "path").write_text(str(folder))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
