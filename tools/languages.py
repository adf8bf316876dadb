"""Get what Pulumi programs in YAML, TypeScript and Go run with, and write SDKs for them.

The slow tests alone need it, so `make setup` does not get it. What comes with the engine is used as it is, as with an
official release. The rest is built from the Go modules beside this file, once, and kept for this user's other
checkouts. TypeScript also needs npm packages: `nodejs/` pins them.

    python -m tools.languages                              get all of it
    python -m tools.languages sdk LANGUAGE SCHEMA FOLDER   write a package's SDK for python, nodejs or go
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from tools import ensure
from tools.engine import Unavailable, cache, modules, npm
from tools.engine.progress import say

PROGRAMS = {
    "pulumi-language-yaml": ("yaml-host", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"),
    "pulumi-language-nodejs": ("language-host", f"{modules.SDK}/nodejs/cmd/pulumi-language-nodejs"),
    "pulumi-language-go": ("go-host", f"{modules.SDK}/go/pulumi-language-go"),
    "pulumi-write-sdk": ("cli", "./pulumi-write-sdk"),
}
"""Program -> its module in `tools/`, and its package."""

SOURCES = {"pulumi-write-sdk": ("cli/pulumi-write-sdk/main.go",)}
"""Program -> its files, if it is ours."""

STAMP = "languages"
"""The file that names what was built: a line with the fingerprint, and one for each program."""

NODE_PACKAGES = ensure.HOME / "nodejs" / "node_modules"

HELP = """\
error: not every test of YAML, TypeScript and Go can pass: {why}.
       They need Go 1.25 or newer (https://go.dev/doc/install) and Node.js 20 or newer (https://nodejs.org/)."""


def place_for(engine: Path) -> Path:
    """Where the built programs go: beside an engine of ours, as Pulumi warns of hosts elsewhere on PATH."""
    return engine if engine == ensure.MADE else ensure.HOME / "languages"


def to_build(engine: Path, place: Path) -> list[str]:
    """The programs that did not come with the engine."""
    stamp = place / STAMP
    ours = stamp.read_text().splitlines() if stamp.exists() else []
    return [name for name in PROGRAMS if name in ours or not (engine / name).exists()]


def stamp_of(programs: Iterable[str]) -> str:
    files = [f"{PROGRAMS[name][0]}/{file}" for name in programs for file in ("go.mod", "go.sum")]
    sources = [file for name in programs for file in SOURCES.get(name, ())]
    return "\n".join([ensure.fingerprint(files + sources), *programs])


def ensure_programs() -> Path:
    """Get the programs, and return the folder they are in. Raises Unavailable."""
    place = place_for(engine := ensure.ensure())
    programs = to_build(engine, place)
    stamp = stamp_of(programs)
    if (place / STAMP).exists() and (place / STAMP).read_text() == stamp:
        return place
    started = time.monotonic()
    raw = ensure.HOME / f"languages.{os.getpid()}"
    try:
        where = put(programs, stamp.partition("\n")[0], raw)
        place.mkdir(exist_ok=True)
        for name in programs:
            (raw / name).replace(place / name)
        (place / STAMP).write_text(stamp)
    finally:
        shutil.rmtree(raw, ignore_errors=True)
    say(f"languages: {len(programs)} programs are ready after {time.monotonic() - started:.0f} s, {where}")
    return place


def put(programs: Sequence[str], key: str, folder: Path) -> str:
    """Put programs into an empty folder, and say where they are from. Raises Unavailable."""
    kept = cache.find(key)
    if kept is not None:
        try:
            cache.restore(kept, folder)
            return "copied from another checkout's"
        except Unavailable as failed:
            say(f"languages: {failed}")
            shutil.rmtree(folder, ignore_errors=True)
    if shutil.which("go") is None:
        raise Unavailable(f"Go is not there to build {', '.join(programs)}")
    say(f"languages: building {len(programs)} programs from Go modules, once, up to 3 minutes")
    folder.mkdir(parents=True)
    modules.build(folder, ensure.HOME / "languages.log", "languages", [PROGRAMS[name] for name in programs])
    cache.store(folder, key)
    return "built from their Go modules"


def ensure_node_packages() -> Path:
    """Get the npm packages, and return the folder they are in. Raises Unavailable."""
    npm.install(ensure.HERE / "nodejs", NODE_PACKAGES.parent)
    return NODE_PACKAGES


def write_sdk(language: str, schema: Path, folder: Path) -> None:
    """Write the SDK of the package that a schema describes, as `pulumi package add` would. Raises Unavailable."""
    program = ensure_programs() / "pulumi-write-sdk"
    arguments = language, schema, folder, metadata.version("pulumi-twilio-caller-id")
    done = subprocess.run([program, *arguments], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Unavailable(done.stderr.strip().removeprefix("error: "))


def get_all() -> int:
    """Get all of it. The status is 0 if that fails, too, so that `make` goes on with the tests that need none of it."""
    for get in (ensure_programs, ensure_node_packages):
        try:
            get()
        except Unavailable as why:
            say(HELP.format(why=why))
    return 0


def main(arguments: Sequence[str]) -> int:
    try:
        match arguments:
            case []:
                return get_all()
            case ["sdk", language, schema, folder]:
                write_sdk(language, Path(schema), Path(folder))
                return 0
    except Unavailable as failed:
        say(f"error: {failed}")
        return 1
    except KeyboardInterrupt:
        say("languages: interrupted. The next run goes on: Go keeps what it has compiled.")
        return 130
    say((__doc__ or "").rpartition("\n\n")[2].rstrip())
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
