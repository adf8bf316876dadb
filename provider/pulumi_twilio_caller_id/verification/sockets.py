"""Listen addresses such as 127.0.0.1:8585, and the sockets that are bound to them."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Iterable
from contextlib import suppress

_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Errors for ::1, which `localhost` stands for too, on a machine without IPv6."""


def host_and_port(listen: str) -> tuple[str, int]:
    """Split an address such as `127.0.0.1:8585` or `[::1]:8585`. Raises ValueError for anything else."""
    parts = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):([0-9]{1,5})", listen)
    if parts is None or int(parts[3]) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:8585")
    return parts[1] or parts[2], int(parts[3])


def bind(listen: str) -> list[socket.socket]:
    """Open sockets that listen on every address of the host. Raises OSError or ValueError with the reason."""
    host, port = host_and_port(listen)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in found if port else found[:1]:
            try:
                sockets.append(socket.create_server(address, family=family, backlog=128))
            except OSError as failed:
                unavailable = failed
                if failed.errno not in _NO_SUCH_ADDRESS:
                    raise
        if not sockets:
            raise unavailable
    except OSError:
        for bound in sockets:  # another program has the port on one of the host's addresses
            bound.close()
        raise
    return sockets


async def stop_accepting(sockets: Iterable[socket.socket]) -> None:
    """Accept no more connections. Call this before asyncio's servers of these sockets are closed.

    A connection that was accepted last still gets a protocol to close it. Without that, Python 3.11 leaves it open.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # the event loop of Windows works in another way
        for bound in sockets:
            loop.remove_reader(bound)
    for _ in range(2):  # in the first turn of the loop it gets a protocol, in the second it is told so
        await asyncio.sleep(0)
