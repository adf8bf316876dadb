"""Everything that reaches past the public API of `pulumi.dynamic`. Nothing else in the package does.

| piece | reaches for | without it |
|---|---|---|
| `current_rpc` | `request` and `context` in the frames of the SDK's servicer | None: no URN, timeout or old inputs |
| `log` | the engine's Log service; its address is the plugin's last argument | stderr: shown on the stack's row |
| `provider_method` | `abort` of that one call's gRPC context | the message arrives inside the SDK's traceback |
| `is_unknown` | `pulumi.output.Unknown`, which check and diff get during a preview | the marker string of the wire |
| `interruptible`, `ended` | the end of that call's gRPC context | the wait ends at its deadline |
| `hear_cancel` | the servicer's Cancel | the first ^C waits for creates |
| `follow_engine` | the pipe that the engine has for the plugin's stdin | a killed engine leaves an idle plugin behind |
| `expect_waiting` | the workers of the servicer's executor | four operations run at a time |
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
from dataclasses import dataclass
from types import FrameType
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from pulumi.runtime import rpc as wire

from . import cancellation
from .errors import CallerIdError
from .shadowing import explanation
from .text import sanitize

P = ParamSpec("P")
R = TypeVar("R")
Severity = Literal["debug", "info", "warning"]
"""Not "error": that marks the resource as failed, although the operation goes on."""

LOG_SECONDS = 2.0


@dataclass(frozen=True)
class Rpc:
    """The call of the engine that is being answered on this thread."""

    request: Any
    context: Any

    @property
    def urn(self) -> str:
        return str(getattr(self.request, "urn", ""))

    @property
    def timeout(self) -> float | None:
        """Seconds of `custom_timeouts` for this operation, None where the program sets none."""
        return float(getattr(self.request, "timeout", 0.0)) or None

    @property
    def old_inputs(self) -> dict[str, Any] | None:
        """The inputs in state, which Diff, Read and Delete are sent but do not pass on; None where there are none."""
        try:
            sent = self.request.inputs if hasattr(self.request, "inputs") else self.request.old_inputs
            given = wire.deserialize_properties(sent)
        except Exception:  # noqa: BLE001  whatever another SDK makes of it, a refresh works without
            return None
        return {name: wire.unwrap_rpc_secret(value) for name, value in given.items()} or None


def current_rpc() -> Rpc | None:
    """The engine's call this thread is in, None where there is none (unit tests) or the SDK names things otherwise."""
    found = _in_callers("request", "context")
    return Rpc(*found) if found else None


def current_urn() -> str:
    """The URN of the resource that the engine's call is about, "" where there is none within reach."""
    rpc = current_rpc()
    return rpc.urn if rpc else ""


def _in_callers(*names: str) -> tuple[Any, ...] | None:
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


_engines: dict[str, tuple[Any, Any] | None] = {}
_engines_lock = threading.Lock()


def _engine() -> tuple[Any, Any] | None:
    """The engine's Log service and its message types, connected once per process; None outside of a plugin."""
    at = address()
    if at is None:
        return None
    with _engines_lock:
        if at not in _engines:
            try:
                import grpc
                from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

                here = [("grpc.enable_http_proxy", 0)]  # the engine is on this machine
                _engines[at] = (engine_pb2_grpc.EngineStub(grpc.insecure_channel(at, here)), engine_pb2)
            except Exception:  # noqa: BLE001  another SDK's layout: log on stderr
                _engines[at] = None
        return _engines[at]


def provider_method(
    function: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], R]:
    """Makes a method of a ResourceProvider fail as a user expects.

    A CallerIdError is shown as its message alone. So is an error that a file beside the program has caused, by having
    the name of a library. What is not an Exception (SystemExit, CancelledError) becomes one:
    the engine would wait for ever for the answer. Anything else keeps its traceback, as it is a fault of ours; secrets
    that a text in it quotes are masked. Where the engine ends the call (a second ^C) or is dead, so that nobody hears
    the answer, the process ends.
    """

    @functools.wraps(function)
    def guarded(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _at_the_end_of_the_call(_leave):
                return function(self, *args, **kwargs)
        except CallerIdError as failed:
            text = str(failed)
            _abort_with(lambda _traceback: text)
            raise
        except Exception as failed:
            cause = explanation(failed)
            _abort_with(sanitize if cause is None else lambda _traceback: str(cause))
            raise
        except BaseException as ended:
            _abort_with(sanitize)
            raise RuntimeError(f"{function.__name__} was ended by {type(ended).__name__}: {ended}") from ended

    return guarded


def _abort_with(message: Callable[[str], str]) -> None:
    """Have the SDK's `context.abort(code, traceback)` for this one call say what `message` makes of the traceback."""
    rpc = current_rpc()
    if rpc is None:
        return
    try:
        abort = type(rpc.context).abort
        rpc.context.abort = lambda code, details: abort(rpc.context, code, message(details))
    except Exception:  # noqa: BLE001, S110  the message is in the traceback too
        pass


# Interrupts

WORKERS = 64
"""Operations that a plugin process serves at once, rather than the SDK's four: a wait takes one for minutes."""


@contextmanager
def interruptible(stop: Callable[[str], None]) -> Iterator[None]:
    """Within it, `stop` is called, from another thread, with the reason when the operation is to end.

    That is on the first ^C (where Cancel reaches us), and when this very call is ended: a second ^C, or a dead engine.
    """
    with cancellation.on_cancel(stop), _at_the_end_of_the_call(lambda: stop(cancellation.ENDED)):
        yield


@contextmanager
def _at_the_end_of_the_call(act: Callable[[], object]) -> Iterator[None]:
    """Within it, `act` is called when the engine ends the call that this thread answers: in a thread of gRPC's, so it
    must not wait.
    """
    rpc = current_rpc()
    unanswered = True

    def call_ended() -> None:
        if unanswered:
            act()

    try:
        if rpc is not None:
            with suppress(Exception):  # another kind of context: the wait has its deadline
                if rpc.context.add_callback(call_ended) is False:
                    call_ended()
        yield
    finally:
        unanswered = False


def ended() -> str | None:
    """Why the operation that this thread is in is to end, None where it may go on."""
    if cancellation.cancel_requested():
        return cancellation.CANCELED
    rpc = current_rpc()
    with suppress(Exception):
        if rpc is not None and rpc.context.is_active() is False:
            return cancellation.ENDED
    return None


def hear_cancel() -> None:
    """Have the engine's Cancel reach `interrupts.cancel`. Best effort."""
    servicer = getattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer", None)
    with suppress(Exception):  # the bound method is registered already: only its code can still be exchanged
        servicer.Cancel.__code__ = _cancel_code.__code__  # type: ignore[union-attr]


def widen_worker_pool() -> None:
    """Have WORKERS operations served at once from here on. Best effort.

    For operations that wait for somebody, be it Twilio. Others gain nothing by it: they take turns in one interpreter,
    and the more of them do, the longer each turn takes.
    """
    found = _in_callers("executor_reference")  # of the thread pool that this thread is a worker of
    with suppress(Exception):
        executor = found[0]()  # type: ignore[index]
        with executor._shutdown_lock:
            # Python 3.11 counts a worker as idle after each operation, also where the next one is waiting for it
            # already: after a burst it would start no more workers, for as many operations as were waiting.
            while executor._idle_semaphore.acquire(blocking=False):
                pass
            more = WORKERS - executor._max_workers
            executor._max_workers = max(executor._max_workers, WORKERS)
            for _ in range(min(more, executor._work_queue.qsize())):  # those that came while there were too few
                executor._adjust_thread_count()


def _cancel_code(self: Any, request: Any, context: Any) -> Any:  # noqa: ARG001  the servicer's signature
    """Runs as the servicer's Cancel, with the globals of the SDK's module: it must bring all it needs."""
    import importlib

    from google.protobuf import empty_pb2

    importlib.import_module("pulumi_twilio_caller_id.cancellation").cancel()
    return empty_pb2.Empty()


_followed = threading.Lock()
"""Taken, once and for all, by the thread that follows the engine."""


def reset() -> None:
    """Follow the engine once more, as in a process that has just started."""
    if _followed.locked():
        _followed.release()


def follow_engine() -> None:
    """Have this process end with the engine: one that is killed leaves its plugins behind. Best effort.

    The engine has a pipe to the plugin's stdin, which the kernel closes with it.
    """
    with suppress(Exception):
        if address() is not None and stat.S_ISFIFO(os.fstat(0).st_mode) and _followed.acquire(blocking=False):
            threading.Thread(target=_end_with_the_engine, name="twilio-follow-engine", daemon=True).start()


def _end_with_the_engine() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    while not _engine_is_gone():  # it may have closed the pipe for another reason
        time.sleep(0.5)
    os._exit(1)


def _leave() -> None:
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
