"""What `make conformance` has happen: every request of the provider, the life of a number, the life of a stack.

Each takes the base URL to ask. An answer that is prism's rather than the sandbox's makes it raise `CallerIdError` or
`AssertionError`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import CallerIdError, CredentialsRefused, NotFound
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack
from tests.support.rest import Clock
from tests.support.waiting import SleeplessToken

NUMBER, OWN, REFUSED, BUSY = "+14155550101", "+14155550102", "+14155550103", "+14155550104"
SUBACCOUNT = "AC" + "5" * 32
MANY = 2_050
"""Caller IDs in the account, for three pages of a listing."""

EVERYTHING = {
    "friendly_name": "Möbel & Söhne + Co",
    "call_delay": 2,
    "extension": "1w2#",
    "status_callback": "https://example.com/verified?desk=1&floor=%C3%A4",
    "status_callback_method": "GET",
}

PROGRAM = """
OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Desk", call_delay=1)
OutgoingCallerId("bare", phone_number="+442071838750")
"""

ENGINE_SECONDS = 60
"""For one operation of the engine, which waits and asks again for minutes where an answer makes no sense."""


def account_for_a_number(clock: Clock) -> Sandbox:
    """Where the life of a number takes place."""
    return Sandbox(
        phones={OWN: "own-number", REFUSED: "refused", BUSY: "busy"},
        delays=Delays(1, 10, 15),
        numbers={f"+1415{7_000_000 + number}": None for number in range(MANY)},
        subaccounts=[SUBACCOUNT],
        clock=clock,
        callbacks="lost",  # nobody at example.com waits for one
    )


def account_for_a_stack() -> Sandbox:
    return Sandbox(delays=Delays(0, 0, 0))


def api(url: str, account_sid: str, token: str, *, key: str = "", subaccount: str | None = None) -> Client:
    """The provider's way to an account, by its token, or by an API key whose secret is the token."""
    by_key = {"api_key": key, "api_secret": SecretStr(token)} if key else {"auth_token": SecretStr(token)}
    settings = Settings.model_validate({"account_sid": account_sid, "api_url": url, **by_key})
    return Client(settings, subaccount, cancel=SleeplessToken())


def every_operation(url: str) -> None:
    """Each request that the provider knows, with all it may say, to a mock."""
    twilio = api(url, "AC" + "a" * 32, "token")
    sid = "PN" + "a" * 32
    twilio.request_validation(OutgoingCallerIdInputs.model_validate({"phone_number": NUMBER, **EVERYTHING}))
    twilio.request_validation(OutgoingCallerIdInputs(phone_number=NUMBER), "https://example.com/callback/canary")
    twilio.find(NUMBER)
    list(twilio.stream())
    list(twilio.stream(phone_number=NUMBER, friendly_name="Front desk"))
    twilio.fetch(sid)
    twilio.rename(sid, "Möbel & Söhne + Co")
    twilio.call_state("CA" + "a" * 32)
    twilio.remove(sid)
    assert twilio.auth_token()


def life_of_a_number(url: str, sandbox: Sandbox, clock: Clock) -> None:
    """From the preflight to its end, with all that gets in the way."""
    twilio = api(url, sandbox.account_sid, sandbox.auth_token)
    inputs = OutgoingCallerIdInputs.model_validate({"phone_number": NUMBER, **EVERYTHING})
    assert twilio.find(NUMBER) is None
    asked = twilio.request_validation(inputs)
    statuses = []
    for seconds in (0, 4, 10, 20):
        clock.now += seconds
        state = twilio.call_state(asked.call_sid)
        statuses.append(state and state.status)
    assert statuses == ["queued", "ringing", "in-progress", "completed"]
    found = twilio.find(NUMBER)
    assert found is not None
    assert twilio.rename(found.sid, "Réception 📞").friendly_name == "Réception 📞"
    assert twilio.fetch(found.sid).friendly_name == "Réception 📞"
    assert len(list(twilio.stream())) == MANY + 1
    assert [record.sid for record in twilio.stream(NUMBER, "Réception 📞")] == [found.sid]

    refused(lambda: twilio.request_validation(inputs), 21450)
    refused(lambda: twilio.request_validation(OutgoingCallerIdInputs(phone_number=OWN)), 21449)
    refused(lambda: twilio.request_validation(OutgoingCallerIdInputs(phone_number=REFUSED)), 13224)
    refused(lambda: api(url, sandbox.account_sid, "wrong").find(NUMBER), 20003, CredentialsRefused)
    sandbox.fail("list", status=429, times=2)
    twilio.find(NUMBER)
    sandbox.fail("create", status=429, times=2)
    call = twilio.request_validation(OutgoingCallerIdInputs(phone_number=BUSY))
    assert twilio.call_state(call.call_sid) is not None
    sandbox.fail("fetch", status=503, times=1)
    twilio.fetch(found.sid)

    by_key = api(url, sandbox.account_sid, sandbox.api_secret, key=sandbox.api_key)
    assert by_key.fetch(found.sid) == twilio.fetch(found.sid)
    by_key = api(url, sandbox.account_sid, sandbox.api_secret, key=sandbox.api_key, subaccount=SUBACCOUNT)
    refused(lambda: by_key.find(NUMBER), 20003, CredentialsRefused)
    in_subaccount = api(url, sandbox.account_sid, sandbox.auth_token, subaccount=SUBACCOUNT)
    assert in_subaccount.auth_token() == sandbox.subaccounts[SUBACCOUNT]
    in_subaccount.request_validation(OutgoingCallerIdInputs(phone_number=NUMBER))
    clock.now += 60
    (elsewhere,) = in_subaccount.stream()
    assert elsewhere.account_sid == SUBACCOUNT
    refused(lambda: twilio.fetch(elsewhere.sid), 20404, NotFound)

    twilio.remove(found.sid)
    for gone in (
        lambda: twilio.fetch(found.sid),
        lambda: twilio.rename(found.sid, "x"),
        lambda: twilio.remove(found.sid),
    ):
        refused(gone, 20404, NotFound)


def refused(step: Callable[[], object], code: int, kind: type[CallerIdError] = CallerIdError) -> None:
    """Twilio refuses a step, with this code: not prism, which has none."""
    code_given = None
    try:
        step()
    except kind as refusal:
        code_given = getattr(refusal, "code", 0)
    assert code_given == code, f"the code of the refusal is {code_given}, not {code}"


def life_of_a_stack(url: str, sandbox: Sandbox, folder: Path) -> None:
    """The real engine: up, rename, refresh, destroy."""
    stack = Stack(folder, {**sandbox.environment, "TWILIO_API_URL": url}, ENGINE_SECONDS)
    try:
        stack.program(PROGRAM)
        stack.up()
        stack.program(PROGRAM.replace('"Desk"', '"Front desk"'))
        stack.up()
        names = {name: resource["outputs"]["friendly_name"] for name, resource in stack.resources().items()}
        assert names == {"desk": "Front desk", "bare": "+44 20 7183 8750"}
        stack.refresh()
        stack.destroy()
        assert stack.resources() == {}
        assert sandbox.caller_ids == []
    finally:
        for left in stack.processes():
            os.kill(left, signal.SIGKILL)
