"""This machine: where the project is, ports that are free, processes and signals."""

from __future__ import annotations

import secrets
import signal
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "templates" / "caller-ids"
PROGRAM = TEMPLATE / "__main__.py"
"""The program that `pulumi new` copies. `make up` runs it too."""


def command(pid: int) -> str:
    """The command line of a process, "" once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def free_port() -> int:
    """A free port on 127.0.0.1, outside the range for outgoing connections.

    A connection of another test could take a port of that range before it is used.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def heed_interrupts() -> None:
    """Obey ^C again, in this process and in those that it starts.

    A background job inherits "ignore ^C" from its shell and passes it on. Then no interrupted process would end, and
    the engine would wait five seconds for each.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
