"""Install npm packages as a lock file pins them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools.engine import Unavailable
from tools.engine.progress import say

SECONDS = 300


def install(pinned: Path, place: Path) -> None:
    """Have the packages that the folder `pinned` locks in `place`/node_modules. Raises Unavailable.

    No script of a package is run.
    """
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        raise Unavailable(f"{' and '.join(missing)} not found; install Node.js 20 or newer, which comes with npm")
    lock = (pinned / "package-lock.json").read_bytes()
    ready = place / "ready"
    if ready.exists() and ready.read_bytes() == lock and (place / "node_modules").is_dir():
        return
    say(f"npm: installing the packages of tools/{pinned.name}, once, about 10 s")
    place.mkdir(parents=True, exist_ok=True)
    ready.unlink(missing_ok=True)  # what an interrupted npm leaves is not whole
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned / name, place / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"`npm ci` in {place.name}/ was not done after {SECONDS} s") from late
    if done.returncode != 0:
        raise Unavailable(f"`npm ci` in {place.name}/ failed:\n{done.stderr.strip()}")
    ready.write_bytes(lock)
