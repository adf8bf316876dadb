"""Whose credentials requests are made with: one source's, whole, whatever the others have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack, free_port
from tests.support.plugin_code import run_in_plugin

QUICK = Delays(queued=0, rings=0.1, talks=0.1)
SUBACCOUNT = "AC" + "5" * 32
SUB_TOKEN = "subaccount-token-canary"
OTHER = "AC" + "9" * 32
STRAY_KEY = "SK" + "9" * 32
DESK = 'OutgoingCallerId("desk", phone_number="+14155550101")\n'
LAB = f'OutgoingCallerId("lab", phone_number="+14155550102", account_sid="{SUBACCOUNT}")\n'
PUBLIC = "https://hooks.example.com/twilio"
NO_LOOKS = """
from pulumi_twilio_caller_id import verification
verification.INTERVAL_WITH_CALLBACK = 3600.0
"""


@pytest.fixture
def parent() -> Iterator[Sandbox]:
    """An account with a subaccount."""
    with Sandbox(delays=QUICK, subaccounts={SUBACCOUNT: SUB_TOKEN}) as running:
        yield running


Configure = Callable[..., Stack]


@pytest.fixture
def configured(make_stack: Callable[..., Stack], parent: Sandbox) -> Configure:
    """Makes a stack whose config has these settings, and whose environment has those variables."""

    def make(config: Mapping[str, str], environment: Mapping[str, str] | None = None, name: str = "stack") -> Stack:
        stack = make_stack(name, environment={"TWILIO_API_URL": parent.url, **(environment or {})})
        for key, value in config.items():
            secret = ["--secret"] if key in ("authToken", "apiSecret") else []
            stack.pulumi("config", "set", *secret, f"twilio:{key}", value)
        return stack

    return make


def by_token(sandbox: Sandbox) -> dict[str, str]:
    return {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token}


def by_key(sandbox: Sandbox) -> dict[str, str]:
    return {"accountSid": sandbox.account_sid, "apiKey": sandbox.api_key, "apiSecret": sandbox.api_secret}


def usernames(sandbox: Sandbox) -> dict[str, set[str]]:
    """Account -> with whose name requests for it were made."""
    found: dict[str, set[str]] = {}
    for request in sandbox.requests:
        found.setdefault(request.path.split("/")[3].removesuffix(".json"), set()).add(request.username)
    return found


STRAYS = {
    "half a key": {"TWILIO_API_KEY": STRAY_KEY},
    "a key": {"TWILIO_API_KEY": STRAY_KEY, "TWILIO_API_SECRET": "stray"},
    "another account": {"TWILIO_ACCOUNT_SID": OTHER, "TWILIO_AUTH_TOKEN": "stray"},
}


@pytest.mark.parametrize("stray", STRAYS)
def test_a_stray_variable_changes_nothing_for_a_stack_with_credentials(
    configured: Configure, parent: Sandbox, stray: str
) -> None:
    stack = configured(by_token(parent), STRAYS[stray])
    stack.program(DESK)
    stack.up()

    assert {parent.account_sid: {parent.account_sid}} == usernames(parent)


def test_the_token_of_the_environment_opens_the_account_of_the_config(configured: Configure, parent: Sandbox) -> None:
    stack = configured({"accountSid": parent.account_sid}, {"TWILIO_AUTH_TOKEN": parent.auth_token})
    stack.program(DESK)
    stack.up()

    assert {parent.account_sid: {parent.account_sid}} == usernames(parent)


def test_the_token_of_another_account_is_not_sent(configured: Configure, parent: Sandbox) -> None:
    stack = configured({"accountSid": parent.account_sid}, STRAYS["another account"])
    stack.program(DESK)
    error = stack.up(ok=False).error

    assert "error: Twilio credentials are missing: no auth token (or API key)." in error
    assert "TWILIO_ACCOUNT_SID is another account than twilio:accountSid" in error
    assert [] == parent.requests


GIVEN = """
import os
account, token = os.environ["GIVEN"], "wrong-given-canary"
eu = Provider("eu", account_sid=account, auth_token=token)
OutgoingCallerId("desk", phone_number="+14155550101", opts=ResourceOptions(provider=eu))
"""


def test_a_refusal_names_the_source_of_the_credentials(configured: Configure, parent: Sandbox) -> None:
    account, wrong = parent.account_sid, "wrong-token-canary"
    variables = {"TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": wrong}
    key = {"TWILIO_ACCOUNT_SID": account, "TWILIO_API_KEY": parent.api_key, "TWILIO_API_SECRET": wrong}
    rows: list[tuple[dict[str, str], dict[str, str], str, str]] = [
        (
            {"accountSid": account, "authToken": wrong},
            {},
            DESK,
            "the stack's config (twilio:accountSid, twilio:authToken)",
        ),
        ({}, variables, DESK, "the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)"),
        ({}, key, DESK, "the environment (TWILIO_API_KEY, TWILIO_API_SECRET)"),
        ({}, {"GIVEN": account}, GIVEN, "Provider eu (account_sid, auth_token)"),
    ]
    for number, (config, environment, program, source) in enumerate(rows):
        stack = configured(config, environment, name=f"stack{number}")
        stack.program(program)
        error = stack.up(ok=False).error
        assert "(code 20003, HTTP 401, account AC" in error
        assert f").\nThe credentials come from {source}." in error
        assert "canary" not in error


def test_half_a_key_names_the_half_that_is_missing(configured: Configure, parent: Sandbox) -> None:
    stack = configured({"accountSid": parent.account_sid, "apiKey": parent.api_key})
    stack.program(DESK)
    error = stack.up(ok=False).error

    assert "error: twilio:apiKey is set, but twilio:apiSecret is not." in error
    assert [] == parent.requests


def test_half_a_key_does_not_keep_whole_credentials_from_being_used(configured: Configure, parent: Sandbox) -> None:
    """Nor is it completed by another source: the first source that opens an account is used as a whole."""
    variables = {"TWILIO_ACCOUNT_SID": parent.account_sid, "TWILIO_AUTH_TOKEN": parent.auth_token}
    stack = configured({"accountSid": parent.account_sid, "apiKey": parent.api_key}, variables)
    stack.program(DESK)
    stack.up()
    assert {parent.account_sid: {parent.account_sid}} == usernames(parent)

    stack.environment = {**stack.environment, "TWILIO_AUTH_TOKEN": "", "TWILIO_API_SECRET": parent.api_secret}
    stack.program("")
    assert "twilio:apiKey is set, but twilio:apiSecret is not." in stack.up(ok=False).error
    assert 1 == len(parent.caller_ids)


# Subaccounts


def test_a_subaccounts_number_is_asked_for_with_the_token_where_there_is_a_key_too(
    configured: Configure, parent: Sandbox
) -> None:
    stack = configured(by_key(parent) | by_token(parent))
    stack.program(DESK + LAB)
    stack.up()
    stack.refresh()
    stack.destroy()

    assert {parent.account_sid: {parent.api_key}, SUBACCOUNT: {parent.account_sid}} == usernames(parent)
    assert "account" not in {request.endpoint for request in parent.requests}  # no callback, so no token is needed


def test_a_key_alone_does_not_open_a_subaccount(configured: Configure, parent: Sandbox) -> None:
    stack = configured(by_key(parent))
    stack.program(LAB)
    error = stack.up(ok=False).error

    assert "(code 20003, HTTP 401, account AC" in error
    assert f"An API key of {parent.account_sid} does not open its subaccount {SUBACCOUNT}" in error
    assert [] == parent.calls


def test_a_key_of_the_subaccount_with_its_sid_is_used_as_it_is(make_stack: Callable[..., Stack]) -> None:
    """Also where the resource names that account: it is none but the settings' own."""
    with Sandbox(delays=QUICK) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.environment |= {"TWILIO_API_KEY": sandbox.api_key, "TWILIO_API_SECRET": sandbox.api_secret}
        stack.program(DESK.replace(")\n", f', account_sid="{sandbox.account_sid}")\n'))
        stack.up()

        assert {sandbox.account_sid: {sandbox.api_key}} == usernames(sandbox)


# A subaccount's callbacks


@pytest.fixture
def called_back(make_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, Sandbox]]:
    port = free_port()
    delays = Delays(queued=0, rings=0.2, talks=1.0)
    with Sandbox(
        delays=delays, subaccounts={SUBACCOUNT: SUB_TOKEN}, deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}
    ) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(LAB)
        stack.pulumi("config", "set", "twilio:callbackUrl", PUBLIC)
        stack.pulumi("config", "set", "twilio:callbackListen", f"127.0.0.1:{port}")
        yield stack, sandbox


def test_a_subaccounts_callback_ends_the_wait(called_back: tuple[Stack, Sandbox]) -> None:
    """It is signed with the subaccount's token, which is read from Twilio, and shown nowhere."""
    stack, sandbox = called_back
    run_in_plugin(stack, NO_LOOKS)
    output = stack.up("--debug").output

    assert [204] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert "warning" not in output
    assert SUB_TOKEN not in output
    assert [] == [path for path in stack.files() if SUB_TOKEN.encode() in path.read_bytes()]


def test_where_the_subaccounts_token_cannot_be_read_a_callback_is_a_reason_to_look(
    called_back: tuple[Stack, Sandbox],
) -> None:
    stack, sandbox = called_back
    sandbox.fail("account", status=403, code=20003)
    run_in_plugin(stack, NO_LOOKS)
    output = stack.up().output

    assert [204] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert 1 == output.partition("Diagnostics:")[2].count("set twilio:callbackAuthTokens")


def test_a_callback_that_no_known_token_signed_is_a_warning(called_back: tuple[Stack, Sandbox]) -> None:
    stack, sandbox = called_back
    sandbox.callbacks_go("badly-signed")
    output = stack.up().output

    assert [403] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert 1 == output.partition("Diagnostics:")[2].count("set twilio:callbackAuthTokens")
