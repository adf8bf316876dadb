"""Whose credentials requests are made with: one source's, whole, whatever the others have."""

from __future__ import annotations

import pytest

from tests.support.both_engines import SUB_TOKEN, SUBACCOUNT
from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

NUMBER, OTHER_NUMBER = "+14155550101", "+14155550102"
DESK = {"desk": Declared(NUMBER)}
LAB = {"lab": Declared(OTHER_NUMBER, account_sid=SUBACCOUNT)}
OTHER = "AC" + "9" * 32
STRAY_KEY = "SK" + "9" * 32
STRAYS = {
    "half a key": {"TWILIO_API_KEY": STRAY_KEY},
    "a key": {"TWILIO_API_KEY": STRAY_KEY, "TWILIO_API_SECRET": "stray"},
    "another account": {"TWILIO_ACCOUNT_SID": OTHER, "TWILIO_AUTH_TOKEN": "stray"},
}


def usernames(local: LocalStack) -> dict[str, set[str]]:
    """Account -> with whose name requests for it were made."""
    found: dict[str, set[str]] = {}
    for request in local.sandbox.requests:
        found.setdefault(request.path.split("/")[3].removesuffix(".json"), set()).add(request.username)
    return found


def set_variables(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("stray", STRAYS)
def test_a_stray_variable_changes_nothing_for_a_stack_with_credentials(
    local: LocalStack, stray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, STRAYS[stray])
    local.up(DESK)
    assert {local.sandbox.account_sid: {local.sandbox.account_sid}} == usernames(local)


def test_the_token_of_the_environment_opens_the_account_of_the_config(
    local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, {"TWILIO_AUTH_TOKEN": local.sandbox.auth_token})
    local.config["authToken"] = ""
    local.up(DESK)
    assert {local.sandbox.account_sid: {local.sandbox.account_sid}} == usernames(local)


def test_the_token_of_another_account_is_not_sent(local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, STRAYS["another account"])
    local.config["authToken"] = ""
    local.up(DESK, fails="Twilio credentials are missing: no auth token (or API key).")

    assert "TWILIO_ACCOUNT_SID is another account than twilio:accountSid" in local.error
    assert [] == local.sandbox.requests


@pytest.mark.parametrize("source", ["config", "variables", "key", "Provider"])
def test_a_refusal_names_the_source_of_the_credentials(
    local: LocalStack, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, wrong = local.sandbox.account_sid, "wrong-token-canary"
    nothing = {"accountSid": "", "authToken": ""}
    program = DESK
    match source:
        case "config":
            local.config["authToken"] = wrong
            told = "the stack's config (twilio:accountSid, twilio:authToken)"
        case "variables":
            local.config |= nothing
            set_variables(monkeypatch, {"TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": wrong})
            told = "the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)"
        case "key":
            local.config |= nothing
            key = {"TWILIO_API_KEY": local.sandbox.api_key, "TWILIO_API_SECRET": wrong}
            set_variables(monkeypatch, {"TWILIO_ACCOUNT_SID": account, **key})
            told = "the environment (TWILIO_API_KEY, TWILIO_API_SECRET)"
        case _:
            local.providers["eu"] = {"accountSid": account, "authToken": wrong}
            program = {"desk": Declared(NUMBER, provider="eu")}
            told = "Provider eu (account_sid, auth_token)"
    local.up(program, fails="(code 20003, HTTP 401, account AC")

    assert f").\nThe credentials come from {told}." in local.error
    assert "canary" not in local.run.said


def test_half_a_key_names_the_half_that_is_missing(local: LocalStack) -> None:
    local.config |= {"authToken": "", "apiKey": local.sandbox.api_key}
    local.up(DESK, fails="twilio:apiKey is set, but twilio:apiSecret is not.")
    assert [] == local.sandbox.requests


def test_half_a_key_does_not_keep_whole_credentials_from_being_used(
    local: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it completed by another source: the first source that opens an account is used as a whole."""
    sandbox = local.sandbox
    set_variables(monkeypatch, {"TWILIO_ACCOUNT_SID": sandbox.account_sid, "TWILIO_AUTH_TOKEN": sandbox.auth_token})
    local.config |= {"authToken": "", "apiKey": sandbox.api_key}
    local.up(DESK)
    assert {sandbox.account_sid: {sandbox.account_sid}} == usernames(local)

    set_variables(monkeypatch, {"TWILIO_AUTH_TOKEN": "", "TWILIO_API_SECRET": sandbox.api_secret})
    local.up({}, fails="twilio:apiKey is set, but twilio:apiSecret is not.")
    assert [NUMBER] == local.numbers()


def test_a_subaccounts_number_is_asked_for_with_the_token_if_there_is_a_key_too(local: LocalStack) -> None:
    sandbox = local.sandbox
    local.config |= {"apiKey": sandbox.api_key, "apiSecret": sandbox.api_secret}
    local.up(DESK | LAB)
    local.refresh()
    local.destroy()

    assert {sandbox.account_sid: {sandbox.api_key}, SUBACCOUNT: {sandbox.account_sid}} == usernames(local)
    assert 0 == local.asked("account")  # no callback, so no token is needed


def test_a_key_alone_does_not_open_a_subaccount(local: LocalStack) -> None:
    sandbox = local.sandbox
    local.config |= {"authToken": "", "apiKey": sandbox.api_key, "apiSecret": sandbox.api_secret}
    local.up(LAB, fails="(code 20003, HTTP 401, account AC")

    assert f"An API key of {sandbox.account_sid} does not work for its subaccount {SUBACCOUNT}" in local.error
    assert [] == sandbox.calls


def test_a_key_with_its_own_account_named_by_the_resource(local: LocalStack) -> None:
    sandbox = local.sandbox
    local.config |= {"apiKey": sandbox.api_key, "apiSecret": sandbox.api_secret}
    local.up({"desk": Declared(NUMBER, account_sid=sandbox.account_sid)})
    assert {sandbox.account_sid: {sandbox.api_key}} == usernames(local)


def test_another_account_in_the_config_and_the_environment(local: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of the config is asked, with the token of the config."""
    set_variables(
        monkeypatch,
        {"TWILIO_ACCOUNT_SID": local.sandbox.account_sid, "TWILIO_AUTH_TOKEN": local.sandbox.auth_token},
    )
    local.config |= {"accountSid": SUBACCOUNT, "authToken": SUB_TOKEN}
    local.up(DESK)
    assert {SUBACCOUNT: {SUBACCOUNT}} == usernames(local)
