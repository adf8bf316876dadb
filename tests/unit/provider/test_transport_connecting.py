"""The wire: requests that surely were not sent may be sent again, and only those."""

from __future__ import annotations

import importlib
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests

from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, SettingsError, TwilioUnreachable
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.broken_servers import CERTIFICATE, KEY, BreakingServer, End, Proxy
from tests.support.machine import free_port
from tests.support.waiting import PATIENCE, SleeplessToken

if TYPE_CHECKING:
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)


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

    request = connect(cancel=SleeplessToken(sleep)).request_validation(INPUTS)
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
    assert "no connection to twilio.invalid, through the proxy in HTTPS_PROXY (" in caught.value.what
    assert "HTTPS_PROXY" in caught.value.todo


PROXIES = {
    "ftp://127.0.0.1:1": " 'ftp://127.0.0.1:1' is not the URL of a proxy that can be used.",
    "http://x..y:1": " 'http://x..y:1' is not the URL of a proxy that can be used.",
    "http://:x:1": " is not the URL of a proxy that can be used.",
    "http://user:canary": " is not the URL of a proxy that can be used.",
    "http://user:canary@": " is not the URL of a proxy that can be used.",
    "user:canary@proxy:1": " is not the URL of a proxy that can be used.",
    "http://user:canary@proxy:99999": " is not the URL of a proxy that can be used.",
    "http://user:can/ary@proxy:1": " is not the URL of a proxy that can be used.",
    "http://user:canary%C5%82@127.0.0.1:1": " is not the URL of a proxy that can be used.",
    "socks5h://user:canary@127.0.0.1:1": " names a SOCKS proxy, and the package PySocks is not installed.",
}


@pytest.mark.parametrize(
    ("variable", "proxy"),
    [*(("HTTPS_PROXY", proxy) for proxy in PROXIES), ("https_proxy", "http://:x:1"), ("ALL_PROXY", "http://:x:1")],
)
def test_a_proxy_that_can_not_be_used_is_a_setting_to_be_corrected(
    connect: Connect, sleeps: list[float], monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    """Nothing was sent, so nobody has to wonder whether a phone rings. Another attempt would end in the same way."""
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(SettingsError) as caught:
        connect(url="https://twilio.invalid").request_validation(INPUTS)
    assert f"Could not reach Twilio to verify {NUMBER}: {variable}{PROXIES[proxy]}" == caught.value.what
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert [] == sleeps


def test_a_host_that_there_can_not_be_is_a_setting_to_be_corrected(connect: Connect) -> None:
    with pytest.raises(SettingsError, match="twilio:apiUrl has no valid host name"):
        connect(url="https://x..y").request_validation(INPUTS)


def test_a_socks_proxy_is_asked_where_pysocks_is_installed(
    connect: Connect, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for that package, of which no more is asked than a socket."""
    asked: list[tuple[object, ...]] = []

    def create_connection(*args: object, **options: object) -> None:
        asked.append((args[0], options["proxy_addr"]))
        raise socks.ProxyError("not here")

    socks: Any = types.ModuleType("socks")
    socks.ProxyError = type("ProxyError", (OSError,), {"socket_err": None})
    socks.PROXY_TYPE_SOCKS5 = 2
    socks.create_connection = create_connection
    monkeypatch.setitem(sys.modules, "socks", socks)
    manager = importlib.import_module("urllib3.contrib.socks").SOCKSProxyManager
    del sys.modules["urllib3.contrib.socks"]  # it has the stand-in
    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", manager)
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:9")
    with pytest.raises(TwilioUnreachable, match=r"no connection to twilio\.invalid"):
        connect(url="https://twilio.invalid", attempts=1).request_validation(INPUTS)
    assert [(("twilio.invalid", 443), "127.0.0.1")] == asked


# TLS


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "which is not there"),
        ("", "which has no certificates in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n", "which has no certificates in PEM form"),
    ],
)
def test_certificates_to_trust_that_can_not_be_read_are_a_setting_to_be_corrected(
    connect: Connect,
    breaking: BreakingServer,
    sleeps: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    content: str | None,
    told: str,
) -> None:
    path = tmp_path / "trusted.pem"
    if content is not None:
        path.write_text(content)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(SettingsError) as caught:
        connect(url=breaking.url, timeout_seconds=PATIENCE).request_validation(INPUTS)
    assert f"Could not reach Twilio to verify {NUMBER}: {variable} is '{path}', {told}." == caught.value.what
    assert ([], []) == (sleeps, breaking.requests)


def test_a_key_log_that_can_not_be_written_is_named(
    connect: Connect, breaking: BreakingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path))
    with pytest.raises(TwilioUnreachable, match=f"Is a directory: {tmp_path}"):
        connect(url=breaking.url, timeout_seconds=PATIENCE, attempts=1).request_validation(INPUTS)


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
        connect(url=breaking.url, timeout_seconds=PATIENCE, attempts=2).request_validation(INPUTS)
    assert "certificate verify failed" in caught.value.what
    assert len(sleeps) == 1
    assert breaking.requests == []


def test_tls_towards_plain_http_is_unreachable(sandbox: Sandbox, connect: Connect) -> None:
    """There was no connection yet to send the request over."""
    where = sandbox.url.removeprefix("http://")
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url=f"https://{where}", attempts=1).request_validation(INPUTS)
    assert f"no connection to {where} ([SSL: WRONG_VERSION_NUMBER]" in caught.value.what


def test_a_validation_request_that_was_taken_before_tls_broke_is_not_repeated(
    connect: Connect, breaking: BreakingServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the answer that was lost; another request would be another call."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with pytest.raises(CallerIdError) as caught:
        connect(url=breaking.url, timeout_seconds=PATIENCE).request_validation(INPUTS)
    assert len(breaking.requests) == 1
    assert isinstance(caught.value, AnswerLost)


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
            connect(url=server.url, timeout_seconds=PATIENCE).request_validation(INPUTS)
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


@pytest.mark.usefixtures("proxied")
def test_a_proxy_that_wants_a_password_is_not_taken_for_twilio(
    connect: Connect, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a tunnel and without one. Passwords that are wrong are not sent again and again."""
    proxy = Proxy(0, refusal="407 Proxy Authentication Required")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    try:
        for scheme in ("http", "https"):
            with pytest.raises(SettingsError, match=r"the proxy wants a user and password, .* \(HTTP 407\)") as caught:
                connect(url=f"{scheme}://twilio.invalid").request_validation(INPUTS)
            assert caught.value.todo.startswith(f"Correct {scheme.upper()}_PROXY: it takes http://host:port, ")
    finally:
        proxy.stop()
    assert (2, 0) == (len(proxy.requests), len(sleeps))
