"""An explicit provider: what its process is configured with, and whose credentials that makes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi.runtime
import pytest

from pulumi_twilio_caller_id import Provider
from pulumi_twilio_caller_id.errors import SettingsError
from pulumi_twilio_caller_id.provider import resolve_config
from pulumi_twilio_caller_id.settings.model import load_settings
from pulumi_twilio_caller_id.settings.sources import PROVIDER_NAME_KEY, SETTINGS

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "2" * 32
KEY = "SK" + "3" * 32
OTHER_KEY = "SK" + "4" * 32
EVERYTHING: dict[str, Any] = {
    "account_sid": ACCOUNT,
    "auth_token": "token",
    "api_key": KEY,
    "api_secret": "secret",
    "api_url": "http://127.0.0.1:8484",
    "callback_url": "https://hooks.example.com/twilio",
    "callback_listen": "127.0.0.1:8686",
    "callback_auth_tokens": ["old token"],
    "notify": ["json://one.example", "json://two.example"],
    "adopt": True,
    "unverified": "await",
    "preflight": False,
    "default_region": "DE",
}


@pytest.fixture(autouse=True)
def stack_config() -> Iterator[None]:
    pulumi.runtime.set_all_config({})
    yield
    pulumi.runtime.set_all_config({})


def process_config(config: Mapping[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
    """What the process of a Provider with these arguments, in a stack of this config, is configured with."""
    pulumi.runtime.set_all_config({f"twilio:{key}": value for key, value in (config or {}).items()})
    return resolve_config("eu", arguments)


def signed_in(given: Mapping[str, Any], config: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """With which name and password requests are made for which account, or the message why none are."""
    try:
        settings = load_settings(process_config(config, **given).get, environment)
    except SettingsError as refused:
        return refused.what
    return f"{' '.join(settings.basic_auth(settings.account_sid))} for {settings.account_sid}"


def test_every_setting_is_an_argument_and_arrives_under_its_key() -> None:
    """A setting that is added has to be one here too."""
    by_key = {SETTINGS[name].key: value for name, value in EVERYTHING.items()}
    assert by_key | {PROVIDER_NAME_KEY: "eu"} == process_config(**EVERYTHING)
    assert set(SETTINGS) == set(EVERYTHING)
    assert {*EVERYTHING, "self", "resource_name", "opts"} == set(inspect.signature(Provider.__init__).parameters)


def test_what_is_left_out_or_empty_comes_from_the_stacks_config() -> None:
    config = {
        "apiUrl": "http://127.0.0.1:1",
        "notify": "json://one.example",
        "preflight": "false",
        "defaultRegion": "FR",
    }
    expected = {f"twilio:{key}": value for key, value in config.items()}

    assert {PROVIDER_NAME_KEY: "eu"} == process_config()
    assert {PROVIDER_NAME_KEY: "eu", **expected} == process_config(config, notify=None, api_url=" ")
    blank = {**config, "apiUrl": f" {config['apiUrl']} ", "defaultRegion": " FR\n"}
    assert {PROVIDER_NAME_KEY: "eu", **expected} == process_config(blank)
    assert {PROVIDER_NAME_KEY: "eu"} == process_config({"defaultRegion": " "})
    assert {PROVIDER_NAME_KEY: "eu", **expected, "twilio:notify": [], "twilio:preflight": True} == process_config(
        config, notify=[], preflight=True
    )


@pytest.mark.parametrize(
    ("given", "config", "environment", "expected"),
    [
        pytest.param(
            {"account_sid": ACCOUNT, "auth_token": "mine"},
            {"accountSid": OTHER, "authToken": "theirs", "apiKey": KEY, "apiSecret": "theirs"},
            {},
            f"{ACCOUNT} mine for {ACCOUNT}",
            id="its own token, not the key of the config's account",
        ),
        pytest.param(
            {"account_sid": ACCOUNT, "auth_token": "mine"},
            {},
            {"TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "theirs"},
            f"{ACCOUNT} mine for {ACCOUNT}",
            id="its own token, not a key of the environment, whose ever it is",
        ),
        pytest.param(
            {"account_sid": ACCOUNT},
            {"accountSid": OTHER, "authToken": "theirs"},
            {},
            "Twilio credentials are missing for Provider eu: no auth token (or API key).",
            id="no token of another account in the config",
        ),
        pytest.param(
            {"account_sid": ACCOUNT},
            {},
            {"TWILIO_ACCOUNT_SID": OTHER, "TWILIO_AUTH_TOKEN": "theirs"},
            "Twilio credentials are missing for Provider eu: no auth token (or API key).",
            id="no token of another account in the environment",
        ),
        pytest.param(
            {"account_sid": ACCOUNT},
            {"accountSid": ACCOUNT, "authToken": "shared"},
            {},
            f"{ACCOUNT} shared for {ACCOUNT}",
            id="the config's token, as it is the same account",
        ),
        pytest.param(
            {"account_sid": ACCOUNT},
            {},
            {"TWILIO_AUTH_TOKEN": "shared"},
            f"{ACCOUNT} shared for {ACCOUNT}",
            id="the environment's token, as it names no account",
        ),
        pytest.param(
            {},
            {"accountSid": ACCOUNT},
            {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "shared"},
            f"{ACCOUNT} shared for {ACCOUNT}",
            id="nothing given: sid from the config, token from the environment",
        ),
        pytest.param(
            {"auth_token": "mine"},
            {"accountSid": ACCOUNT, "apiKey": KEY, "apiSecret": "shared"},
            {},
            f"{ACCOUNT} mine for {ACCOUNT}",
            id="a token is given: not the config's key",
        ),
        pytest.param(
            {"api_key": KEY},
            {"accountSid": ACCOUNT, "apiKey": KEY},
            {"TWILIO_API_SECRET": "shared"},
            "Provider eu's api_key is set, but Provider eu's api_secret is not.",
            id="no secret of the environment for a key that is given",
        ),
        pytest.param(
            {"account_sid": ACCOUNT, "api_key": KEY},
            {"apiKey": OTHER_KEY, "apiSecret": "theirs"},
            {},
            f"{OTHER_KEY} theirs for {ACCOUNT}",
            id="the first whole key, with its own secret",
        ),
    ],
)
def test_credentials_of_another_account_or_key_are_not_mixed_in(
    given: Mapping[str, Any], config: Mapping[str, str], environment: Mapping[str, str], expected: str
) -> None:
    assert expected == signed_in(given, config, environment)


def test_another_accounts_tokens_sign_no_callbacks() -> None:
    config = {"accountSid": OTHER, "callbackAuthTokens": "theirs"}
    own = process_config(config, account_sid=ACCOUNT, auth_token="mine", api_url="http://127.0.0.1:1")
    assert ("mine",) == load_settings(own.get, {}).signing_tokens


def test_an_account_that_is_an_output_counts_as_another_one_than_the_configs() -> None:
    """Nobody can compare them while the program runs."""

    async def program() -> dict[str, Any]:
        later = pulumi.Output.from_input(ACCOUNT)
        return process_config({"accountSid": ACCOUNT, "authToken": "theirs", "notify": "json://x"}, account_sid=later)

    assert {PROVIDER_NAME_KEY, "twilio:accountSid", "twilio:notify"} == set(asyncio.run(program()))


def test_what_becomes_of_an_unverified_number_may_be_an_output() -> None:
    """It has no value in a preview, and is checked before the first request to Twilio."""

    async def program() -> dict[str, Any]:
        return process_config({"unverified": "await"}, unverified=pulumi.Output.from_input("wait"))

    given = asyncio.run(program())
    assert isinstance(given["twilio:unverified"], pulumi.Output)
    arrived = process_config(account_sid=ACCOUNT, auth_token="token") | {"twilio:unverified": "wait"}
    with pytest.raises(SettingsError) as refused:
        load_settings(arrived.get, {})
    assert "Provider eu's unverified 'wait' must be fail or await." == refused.value.what


def test_what_is_missing_says_how_to_give_it() -> None:
    with pytest.raises(SettingsError) as missing:
        load_settings(process_config(account_sid=ACCOUNT).get, {})
    assert missing.value.todo == (
        "Give it account_sid and auth_token, or account_sid, api_key and api_secret.\n"
        "Credentials in the stack's config or the environment are ignored if they are for another account.\n"
        "For a subaccount's number, set account_sid on the resource."
    )
    with pytest.raises(SettingsError) as half:
        load_settings(process_config(account_sid=ACCOUNT, api_secret="mine").get, {})
    assert half.value.todo == (
        "Set Provider eu's api_key too, or remove Provider eu's api_secret."
        " Key and secret have to be in the same place."
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("account_sid", KEY, f"{KEY!r} is an API key: give the sid of the account, which begins with AC."),
        (
            "api_key",
            ACCOUNT,
            f"{ACCOUNT!r} is the sid of an account: give the sid of an API key, which begins with SK.",
        ),
        ("auth_token", "to\nken", "holds a character that Twilio's tokens and secrets never have."),
        ("api_url", "127.0.0.1", "must be a base URL"),
        ("callback_auth_tokens", [1], "must be text."),
        (
            "notify",
            ["json://fine", "canary"],
            "must be Apprise URLs, such as slack://..., and its entry 2 has no scheme",
        ),
        ("adopt", "perhaps", "'perhaps' must be true or false."),
        ("unverified", "wait", "'wait' must be fail or await."),
        ("unverified", True, "True must be text."),
        ("default_region", "XX", "'XX' must be a country, such as US, GB or DE."),
        ("default_region", "United States", "'United States' must be a country, such as US, GB or DE."),
        ("default_region", 49, "49 must be text."),
    ],
)
def test_a_plain_value_that_makes_no_sense_ends_the_program_with_one_message(name: str, value: Any, told: str) -> None:
    """Named as the argument it is; where it comes from the stack's config, by its key there."""
    with pytest.raises(pulumi.RunError) as refused:
        process_config(**{name: value})
    assert str(refused.value).startswith(f"Provider eu's {name} {told}")
    both = "Provider eu's account_sid takes the sid of the account (AC...), Provider eu's api_key that of an API key"
    todo = f"{both} (SK...)." if name in ("account_sid", "api_key") else f"Correct Provider eu's {name}."
    assert str(refused.value).endswith(f"\n{todo}")
    assert "canary" not in str(refused.value)

    if isinstance(value, str):
        with pytest.raises(pulumi.RunError) as refused:
            process_config({SETTINGS[name].key.removeprefix("twilio:"): value})
        assert str(refused.value).startswith(f"{SETTINGS[name].key} {told}")


@pytest.mark.parametrize("region", ["de", " DE\n", "GB"])
def test_a_region_in_any_spelling_passes(region: str) -> None:
    assert region.strip() == process_config(default_region=region)["twilio:defaultRegion"]


@pytest.mark.parametrize("name", [name for name, value in EVERYTHING.items() if not isinstance(value, bool)])
def test_text_in_another_encoding_ends_the_program_with_one_message(name: str) -> None:
    """Python has lone surrogates for the bytes of an environment variable that is not UTF-8."""
    value: Any = ["canary\udce9"] if isinstance(EVERYTHING[name], list) else "canary\udce9"
    with pytest.raises(pulumi.RunError) as refused:
        Provider("eu", **{name: value})

    assert str(refused.value).startswith(f"Provider eu's {name} ")
    assert not SETTINGS[name].secret or "canary" not in str(refused.value)
