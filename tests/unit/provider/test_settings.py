"""The account's settings, from the stack's config and the environment."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from pulumi_twilio_caller_id.errors import SettingsError
from pulumi_twilio_caller_id.phone_number import DEFAULT_REGION, DefaultRegion
from pulumi_twilio_caller_id.settings.model import Settings, load_settings, parse_apprise_urls
from pulumi_twilio_caller_id.settings.sources import SETTINGS, account_sid, default_region, misspelled

ACCOUNT = "AC" + "1" * 32
OTHER = "AC" + "2" * 32
KEY = "SK" + "3" * 32
CANARY = "canary-5f1d"

# Settings that can come from both config and environment.
BOTH = {name: (setting.key, setting.variable) for name, setting in SETTINGS.items() if setting.variable}
CONFIG = {
    "twilio:accountSid": ACCOUNT,
    "twilio:authToken": "token",
    "twilio:apiKey": KEY,
    "twilio:apiSecret": "secret",
    "twilio:apiUrl": "http://127.0.0.1:8484",
}
ENVIRONMENT = {
    "TWILIO_ACCOUNT_SID": OTHER,
    "TWILIO_AUTH_TOKEN": "other token",
    "TWILIO_API_KEY": "SK" + "4" * 32,
    "TWILIO_API_SECRET": "other secret",
    "TWILIO_API_URL": "http://127.0.0.1:9",
}
TOKEN_ONLY = {"twilio:accountSid": ACCOUNT, "twilio:authToken": "token"}
WITHOUT_ACCOUNT = (
    "\nWithout an account: begin the command with\n`python -m pulumi_twilio_caller_id sandbox --state sandbox.json --`."
)
ADVICE_FOR_STACK = (
    "Set twilio:accountSid and twilio:authToken in the stack's config (`pulumi config set --secret twilio:authToken`)\n"
    "or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment."
)
SID_TODO = "twilio:accountSid takes the sid of the account (AC...), twilio:apiKey that of an API key (SK...)."


def plain(config: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str | None]:
    """All settings, with their secrets shown."""
    found = load_settings(config.get, environment)
    secrets = {
        name: value.get_secret_value() for name in ("auth_token", "api_secret") if (value := getattr(found, name))
    }
    return {name: value for name, value in (found.model_dump() | secrets).items() if name in BOTH}


def refusal(config: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(config.get, environment or {})
    return str(caught.value)


# Where settings come from


def test_settings_come_from_the_config() -> None:
    expected = {name: CONFIG[key] for name, (key, _) in BOTH.items()}
    assert expected == plain(CONFIG, {})


def test_settings_come_from_the_environment() -> None:
    expected = {name: ENVIRONMENT[variable] for name, (_, variable) in BOTH.items()}
    assert expected == plain({}, ENVIRONMENT)


def test_config_wins_over_the_environment() -> None:
    """Its credentials as a whole: test_credentials.py has what comes of parts."""
    expected = {name: CONFIG[key] for name, (key, _) in BOTH.items()}
    assert expected == plain(CONFIG, ENVIRONMENT)


def test_other_settings_are_looked_up_on_their_own() -> None:
    expected = {name: ENVIRONMENT[variable] for name, (_, variable) in BOTH.items()}
    assert expected | {"api_url": "http://127.0.0.1:1"} == plain({"twilio:apiUrl": "http://127.0.0.1:1"}, ENVIRONMENT)
    expected = {name: CONFIG[key] for name, (key, _) in BOTH.items()}
    without = {key: value for key, value in CONFIG.items() if key != "twilio:apiUrl"}
    assert expected | {"api_url": ENVIRONMENT["TWILIO_API_URL"]} == plain(without, ENVIRONMENT)


@pytest.mark.parametrize("name", BOTH)
def test_an_empty_setting_counts_as_not_set(name: str) -> None:
    """CI systems hand over a missing secret as an empty variable."""
    _, variable = BOTH[name]
    expected = {other: CONFIG[key] for other, (key, _) in BOTH.items()}
    assert expected == plain(CONFIG, {variable: ""})
    empty = {key: "" for key, _ in BOTH.values()}
    assert {other: ENVIRONMENT[variable] for other, (_, variable) in BOTH.items()} == plain(empty, ENVIRONMENT)


def test_every_setting_but_the_region_is_in_the_model() -> None:
    assert SETTINGS.keys() - {"default_region"} == Settings.model_fields.keys() - {"token_source", "key_source"}
    assert DEFAULT_REGION.setting == SETTINGS["default_region"].key


# What is missing


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, "no account sid and no auth token (or API key)"),
        ({"twilio:accountSid": ACCOUNT}, "no auth token (or API key)"),
        ({"twilio:accountSid": ACCOUNT, "twilio:authToken": ""}, "no auth token (or API key)"),
        ({"twilio:authToken": "token"}, "no account sid"),
        ({"twilio:apiKey": KEY, "twilio:apiSecret": "secret"}, "no account sid"),
    ],
)
def test_what_is_missing_is_named_with_the_way_to_set_it(config: dict[str, str], missing: str) -> None:
    sandbox = WITHOUT_ACCOUNT if config == {} else ""
    assert f"Twilio credentials are missing: {missing}.\n{ADVICE_FOR_STACK}{sandbox}" == refusal(config)


@pytest.mark.parametrize("token", [{}, {"twilio:authToken": "token"}, {"TWILIO_AUTH_TOKEN": "token"}])
@pytest.mark.parametrize(
    ("has", "lacks"),
    [
        ("twilio:apiKey", "twilio:apiSecret"),
        ("TWILIO_API_KEY", "TWILIO_API_SECRET"),
        ("twilio:apiSecret", "twilio:apiKey"),
        ("TWILIO_API_SECRET", "TWILIO_API_KEY"),
    ],
)
def test_half_an_api_key_is_refused(token: dict[str, str], has: str, lacks: str) -> None:
    """Also beside an auth token: which of the two was meant is not ours to guess."""
    given = {"twilio:accountSid": ACCOUNT, has: KEY if has.lower().endswith("key") else "secret"} | token
    config = {name: value for name, value in given.items() if name.startswith("twilio:")}
    environment = {name: value for name, value in given.items() if name not in config}
    if token and (has in environment) != (
        "TWILIO_AUTH_TOKEN" in environment
    ):  # the other source has all that is needed
        assert "token" == load_settings(config.get, environment).basic_auth(ACCOUNT)[1]
        return
    todo = f"Set {lacks} too, or remove {has}. Key and secret have to be in the same place."
    assert f"{has} is set, but {lacks} is not.\n{todo}" == refusal(config, environment)


def test_credentials_of_another_account_are_missed_with_the_reason() -> None:
    expected = (
        f"Twilio credentials are missing: no auth token (or API key).\n{ADVICE_FOR_STACK}\n"
        "The environment's credentials are not used: TWILIO_ACCOUNT_SID is another account than twilio:accountSid."
    )
    assert expected == refusal({"twilio:accountSid": ACCOUNT}, ENVIRONMENT)


# Who asks


def test_the_token_authenticates_the_account() -> None:
    assert load_settings(TOKEN_ONLY.get, {}).basic_auth(ACCOUNT) == (ACCOUNT, "token")


def test_an_api_key_is_used_where_there_is_one() -> None:
    assert load_settings(CONFIG.get, {}).basic_auth(ACCOUNT) == (KEY, "secret")


# What makes no sense


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "accountSid",
            KEY,
            f"{KEY!r} is an API key: give the sid of the account, which begins with AC",
        ),
        ("accountSid", "AC1", "'AC1' must be the sid of an account: AC and 32 hexadecimal digits"),
        (
            "apiKey",
            ACCOUNT,
            f"{ACCOUNT!r} is the sid of an account: give the sid of an API key, which begins with SK",
        ),
        ("apiKey", "SK3", "'SK3' must be the sid of an API key: SK and 32 hexadecimal digits"),
        ("apiUrl", "127.0.0.1:8484", "must be a base URL: http or https, a host, and no user, query or fragment"),
        ("authToken", 5, "must be text"),
        ("apiSecret", ["secret"], "must be text"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_source(name: str, value: object, reason: str) -> None:
    """The values of secrets are left out."""
    todo = SID_TODO if name in ("accountSid", "apiKey") else f"Correct twilio:{name}."
    assert f"twilio:{name} {reason}.\n{todo}" == refusal(CONFIG | {f"twilio:{name}": value})


def test_the_source_is_named_as_it_was_found() -> None:
    expected = (
        "TWILIO_ACCOUNT_SID 'AC1' must be the sid of an account: AC and 32 hexadecimal digits.\n"
        "TWILIO_ACCOUNT_SID takes the sid of the account (AC...), TWILIO_API_KEY that of an API key (SK...)."
    )
    assert expected == refusal({}, ENVIRONMENT | {"TWILIO_ACCOUNT_SID": "AC1"})
    mixed_up = f"{KEY!r} is an API key: give the sid of the account, which begins with AC"
    assert f"TWILIO_ACCOUNT_SID {mixed_up}" in refusal({}, ENVIRONMENT | {"TWILIO_ACCOUNT_SID": KEY})


@pytest.mark.parametrize("name", ["authToken", "apiSecret"])
def test_a_secret_that_cannot_be_sent(name: str) -> None:
    """One with a typographic dash, say, copied from a document."""
    given = {"twilio:accountSid": ACCOUNT, "twilio:apiKey": "SK" + "1" * 32, f"twilio:{name}": "abc\u2013def"}
    if name == "authToken":
        del given["twilio:apiKey"]
    with pytest.raises(SettingsError) as caught:
        load_settings(given.get, {})
    assert f"twilio:{name} holds a character that Twilio's tokens and secrets never have." == caught.value.what


def test_spaces_around_a_setting_are_dropped() -> None:
    """A secret of a CI system often ends with a line break; no setting has spaces at its ends."""
    settings = load_settings({"twilio:accountSid": f" {ACCOUNT}", "twilio:authToken": "token\n"}.get, {})

    assert (ACCOUNT, "token") == settings.basic_auth(settings.account_sid)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://127.0.0.1:8484/", "http://127.0.0.1:8484"),
        ("https://twilio.example", "https://twilio.example"),
        ("https://gateway.example/twilio/", "https://gateway.example/twilio"),
    ],
)
def test_an_api_url_is_a_base_url(given: str, expected: str) -> None:
    assert expected == load_settings((TOKEN_ONLY | {"twilio:apiUrl": given}).get, {}).api_url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host",
        "http://",
        "http://host:0",
        "http://ho st",
        "http://[::1",
        f"http://user:{CANARY}@127.0.0.1:8484",
        f"http://user:{CANARY}/x@127.0.0.1:8484",
        f"http://user:{CANARY}",
        f"user:{CANARY}@127.0.0.1",
        f"http:user:{CANARY}",
        f"http://host:{CANARY}",
        f"http://host?x={CANARY}",
        f"http://host#{CANARY}",
        CANARY * 3,
    ],
)
def test_an_api_url_that_cannot_be_one_is_refused_and_not_quoted(url: str) -> None:
    """It may hold a password."""
    reason = "must be a base URL: http or https, a host, and no user, query or fragment"
    assert f"twilio:apiUrl {reason}.\nCorrect twilio:apiUrl." == refusal(TOKEN_ONLY | {"twilio:apiUrl": url})


@pytest.mark.parametrize("region", ["ie1", "au1", "us2", "US1"])
def test_another_region_is_refused(region: str) -> None:
    """Before anything else is looked at: caller IDs would be looked for where there are none."""
    expected = (
        f"TWILIO_REGION is {region!r}, but verified caller IDs live in us1 only.\nUnset TWILIO_REGION for this stack."
    )
    assert expected == refusal({}, {"TWILIO_REGION": region})


@pytest.mark.parametrize("edge", ["dublin", "sydney", "roaming"])
def test_another_regions_edge_is_refused(edge: str) -> None:
    expected = f"TWILIO_EDGE is {edge!r}, but verified caller IDs live in us1 only.\nUnset TWILIO_EDGE for this stack."
    assert expected == refusal(TOKEN_ONLY, {"TWILIO_REGION": "us1", "TWILIO_EDGE": edge})


@pytest.mark.parametrize("region", ["us1", ""])
@pytest.mark.parametrize("edge", ["ashburn", "us1", ""])
def test_the_region_of_caller_ids_passes(region: str, edge: str) -> None:
    assert load_settings(TOKEN_ONLY.get, {"TWILIO_REGION": region, "TWILIO_EDGE": edge}).account_sid == ACCOUNT


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("twilio:accountSID", "twilio:accountSid"),
        ("twilio:acountSid", "twilio:accountSid"),
        ("twilio:auth_token", "twilio:authToken"),
        ("twilio:authtoken", "twilio:authToken"),
        ("twilio:callbackURL", "twilio:callbackUrl"),
        ("twilio:prefligth", "twilio:preflight"),
        ("twilio:adpot", "twilio:adopt"),
        ("twilio:unverifed", "twilio:unverified"),
        ("twilio:notifiy", "twilio:notify"),
        ("twilio:default_region", "twilio:defaultRegion"),
    ],
)
def test_a_misspelled_key_is_told_from_the_right_one(key: str, near: str) -> None:
    assert {key: near} == misspelled([key, "twilio:adopt", "aws:region", "project:accountSids"])


def test_keys_that_are_not_ours_are_left_alone() -> None:
    """Other providers for Twilio share the namespace."""
    ours = [setting.key for setting in SETTINGS.values()]
    shared = [
        *ours,
        "twilio:provider",
        "twilio:retryAttempts",
        "twilio:region",
        "twilio:skipValidation",
    ]
    assert {} == misspelled(shared)


# No secret is shown


def test_settings_show_no_secret() -> None:
    settings = load_settings((CONFIG | {"twilio:authToken": CANARY, "twilio:apiSecret": CANARY}).get, {})
    for shown in (repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()):
        assert CANARY not in shown


LEAKS: dict[str, dict[str, Any]] = {
    "bad account": CONFIG | {"twilio:authToken": CANARY, "twilio:accountSid": "AC1"},
    "bad key": CONFIG | {"twilio:apiSecret": CANARY, "twilio:apiKey": "SK1"},
    "token is no text": CONFIG | {"twilio:authToken": [CANARY]},
    "secret is no text": CONFIG | {"twilio:apiSecret": {"value": CANARY}},
    "no account": {"twilio:authToken": CANARY},
    "half a key": {"twilio:accountSid": ACCOUNT, "twilio:apiSecret": CANARY},
    "password in the api url": CONFIG | {"twilio:apiUrl": f"http://user:{CANARY}@127.0.0.1:8484"},
    "account and token swapped": CONFIG | {"twilio:accountSid": CANARY, "twilio:authToken": ACCOUNT},
    "key and secret swapped": CONFIG | {"twilio:apiKey": CANARY, "twilio:apiSecret": KEY},
}


@pytest.mark.parametrize("config", LEAKS.values(), ids=LEAKS.keys())
def test_errors_show_no_secret(config: dict[str, Any]) -> None:
    """Neither in the message nor in a traceback."""
    with pytest.raises(SettingsError) as caught:
        load_settings(config.get, {})
    assert CANARY not in "".join(traceback.format_exception(caught.value))


# Looked up on their own


@pytest.mark.parametrize(
    ("config", "environment", "expected"),
    [
        ({"twilio:accountSid": ACCOUNT}, ENVIRONMENT, ACCOUNT),
        ({}, ENVIRONMENT, OTHER),
        ({}, {}, None),
        ({"twilio:accountSid": "AC1"}, {}, None),
        ({"twilio:accountSid": 5}, {}, None),
    ],
)
def test_the_account_is_known_without_credentials(
    config: dict[str, Any], environment: dict[str, str], expected: str | None
) -> None:
    assert expected == account_sid(config.get, environment)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, "US"), ("", "US"), (" \n", "US"), ("GB", "GB"), (" de\n", "DE")]
)
def test_the_default_region_is_a_country_in_capitals(given: str | None, expected: str) -> None:
    assert DefaultRegion(expected) == default_region({"twilio:defaultRegion": given}.get)


# Callbacks and notifications

CALLBACKS = TOKEN_ONLY | {"twilio:callbackUrl": "https://hooks.example.com/twilio/"}


def test_callbacks() -> None:
    found = load_settings(
        (CALLBACKS | {"twilio:callbackAuthTokens": "old, older", "twilio:callbackListen": "[::1]:80"}).get, {}
    )
    assert ("https://hooks.example.com/twilio", "[::1]:80") == (found.callback_url, found.callback_listen)
    assert ("token", "old", "older") == found.signing_tokens
    assert "127.0.0.1:8585" == load_settings(CALLBACKS.get, {}).callback_listen


@pytest.mark.parametrize("value", ["a,b", "a b", '["a", "b"]', ["a", "b"]])
def test_tokens_as_text_and_as_a_list(value: object) -> None:
    """A list in a stack's config arrives as JSON."""
    settings = load_settings({**TOKEN_ONLY, "twilio:callbackAuthTokens": value}.get, {})
    assert ("token", "a", "b") == settings.signing_tokens


def test_with_an_api_key_alone_no_token_can_have_signed() -> None:
    given = {"twilio:accountSid": ACCOUNT, "twilio:apiKey": KEY, "twilio:apiSecret": "secret"}
    assert () == load_settings(given.get, {}).signing_tokens


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("callbackUrl", "hooks.example.com", "must be a base URL"),
        ("callbackUrl", "https://hooks.example.com/" + "x" * 900, "is too long"),
        ("callbackUrl", "http://localhost:8585", "names this machine, which Twilio can't reach"),
        ("callbackListen", "8585", "must be host:port"),
        ("callbackAuthTokens", "t\u00f6ken", "holds a character that Twilio's tokens and secrets never have"),
        ("notify", "canary", "must be Apprise URLs"),
    ],
)
def test_callback_settings_that_make_no_sense(key: str, value: str, expected: str) -> None:
    told = refusal(CALLBACKS | {f"twilio:{key}": value})
    assert f"twilio:{key} {expected}" in told
    assert "canary" not in told


def test_a_sandbox_on_this_machine_reaches_this_machine() -> None:
    local = {"twilio:callbackUrl": "http://127.0.0.1:8585", "twilio:apiUrl": "http://127.0.0.1:8484"}
    assert "http://127.0.0.1:8585" == load_settings((CALLBACKS | local).get, {}).callback_url


@pytest.mark.parametrize("key", ["adopt", "preflight"])
def test_a_switch_is_true_or_false(key: str) -> None:
    """A stack's config has text where the program has a bool."""
    for value, expected in (("true", True), ("False", False), (True, True), (False, False)):
        config = {**TOKEN_ONLY, f"twilio:{key}": value}
        assert expected is getattr(load_settings(config.get, {}), key)
    assert f"twilio:{key} 'yes' must be true or false.\nCorrect twilio:{key}." == refusal(
        {**TOKEN_ONLY, f"twilio:{key}": "yes"}
    )


def test_an_unverified_number_fails_or_awaits() -> None:
    """What is neither is quoted, as it can't be a secret."""
    assert "fail" == load_settings(TOKEN_ONLY.get, {}).unverified
    for value, expected in (("fail", "fail"), ("await", "await"), (" await\n", "await"), ("", "fail")):
        assert expected == load_settings((TOKEN_ONLY | {"twilio:unverified": value}).get, {}).unverified
    for value in ("wait", "Await", "true", "fail await"):
        assert f"twilio:unverified {value!r} must be fail or await.\nCorrect twilio:unverified." == refusal(
            TOKEN_ONLY | {"twilio:unverified": value}
        )


def test_switches_as_they_are_unless_set() -> None:
    settings = load_settings(TOKEN_ONLY.get, {})
    assert (False, True) == (settings.adopt, settings.preflight)


# Apprise URLs

A, B, C = "slack://a/b/c", "mailto://u:p@h?to=x@h,y@h", "json://h"


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        (None, ()),
        ("", ()),
        (" \n,", ()),
        ([], ()),
        ("[]", ()),
        (A, (A,)),
        (f"  {A}\n", (A,)),
        (f"{A} {B}\n{C}", (A, B, C)),
        (f"{A},{B},{C}", (A, B, C)),
        (f"{A}, {B} ,,{C},", (A, B, C)),
        ([A, "", f" {B} "], (A, B)),
        ((A,), (A,)),
        (json.dumps([A, " ", B]), (A, B)),
        ("  " + json.dumps([C]), (C,)),
        ("SLACK://a", ("SLACK://a",)),
    ],
)
def test_apprise_urls_as_they_are_written(value: object, urls: tuple[str, ...]) -> None:
    assert urls == parse_apprise_urls(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        *(
            (value, "must be Apprise URLs, as a list or with spaces between them")
            for value in (7, True, {CANARY: C}, [C, 7], [[C]], f'[["{CANARY}"]]', f'["{CANARY}", null]')
        ),
        *(
            (value, "must be Apprise URLs, such as slack://..., and its entry 1 has no scheme")
            for value in (CANARY, f'["{CANARY}"]', f'["{C}/{CANARY}"', f"://{CANARY}")
        ),
        (f"{C} {CANARY}", "must be Apprise URLs, such as slack://..., and its entry 2 has no scheme"),
        ([C, A, CANARY], "must be Apprise URLs, such as slack://..., and its entry 3 has no scheme"),
    ],
)
def test_other_text_is_refused_and_not_quoted(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match="must be") as refused:
        parse_apprise_urls(value)
    assert reason == str(refused.value)
