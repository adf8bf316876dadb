"""Everything that reaches past the public API of `pulumi.dynamic`. Nothing else in the package does.

| piece | reaches for | without it |
|---|---|---|
| `provider_method` | `request` and `context` in the SDK's frames | a Call without URN, timeout or old inputs |
| `provider_method` | `abort` of the gRPC context | the message arrives inside the SDK's traceback |
| `provider_method` | the end of the gRPC context | a wait ends at its deadline |
| `log` | the engine's Log service; its address is the plugin's last argument | stderr: shown on the stack's row |
| `is_unknown` | `pulumi.output.Unknown`, which check and diff get during a preview | the marker string of the wire |
| `hear_cancel` | the servicer's Cancel | the first ^C waits for creates |
| `follow_engine` | the pipe to the plugin's stdin | a killed engine leaves an idle plugin behind |
| `widen_worker_pool` | the workers of the servicer's executor | four operations run at a time |
| `config_keys` | the dict within the SDK's Config | no warning of misspelled keys |
| `serialized` | how the SDK writes a provider into a resource's `__provider` | pickled here, by reference |
"""

from __future__ import annotations

import base64
import functools
import os
import pickle
import re
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Concatenate, ParamSpec, TypeVar

from pulumi.runtime import rpc as wire

from .cancellation import ENGINE_ENDED, INTERRUPTED, CancelToken
from .context import Call, Severity
from .errors import CallerIdError
from .shadowing import explanation
from .text import sanitize

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_KEY = "__provider"
"""Where the SDK keeps the pickled provider among a resource's properties."""

LOG_SECONDS = 2.0
"""Longest time that a text may take to reach the engine."""

FOLLOWER = "twilio-follow-engine"
"""The name of the thread that waits for the end of the engine."""


def _local_variables_of_callers(*names: str) -> tuple[Any, ...] | None:
    """The local variables of these names, from the nearest calling frame that has all of them."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _has(frame, names):  # looked at before f_locals, which makes a dict of them all
            values = tuple(frame.f_locals.get(name) for name in names)
            if all(value is not None for value in values):
                return values
        frame = frame.f_back
    return None


def _has(frame: FrameType, names: tuple[str, ...]) -> bool:
    code = frame.f_code
    return all(name in code.co_varnames or name in code.co_freevars or name in code.co_cellvars for name in names)


def config_keys(config: object) -> list[str]:
    """The keys that a configuration has, of which the SDK only answers one at a time."""
    return [str(key) for key in getattr(config, "_props", None) or ()]


def is_unknown(value: object) -> bool:
    """Whether the value is not known before `pulumi up`."""
    import pulumi.output

    kind = getattr(pulumi.output, "Unknown", None)
    return value == wire.UNKNOWN or (kind is not None and isinstance(value, kind))


def serialized(provider: object) -> str:
    """A provider as the SDK writes it into a resource's `__provider`: for the import file, which bypasses the SDK."""
    try:
        from pulumi.dynamic.dynamic import serialize_provider

        return str(serialize_provider(provider))
    except Exception:  # noqa: BLE001  another SDK's layout; of a provider without state, any pickle will do
        return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()


def split_unknowns(props: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The properties with a value, and those whose value is not known before `pulumi up`."""
    unknown = {name: value for name, value in props.items() if is_unknown(value)}
    return {name: value for name, value in props.items() if name not in unknown}, unknown


def log(severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
    """Show text on the row of `urn` (the stack's, where it is ""); unless `ephemeral`, also in the log.

    An ephemeral text replaces the one before it; "" clears it. What would steer a terminal is left out, as texts quote
    what people and Twilio name things. Never fails: a text is not worth failing for.
    """
    text = sanitize(text)
    engine = _engine()
    try:
        if engine is None:
            if text:
                print(text, file=sys.stderr, flush=True)  # noqa: T201
            return
        _send(engine, LOG_SECONDS, severity, message=text, urn=urn, ephemeral=ephemeral)
    except Exception:  # noqa: BLE001, S110  the engine may be going down
        pass


def _send(engine: tuple[Any, Any], seconds: float, severity: Severity, **fields: Any) -> None:
    stub, proto = engine
    stub.Log(proto.LogRequest(severity=proto.LogSeverity.Value(severity.upper()), **fields), timeout=seconds)


def address() -> str | None:
    """Where the engine listens, None outside of a plugin. It is one for all plugin processes of an operation.

    The last argument of the SDK's plugin; the flags of --logflow and --tracing come before it.
    """
    plugin = hasattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer")
    last = sys.argv[-1] if sys.argv else ""
    return last if plugin and re.fullmatch(r"[\w.\[\]:-]+:\d+", last) else None


def _engine() -> tuple[Any, Any] | None:
    """The engine's Log service and its message types; None outside of a plugin."""
    engine = address()
    return None if engine is None else _connect(engine)


@functools.lru_cache(maxsize=1)  # a process has one engine
def _connect(engine: str) -> tuple[Any, Any] | None:
    try:
        import grpc
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

        options = [("grpc.enable_http_proxy", 0)]  # the engine is on this machine
        return engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine, options)), engine_pb2
    except Exception:  # noqa: BLE001  another SDK's layout: log on stderr
        return None


def provider_method(
    process_token: Callable[[], CancelToken],
) -> Callable[[Callable[Concatenate[Any, Call, P], R]], Callable[Concatenate[Any, P], R]]:
    """Make a method of a ResourceProvider, which gets a Call, one that the SDK calls, and that fails as a user expects.

    process_token: returns the token of which each operation's is a child.

    A CallerIdError is shown as its message alone, and so is an error that a file beside the program has caused, by
    having the name of a library. What is not an Exception (SystemExit, CancelledError) becomes one: the engine would
    wait for ever for the answer. Anything else is a bug of ours, and keeps its traceback, with secrets redacted. If the
    engine ends the RPC (a second ^C) or is dead, nobody hears the answer, so the process ends.
    """

    def decorate(method: Callable[Concatenate[Any, Call, P], R]) -> Callable[Concatenate[Any, P], R]:
        @functools.wraps(method)
        def answer(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            request, context = _local_variables_of_callers("request", "context") or (None, None)
            try:
                with process_token().child() as cancel, _at_the_end_of(context, lambda: _leave(cancel)):
                    return method(self, _call(request, cancel), *args, **kwargs)
            except CallerIdError as failed:
                text = str(failed)
                _abort_with(context, lambda _traceback: text)
                raise
            except Exception as failed:
                cause = explanation(failed)
                _abort_with(context, sanitize if cause is None else lambda _traceback: str(cause))
                raise
            except BaseException as ended:
                _abort_with(context, sanitize)
                raise RuntimeError(f"{method.__name__} was ended by {type(ended).__name__}: {ended}") from ended

        return answer

    return decorate


def _call(request: Any, cancel: CancelToken) -> Call:
    """The core's words for an RPC. `request` is None in unit tests, or if the SDK names things otherwise."""
    return Call(
        urn=str(getattr(request, "urn", "")),
        timeout_seconds=float(getattr(request, "timeout", 0.0)) or None,
        cancel=cancel,
        read_old_inputs=lambda: _old_inputs(request),
        send_log=log,
    )


def _old_inputs(request: Any) -> dict[str, Any] | None:
    """The inputs in the state. Diff, Read and Delete have them in their request, but the SDK does not pass them on."""
    try:
        sent = request.inputs if hasattr(request, "inputs") else request.old_inputs
        given = wire.deserialize_properties(sent)
    except Exception:  # noqa: BLE001  whatever another SDK makes of it, a refresh works without
        return None
    return {name: wire.unwrap_rpc_secret(value) for name, value in given.items() if name != PROVIDER_KEY} or None


def _abort_with(context: Any, message: Callable[[str], str]) -> None:
    """Have the SDK's `context.abort(code, traceback)` for this RPC say what `message` makes of the traceback."""
    with suppress(Exception):  # the message is in the traceback too
        abort = type(context).abort
        context.abort = lambda code, details: abort(context, code, message(details))


@contextmanager
def _at_the_end_of(context: Any, act: Callable[[], object]) -> Iterator[None]:
    """While this context is active, call `act` if the engine ends the RPC: in a thread of gRPC, so it must not wait."""
    unanswered = True

    def rpc_ended() -> None:
        if unanswered:
            act()

    try:
        with suppress(Exception):  # no RPC, or another kind of context: a wait has its deadline
            if context.add_callback(rpc_ended) is False:
                rpc_ended()
        yield
    finally:
        unanswered = False


# Interrupts

WORKERS = 64
"""Operations that a plugin process serves at once, rather than the SDK's four: a wait takes one for minutes."""


def hear_cancel(token: CancelToken) -> None:
    """Have the engine's Cancel, which it sends at the first ^C, cancel the token. Best effort."""
    servicer: Any = getattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer", None)
    with suppress(Exception):  # the bound method is registered already: only its code can still be exchanged
        servicer.on_engine_cancel = staticmethod(lambda: token.cancel(INTERRUPTED))
        servicer.Cancel.__code__ = _cancel_code.__code__


def _cancel_code(self: Any, request: Any, context: Any) -> Any:  # noqa: ARG001  the servicer's signature
    """Runs as the servicer's Cancel, with the globals of the SDK's module, so it must import all it needs."""
    from google.protobuf import empty_pb2

    self.on_engine_cancel()
    return empty_pb2.Empty()


def widen_worker_pool() -> None:
    """Have WORKERS operations served at once from here on. Best effort.

    Operations that wait for somebody, or for Twilio, gain by it. Others would not: they take turns in one interpreter,
    and the more of them there are, the longer each turn takes.
    """
    found = _local_variables_of_callers("executor_reference")  # the thread pool of this thread
    with suppress(Exception):
        executor = found[0]()  # type: ignore[index]
        with executor._shutdown_lock:
            # After a burst of operations, Python 3.11 counts more workers as idle than there are, and starts no new
            # ones. So the count is reset.
            while executor._idle_semaphore.acquire(blocking=False):
                pass
            more = WORKERS - executor._max_workers
            executor._max_workers = max(executor._max_workers, WORKERS)
            for _ in range(min(more, executor._work_queue.qsize())):  # those that came while there were too few
                executor._adjust_thread_count()


def follow_engine() -> None:
    """Have this process end with the engine: one that is killed leaves its plugins behind. Best effort.

    The engine has a pipe to the plugin's stdin, which the kernel closes with it.
    """
    with suppress(Exception):
        follows = any(thread.name == FOLLOWER for thread in threading.enumerate())  # each provider configures itself
        if address() is not None and stat.S_ISFIFO(os.fstat(0).st_mode) and not follows:
            threading.Thread(target=_end_with_the_engine, name=FOLLOWER, daemon=True).start()


def _end_with_the_engine() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    while not _engine_is_gone():  # it may have closed the pipe for another reason
        time.sleep(0.5)
    os._exit(1)


def _leave(cancel: CancelToken) -> None:
    """Stop this operation, and end the process: nobody hears its answer."""
    cancel.cancel(ENGINE_ENDED)
    threading.Thread(target=_leave_with_the_engine, name="twilio-leave", daemon=True).start()


def _leave_with_the_engine() -> None:
    """End the process once the engine is gone, or has had a second to end it.

    After a second ^C it sends SIGINT, which on a busy machine the SDK was seen to miss; five seconds later it kills.
    """
    if address() is None:
        return
    for _ in range(4):
        if _engine_is_gone():
            break
        time.sleep(0.25)
    os._exit(1)


def _engine_is_gone() -> bool:
    """Whether nothing listens at the engine's address any more."""
    host, _, port = (address() or "").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 1.0).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):
        return False
    return False
