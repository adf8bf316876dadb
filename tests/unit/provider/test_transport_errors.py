"""The wire: how a refusal is told, and what is never told."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    CallerIdError,
    CredentialsRefused,
    NotFound,
    TwilioRefused,
    TwilioUnreachable,
)
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.machine import free_port
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from tests.support.broken_servers import RawServer
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
INPUTS = OutgoingCallerIdInputs(phone_number=NUMBER)
ABSENT = "PN" + "0" * 32


def asked(sandbox: Sandbox) -> list[tuple[str, int | None]]:
    return [(request.endpoint, request.status) for request in sandbox.requests]


# Refusals


def test_a_listing_refused_for_the_credentials_names_code_and_settings(sandbox: Sandbox, connect: Connect) -> None:
    """B16: the client itself would only say "Unable to fetch page"."""
    with pytest.raises(CredentialsRefused) as caught:
        connect(token="another").find(NUMBER)
    assert str(caught.value) == (
        f"Twilio refused to look up {NUMBER}: Authenticate (code 20003, HTTP 401, account {sandbox.account_sid}).\n"
        "The credentials come from the settings.\n"
        f"They were sent to {sandbox.url}, not to Twilio.\n"
        "A sandbox accepts only its own: use a stack without credentials in its config."
    )
    assert asked(sandbox) == [("list", 401)]


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ({"status": 401}, CredentialsRefused, ": Authenticate (code 20003, HTTP 401"),
        ({"status": 401, "body": "<html>"}, CredentialsRefused, " (HTTP 401"),
        ({"status": 403, "code": 20003, "message": "No"}, CredentialsRefused, ": No (code 20003, HTTP 403"),
        ({"status": 404}, NotFound, ": The requested resource was not found (code 20404, HTTP 404"),
        ({"status": 404, "code": 20001, "message": "No"}, TwilioRefused, ": No (code 20001, HTTP 404"),
        ({"status": 404, "body": "<h1>Not here</h1>"}, TwilioRefused, " (HTTP 404"),
        ({"status": 404, "body": ""}, TwilioRefused, " (HTTP 404"),
        ({"status": 404, "body": "{}"}, TwilioRefused, " (HTTP 404"),
        ({"status": 404, "body": '{"code": "20404"}'}, TwilioRefused, " (HTTP 404"),
        ({"status": 404, "body": "[20404]"}, TwilioRefused, " (HTTP 404"),
        ({"status": 400, "code": 20404, "message": "No"}, TwilioRefused, ": No (code 20404, HTTP 400"),
        ({"status": 400, "code": 77777, "message": "Nie."}, TwilioRefused, ": Nie (code 77777, HTTP 400"),
        ({"status": 400, "body": '{"title": "T", "detail": "D"}'}, TwilioRefused, ": D (HTTP 400"),
        ({"status": 400, "body": '{"message": {"a": 1}}'}, TwilioRefused, ": {'a': 1} (HTTP 400"),
    ],
    ids=str,
)
def test_a_refusal_is_told_as_it_came(
    sandbox: Sandbox, connect: Connect, fault: dict[str, Any], kind: type[TwilioRefused], told: str
) -> None:
    """Only Twilio's own 404 with 20404 means that something is not there: a proxy's page says nothing about it."""
    sandbox.fail("fetch", **fault)
    with pytest.raises(TwilioRefused) as caught:
        connect().fetch(ABSENT)
    assert caught.value.what == f"Twilio refused to read caller ID {ABSENT}{told}, account {sandbox.account_sid})."
    assert type(caught.value) is kind
    assert len(sandbox.requests) == 1


def test_an_answer_without_a_code_may_be_somebody_elses(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.fail("fetch", status=403, body="<html>")
    with pytest.raises(TwilioRefused) as caught:
        connect().fetch(ABSENT)
    assert caught.value.todo == (
        "The answer has no Twilio code; it may be a proxy's: check HTTPS_PROXY and twilio:apiUrl (if set)."
    )


@pytest.mark.parametrize("step", ["request_validation", "find", "fetch"])
def test_a_redirect_is_refused_and_not_followed(
    connect: Connect, answering: Callable[[bytes], RawServer], step: str
) -> None:
    """The credentials would go with it."""
    elsewhere = answering(b"")
    server = answering(f"HTTP/1.0 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    given: Any = {"request_validation": INPUTS, "find": NUMBER, "fetch": ABSENT}[step]
    with pytest.raises(TwilioRefused) as caught:
        getattr(connect(url=server.url), step)(given)
    assert caught.value.status == 302
    assert (len(server.requests), elsewhere.requests) == (1, [])


# No credential is told


FAULTS: list[dict[str, Any]] = [
    {"status": 400},
    {"status": 401},
    {"status": 404},
    {"status": 429},
    {"status": 500},
    {"status": 302},
    {"status": 401, "body": "<html>"},
    {"body": "<html>"},
    {"body": "{}"},
    {"drop": "before"},
    {"delay": 60},
]


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        *(("fetch", fault) for fault in FAULTS),
        *((each, FAULTS[1]) for each in ("create", "list", "update", "delete", "call")),
    ],
    ids=str,
)
def test_no_error_tells_the_token(sandbox: Sandbox, connect: Connect, endpoint: Any, fault: dict[str, Any]) -> None:
    """Neither as it is nor as it is sent, neither in the message nor in a traceback."""
    sandbox.fail(endpoint, **fault)
    api = connect(attempts=1, timeout_seconds=0.05 if "delay" in fault else PATIENCE)
    steps: dict[str, Callable[[], object]] = {
        "create": lambda: api.request_validation(INPUTS),
        "list": lambda: api.find(NUMBER),
        "fetch": lambda: api.fetch(ABSENT),
        "update": lambda: api.rename(ABSENT, "Desk"),
        "delete": lambda: api.remove(ABSENT),
        "call": lambda: api.call_state("CA" + "1" * 32),
    }
    told = ""
    try:
        steps[endpoint]()
    except CallerIdError as error:
        told = "".join(traceback.format_exception(error)) + repr(error)
    assert told
    sent = base64.b64encode(f"{sandbox.account_sid}:{sandbox.auth_token}".encode()).decode()
    assert sandbox.auth_token not in told
    assert sent not in told


def test_no_error_tells_the_password_of_a_proxy(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:canary@127.0.0.1:{free_port()}")
    with pytest.raises(TwilioUnreachable) as caught:
        connect(url="http://twilio.invalid", attempts=1).find(NUMBER)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("body", ["{}", '{"errors": []}', '{"status": ""}', '{"outgoing_caller_ids": {}}'])
def test_a_success_without_the_list_is_no_empty_list(sandbox: Sandbox, connect: Connect, body: str) -> None:
    """Numbers would leave the state, or be called once more."""
    sandbox.fail("list", status=200, body=body)
    with pytest.raises(AnswerLost, match="it has no list of outgoing_caller_ids"):
        list(connect(attempts=1).stream())
