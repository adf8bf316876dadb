"""Who asks Twilio, and where: the account's settings, from the stack's config and the environment.

Each setting is looked up on its own, config first: `twilio:accountSid` in the stack and the token in the environment
is a usual split. In the process of an explicit `Provider`, what it was given stands in for the stack's config, and
another account's credentials are not mixed in, see `foreign`. Nothing here is read before a call to Twilio is made, so
that a preview needs no credentials.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from .errors import CredentialsMissing, SettingsError, shown
from .inputs import ACCOUNT_SID, DEFAULT_REGION, is_loopback
from .setting_types import AccountSid, ApiKey, BaseUrl, CallbackUrl, Flag, Listen, Notify, Secret, Tokens

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

PROVIDER = "twilio:provider"
"""What the configuration of an explicit `Provider`'s process has and a stack's has not: the provider's name."""

HOW_TO_SET = (
    "Set twilio:accountSid and twilio:authToken in the stack's config (`pulumi config set --secret twilio:authToken`)\n"
    "or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment."
)
HOW_TO_GIVE = (
    "Give it account_sid and auth_token, or account_sid, api_key and api_secret. What the stack's config and the\n"
    "environment have for another account is not used; for a subaccount's numbers, give the resource its account_sid."
)

REGION_KEY = "twilio:defaultRegion"
KEYS = frozenset({f"twilio:{key}" for key, _ in SOURCES.values()} | {REGION_KEY})
"""All keys of the stack's config that mean something here."""

Lookup = Callable[[str], Any]
"""Answers a key of the stack's config, such as `twilio:accountSid`, with its value or None."""


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


class Settings(BaseModel):
    """One Twilio account, complete enough to send requests to it."""

    model_config = ConfigDict(frozen=True)

    account_sid: AccountSid
    auth_token: Secret | None = None
    api_key: ApiKey | None = None
    api_secret: Secret | None = None
    api_url: BaseUrl | None = None
    callback_url: CallbackUrl | None = None
    callback_listen: Listen = "127.0.0.1:8585"
    callback_auth_tokens: Tokens = ()
    notify: Notify = ()
    adopt: Flag = False
    preflight: Flag = True

    @model_validator(mode="after")
    def _callback_is_public(self) -> Self:
        sandbox_here = self.api_url is not None and is_loopback(_host(self.api_url))  # which can reach this machine
        if self.callback_url and is_loopback(_host(self.callback_url)) and not sandbox_here:
            raise ValueError("names this machine, which Twilio can't reach: give the URL of a tunnel or ingress")
        return self

    @property
    def signing_tokens(self) -> tuple[str, ...]:
        """The auth tokens that may have signed a callback: with an API key alone, none.

        An API key's secret never signs (Twilio docs: usage/rest-api-best-practices).
        """
        tokens = (self.auth_token, *self.callback_auth_tokens)
        return tuple(token.get_secret_value() for token in tokens if token is not None)

    @property
    def username_and_password(self) -> tuple[str, str]:
        """What Basic authentication takes: the API key where there is one, else the account's token."""
        if self.api_key and self.api_secret:
            return self.api_key, self.api_secret.get_secret_value()
        assert self.auth_token is not None, "resolve() lets nothing else through"  # noqa: S101
        return self.account_sid, self.auth_token.get_secret_value()


def resolve(config: Lookup, environment: Mapping[str, str]) -> Settings:
    """The settings in force. Raises CredentialsMissing, or SettingsError for what makes no sense, naming its source."""
    _refuse_other_regions(environment)
    provider = config(PROVIDER)
    found, named = _found(config, environment)
    missing = []
    if "account_sid" not in found:
        missing.append("account sid")
    if ("api_key" in found) != ("api_secret" in found):
        has, lacks = ("api_key", "api_secret") if "api_key" in found else ("api_secret", "api_key")
        key, variable = SOURCES[lacks]
        source = f"twilio:{key} or {variable}" if provider is None else f"Provider {provider}'s {lacks}"
        raise SettingsError(
            f"{named[has]} is set, but its other half is not.",
            f"Set {source} too, or leave both out.",
        )
    if "auth_token" not in found and "api_key" not in found:
        missing.append("auth token (or API key)")
    if missing:
        whose = "" if provider is None else f" for Provider {provider}"
        raise CredentialsMissing(
            f"Twilio credentials are missing{whose}: no {' and no '.join(missing)}.",
            HOW_TO_SET if provider is None else HOW_TO_GIVE,
        )
    try:
        return Settings.model_validate(found)
    except ValidationError as refused:
        first = refused.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "callback_url"  # the one check over several settings
        raise _senseless(name, found[name], named[name], refused) from None


def refuse_senseless(name: str, value: object, label: str) -> None:
    """Raises SettingsError, under the name `label`, for a value that the setting can't have whatever the others are."""
    try:
        TypeAdapter(Settings.model_fields[name].rebuild_annotation()).validate_python(value)
    except ValidationError as refused:
        raise _senseless(name, value, label, refused) from None


def _senseless(name: str, value: object, label: str, refused: ValidationError) -> SettingsError:
    reason = refused.errors()[0].get("ctx", {}).get("error", "must be text")
    return SettingsError(f"{label}{_value(name, value)} {reason}.", f"Correct {label}.")


def _value(name: str, value: object) -> str:
    """A refused value, less what may be a secret: a token set where a sid belongs, a password in a URL."""
    text = shown(value, 80)
    if name == "api_url":
        return f" {re.sub(r'//[^/]*@', '//***@', text)!r}"
    if name in ("adopt", "preflight"):
        return f" {text!r}"
    return f" {text!r}" if name in ("account_sid", "api_key") and re.fullmatch(r"(AC|SK)[0-9a-fA-F]*", text) else ""


def account_sid(config: Lookup, environment: Mapping[str, str]) -> str | None:
    """The sid of the account that is set, None where none is; needs no credentials."""
    sid = _found(config, environment)[0].get("account_sid")
    return sid if isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid) else None


def default_region(config: Lookup) -> str:
    """The country whose numbers may be written without a country code: `twilio:defaultRegion`, else US."""
    return str(config(REGION_KEY) or DEFAULT_REGION).upper()


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
    """What a config sets. An empty value counts as not set: CI systems hand a missing secret to a job as an empty
    variable. No setting has spaces at its ends, so those are not kept.
    """
    values = {name: config(f"twilio:{key}") for name, (key, _) in SOURCES.items()}
    kept = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None and value != ""}


def _found(config: Lookup, environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What is set, and the name each setting was found under."""
    provider = config(PROVIDER)
    variables = {f"twilio:{key}": variable for key, variable in SOURCES.values() if variable}
    above, below = set_in(config), set_in(lambda key: environment.get(variables.get(key, "")))
    left_out = foreign(above, below) if provider is not None else frozenset()
    found = {**{name: value for name, value in below.items() if name not in left_out}, **above}
    named = {name: SOURCES[name][1] or "" for name in below}
    for name in above:
        named[name] = f"twilio:{SOURCES[name][0]}" if provider is None else f"Provider {provider}'s {name}"
    return found, named


def misspelled(keys: Iterable[str]) -> dict[str, str]:
    """Which of a config's keys are not ours but nearly so, each with the one that it is like.

    What is like none is left alone: the namespace is shared with other providers for Twilio.
    """
    strange = {key for key in keys if key.startswith("twilio:")} - KEYS - {PROVIDER}
    near = {key: difflib.get_close_matches(key, KEYS, 1, cutoff=0.85) for key in sorted(strange)}
    return {key: matches[0] for key, matches in near.items() if matches}


def _refuse_other_regions(environment: Mapping[str, str]) -> None:
    """Twilio docs: global-infrastructure/regional-product-and-feature-availability."""
    for variable, own in (("TWILIO_REGION", ("us1",)), ("TWILIO_EDGE", ("us1", "ashburn"))):
        value = environment.get(variable)
        if value and value not in own:
            raise SettingsError(
                f"{variable} is {shown(value, 40)!r}, but verified caller IDs live in us1 only.",
                f"Unset {variable} for this stack.",
            )
