"""Pulumi's await protocol, as its engine sees it: real gRPC, the SDK's servicer, the provider and a local Twilio."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from importlib.abc import InspectLoader
from types import ModuleType
from typing import Any, NoReturn
from unittest.mock import patch

import grpc
import pulumi.runtime.proto
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from pulumi_twilio_caller_id import await_protocol, engine, pulumi_sdk
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.fixtures.engine_log import Engine
from tests.support.waiting import PATIENCE

URN = "urn:pulumi:test::p::pulumi-python:dynamic/twilio:OutgoingCallerId::desk"
NUMBER = "+14155550101"
DETAILS = "grpc-status-details-bin"
AWAITING = (
    "The number is not in the state yet. The rest is deployed, and `pulumi up` exits with 10 unless something fails."
)

Create = Callable[..., Any]


def struct(**values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def servicer_of_the_sdk() -> Any:
    """A servicer of `pulumi.dynamic`. Its module serves as soon as it is run: here it gets no server, and ends."""

    class NoServer(Exception):
        pass

    name = "pulumi.dynamic.__main__"
    found = importlib.util.find_spec(name)
    assert found is not None
    assert isinstance(found.loader, InspectLoader)
    module = ModuleType("the_sdks_plugin")
    with patch("grpc.server", side_effect=NoServer), suppress(NoServer):
        exec(found.loader.get_code(name) or "", vars(module))  # noqa: S102
    return module.DynamicResourceProviderServicer()


@pytest.fixture
def create(
    sandbox: Sandbox, running_engine: tuple[Engine, grpc.Server], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Create]:
    """Asks a plugin to create NUMBER, with these settings, and gives the error that the engine gets."""
    monkeypatch.setattr(engine, "exit_when_engine_exits", lambda _address: None)  # the process of this plugin goes on
    server = grpc.server(futures.ThreadPoolExecutor(2))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer_of_the_sdk(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def call(**settings: str) -> grpc.RpcError:
        keys = {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token, "apiUrl": sandbox.url, **settings}
        provider = pulumi_sdk.pickled_provider(OutgoingCallerIdProvider())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            config = struct(**{f"twilio:{key}": value for key, value in keys.items()})
            stub.Configure(provider_pb2.ConfigureRequest(args=config), timeout=PATIENCE)
            properties = struct(phone_number=NUMBER, __provider=provider)
            with pytest.raises(grpc.RpcError) as failed:
                stub.Create(provider_pb2.CreateRequest(urn=URN, properties=properties), timeout=PATIENCE)
        return failed.value

    yield call
    server.stop(0).wait()


def details(error: Any) -> bytes | None:
    return dict(error.trailing_metadata()).get(DETAILS)


def test_the_engine_gets_our_text_and_that_it_is_awaiting(
    create: Create, sandbox: Sandbox, running_engine: tuple[Engine, grpc.Server]
) -> None:
    sandbox.set_phone(NUMBER, "busy")
    error = create(unverified="await")
    status = status_pb2.Status.FromString(details(error))

    assert error.details().startswith("+1 415-555-0101 was not verified: the line was busy (call CA")
    assert error.details().splitlines()[1].startswith("Run `pulumi up` again with somebody at the phone;")
    assert (error.code().value[0], error.details()) == (status.code, status.message)
    [detail] = status.details
    assert ("type.googleapis.com/pulumirpc.ErrorResourceAwaitFailed", b"") == (detail.type_url, detail.value)

    warning = engine_pb2.LogSeverity.Value("WARNING")
    shown = f"{error.details()}\n{AWAITING}"
    assert [(warning, shown, URN, False)] == [it for it in running_engine[0].logged if it[0] == warning]


@pytest.mark.skipif(
    not hasattr(provider_pb2, "ErrorResourceAwaitFailed"), reason="this SDK is older than the protocol's message"
)
def test_the_detail_is_the_protocols_own_message(create: Create, sandbox: Sandbox) -> None:
    sandbox.set_phone(NUMBER, "no-answer")
    status = status_pb2.Status.FromString(details(create(unverified="await")))
    assert status.details[0].Unpack(provider_pb2.ErrorResourceAwaitFailed())


@pytest.mark.parametrize(
    ("phone", "unverified", "said"),
    [
        ("busy", "fail", "the line was busy"),
        ("refused", "await", "Twilio refused to verify"),
        ("country-blocked", "await", "the call could not be put through"),
        ("busy", "wait", "twilio:unverified 'wait' must be fail or await."),
    ],
)
def test_any_other_error_is_an_ordinary_one(
    create: Create, sandbox: Sandbox, phone: str, unverified: str, said: str
) -> None:
    sandbox.set_phone(NUMBER, phone)
    error = create(unverified=unverified)
    assert said in error.details()
    assert None is details(error)


def test_the_sdks_own_status_is_not_needed(create: Create, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't be loaded in a process that has Google's, and Google's not in one that has it."""
    sandbox.set_phone(NUMBER, "busy")
    monkeypatch.delattr(pulumi.runtime.proto, "status_pb2")
    monkeypatch.setitem(sys.modules, "pulumi.runtime.proto.status_pb2", None)
    error = create(unverified="await")

    assert error.details() == status_pb2.Status.FromString(details(error)).message


@pytest.mark.parametrize("length", [1, 127, 128, 129, 16_383, 16_384, 70_000])
def test_a_text_of_any_length_is_read_back(length: int) -> None:
    text = "\N{LOZENGE}" * (length // 3) + "x" * (length % 3)
    [(key, encoded)] = await_protocol.trailing_metadata(text)
    status = status_pb2.Status.FromString(encoded)

    assert (DETAILS, length) == (key, len(text.encode()))
    assert (2, text, ["type.googleapis.com/pulumirpc.ErrorResourceAwaitFailed"]) == (
        status.code,
        status.message,
        [detail.type_url for detail in status.details],
    )
    assert encoded == status.SerializeToString()


def test_without_trailing_metadata_it_is_an_ordinary_error_of_the_same_text(
    create: Create, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise NotImplementedError

    sandbox.set_phone(NUMBER, "busy")
    monkeypatch.setattr("grpc._server._Context.set_trailing_metadata", refuse)
    error = create(unverified="await")
    what, todo = error.details().splitlines()

    assert None is details(error)
    assert what.startswith("+1 415-555-0101 was not verified: the line was busy (call CA")
    assert todo.startswith("Run `pulumi up` again with somebody at the phone;")
