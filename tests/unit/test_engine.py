"""Each piece that reaches past the SDK's public API, and what happens without it."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pulumi.output
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2

from pulumi_twilio_caller_id import engine
from pulumi_twilio_caller_id.errors import CallerIdError

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


# current_rpc


def test_current_rpc_is_none_outside_of_an_engine() -> None:
    assert None is engine.current_rpc()


def test_current_rpc_is_found_in_the_calling_frames() -> None:
    request = provider_pb2.CreateRequest(urn=URN, timeout=450)
    rpc = servicer(request, Context(), engine.current_rpc)

    assert (rpc.urn, rpc.timeout, rpc.old_inputs) == (URN, 450.0, None)


def test_no_timeout_set_is_none() -> None:
    assert None is servicer(provider_pb2.CreateRequest(urn=URN), Context(), engine.current_rpc).timeout


def test_old_inputs_of_a_read() -> None:
    inputs = struct_pb2.Struct()
    inputs.update({"phone_number": "+14155550101", "call_delay": 5})
    rpc = servicer(provider_pb2.ReadRequest(inputs=inputs), Context(), engine.current_rpc)

    assert rpc.old_inputs == {"phone_number": "+14155550101", "call_delay": 5}


def test_old_inputs_without_any_or_of_another_sdk_are_none() -> None:
    assert None is servicer(provider_pb2.ReadRequest(), Context(), engine.current_rpc).old_inputs
    assert None is servicer(types.SimpleNamespace(inputs=7), Context(), engine.current_rpc).old_inputs
    assert (
        (rpc := servicer(types.SimpleNamespace(), Context(), engine.current_rpc)).urn,
        rpc.timeout,
    ) == ("", None)


# log


class Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.logged: list[tuple[int, str, str, bool]] = []

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self.logged.append((request.severity, request.message, request.urn, request.ephemeral))
        return empty_pb2.Empty()


@pytest.fixture
def running_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, grpc.Server]]:
    """An engine's Log service, and a process that looks like the SDK's plugin started by it."""
    service = Engine()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setattr(sys, "argv", ["plugin", "--logflow", f"127.0.0.1:{port}"])
    monkeypatch.setattr(sys.modules["__main__"], "DynamicResourceProviderServicer", object, raising=False)
    yield service, server
    server.stop(0).wait()


def test_log_reaches_the_row_of_the_resource(running_engine: tuple[Engine, grpc.Server]) -> None:
    service, _ = running_engine
    engine.log("info", "483920 <- key in", urn=URN, ephemeral=True)
    engine.log("warning", "mind", urn=URN)
    engine.log("info", "", urn=URN, ephemeral=True)

    info, warning = engine_pb2.LogSeverity.Value("INFO"), engine_pb2.LogSeverity.Value("WARNING")
    assert [(info, "483920 <- key in", URN, True), (warning, "mind", URN, False), (info, "", URN, True)] == (
        service.logged
    )


def test_log_never_fails_where_the_engine_is_gone(running_engine: tuple[Engine, grpc.Server]) -> None:
    service, server = running_engine
    server.stop(0).wait()
    engine.log("info", "anybody there?", urn=URN)

    assert service.logged == []


def test_log_without_an_engine_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    engine.log("info", "483920 <- key in", urn=URN, ephemeral=True)
    engine.log("info", "", urn=URN, ephemeral=True)

    assert tuple(capsys.readouterr()) == ("", "483920 <- key in\n")


def test_log_of_an_sdk_laid_out_otherwise_is_a_line_on_stderr(
    running_engine: tuple[Engine, grpc.Server], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pulumi.runtime.proto", None)
    engine.log("info", "here", urn=URN)

    assert running_engine[0].logged == []
    assert capsys.readouterr().err == "here\n"


# provider_method


class Provider:
    @engine.provider_method
    def create(self, raised: BaseException) -> None:
        raise raised


def test_a_users_error_is_its_message_alone() -> None:
    context = Context()
    with pytest.raises(CallerIdError, match="what\ntodo"):
        servicer(object(), context, lambda: Provider().create(CallerIdError("what", "todo")))
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
        servicer(object(), context, lambda: Provider().create(CallerIdError("what", "todo")))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback ...")

    assert context.aborted == ["Traceback ..."]


def test_a_users_error_outside_of_an_engine_is_raised_as_it_is() -> None:
    with pytest.raises(CallerIdError):
        Provider().create(CallerIdError("what", "todo"))


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    context = Context()
    with pytest.raises(ZeroDivisionError):
        servicer(object(), context, lambda: Provider().create(ZeroDivisionError()))
    with pytest.raises(RuntimeError):
        context.abort("UNKNOWN", "Traceback ...")

    assert context.aborted == ["Traceback ..."]


@pytest.mark.parametrize("ended", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_not_an_exception_becomes_one(ended: BaseException) -> None:
    """The SDK answers the engine only for an Exception; the engine would wait for ever."""
    with pytest.raises(RuntimeError, match=f"create was ended by {type(ended).__name__}"):
        Provider().create(ended)


# is_unknown


def test_unknown_values(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = pulumi.output.Unknown()  # type: ignore[no-untyped-call]
    assert engine.is_unknown(unknown)
    assert engine.is_unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    assert not engine.is_unknown("+14155550101")
    assert not engine.is_unknown(None)

    monkeypatch.delattr(pulumi.output, "Unknown")
    assert engine.is_unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    assert not engine.is_unknown("+14155550101")
