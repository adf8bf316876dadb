"""Listen addresses such as 127.0.0.1:8585, and the sockets that listen on them."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Iterable
from contextlib import suppress

_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Errors when binding ::1, which is one of `localhost`'s addresses, on a machine without IPv6."""


def host_and_port(listen_address: str) -> tuple[str, int]:
    """Split an address such as `127.0.0.1:8585` or `[::1]:8585`. Raises ValueError for anything else."""
    parts = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):([0-9]{1,5})", listen_address)
    if parts is None or int(parts[3]) > 65535:
        raise ValueError("must be host:port, such as 127.0.0.1:8585")
    return parts[1] or parts[2], int(parts[3])


def listen_on(listen_address: str) -> list[socket.socket]:
    """Open a listening socket for each address that its host resolves to. Raises OSError or ValueError."""
    host, port = host_and_port(listen_address)
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    if port == 0:  # the system picks a free port, another one for each address: use one address
        addresses = addresses[:1]
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in addresses:
            try:
                sockets.append(socket.create_server(address, family=family, backlog=128))
            except OSError as error:
                unavailable = error
                if error.errno not in _NO_SUCH_ADDRESS:
                    raise
        if not sockets:
            raise unavailable
    except OSError:
        for opened in sockets:  # one address failed: its port may be in use
            opened.close()
        raise
    return sockets


async def stop_accepting(sockets: Iterable[socket.socket]) -> None:
    """Accept no more connections. Call this before asyncio's servers of these sockets are closed.

    Without this, Python 3.11 would leave a connection open that was accepted just before closing.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # the event loop of Windows has no readers
        for listening in sockets:
            loop.remove_reader(listening)
    for _ in range(2):  # asyncio creates the protocol in one turn of the loop, and calls connection_made in the next
        await asyncio.sleep(0)
