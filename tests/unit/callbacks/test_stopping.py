"""What listens lets go of every connection, whenever it is stopped."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification.callback_server import CallbackServer
from tests.support.machine import free_port

ROUNDS = 12
CLIENTS = 60


def receiver() -> tuple[tuple[str, int], Callable[[], None]]:
    address = ("127.0.0.1", free_port())
    return address, CallbackServer(f"127.0.0.1:{address[1]}", 10).stop


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
