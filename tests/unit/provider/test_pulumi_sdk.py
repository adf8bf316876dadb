"""Each piece that reaches past the SDK's public API, and what happens without it."""

from __future__ import annotations

import os
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from typing import Any, cast

import grpc
import pulumi.output
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic import Config
from pulumi.runtime.proto import engine_pb2, provider_pb2

from pulumi_twilio_caller_id import engine, pulumi_sdk
from pulumi_twilio_caller_id.cancellation import ENGINE_ENDED, INTERRUPTED, CancelToken
from pulumi_twilio_caller_id.context import Operation
from pulumi_twilio_caller_id.errors import Awaiting, CallerIdError
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from tests.support.fixtures.engine_log import Engine
from tests.support.machine import free_port
from tests.support.waiting import PATIENCE

URN = "urn:pulumi:test::p::pulumi-python:dynamic/twilio:OutgoingCallerId::desk"


class Context:
    """As much of a gRPC servicer's context as the SDK uses."""

    def __init__(self) -> None:
        self.aborted: list[str] = []

    def abort(self, _code: object, details: str) -> None:
        self.aborted.append(details)
        raise RuntimeError(details)


def servicer(request: Any, context: Any, answer: Any) -> Any:
    """Named as the SDK names things: that is what the frames are searched for."""
    return answer()


class Provider:
    """A provider with one method, which does what a test says. `token` is the process's."""

    def __init__(self) -> None:
        self.token = CancelToken()

    def call(self, act: Callable[[Operation], Any]) -> Any:
        @pulumi_sdk.provider_method_decorator(lambda: self.token)
        def create(_self: Provider, operation: Operation) -> Any:
            return act(operation)

        return create(self)


def operation_for(request: Any) -> Operation:
    """The Operation that a method gets for this request."""
    return cast(Operation, servicer(request, Context(), lambda: Provider().call(lambda operation: operation)))


# The Operation


def test_a_call_outside_of_an_engine_has_neither_urn_nor_timeout_nor_inputs() -> None:
    operation = Provider().call(lambda operation: operation)
    assert ("", None, None) == (operation.urn, operation.timeout_seconds, operation.read_old_inputs())


def test_a_call_is_found_in_the_calling_frames() -> None:
    operation = operation_for(provider_pb2.CreateRequest(urn=URN, timeout=450))
    assert (URN, 450.0, None) == (operation.urn, operation.timeout_seconds, operation.read_old_inputs())
    assert None is operation_for(provider_pb2.CreateRequest(urn=URN)).timeout_seconds


def test_old_inputs_of_what_is_in_state() -> None:
    inputs = struct_pb2.Struct()
    inputs.update({"phone_number": "+14155550101", "call_delay": 5, "__provider": "pickled"})

    for request in (
        provider_pb2.ReadRequest(inputs=inputs),
        provider_pb2.DiffRequest(old_inputs=inputs),
        provider_pb2.DeleteRequest(old_inputs=inputs),
    ):
        assert {"phone_number": "+14155550101", "call_delay": 5} == operation_for(request).read_old_inputs()


def test_old_inputs_without_any_or_of_another_sdk_are_none() -> None:
    assert None is operation_for(provider_pb2.ReadRequest()).read_old_inputs()
    assert None is operation_for(types.SimpleNamespace(inputs=7)).read_old_inputs()
    operation = operation_for(types.SimpleNamespace())
    assert ("", None) == (operation.urn, operation.timeout_seconds)


# log


def test_log_reaches_the_row_of_the_resource(
    running_engine: tuple[Engine, grpc.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOG_TIMEOUT_SECONDS", PATIENCE)
    service, _ = running_engine
    pulumi_sdk.log("info", "483920: enter on", urn=URN, ephemeral=True)
    pulumi_sdk.log("warning", "mind", urn=URN)
    pulumi_sdk.log("info", "", urn=URN, ephemeral=True)

    info, warning = engine_pb2.LogSeverity.Value("INFO"), engine_pb2.LogSeverity.Value("WARNING")
    assert [(info, "483920: enter on", URN, True), (warning, "mind", URN, False), (info, "", URN, True)] == (
        service.logged
    )


def test_log_never_fails_where_the_engine_is_gone(running_engine: tuple[Engine, grpc.Server]) -> None:
    service, server = running_engine
    server.stop(0).wait()
    pulumi_sdk.log("info", "anybody there?", urn=URN)

    assert service.logged == []


def test_log_without_an_engine_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    pulumi_sdk.log("info", "483920: enter on", urn=URN, ephemeral=True)
    pulumi_sdk.log("info", "", urn=URN, ephemeral=True)

    assert tuple(capsys.readouterr()) == ("", "483920: enter on\n")


def test_log_of_an_sdk_laid_out_otherwise_is_a_line_on_stderr(
    running_engine: tuple[Engine, grpc.Server], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pulumi.runtime.proto", None)
    pulumi_sdk.log("info", "here", urn=URN)

    assert running_engine[0].logged == []
    assert capsys.readouterr().err == "here\n"


# provider_method_decorator


def fail(error: BaseException) -> None:
    """Fail with this error in a provider's method."""

    def act(_operation: Operation) -> None:
        raise error

    Provider().call(act)


def test_a_users_error_is_its_message_alone() -> None:
    context = Context()
    with pytest.raises(CallerIdError, match="what\ntodo"):
        servicer(object(), context, lambda: fail(CallerIdError("what", "todo")))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback (most recent call last) ...")

    assert context.aborted == ["what\ntodo"]


class Sealed(Context):
    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        if name == "abort":
            raise AttributeError(name)
        super().__setattr__(name, value)


def test_a_context_that_can_not_be_changed_leaves_the_error_in_the_sdks_traceback() -> None:
    context = Sealed()
    with pytest.raises(CallerIdError):
        servicer(object(), context, lambda: fail(CallerIdError("what", "todo")))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback ...")

    assert context.aborted == ["Traceback ..."]


def test_a_context_without_trailing_metadata_leaves_an_awaiting_error_as_it_is() -> None:
    context = Context()
    with pytest.raises(Awaiting, match="what\ntodo"):
        servicer(object(), context, lambda: fail(Awaiting("what", "todo")))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback ...")

    assert context.aborted == ["what\ntodo"]


def test_a_users_error_outside_of_an_engine_is_raised_as_it_is() -> None:
    with pytest.raises(CallerIdError):
        fail(CallerIdError("what", "todo"))


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    context = Context()
    with pytest.raises(ZeroDivisionError):
        servicer(object(), context, lambda: fail(ZeroDivisionError()))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback ...")

    assert context.aborted == ["Traceback ..."]


@pytest.mark.parametrize("ended", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_not_an_exception_becomes_one(ended: BaseException) -> None:
    """The SDK answers the engine only for an Exception; the engine would wait for ever."""
    with pytest.raises(RuntimeError, match=f"create was ended by {type(ended).__name__}"):
        fail(ended)


# is_unknown


def test_unknown_values(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = pulumi.output.Unknown()  # type: ignore[no-untyped-call]
    assert pulumi_sdk.is_unknown(unknown)
    assert pulumi_sdk.is_unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    assert not pulumi_sdk.is_unknown("+14155550101")
    assert not pulumi_sdk.is_unknown(None)

    monkeypatch.delattr(pulumi.output, "Unknown")
    assert pulumi_sdk.is_unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    assert not pulumi_sdk.is_unknown("+14155550101")


# Cancelling


class Ending(Context):
    """A context whose RPC somebody ends, or has ended already."""

    def __init__(self, *, ended: bool = False) -> None:
        super().__init__()
        self.ended = ended
        self.callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self.callbacks.append(callback)
        return not self.ended

    def end(self) -> None:
        self.callbacks[0]()


def reason_after(context: object, act: Callable[[CancelToken], object]) -> str | None:
    """Why an operation is cancelled after something has happened. `act` gets the token of the process."""
    provider = Provider()

    def run(operation: Operation) -> str | None:
        act(provider.token)
        return operation.cancel.cancel_reason

    reason: str | None = servicer(provider_pb2.CreateRequest(), context, lambda: provider.call(run))
    return reason


def test_the_first_interrupt_cancels_each_operation_and_those_that_begin_later() -> None:
    assert INTERRUPTED == reason_after(Ending(), lambda token: token.cancel(INTERRUPTED))
    provider = Provider()
    provider.token.cancel(INTERRUPTED)
    assert INTERRUPTED == provider.call(lambda operation: operation.cancel.cancel_reason)


def test_the_end_of_the_rpc_cancels_its_operation() -> None:
    context = Ending()
    assert ENGINE_ENDED == reason_after(context, lambda _: context.end())
    assert ENGINE_ENDED == reason_after(Ending(ended=True), lambda _: None)


def test_the_usual_end_of_an_rpc_cancels_nothing() -> None:
    """gRPC tells of every end, also of that of an RPC that was answered."""
    context = Ending()
    operation = servicer(provider_pb2.CreateRequest(), context, lambda: Provider().call(lambda operation: operation))
    context.end()
    assert None is operation.cancel.cancel_reason


def test_with_another_kind_of_context_a_wait_has_its_deadline() -> None:
    assert None is reason_after(Context(), lambda _: None)


# cancel_on_engine_cancel, widen_worker_pool


class Servicer:
    def Cancel(self, request: object, context: object) -> str:  # noqa: N802, ARG002  as the SDK has it
        return "the SDK's own"


def test_the_engines_cancel_reaches_the_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also through a method that was bound before, as gRPC holds it."""
    monkeypatch.setattr(Servicer.Cancel, "__code__", Servicer.Cancel.__code__)  # put back afterwards
    monkeypatch.setattr(sys.modules["__main__"], "DynamicResourceProviderServicer", Servicer, raising=False)
    bound, token = Servicer().Cancel, CancelToken()
    pulumi_sdk.cancel_on_engine_cancel(token)

    assert isinstance(bound(None, None), empty_pb2.Empty)
    assert INTERRUPTED == token.cancel_reason


def test_an_sdk_laid_out_otherwise_keeps_its_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()
    pulumi_sdk.cancel_on_engine_cancel(token)
    monkeypatch.setattr(sys.modules["__main__"], "DynamicResourceProviderServicer", object(), raising=False)
    pulumi_sdk.cancel_on_engine_cancel(token)

    assert None is token.cancel_reason


def test_operations_that_came_while_there_were_too_few_workers_are_served_too() -> None:
    """As many at once as there are, although nothing comes after them: each waits here for all of them."""
    together = threading.Barrier(12, timeout=PATIENCE)

    def run() -> None:
        begun.wait(PATIENCE)
        pulumi_sdk.widen_worker_pool()
        together.wait()

    begun = threading.Event()
    with futures.ThreadPoolExecutor(4) as executor:
        running = [executor.submit(run) for _ in range(12)]
        begun.set()
        for operation_ in running:
            operation_.result()
        assert 12 <= len(executor._threads) <= pulumi_sdk.WORKERS == executor._max_workers


def test_after_a_burst_as_many_are_served_as_wait() -> None:
    """Python 3.11 takes workers for idle after a burst of operations: so many more would not be given any."""
    everyone = threading.Barrier(13, timeout=PATIENCE)

    def wait() -> None:
        pulumi_sdk.widen_worker_pool()
        everyone.wait()

    with futures.ThreadPoolExecutor(4) as executor:
        busy = threading.Event()
        burst = [executor.submit(busy.wait) for _ in range(40)]
        busy.set()
        futures.wait(burst)
        waiting = [executor.submit(wait) for _ in range(12)]
        everyone.wait()
        futures.wait(waiting)


def test_no_more_workers_than_that() -> None:
    with futures.ThreadPoolExecutor(pulumi_sdk.WORKERS + 1) as executor:
        executor.submit(pulumi_sdk.widen_worker_pool).result()
        assert pulumi_sdk.WORKERS + 1 == executor._max_workers


def test_outside_of_a_pool_no_workers_are_needed() -> None:
    pulumi_sdk.widen_worker_pool()


def test_the_workers_of_a_pool_that_is_built_differently_stay_as_they_are() -> None:
    executor = types.SimpleNamespace(_shutdown_lock=threading.Lock(), _max_workers=4)

    def executor_reference() -> object:
        """Named as `concurrent.futures` names it: that is what the frames are searched for."""
        return executor

    def work(executor_reference: object) -> None:
        pulumi_sdk.widen_worker_pool()

    work(executor_reference)
    assert 4 == executor._max_workers
    assert executor._shutdown_lock.acquire(timeout=0), "the lock was kept"


def test_a_provider_reference_is_written_the_same_without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = OutgoingCallerIdProvider()
    written = pulumi_sdk.pickled_provider(provider)
    monkeypatch.delattr("pulumi.dynamic.dynamic.serialize_provider")

    assert written == pulumi_sdk.pickled_provider(provider)


def test_the_keys_of_a_configuration_and_of_one_laid_out_otherwise() -> None:
    assert ["twilio:adopt"] == pulumi_sdk.config_keys(Config({"twilio:adopt": "true"}, "project"))
    assert [] == pulumi_sdk.config_keys(object())


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, list[int], int]]:
    """A plugin's process: where the engine listens, the ends of the process, and the pipe to its stdin."""
    read, write = os.pipe()
    before = os.dup(0)
    os.dup2(read, 0)
    os.close(read)
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        at = f"127.0.0.1:{port}"
        monkeypatch.setattr(pulumi_sdk, "engine_address", lambda: at)
        engine.exit_when_engine_exits.cache_clear()  # once for each process, and each test stands for one
        try:
            yield listening, ended, write
        finally:
            engine.exit_when_engine_exits.cache_clear()
            with suppress(OSError):
                os.close(write)
            os.dup2(before, 0)
            os.close(before)


def test_the_process_ends_with_an_engine_that_was_killed(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before: while the engine listens, the end of the pipe alone means nothing."""
    listening, ended, pipe = plugin
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert [] == ended
        if len(slept) == 3:
            listening.close()

    monkeypatch.setattr("time.sleep", sleep)
    engine.exit_when_engine_exits(pulumi_sdk.engine_address())
    engine.exit_when_engine_exits(pulumi_sdk.engine_address())  # configure may run several times
    [following] = [thread for thread in threading.enumerate() if thread.name == "twilio-exit-with-engine"]
    os.write(pipe, b"whatever")
    os.close(pipe)
    following.join(PATIENCE)

    assert [1] == ended
    assert [0.5] * 3 == slept


@pytest.mark.parametrize("other", ["no plugin", "no pipe", "no stdin"])
def test_where_the_engine_has_no_pipe_to_us_nothing_is_followed(
    monkeypatch: pytest.MonkeyPatch, plugin: Any, other: str
) -> None:
    if other == "no plugin":
        monkeypatch.setattr(pulumi_sdk, "engine_address", lambda: None)
    elif other == "no pipe":
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    else:
        os.close(0)
    engine.exit_when_engine_exits(pulumi_sdk.engine_address())
    assert "twilio-exit-with-engine" not in [thread.name for thread in threading.enumerate()]


def end_a_call(*, answered: bool = False) -> None:
    """Have the engine end a call, before or after the answer, and wait for what comes of that."""
    context = Ending()

    def run(_operation: Operation) -> None:
        if not answered:
            context.end()

    servicer(provider_pb2.DeleteRequest(), context, lambda: Provider().call(run))
    if answered:
        context.end()
    for thread in threading.enumerate():
        if thread.name == "twilio-exit":
            thread.join(PATIENCE)


@pytest.mark.parametrize(("gone", "pauses"), [(True, 0), (False, 4)])
def test_after_the_end_of_a_call_the_process_ends_at_once_or_within_a_second(
    monkeypatch: pytest.MonkeyPatch, plugin: Any, gone: bool, pauses: int
) -> None:
    """The engine's own way to end it, SIGINT, may be missed, and is followed by SIGKILL only five seconds later.

    The process ends whatever the operation is doing: nobody hears the answer.
    """
    listening, ended, _ = plugin
    if gone:
        listening.close()
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    end_a_call()

    assert [1] == ended
    assert pauses == len(slept)
    assert sum(slept) <= 1


def test_an_engine_whose_address_says_nothing_is_not_taken_for_gone(
    monkeypatch: pytest.MonkeyPatch, plugin: Any
) -> None:
    _, ended, _ = plugin
    slept: list[float] = []
    monkeypatch.setattr(pulumi_sdk, "engine_address", lambda: "somewhere")
    monkeypatch.setattr("time.sleep", slept.append)
    end_a_call()

    assert ([1], 4) == (ended, len(slept))


def test_a_call_that_was_answered_ends_no_process(plugin: Any) -> None:
    listening, ended, _ = plugin
    listening.close()
    end_a_call(answered=True)
    assert [] == ended


def test_outside_of_a_plugin_no_process_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    end_a_call()
    assert [] == ended
