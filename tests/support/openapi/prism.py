"""Prism, a program of others that holds HTTP against an OpenAPI description: as a mock, or as a proxy before a server.

Installed by `npm ci` from tools/prism/ into .prism/, once. Its scripts are not run, and it asks nobody but what it is
put before.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.machine import free_port
from tests.support.openapi.official import ROOT
from tools.engine import Unavailable, npm

PINNED = ROOT / "tools" / "prism"
PLACE = ROOT / ".prism"
PROGRAM = PLACE / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
SECONDS = 60
"""For it to listen: as long as a machine that is busy may take."""

NOT_LISTED = "Unable to match the returned status code with those defined"
"""What it warns of where a description lists no refusals, as Twilio's own."""


class PrismMissing(Exception):
    """It cannot be installed or does not start; the message says why."""


def install() -> None:
    """Has it in PLACE as PINNED says. Raises `PrismMissing`."""
    try:
        npm.install(PINNED, PLACE)
    except Unavailable as why:
        raise PrismMissing(str(why)) from why


class Prism:
    """One, running within a `with` block. What is not as described it answers with an error of its own.

    description  a file. upstream  the server that it stands before; None: it makes the answers up.
    """

    def __init__(self, description: Path, log: Path, upstream: str | None = None) -> None:
        self._port = free_port()
        self._log = log
        self._mode = [str(description)] if upstream is None else [str(description), upstream]
        self._name = "mock" if upstream is None else "proxy"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.begin()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def begin(self) -> None:
        """Starts it, and does not wait until it listens."""
        command = ["node", str(PROGRAM), self._name, "--errors", "--port", str(self._port), *self._mode]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "NO_COLOR": "1", "SCARF_ANALYTICS": "false"},
            )

    def wait(self) -> None:
        """Until it listens; `PrismMissing` where it does not."""
        until = time.monotonic() + SECONDS
        while "Prism is listening" not in self._text():
            if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                self.end()
                raise PrismMissing(f"prism {self._name} does not listen:\n{self._text()}")
            time.sleep(0.05)

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    # What it saw

    @property
    def requests(self) -> int:
        """How many there were."""
        return self._text().count("Request received")

    @property
    def answers(self) -> int:
        """How many of the server's answers it has looked at; none, where it makes them up."""
        return self._text().count("Received forward response")

    @property
    def violations(self) -> list[str]:
        """What was not as described, in its words."""
        lines = [re.sub(r"^\[[^]]*\] \S\s*", "", line) for line in self._text().splitlines()]
        wrong = [line for line in lines if "✖" in line or "Violation:" in line]
        return [line for line in wrong if NOT_LISTED not in line]

    def _text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")
