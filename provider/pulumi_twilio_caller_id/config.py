"""Where the account's settings come from: the stack's config and the environment.

Each setting is looked up on its own, config first: `twilio:accountSid` in the stack and the token in the environment
is a usual split. In the process of an explicit `Provider`, what it was given stands in for the stack's config, and
another account's credentials are not mixed in, see `foreign`. What the values may be is up to `settings.py`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from .inputs import ACCOUNT_SID
from .masking import conceal
from .phone_number import DEFAULT_REGION, REGION_KEY

# setting: key in the namespace `twilio:` of a stack's config, environment variable (named as Twilio's own tools do)
SOURCES: dict[str, tuple[str, str | None]] = {
    "account_sid": ("accountSid", "TWILIO_ACCOUNT_SID"),
    "auth_token": ("authToken", "TWILIO_AUTH_TOKEN"),
    "api_key": ("apiKey", "TWILIO_API_KEY"),
    "api_secret": ("apiSecret", "TWILIO_API_SECRET"),
    "api_url": ("apiUrl", "TWILIO_API_URL"),
    "callback_url": ("callbackUrl", None),
    "callback_listen": ("callbackListen", None),
    "callback_auth_tokens": ("callbackAuthTokens", None),
    "notify": ("notify", None),
    "adopt": ("adopt", None),
    "preflight": ("preflight", None),
}

SECRET = frozenset({"auth_token", "api_secret", "callback_auth_tokens", "notify"})
"""The settings that nobody may see."""

PROVIDER = "twilio:provider"
"""What the configuration of an explicit `Provider`'s process has and a stack's has not: the provider's name."""

KEYS = frozenset({f"twilio:{key}" for key, _ in SOURCES.values()} | {REGION_KEY})
"""All keys of the stack's config that mean something here."""

Lookup = Callable[[str], Any]
"""Answers a key of the stack's config, such as `twilio:accountSid`, with its value or None."""


def account_sid(config: Lookup, environment: Mapping[str, str]) -> str | None:
    """The sid of the account that is set, None where none is; needs no credentials."""
    key, variable = SOURCES["account_sid"]
    sid = _kept(config(f"twilio:{key}")) or _kept(environment.get(str(variable)))
    return sid if isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid) else None


def default_region(config: Lookup) -> str:
    """The country whose numbers may be written without a country code: `twilio:defaultRegion`, else US."""
    return str(_kept(config(REGION_KEY)) or DEFAULT_REGION).upper()


def region_setting(config: Lookup) -> str:
    """The name that a message has for where `default_region` is from."""
    provider = config(PROVIDER)
    return REGION_KEY if provider is None else f"Provider {provider}'s default_region"


def foreign(above: Mapping[str, Any], below: Mapping[str, Any]) -> frozenset[str]:
    """The settings in `below` that may not complete those in `above`, for they belong to something else.

    That is the credentials of another account, the secret of another key, and a key, which would be used before it,
    where `above` has an auth token.
    """
    if _differ("account_sid", above, below):
        return frozenset({"auth_token", "api_key", "api_secret", "callback_auth_tokens"})
    if _differ("api_key", above, below):
        return frozenset({"api_secret"})
    if "auth_token" in above and "api_key" not in above and "api_secret" not in above:
        return frozenset({"api_key", "api_secret"})
    return frozenset()


def _differ(name: str, above: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    return name in above and name in below and bool(above[name] != below[name])


def set_in(config: Lookup) -> dict[str, Any]:
    """What a config sets."""
    values = {name: _kept(config(f"twilio:{key}")) for name, (key, _) in SOURCES.items()}
    return {name: value for name, value in values.items() if value is not None}


def conceal_secrets(config: Lookup, environment: Mapping[str, str]) -> None:
    """Have the secrets that are set masked in whatever text of this process; credentials also as they are sent."""

    def given(name: str) -> tuple[Any, Any]:
        key, variable = SOURCES[name]
        return config(f"twilio:{key}"), environment.get(variable or "")

    for value in (value for name in SECRET for value in given(name)):
        conceal(value, *_items(value))
    for user, password in (("account_sid", "auth_token"), ("api_key", "api_secret")):
        pairs = [f"{_kept(u)}:{_kept(p)}" for u in given(user) for p in given(password) if u and p]
        conceal(*(base64.b64encode(pair.encode("utf-8", "surrogatepass")).decode() for pair in pairs))


def _items(value: Any) -> Iterable[Any]:
    """Of a list, a list as JSON, or text with white space or commas between them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, (list, tuple)) else re.split(r"[\s,]+", str(value or ""))


def _kept(value: Any) -> Any:
    """None for an empty value, which counts as not set: CI systems hand a missing secret to a job as an empty variable.
    No setting has spaces at its ends, so those are not kept.
    """
    kept = value.strip() if isinstance(value, str) else value
    return None if kept == "" else kept


def found(config: Lookup, environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What is set, and the name each setting was found under."""
    provider = config(PROVIDER)
    variables = {f"twilio:{key}": variable for key, variable in SOURCES.values() if variable}
    above, below = set_in(config), set_in(lambda key: environment.get(variables.get(key, "")))
    left_out = foreign(above, below) if provider is not None else frozenset()
    values = {**{name: value for name, value in below.items() if name not in left_out}, **above}
    named = {name: SOURCES[name][1] or "" for name in below}
    for name in above:
        named[name] = f"twilio:{SOURCES[name][0]}" if provider is None else f"Provider {provider}'s {name}"
    return values, named


def misspelled(keys: Iterable[str]) -> dict[str, str]:
    """Which of a config's keys are not ours but nearly so, each with the one that it is like.

    What is like none is left alone: the namespace is shared with other providers for Twilio.
    """
    strange = {key for key in keys if key.startswith("twilio:")} - KEYS - {PROVIDER}
    if not strange:
        return {}
    import difflib  # late: for a mistake alone

    near = {key: difflib.get_close_matches(key, KEYS, 1, cutoff=0.85) for key in sorted(strange)}
    return {key: matches[0] for key, matches in near.items() if matches}
