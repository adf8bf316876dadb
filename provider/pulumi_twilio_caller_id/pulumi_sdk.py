"""Everything that reaches past the public API of `pulumi.dynamic`. Nothing else in the package does.

Another version of the SDK may lack what a function uses. The third column says what happens then.

| function | uses | if that is missing |
|---|---|---|
| `_build_operation` | the variable `request` of the SDK's calling function | no URN, timeout or old inputs are known |
| `_replace_abort_message` | `abort` of that function's gRPC `context` | a traceback precedes each message |
| `_mark_as_awaiting` | the trailing metadata of that gRPC context | a resource that awaits counts as failed |
| `engine_address` | the plugin's final argument | texts go to stderr; a killed engine leaves an idle plugin behind |
| `is_unknown` | `pulumi.output.Unknown`, which check and diff get in a preview | an `Unknown` is taken for a value |
| `cancel_on_engine_cancel` | the servicer's Cancel | after the first ^C, Pulumi waits for creates to finish |
| `widen_worker_pool` | the workers of the servicer's executor | four operations run at a time |
| `config_keys` | the dict in the SDK's Config | misspelled keys get no warning |
| `pickled_provider` | the SDK's function that makes `__provider` | the provider is pickled here |
"""

from __future__ import annotations

import base64
import functools
import pickle
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Concatenate, ParamSpec, TypeVar

from pulumi.runtime import rpc

from . import await_protocol, engine
from .cancellation import INTERRUPTED, CancelToken
from .context import Operation, Severity
from .errors import Awaiting, CallerIdError
from .shadowing import shadowing_error
from .text import sanitize

P = ParamSpec("P")
R = TypeVar("R")

PICKLED_PROVIDER = "__provider"
"""The property of a resource in which the SDK keeps the pickled provider."""

WORKERS = 64
"""Operations that run at the same time, in place of the SDK's four. One that waits for a phone call takes minutes."""


def provider_method_decorator(
    get_process_cancel_token: Callable[[], CancelToken],
) -> Callable[[Callable[Concatenate[Any, Operation, P], R]], Callable[Concatenate[Any, P], R]]:
    """Wrap a ResourceProvider method: build its Operation from the RPC, and show its errors as plain messages.

    get_process_cancel_token: returns the process's cancel token; each operation gets a child of it.
    A CallerIdError shows only its message; so does an import error from a user's file that shadows a library. Any other
    error is a bug of ours: it keeps its traceback, with secrets redacted. SystemExit and the like become an Exception,
    because the SDK does not answer the engine otherwise. If the engine ends the RPC (a second ^C) or dies, the
    process ends.
    """

    def decorate(method: Callable[Concatenate[Any, Operation, P], R]) -> Callable[Concatenate[Any, P], R]:
        @functools.wraps(method)
        def answer(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            request, context = _local_variables_of_callers("request", "context") or (None, None)
            try:
                with (
                    get_process_cancel_token().child() as cancel,
                    engine.on_rpc_dropped(context, lambda: engine.exit_after_dropped_rpc(engine_address(), cancel)),
                ):
                    return method(self, _build_operation(request, cancel), *args, **kwargs)
            except Exception as failed:
                user_error = failed if isinstance(failed, CallerIdError) else shadowing_error(failed)
                text = str(user_error)
                _replace_abort_message(context, sanitize if user_error is None else lambda _traceback: text)
                if isinstance(failed, Awaiting):
                    _mark_as_awaiting(context, text)
                raise
            except BaseException as ended:
                _replace_abort_message(context, sanitize)
                raise RuntimeError(f"{method.__name__} was ended by {type(ended).__name__}: {ended}") from ended

        return answer

    return decorate


def _local_variables_of_callers(*names: str) -> tuple[Any, ...] | None:
    """Return the local variables of these names, from the nearest calling frame that has all of them."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code  # compared first, because f_locals copies all variables
        if {*names} <= {*code.co_varnames, *code.co_freevars, *code.co_cellvars}:
            values = tuple(frame.f_locals.get(name) for name in names)
            if all(value is not None for value in values):
                return values
        frame = frame.f_back
    return None


def _build_operation(request: Any, cancel: CancelToken) -> Operation:
    """Return an RPC as an Operation. `request` is None in unit tests, or if the SDK renames its variable."""
    return Operation(
        urn=str(getattr(request, "urn", "")),
        timeout_seconds=float(getattr(request, "timeout", 0.0)) or None,
        cancel=cancel,
        read_old_inputs=lambda: _old_inputs(request),
        send_log=log,
    )


def _old_inputs(request: Any) -> dict[str, Any] | None:
    """Return the inputs in the state. The engine sends them, but the SDK passes only the old outputs on."""
    try:
        # Read has them in its field `inputs`, the other requests in `old_inputs`.
        sent = request.inputs if hasattr(request, "inputs") else request.old_inputs
        given = rpc.deserialize_properties(sent)
    except Exception:  # noqa: BLE001  another version of the SDK: a refresh works without the inputs
        return None
    return {name: rpc.unwrap_rpc_secret(value) for name, value in given.items() if name != PICKLED_PROVIDER} or None


def _replace_abort_message(context: Any, message: Callable[[str], str]) -> None:
    """For this RPC, make the SDK's `context.abort` send `message(traceback)` instead of the traceback."""
    with suppress(Exception):  # if this fails, the traceback is sent, with the message at its end
        abort = type(context).abort
        context.abort = lambda code, details: abort(context, code, message(details))


def _mark_as_awaiting(context: Any, text: str) -> None:
    """Make this RPC's error say that the resource awaits the next `pulumi up`. text: the error's message."""
    with suppress(Exception):  # if this fails, Pulumi sees an ordinary error
        context.set_trailing_metadata(await_protocol.trailing_metadata(text))


def log(severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
    """Have the engine show a text: see `engine.log`."""
    engine.log(engine_address(), severity, text, urn=urn, ephemeral=ephemeral)


def engine_address() -> str | None:
    """Return where the engine listens, None outside of a plugin. All plugin processes of one engine share it.

    It is the final argument of the plugin's command line, after flags that `--logflow` and `--tracing` may add.
    """
    is_plugin = hasattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer")
    last = sys.argv[-1] if sys.argv else ""
    return last if is_plugin and re.fullmatch(r"[\w.\[\]:-]+:\d+", last) else None


def is_unknown(value: object) -> bool:
    """Return whether the value is not known before `pulumi up`."""
    import pulumi.output

    kind = getattr(pulumi.output, "Unknown", None)
    return value == rpc.UNKNOWN or (kind is not None and isinstance(value, kind))


def cancel_on_engine_cancel(token: CancelToken) -> None:
    """Make the engine's Cancel request, which it sends at the first ^C, cancel the token. Best effort."""
    servicer: Any = getattr(sys.modules.get("__main__"), "DynamicResourceProviderServicer", None)
    with suppress(Exception):  # gRPC holds the method already: another would have no effect, so replace its code
        servicer.on_engine_cancel = staticmethod(lambda: token.cancel(INTERRUPTED))
        servicer.Cancel.__code__ = _servicer_cancel.__code__


def _servicer_cancel(self: Any, request: Any, context: Any) -> Any:  # noqa: ARG001  the servicer's signature
    """Run as the servicer's Cancel, with the globals of the SDK's module. So it imports all that it needs."""
    from google.protobuf import empty_pb2

    self.on_engine_cancel()
    return empty_pb2.Empty()


def widen_worker_pool() -> None:
    """Let this process run WORKERS operations at the same time from here on. Best effort.

    Create, update and delete call it, because they wait for Twilio. More threads would slow check and diff.
    """
    found = _local_variables_of_callers("executor_reference")  # in CPython's `_worker`, which runs each pool thread
    with suppress(Exception):
        executor = found[0]()  # type: ignore[index]  # it is a weak reference
        with executor._shutdown_lock:
            # After a burst, Python 3.11 counts too many workers as idle, and starts no new ones: reset the count.
            while executor._idle_semaphore.acquire(blocking=False):
                pass
            more = WORKERS - executor._max_workers
            executor._max_workers = max(executor._max_workers, WORKERS)
            for _ in range(min(more, executor._work_queue.qsize())):  # start workers for the operations in the queue
                executor._adjust_thread_count()


def config_keys(config: object) -> list[str]:
    """Return all keys of an SDK configuration. Its public API only looks single keys up."""
    return [str(key) for key in getattr(config, "_props", None) or ()]


def pickled_provider(provider: object) -> str:
    """Return a provider as the SDK pickles it into `__provider`, for the file that `import-file` writes."""
    try:
        from pulumi.dynamic.dynamic import serialize_provider

        return str(serialize_provider(provider))
    except Exception:  # noqa: BLE001  another version of the SDK; the provider has no attributes, so a plain pickle will do
        return base64.b64encode(pickle.dumps(provider, protocol=4)).decode()
