"""Calls, and who asks where: the account's side of the requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.transport import POLL_RETRIES
from pulumi_twilio_caller_id.errors import TwilioRefused, TwilioUnreachable
from pulumi_twilio_caller_id.models import CallState, OutgoingCallerIdInputs
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.text import redact

if TYPE_CHECKING:
    from tests.support.broken_servers import RawServer
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
LISTED = "+14155550199"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)
CALL = "CA" + "1" * 32
ACCOUNT = "AC" + "1" * 32
SUBACCOUNT = "AC" + "5" * 32


# call_state


@pytest.mark.parametrize(
    ("status", "duration", "expected", "ended"),
    [
        ("queued", None, CallState(status="queued"), False),
        ("ringing", None, CallState(status="ringing"), False),
        ("in-progress", None, CallState(status="in-progress"), False),
        ("completed", "23", CallState(status="completed", duration=23), True),
        ("busy", "0", CallState(status="busy", duration=0), True),
        ("no-answer", "0", CallState(status="no-answer", duration=0), True),
        ("failed", "0", CallState(status="failed", duration=0), True),
        ("canceled", "0", CallState(status="canceled", duration=0), True),
    ],
)
def test_the_state_of_a_call(
    sandbox: Sandbox, connect: Connect, status: str, duration: str | None, expected: CallState, ended: bool
) -> None:
    sandbox.fail("call", body=json.dumps({"sid": CALL, "status": status, "duration": duration}))
    state = connect().call_state(CALL)
    assert expected == state
    assert ended is expected.ended


def test_a_call_that_twilio_does_not_know_yet_is_none(connect: Connect) -> None:
    assert connect().call_state(CALL) is None


def test_a_call_behind_somebody_elses_404_is_an_error(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.fail("call", status=404, body="<html>")
    with pytest.raises(TwilioRefused, match=f"refused to read call {CALL} "):
        connect().call_state(CALL)


# Who asks, and where


def test_the_environment_does_not_change_the_address(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B10: the client would cut the host to pieces, and reads credentials of its own."""
    for name, value in {"REGION": "ie1", "EDGE": "dublin", "ACCOUNT_SID": "AC" + "9" * 32, "AUTH_TOKEN": "x"}.items():
        monkeypatch.setenv(f"TWILIO_{name}", value)
    assert connect().find(NUMBER) is None
    (request,) = sandbox.requests
    assert request.path == f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json"
    assert request.username == sandbox.account_sid


def test_without_an_api_url_it_is_twilio_itself(
    answering: Callable[[bytes], RawServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever region the environment names. A proxy that lets nobody through sees where requests go."""
    proxy = answering(b"HTTP/1.0 403 Forbidden\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    api = Client(Settings(account_sid=ACCOUNT, auth_token=SecretStr("token")), policy=POLL_RETRIES)
    with pytest.raises(TwilioUnreachable):
        api.find(NUMBER)
    assert [request.split()[:2] for request in proxy.requests] == [[b"CONNECT", b"api.twilio.com:443"]]


def test_an_api_key_signs_the_requests(sandbox: Sandbox) -> None:
    settings = Settings(
        account_sid=sandbox.account_sid,
        auth_token=SecretStr("unused"),
        api_key=sandbox.api_key,
        api_secret=SecretStr(sandbox.api_secret),
        api_url=sandbox.url,
    )
    assert Client(settings).find(LISTED) is not None
    assert [sandbox.api_key] == [request.username for request in sandbox.requests]


def test_a_subaccount_is_asked_for_with_the_credentials_of_its_parent() -> None:
    with Sandbox(subaccounts=[SUBACCOUNT]) as sandbox:
        token = SecretStr(sandbox.auth_token)
        settings = Settings(account_sid=sandbox.account_sid, auth_token=token, api_url=sandbox.url)
        api = Client(settings, SUBACCOUNT)
        request = api.request_validation(INPUTS)
        assert SUBACCOUNT == api.account_sid == request.account_sid
        assert [call.account_sid for call in sandbox.calls] == [SUBACCOUNT]
        assert [sandbox.account_sid] == [request.username for request in sandbox.requests]


def test_the_token_of_a_subaccount_is_read_and_masked() -> None:
    token = "subaccount-token-canary"
    with Sandbox(subaccounts={SUBACCOUNT: token}) as sandbox:
        by_key = Settings(
            account_sid=sandbox.account_sid,
            api_key=sandbox.api_key,
            api_secret=SecretStr(sandbox.api_secret),
            api_url=sandbox.url,
        )
        assert Client(by_key, SUBACCOUNT).auth_token() is None
        by_both = by_key.model_copy(update={"auth_token": SecretStr(sandbox.auth_token)})
        assert Client(by_both, SUBACCOUNT).auth_token() == token
        assert redact(f"it is {token}") == "it is [secret]"
        assert [sandbox.account_sid] == [request.username for request in sandbox.requests]  # the key asked nothing


@pytest.mark.parametrize(
    "fault", [{"status": 401}, {"status": 404}, {"status": 500}, {"body": "<html>"}, {"body": "{}"}, {"drop": "before"}]
)
def test_a_token_that_cannot_be_read_is_none(connect: Connect, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.fail("account", **fault)
    assert connect().auth_token() is None
    assert [request.endpoint for request in sandbox.requests] == ["account"]


def test_a_poll_sends_each_request_once(sandbox: Sandbox, connect: Connect, sleeps: list[float]) -> None:
    sandbox.fail("list", status=500)
    api = connect(subaccount=None).with_retry_policy(POLL_RETRIES)
    with pytest.raises(TwilioRefused):
        api.find(NUMBER)
    assert (len(sandbox.requests), sleeps, api.account_sid) == (1, [], sandbox.account_sid)
