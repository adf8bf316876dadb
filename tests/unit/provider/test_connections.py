from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.api import connections as module
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.connections import KEPT, Connections
from pulumi_twilio_caller_id.inputs import CALLER_ID_SID
from pulumi_twilio_caller_id.models import CallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.machine import free_port

Connect = Callable[..., Client]


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def twilio_sandbox_options(twilio_sandbox_options: dict[str, Any]) -> dict[str, Any]:
    """Not a port that others may get while the sandbox is stopped."""
    return {**twilio_sandbox_options, "port": free_port()}


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[requests.Session]:
    """The sessions that were closed."""
    told: list[requests.Session] = []
    monkeypatch.setattr(requests.Session, "close", lambda session: told.append(session))  # noqa: PLW0108  to be bound
    return told


def test_a_session_is_lent_to_one_at_a_time_and_again() -> None:
    connections = Connections()
    with connections.lent() as first, connections.lent() as second:
        assert first is not second
    with connections.lent() as again:
        assert again is first


def test_one_that_was_idle_for_long_is_closed_and_all_that_were_longer(closed: list[requests.Session]) -> None:
    clock = Clock()
    connections = Connections(clock)
    with connections.lent() as first, connections.lent() as second:
        pass
    clock.time += KEPT
    with connections.lent() as new:
        assert new not in (first, second)
    assert {first, second} == set(closed)


def test_after_an_error_it_is_closed(closed: list[requests.Session]) -> None:
    connections = Connections()
    with pytest.raises(KeyError), connections.lent() as first:
        raise KeyError
    with connections.lent() as new:
        assert new is not first
    assert [first] == closed


def test_what_needs_a_fresh_one_gets_it() -> None:
    connections = Connections()
    with connections.lent() as first:
        first.cookies.set("account", "AC1")
    with connections.lent(fresh=True) as fresh:
        assert fresh is not first
    with connections.lent() as again, connections.lent() as one_more:
        assert {fresh, first} == {again, one_more}
    assert [] == list(first.cookies)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A process that has no connection yet; what it connects for."""
    from urllib3.connection import HTTPConnection

    told: list[str] = []
    connect = HTTPConnection.connect

    def connecting(self: HTTPConnection) -> None:
        told.append(f"{self.host}:{self.port}")
        connect(self)

    monkeypatch.setattr(HTTPConnection, "connect", connecting)
    monkeypatch.setattr(module, "connections", Connections())
    yield told
    for _, session in module.connections._idle:
        session.close()


def test_requests_share_a_connection_but_a_call_is_placed_over_its_own(
    sandbox: Sandbox, connect: Connect, opened: list[str]
) -> None:
    """One that has been idle may be lost without a word whether it was taken, and a call must not be placed twice."""
    for _ in range(3):
        assert connect().find("+14155550199") is not None
    assert 1 == len(opened)

    connect().request_validation(CallerIdInputs(phone_number="+14155550101"))
    assert 2 == len(opened)
    [sid] = {record.sid for record in sandbox.caller_ids if record.phone_number == "+14155550199"}
    assert CALLER_ID_SID.fullmatch(sid)
    assert connect().rename(sid, "Lobby").friendly_name == "Lobby"
    assert 2 == len(opened)


def test_a_connection_that_the_server_has_closed_meanwhile_is_replaced(
    sandbox: Sandbox, connect: Connect, opened: list[str], sleeps: list[float]
) -> None:
    assert connect().find("+14155550199") is not None
    sandbox.stop()
    sandbox.start()
    assert connect().find("+14155550199") is not None
    assert 2 == len(opened)
    assert [] == sleeps


def test_after_a_failed_request_a_new_connection_is_used(
    sandbox: Sandbox, connect: Connect, opened: list[str], sleeps: list[float]
) -> None:
    """The server may have given up the old connection together with the request."""
    sandbox.fail("list", status=503, times=1)
    assert connect().find("+14155550199") is not None
    assert 1 == len(sleeps)
    assert 2 == len(opened)
