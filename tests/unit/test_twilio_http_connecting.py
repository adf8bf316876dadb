"""The wire: requests that surely were not sent may be sent again, and only those."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from breaking import CERTIFICATE, KEY, BreakingServer, End, Proxy
from harness import free_port
from patience import PATIENCE
from pulumi_twilio_caller_id import interrupts
from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, Interrupted, TwilioUnreachable
from pulumi_twilio_caller_id.records import CallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox

if TYPE_CHECKING:
    from unit.conftest import Connect

NUMBER = "+14155550101"
INPUTS = CallerIdInputs(phone_number=NUMBER)


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    """Not a port that others may get while the sandbox is stopped."""
    return {"port": free_port()}


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_a_refused_connection_is_tried_again(connect: Connect, closed: str, sleeps: list[float]) -> None:
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url=closed).find(NUMBER)
    where = closed.removeprefix("http://")
    assert caught.value.what.startswith(f"Could not reach Twilio to look up {NUMBER}: no connection to {where} (")
    assert "refused" in caught.value.what
    assert "object at 0x" not in caught.value.what
    assert len(sleeps) == 3


def test_a_validation_request_that_was_not_sent_is_tried_again(sandbox: Sandbox, connect: Connect) -> None:
    """Twilio comes back during the second pause: one call is placed."""
    sandbox.stop()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            sandbox.start()

    request = connect(sleep=sleep).request_validation(INPUTS)
    assert [request.call_sid] == [call.sid for call in sandbox.calls]
    assert len(pauses) == 2


def test_a_name_that_does_not_resolve_is_unreachable(connect: Connect) -> None:
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url="http://twilio.invalid", attempts=1).find(NUMBER)
    assert caught.value.what.startswith(
        f"Could not reach Twilio to look up {NUMBER}: no connection to twilio.invalid ("
    )


def test_a_proxy_that_is_not_there_is_unreachable(
    connect: Connect, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", closed)
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url="https://twilio.invalid", attempts=1).request_validation(INPUTS)
    assert "HTTPS_PROXY" in caught.value.todo


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "http://:x:1"])
def test_a_proxy_that_makes_no_sense_is_not_taken_for_a_lost_answer(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """Nothing was sent, so nobody has to wonder whether a phone rings."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(CallerIdError) as caught:
        connect(url="https://twilio.invalid").request_validation(INPUTS)
    assert not isinstance(caught.value, AnswerLost)


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    path.write_text(KEY + CERTIFICATE)
    return path


@pytest.fixture
def breaking(certificate: Path) -> Iterator[BreakingServer]:
    server = BreakingServer(certificate)
    yield server
    server.stop()


def test_a_certificate_nobody_trusts_is_unreachable(
    connect: Connect, breaking: BreakingServer, sleeps: list[float]
) -> None:
    """The handshake failed: the request, with its credentials, was not sent."""
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url=breaking.url, timeout=PATIENCE, attempts=2).request_validation(INPUTS)
    assert "certificate verify failed" in caught.value.what
    assert len(sleeps) == 1
    assert breaking.requests == []


def test_tls_towards_plain_http_is_a_broken_connection(sandbox: Sandbox, connect: Connect) -> None:
    """Of TLS errors only a refused certificate surely came before the request."""
    with pytest.raises(AnswerLost) as caught:
        connect(url=sandbox.url.replace("http:", "https:"), attempts=1).request_validation(INPUTS)
    assert "no usable answer: the connection broke ([SSL: WRONG_VERSION_NUMBER]" in caught.value.what


def test_a_validation_request_that_was_taken_before_tls_broke_is_not_repeated(
    connect: Connect, breaking: BreakingServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the answer that was lost; another request would be another call."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with pytest.raises(CallerIdError) as caught:
        connect(url=breaking.url, timeout=PATIENCE).request_validation(INPUTS)
    assert len(breaking.requests) == 1
    assert isinstance(caught.value, AnswerLost)


def test_a_call_that_nobody_wants_any_more_once_there_is_a_connection_is_not_asked_for(
    connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection may take as long as an answer: ^C comes meanwhile."""
    monkeypatch.setattr(interrupts, "_cancel_requested", threading.Event())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = BreakingServer(certificate, greets=interrupts.cancel)
    try:
        with pytest.raises(Interrupted, match=r"was not asked to verify \+14155550101: pulumi was interrupted"):
            connect(url=server.url).request_validation(INPUTS)
    finally:
        server.stop()
    assert [] == server.requests


# Proxies


@pytest.fixture
def proxied(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is reached through a proxy too, where one is set."""
    for name in ("no_proxy", "NO_PROXY"):  # what the sandbox's fixture has set
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("end", get_args(End))
def test_a_validation_request_that_was_taken_before_a_tunnel_broke_is_not_repeated(
    connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch, end: End
) -> None:
    """urllib3 blames the proxy for whatever happens before an answer is there: a phone rings by then."""
    server = BreakingServer(certificate, end)
    proxy = Proxy(server.port)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    try:
        with pytest.raises(AnswerLost):
            connect(url=server.url, timeout=PATIENCE).request_validation(INPUTS)
    finally:
        proxy.stop()
        server.stop()
    assert (1, 1) == (len(proxy.requests), len(server.requests))


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize(("drop", "calls"), [("before", 0), ("after", 1)])
def test_a_validation_request_that_a_proxy_passed_on_is_not_repeated(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch, drop: Any, calls: int
) -> None:
    proxy = Proxy(int(sandbox.url.rpartition(":")[2]))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    sandbox.fail("create", drop=drop)
    try:
        with pytest.raises(AnswerLost, match="the connection broke"):
            connect().request_validation(INPUTS)
    finally:
        proxy.stop()
    assert (1, calls) == (len(proxy.requests), len(sandbox.calls))


def test_a_proxy_that_refuses_to_connect_is_unreachable(
    connect: Connect, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent through it, so it is asked again."""
    proxy = Proxy(0, refusal="403 Forbidden")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    try:
        with pytest.raises(TwilioUnreachable, match="Tunnel connection failed: 403 Forbidden"):
            connect(url="https://twilio.invalid", attempts=2).request_validation(INPUTS)
    finally:
        proxy.stop()
    assert (2, 1) == (len(proxy.requests), len(sleeps))
