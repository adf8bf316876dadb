"""Find Chromium, or install it: the tests of the sandbox's phone page drive one, without a window.

Uses nothing but the standard library. The ways, in order:

1. a Chromium or Chrome on PATH
2. Debian's package, where apt-get is there and we are root, or become it by sudo without a password

Where neither works it says how to install one, and the status is 0 all the same: only those tests need it, and fail.
With `--find` it installs nothing; it prints the path, or else says why there is none and exits with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"

HELP = """\
error: no Chromium to test the sandbox's page with: {why}.
       Install one so that {names} is on PATH (Debian: `apt-get install chromium`;
       elsewhere Chrome, or https://www.chromium.org/getting-involved/download-chromium). Then run this again."""


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def become_root() -> list[str] | None:
    """What a command begins with to be run as root; None where we can't be."""
    if os.geteuid() == 0:
        return []
    asked = ["sudo", "--non-interactive"]
    if shutil.which("sudo") and subprocess.run([*asked, "true"], capture_output=True, check=False).returncode == 0:
        return asked
    return None


def install() -> str:
    """Installs it; "" or why it could not be."""
    root = become_root()
    if shutil.which("apt-get") is None:
        return "none is on PATH, and there is no apt-get to install it with"
    if root is None:
        return "none is on PATH, and installing it needs root (sudo asks for a password)"
    say("browser: installing Debian's chromium by apt-get, for the tests of the sandbox's page, about a minute")
    quiet = ["apt-get", "--quiet", "--quiet"]
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
        command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", *quiet, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return f"none is on PATH, and apt-get {arguments[0]} failed ({lines[-1] if lines else done.returncode})"
    return "" if find() else f"none is on PATH, and none of {', '.join(NAMES)} came with the package {PACKAGE}"


def main(arguments: list[str]) -> int:
    path = find()
    if arguments == ["--find"]:
        if path:
            print(path)
            return 0
        say(HELP.format(why="none is on PATH", names=" or ".join(NAMES)))
        return 1
    why = "" if path else install()
    if why:
        say(HELP.format(why=why, names=" or ".join(NAMES)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
