"""What listens lets go of every connection, whenever it is stopped."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification.callback_server import Server
from pulumi_twilio_caller_id.verification.sockets import accept_no_more, bind

ROUNDS = 12
CLIENTS = 60


def test_a_connection_that_was_accepted_last_is_ended_by_its_protocol() -> None:
    seen: list[str] = []

    class Ending(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen.append("made")
            assert isinstance(transport, asyncio.Transport)
            transport.abort()

        def connection_lost(self, _: Exception | None) -> None:
            seen.append("lost")

    async def serve() -> None:
        [bound] = bind("127.0.0.1:0")
        server = await asyncio.get_running_loop().create_server(Ending, sock=bound)
        with socket.create_connection(bound.getsockname()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # now it is accepted, and nothing more
            assert [] == seen
            await accept_no_more([bound])
            server.close()
            await server.wait_closed()

    asyncio.run(serve())
    assert ["made", "lost"] == seen


def receiver() -> tuple[tuple[str, int], Callable[[], None]]:
    sockets = bind("127.0.0.1:0")
    address = sockets[0].getsockname()
    return address, Server(sockets, 10).stop


def sandbox() -> tuple[tuple[str, int], Callable[[], None]]:
    running = Sandbox().start()
    host, _, port = running.url.removeprefix("http://").partition(":")
    return (host, int(port)), running.stop


@pytest.mark.parametrize("start", [receiver, sandbox])
def test_a_server_that_stops_while_clients_come_leaves_no_socket_open(
    start: Callable[[], tuple[tuple[str, int], Callable[[], None]]],
) -> None:
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        for number in range(ROUNDS):
            address, stop = start()
            coming = threading.Thread(target=come, args=(address,))
            coming.start()
            time.sleep(0.001 * (number % 6))  # a different moment each time
            stop()
            coming.join()
        gc.collect()
    assert [] == [str(warning.message) for warning in left_open if "127.0.0.1" in str(warning.message)]


def come(address: tuple[str, int]) -> None:
    clients: list[socket.socket] = []
    try:
        for _ in range(CLIENTS):
            clients.append(socket.create_connection(address, timeout=1))
            clients[-1].sendall(b"GET / HTTP/1.1\r\n")
    except OSError:
        pass
    finally:
        for client in clients:
            client.close()
