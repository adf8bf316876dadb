"""Where the account's settings come from: the stack's config and the environment.

Each setting is looked up on its own, config first. Credentials are taken from one source, see `settle`. In the process
of an explicit `Provider`, what it was given stands in for the stack's config. What the values may be is up to
`settings.py`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pulumi_twilio_caller_id.inputs import ACCOUNT_SID
from pulumi_twilio_caller_id.phone_number import DEFAULT_REGION, REGION_KEY
from pulumi_twilio_caller_id.text import register_secret

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

KEY_HALVES = ("api_key", "api_secret")
CREDENTIALS = frozenset({"auth_token", *KEY_HALVES})
"""What opens an account. Its sid is no secret, and may come from another source."""

SECRET = frozenset({"auth_token", "api_secret", "callback_auth_tokens", "notify"})
"""The settings that nobody may see."""

PROVIDER = "twilio:provider"
"""The key for the Provider's name. Only the configuration of an explicit `Provider`'s process has it."""

KEYS = frozenset({f"twilio:{key}" for key, _ in SOURCES.values()} | {REGION_KEY})
"""All keys of the stack's config that mean something here."""

Lookup = Callable[[str], Any]
"""Answers a key of the stack's config, such as `twilio:accountSid`, with its value or None."""


def account_sid(config: Lookup, environment: Mapping[str, str]) -> str | None:
    """The sid of the account that is set, None where none is; needs no credentials."""
    key, variable = SOURCES["account_sid"]
    sid = blank_to_none(config(f"twilio:{key}")) or blank_to_none(environment.get(str(variable)))
    return sid if isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid) else None


def api_address(config: Lookup, environment: Mapping[str, str]) -> str:
    """The base URL that is set in place of Twilio's own, in one spelling of several; "" for Twilio's own."""
    key, variable = SOURCES["api_url"]
    url = (
        str(blank_to_none(config(f"twilio:{key}")) or blank_to_none(environment.get(str(variable))) or "")
        .lower()
        .rstrip("/")
    )
    return "" if re.fullmatch(r"https?://([\w-]+\.)*twilio\.com(:\d+)?", url) else url


def default_region(config: Lookup) -> str:
    """The country whose numbers may be written without a country code: `twilio:defaultRegion`, else US."""
    return str(blank_to_none(config(REGION_KEY)) or DEFAULT_REGION).upper()


def region_setting(config: Lookup) -> str:
    """The name that a message has for where `default_region` is from."""
    provider = config(PROVIDER)
    return REGION_KEY if provider is None else f"Provider {provider}'s default_region"


def settle(above: Mapping[str, Any], below: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What two sources set, `above` going first, less the credentials that are not used.

    The first source with an auth token, or with an API key and its secret, is used. Credentials of two sources are
    never mixed: another source may only add the account's sid, unless it names another account.
    """
    if conflicting("account_sid", above, below):
        return dict(above), _without(CREDENTIALS | {"callback_auth_tokens"}, below)
    if _opens(above) or (CREDENTIALS & above.keys() and not _opens(below)):
        return dict(above), _without(CREDENTIALS, below)
    return _without(CREDENTIALS, above), dict(below)


def _opens(source: Mapping[str, Any]) -> bool:
    """Whether a source has what opens an account."""
    return "auth_token" in source or all(half in source for half in KEY_HALVES)


def _without(names: Container[str], source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in names}


def conflicting(name: str, above: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    return name in above and name in below and bool(above[name] != below[name])


def from_config(config: Lookup) -> dict[str, Any]:
    """What a config sets."""
    values = {name: blank_to_none(config(f"twilio:{key}")) for name, (key, _) in SOURCES.items()}
    return {name: value for name, value in values.items() if value is not None}


def conceal_secrets(config: Lookup, environment: Mapping[str, str]) -> None:
    """Have the secrets that are set masked in whatever text of this process; credentials also as they are sent."""

    def given(name: str) -> tuple[Any, Any]:
        key, variable = SOURCES[name]
        return config(f"twilio:{key}"), environment.get(variable or "")

    for value in (value for name in SECRET for value in given(name)):
        register_secret(value, *_items(value))
    for user, password in (("account_sid", "auth_token"), ("api_key", "api_secret")):
        pairs = [f"{blank_to_none(u)}:{blank_to_none(p)}" for u in given(user) for p in given(password) if u and p]
        register_secret(*(base64.b64encode(pair.encode("utf-8", "surrogatepass")).decode() for pair in pairs))


def _items(value: Any) -> Iterable[Any]:
    """Of a list, a list as JSON, or text with white space or commas between them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, (list, tuple)) else re.split(r"[\s,]+", str(value or ""))


def blank_to_none(value: Any) -> Any:
    """None for an empty value, which counts as not set: CI systems hand a missing secret to a job as an empty variable.
    No setting has spaces at its ends, so those are not kept.
    """
    kept = value.strip() if isinstance(value, str) else value
    return None if kept == "" else kept


@dataclass(frozen=True)
class ResolvedSources:
    """What is set. `named`: the name that each setting was found under. `other_account`: the variable that names
    another account than the config, if the environment's credentials are not used for that reason; else "".
    """

    values: dict[str, Any]
    named: dict[str, str]
    other_account: str

    def source(self, *names: str) -> str:
        """Where these settings come from, in words, without any value."""
        places: dict[str, list[str]] = {}
        for label in (self.named[name] for name in names if name in self.named):
            provider, _, argument = label.rpartition("'s ")
            place = provider or ("the stack's config" if label.startswith("twilio:") else "the environment")
            places.setdefault(place, []).append(argument)
        return " and ".join(f"{place} ({', '.join(labels)})" for place, labels in places.items())


def resolve_sources(config: Lookup, environment: Mapping[str, str]) -> ResolvedSources:
    """What config and environment set."""
    provider = config(PROVIDER)
    variables = {f"twilio:{key}": variable for key, variable in SOURCES.values() if variable}
    above, below = from_config(config), from_config(lambda key: environment.get(variables.get(key, "")))
    first, later = settle(above, below)
    named = {name: SOURCES[name][1] or "" for name in later}
    for name in first:
        named[name] = f"twilio:{SOURCES[name][0]}" if provider is None else f"Provider {provider}'s {name}"
    excluded = conflicting("account_sid", above, below) and CREDENTIALS & below.keys()
    return ResolvedSources({**later, **first}, named, str(SOURCES["account_sid"][1]) if excluded else "")


def beside(label: str, name: str, other: str) -> str:
    """How `other` is spelled in the source where `name` is spelled `label`: `twilio:apiSecret` for `twilio:apiKey`."""
    names = zip((*SOURCES[name], name), (*SOURCES[other], other), strict=True)
    return next(f"{label.removesuffix(str(own))}{its}" for own, its in names if label.endswith(str(own)))


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
