"""Talk to the engine that has started this process: show texts, notice when it drops a request, and end with it.

Both providers use this. It relies on Pulumi's public protocol, and on how a plugin starts: with the engine's `address`.
"""

from __future__ import annotations

import functools
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .cancellation import ENGINE_ENDED, CancelToken
from .context import Severity
from .text import sanitize

LOG_TIMEOUT_SECONDS = 2.0


def log(address: str | None, severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
    """Have the engine at this address show a sanitized text: see `context.Log`. Never fails.

    Without an address, or if the SDK has no such service, the text goes to stderr.
    """
    text = sanitize(text)
    service = _log_service(address) if address else None
    with suppress(Exception):  # the engine may be going down
        if service is not None:
            stub, messages = service
            level = messages.LogSeverity.Value(severity.upper())
            request = messages.LogRequest(severity=level, message=text, urn=urn, ephemeral=ephemeral)
            stub.Log(request, timeout=LOG_TIMEOUT_SECONDS)
        elif text:
            print(text, file=sys.stderr, flush=True)  # noqa: T201


@functools.lru_cache(maxsize=1)  # a process has one engine
def _log_service(address: str) -> tuple[Any, Any] | None:
    """Return a client of the engine's Log service, and the module of its messages."""
    try:
        import grpc
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

        options = [("grpc.enable_http_proxy", 0)]  # the engine is on this machine
        return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address, options)), engine_pb2
    except Exception:  # noqa: BLE001  another version of the SDK: log on stderr
        return None


@contextmanager
def on_rpc_dropped(grpc_context: Any, act: Callable[[], object]) -> Iterator[None]:
    """Call `act` if the engine drops the RPC in this context. `act` runs in gRPC's thread, so it must not block."""
    unanswered = True

    def rpc_ended() -> None:
        if unanswered:
            act()

    try:
        with suppress(Exception):  # an RPC that can't be watched runs until its own timeout
            if grpc_context.add_callback(rpc_ended) is False:  # the RPC has ended already
                rpc_ended()
        yield
    finally:
        unanswered = False


def exit_after_dropped_rpc(address: str | None, cancel: CancelToken) -> None:
    """Stop this operation and end the process: the engine no longer waits for the answer.

    address: the engine's. Outside of a plugin it is None, and the process goes on.
    """
    cancel.cancel(ENGINE_ENDED)
    if address is not None:
        threading.Thread(target=_exit_within_a_second, args=(address,), name="twilio-exit", daemon=True).start()


def _exit_within_a_second(address: str) -> None:
    """End the process as soon as the engine is gone, or after one second. The engine's SIGINT does not always do it."""
    for _ in range(4):
        if _is_gone(address):
            break
        time.sleep(0.25)
    os._exit(1)


@functools.lru_cache(maxsize=1)  # configure may run several times
def exit_when_engine_exits(address: str | None) -> None:
    """End this process when the engine ends: a killed engine leaves its plugins running. Best effort.

    The engine holds a pipe to the plugin's stdin, which the kernel closes when the engine ends.
    """
    with suppress(Exception):
        if address is not None and stat.S_ISFIFO(os.fstat(0).st_mode):
            name = "twilio-exit-with-engine"
            threading.Thread(target=_exit_when_engine_dies, args=(address,), name=name, daemon=True).start()


def _exit_when_engine_dies(address: str) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    while not _is_gone(address):  # the engine may have closed the pipe for another reason
        time.sleep(0.5)
    os._exit(1)


def _is_gone(address: str) -> bool:
    """Return whether nothing listens at the engine's address any more."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 1.0).close()
    except (OSError, ValueError) as failed:
        return isinstance(failed, ConnectionRefusedError)
    return False
