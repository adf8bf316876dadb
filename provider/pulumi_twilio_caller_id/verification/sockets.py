"""Sockets that listen: addresses, how they are bound, and how they are let go of."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Iterable
from contextlib import suppress

_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Such as ::1, which localhost is too, on a machine without IPv6."""


def host_and_port(listen: str) -> tuple[str, int]:
    """The parts of an address to listen at, such as `127.0.0.1:8585` or `[::1]:8585`. Raises ValueError for others."""
    parts = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):([0-9]{1,5})", listen)
    if parts is None or int(parts[3]) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:8585")
    return parts[1] or parts[2], int(parts[3])


def bind(listen: str) -> list[socket.socket]:
    """Sockets that listen on every address of the host. Raises OSError or ValueError with the reason."""
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
        close(sockets)  # half of a taken port is worse than none: who has the other half?
        raise
    return sockets


def close(sockets: Iterable[socket.socket]) -> None:
    """Lets go of them."""
    for bound in sockets:
        bound.close()


async def accept_no_more(sockets: Iterable[socket.socket]) -> None:
    """To be awaited before asyncio's servers of these sockets are closed. Connections that have just been accepted get
    as far as their protocol, which ends them: of a server that is closed already, Python 3.11 leaves them open.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # a loop that does not work like that, as on Windows
        for bound in sockets:
            loop.remove_reader(bound)
    await asyncio.sleep(0)
