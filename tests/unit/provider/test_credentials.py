"""Whose credentials are used, out of two sources: docs/accounts.md, "Which value counts", in every combination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi.runtime
import pytest
from pydantic import SecretStr

from pulumi_twilio_caller_id.errors import SettingsError
from pulumi_twilio_caller_id.provider import resolve_config
from pulumi_twilio_caller_id.settings.model import Settings, load_settings
from pulumi_twilio_caller_id.settings.sources import SETTINGS

ACCOUNT, OTHER = "AC" + "1" * 32, "AC" + "2" * 32
KEY, OTHER_KEY = "SK" + "3" * 32, "SK" + "4" * 32
TOKEN = {"auth_token": "upper token"}
LOWER_TOKEN = {"auth_token": "lower token"}

UPPER: dict[str, dict[str, str]] = {
    "nothing": {},
    "token": TOKEN,
    "key, secret": {"api_key": KEY, "api_secret": "upper secret"},
    "token, key, secret": TOKEN | {"api_key": KEY, "api_secret": "upper secret"},
    "key": {"api_key": KEY},
    "secret": {"api_secret": "upper secret"},
    "token, key": TOKEN | {"api_key": KEY},
    "token, secret": TOKEN | {"api_secret": "upper secret"},
}
LOWER: dict[str, dict[str, str]] = {
    "nothing": {},
    "token": LOWER_TOKEN,
    "other key, secret": {"api_key": OTHER_KEY, "api_secret": "lower secret"},
    "same key, secret": {"api_key": KEY, "api_secret": "lower secret"},
    "token, key, secret": LOWER_TOKEN | {"api_key": OTHER_KEY, "api_secret": "lower secret"},
    "other key": {"api_key": OTHER_KEY},
    "secret": {"api_secret": "lower secret"},
    "token, key": LOWER_TOKEN | {"api_key": OTHER_KEY},
    "token, secret": LOWER_TOKEN | {"api_secret": "lower secret"},
}
# Which credentials are used, by what the upper source has and, in the order of LOWER, what the lower one has:
# u: the upper one's alone. l: the lower one's alone. h: none, as half a key is missing. -: none, as there are none.
TABLE = {
    "nothing": "- l l l l h h h h",
    "token": "u u u u u u u u u",
    "key, secret": "u u u u u u u u u",
    "token, key, secret": "u u u u u u u u u",
    "key": "h l l l l h h h h",
    "secret": "h l l l l h h h h",
    "token, key": "h h h h h h h h h",
    "token, secret": "h h h h h h h h h",
}
LEVELS = ["config over environment", "Provider over config", "Provider over environment"]


@pytest.fixture(autouse=True)
def stack_config() -> Iterator[None]:
    yield
    pulumi.runtime.set_all_config({})


def settled(level: str, upper: Mapping[str, Any], lower: Mapping[str, Any]) -> Settings:
    """The settings of a stack, or of a Provider, whose two sources have these."""
    by_key = {SETTINGS[name].key: value for name, value in upper.items()}
    environment = {str(SETTINGS[name].variable): value for name, value in lower.items()}
    if level == "config over environment":
        return load_settings(by_key.get, environment)
    if level == "Provider over config":
        pulumi.runtime.set_all_config({SETTINGS[name].key: value for name, value in lower.items()})
        environment = {}
    return load_settings(resolve_config("eu", upper).get, environment)


def credentials(settings: Settings) -> dict[str, str]:
    found = {name: getattr(settings, name) for name in ("auth_token", "api_key", "api_secret")}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in found.items()
        if value
    }


def outcome(level: str, upper: Mapping[str, str], lower: Mapping[str, str]) -> str:
    """Which credentials are used, as TABLE has it."""
    try:
        used = credentials(settled(level, {"account_sid": ACCOUNT, **upper}, lower))
    except SettingsError as refused:
        told = {" is not.": "h", ": no auth token (or API key).": "-"}
        return next((letter for end, letter in told.items() if refused.what.endswith(end)), refused.what)
    return "u" if used == upper else "l" if used == lower else str(used)


@pytest.mark.parametrize("level", LEVELS)
def test_one_source_is_used_whole(level: str) -> None:
    """The values of both sources differ, so that a mixture would be seen."""
    table = {name: " ".join(outcome(level, upper, lower) for lower in LOWER.values()) for name, upper in UPPER.items()}
    assert TABLE == table


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ({"account_sid": ACCOUNT}, LOWER_TOKEN, (ACCOUNT, "lower token")),
        ({"account_sid": ACCOUNT}, {"account_sid": ACCOUNT, **LOWER_TOKEN}, (ACCOUNT, "lower token")),
        ({"account_sid": ACCOUNT}, {"account_sid": OTHER, **LOWER_TOKEN}, None),
        ({"account_sid": ACCOUNT, "api_key": KEY}, {"account_sid": OTHER, "api_secret": "lower secret"}, None),
        ({"account_sid": ACCOUNT, **TOKEN}, {"account_sid": OTHER, **LOWER_TOKEN}, (ACCOUNT, "upper token")),
        (TOKEN, {"account_sid": OTHER, **LOWER_TOKEN}, (OTHER, "upper token")),
        (TOKEN, LOWER_TOKEN, None),
        ({}, {"account_sid": OTHER, **LOWER_TOKEN}, (OTHER, "lower token")),
    ],
)
def test_the_account_may_be_named_elsewhere_but_not_another_one(
    level: str, upper: dict[str, str], lower: dict[str, str], expected: tuple[str, str] | None
) -> None:
    if expected is not None:
        settings = settled(level, upper, lower)
        assert expected == settings.basic_auth(settings.account_sid)
        return
    with pytest.raises(SettingsError):
        settled(level, upper, lower)


def test_a_stray_key_does_not_come_between_a_provider_and_the_stacks_config() -> None:
    """Three sources: the config completes the Provider, and the environment adds nothing."""
    pulumi.runtime.set_all_config({"twilio:accountSid": ACCOUNT, "twilio:authToken": "of the config"})
    stray = {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "stray"}
    assert {"auth_token": "of the config"} == credentials(load_settings(resolve_config("eu", {}).get, stray))


@pytest.mark.parametrize(
    ("config", "environment", "source"),
    [
        ({"account_sid": ACCOUNT, **TOKEN}, {}, "the stack's config (twilio:accountSid, twilio:authToken)"),
        ({}, {"account_sid": ACCOUNT, **TOKEN}, "the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)"),
        (
            {"account_sid": ACCOUNT},
            TOKEN,
            "the stack's config (twilio:accountSid) and the environment (TWILIO_AUTH_TOKEN)",
        ),
        ({"account_sid": ACCOUNT, **UPPER["key, secret"]}, {}, "the stack's config (twilio:apiKey, twilio:apiSecret)"),
        ({"account_sid": ACCOUNT}, UPPER["key, secret"], "the environment (TWILIO_API_KEY, TWILIO_API_SECRET)"),
        ({"account_sid": ACCOUNT, **TOKEN}, LOWER["other key, secret"],
         "the stack's config (twilio:accountSid, twilio:authToken)"),
    ],
)  # fmt: skip
def test_the_source_is_told_without_a_value(config: dict[str, str], environment: dict[str, str], source: str) -> None:
    assert source == settled("config over environment", config, environment).credentials_source(ACCOUNT)


def test_the_source_of_a_provider() -> None:
    pulumi.runtime.set_all_config({"twilio:accountSid": ACCOUNT})
    settings = load_settings(resolve_config("eu", TOKEN).get, {})
    assert "Provider eu (account_sid, auth_token)" == settings.credentials_source(ACCOUNT)
    assert settings.credentials_advice(ACCOUNT).splitlines() == [
        "The credentials come from Provider eu (account_sid, auth_token).",
        "Settings omitted from the Provider fall back to the stack's config.",
        f"Check that they are current and belong to account {ACCOUNT}.",
    ]


# Subaccounts


def test_a_key_opens_its_own_account_and_the_token_the_subaccounts() -> None:
    settings = settled("config over environment", {"account_sid": ACCOUNT, **UPPER["token, key, secret"]}, {})
    assert (KEY, "upper secret") == settings.basic_auth(ACCOUNT)
    assert (ACCOUNT, "upper token") == settings.basic_auth(OTHER)
    assert "(twilio:apiKey, twilio:apiSecret)" in settings.credentials_advice(ACCOUNT)
    assert settings.credentials_advice(OTHER) == (
        "The credentials come from the stack's config (twilio:accountSid, twilio:authToken).\n"
        f"Check that they are current, and that {OTHER} is a subaccount of {ACCOUNT}."
    )


def test_a_key_alone_is_tried_and_its_refusal_says_what_to_do() -> None:
    """The key may have been made in the subaccount."""
    settings = settled("config over environment", {"account_sid": ACCOUNT, **UPPER["key, secret"]}, {})
    assert (KEY, "upper secret") == settings.basic_auth(OTHER)
    assert settings.credentials_advice(OTHER) == (
        "The credentials come from the stack's config (twilio:apiKey, twilio:apiSecret).\n"
        f"An API key of {ACCOUNT} does not work for its subaccount {OTHER}.\n"
        "Set the auth token in the same place as the key: requests for subaccounts are then made with it.\n"
        f"Or use a Provider with account_sid {OTHER} and credentials of that account."
    )
