"""This machine: where the project is, ports that are free, processes and signals."""

from __future__ import annotations

import secrets
import signal
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(pid: int) -> str:
    """The command line of a process, "" once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at. It is none of those that systems give to outgoing connections, or
    one of those that other tests make would take it before it is used.
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
    """A shell has what it runs in the background ignore ^C, and so would every process that is started from here: none
    that is interrupted would end, and the engine waits five seconds for each of its own before it kills it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
