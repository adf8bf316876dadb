"""Who asks Twilio, and where: what the account's settings may be, and whether they are complete.

Nothing here is read before a call to Twilio is made, so that a preview needs no credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NoReturn, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from pulumi_twilio_caller_id.errors import CredentialsMissing, SettingsError
from pulumi_twilio_caller_id.inputs import is_loopback
from pulumi_twilio_caller_id.text import one_line, quote

from .sources import KEY_HALVES, PROVIDER, SOURCES, Lookup, beside, conceal_secrets, resolve_sources
from .types import AccountSid, ApiKey, BaseUrl, CallbackUrl, Flag, Listen, Notify, Region, Secret, Tokens

HOW_TO_SET = (
    "Set twilio:accountSid and twilio:authToken in the stack's config (`pulumi config set --secret twilio:authToken`)\n"
    "or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment."
)
HOW_TO_GIVE = (
    "Give it account_sid and auth_token, or account_sid, api_key and api_secret. What the stack's config and the\n"
    "environment have for another account is not used; for a subaccount's numbers, give the resource its account_sid."
)

CONFUSED_WITH = {"account_sid": "api_key", "api_key": "account_sid"}
"""Which other setting a value was meant for, if it is the other's."""

ALLOWED_REGIONS = {"TWILIO_REGION": ("us1",), "TWILIO_EDGE": ("us1", "ashburn")}
"""Source: Twilio docs, global-infrastructure/regional-product-and-feature-availability."""

VARIABLES = (*(variable for _, variable in SOURCES.values() if variable), *ALLOWED_REGIONS)
"""All variables of the environment that mean something here."""


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
    token_source: str = "the settings"  # noqa: S105  no token
    key_source: str = "the settings"

    @model_validator(mode="after")
    def _callback_is_public(self) -> Self:
        sandbox_here = self.api_url is not None and is_loopback(_host(self.api_url))  # which can reach this machine
        if self.callback_url and is_loopback(_host(self.callback_url)) and not sandbox_here:
            raise ValueError("names this machine, which Twilio can't reach: give the URL of a tunnel or ingress")
        return self

    def __reduce__(self) -> NoReturn:
        """Refuses to be pickled: the engine keeps pickles of providers in the state, and readers of it are many."""
        raise TypeError("an account's settings hold secrets, so they are not pickled")

    @property
    def signing_tokens(self) -> tuple[str, ...]:
        """The auth tokens that may have signed a callback: with an API key alone, none.

        An API key's secret never signs (Twilio docs: usage/rest-api-best-practices).
        """
        tokens = (self.auth_token, *self.callback_auth_tokens)
        return tuple(token.get_secret_value() for token in tokens if token is not None)

    def uses_key(self, account_sid: str) -> bool:
        """Whether requests for this account are made with the API key.

        A key opens its own account, and no subaccount of it; the auth token opens both (Twilio docs: iam/api-keys).
        """
        has_key = self.api_key is not None and self.api_secret is not None
        return has_key and (self.auth_token is None or account_sid == self.account_sid)

    def login(self, account_sid: str) -> tuple[str, str]:
        """User name and password of the requests for this account, which may be a subaccount."""
        if self.uses_key(account_sid):
            assert self.api_key is not None  # noqa: S101
            assert self.api_secret is not None  # noqa: S101
            return self.api_key, self.api_secret.get_secret_value()
        assert self.auth_token is not None, "resolve() lets nothing else through"  # noqa: S101
        return self.account_sid, self.auth_token.get_secret_value()

    def source(self, account_sid: str) -> str:
        """Where the credentials come from that requests for this account are made with."""
        return self.key_source if self.uses_key(account_sid) else self.token_source

    def refused_todo(self, account_sid: str) -> str:
        """What to do when Twilio refuses the credentials for this account."""
        source = self.source(account_sid)
        todo = f"The credentials come from {source}.\n"
        if source.startswith("Provider "):
            todo += "What the Provider is not given comes from the stack's config.\n"
        if account_sid == self.account_sid:
            return f"{todo}Check that they are current and belong to account {account_sid}."
        if self.uses_key(account_sid):
            return (
                f"{todo}An API key of {self.account_sid} does not open its subaccount {account_sid}.\n"
                "Set the auth token in the same place as the key: requests for subaccounts are then made with it."
                f"\nOr use a Provider with account_sid {account_sid} and credentials of that account."
            )
        return f"{todo}Check that they are current, and that {account_sid} is a subaccount of {self.account_sid}."


def load_settings(config: Lookup, environment: Mapping[str, str]) -> Settings:
    """The settings in force. Raises CredentialsMissing, or SettingsError for what makes no sense, naming its source."""
    return _resolved(config, tuple(environment.get(variable) for variable in VARIABLES))


@lru_cache(maxsize=8)  # a refresh asks for each number, and neither config nor environment of a process change
def _resolved(config: Lookup, variables: tuple[str | None, ...]) -> Settings:
    environment = {name: value for name, value in zip(VARIABLES, variables, strict=True) if value is not None}
    conceal_secrets(config, environment)
    _refuse_other_regions(environment)
    provider = config(PROVIDER)
    settings = resolve_sources(config, environment)
    values, named = settings.values, settings.named
    for has, lacks in (KEY_HALVES, KEY_HALVES[::-1]):
        if has in values and lacks not in values:
            other = beside(named[has], has, lacks)
            raise SettingsError(
                f"{named[has]} is set, but {other} is not.",
                f"Set {other} too, or remove {named[has]}. Key and secret have to be in the same place.",
            )
    missing = ["account sid"] if "account_sid" not in values else []
    if "auth_token" not in values and "api_key" not in values:
        missing.append("auth token (or API key)")
    if missing:
        whose = "" if provider is None else f" for Provider {provider}"
        how = HOW_TO_SET if provider is None else HOW_TO_GIVE
        if settings.other_account:
            how += f"\nThe environment's credentials are not used: {settings.other_account} is another account than"
            how += f" {named['account_sid']}."
        raise CredentialsMissing(f"Twilio credentials are missing{whose}: no {' and no '.join(missing)}.", how)
    try:
        return Settings(
            **values,
            token_source=settings.source("account_sid", "auth_token"),
            key_source=settings.source(*KEY_HALVES),
        )
    except ValidationError as refused:
        first = refused.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "callback_url"  # the one check over several settings
        raise _senseless(name, values[name], named[name], refused) from None


def validate_setting(name: str, value: object, label: str) -> None:
    """Raises SettingsError, under the name `label`, for a value that the setting can't have whatever the others are."""
    kind = Region if name == "default_region" else Settings.model_fields[name].rebuild_annotation()
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as refused:
        raise _senseless(name, value, label, refused) from None


def _senseless(name: str, value: object, label: str, refused: ValidationError) -> SettingsError:
    reason = str(refused.errors()[0].get("ctx", {}).get("error", "must be text"))
    if name in CONFUSED_WITH:
        reason = reason.replace("{}", beside(label, name, CONFUSED_WITH[name]))
    return SettingsError(f"{label}{_value(name, value)} {reason}.", f"Correct {label}.")


def _value(name: str, value: object) -> str:
    """A refused value, less what may be a secret: a token set where a sid belongs, a password in a URL."""
    text = one_line(value, 80)
    if name == "api_url":
        return "" if _may_be_secret(text) else f" {text!r}"
    if name in ("adopt", "preflight", "default_region"):
        return f" {quote(value, 80)}"
    return f" {text!r}" if name in ("account_sid", "api_key") and re.fullmatch(r"(AC|SK)[0-9a-fA-F]*", text) else ""


def _may_be_secret(url: str) -> bool:
    """Whether what should be a URL has what may be a password, a query or a token in it, or is one."""
    rest = re.sub("^[a-z]+://", "", url)
    return bool(re.search(r"[@?#]|:(?![0-9]+(/|$)|:)|[^\s./:]{20}", rest))


def _refuse_other_regions(environment: Mapping[str, str]) -> None:
    for variable, own in ALLOWED_REGIONS.items():
        value = environment.get(variable)
        if value and value not in own:
            raise SettingsError(
                f"{variable} is {one_line(value, 40)!r}, but verified caller IDs live in us1 only.",
                f"Unset {variable} for this stack.",
            )
