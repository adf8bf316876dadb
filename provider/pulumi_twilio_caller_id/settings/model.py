"""Checks the settings of a Twilio account: which values are valid, and whether they are complete.

Settings are loaded when the first request to Twilio is to be made, so a preview needs no credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, NoReturn, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from pulumi_twilio_caller_id.errors import CredentialsMissing, SettingsError
from pulumi_twilio_caller_id.models import is_loopback, parse_account_sid, parse_boolean, split_http_url
from pulumi_twilio_caller_id.phone_number import is_region
from pulumi_twilio_caller_id.text import one_line, quote

from . import sources
from .sources import CREDENTIALS, KEY_HALVES, PROVIDER, SETTINGS, Given, Lookup, label, list_items

HOW_TO_SET = (
    "Set twilio:accountSid and twilio:authToken in the stack's config (`pulumi config set --secret twilio:authToken`)\n"
    "or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment."
)
HOW_TO_GIVE = (
    "Give it account_sid and auth_token, or account_sid, api_key and api_secret. What the stack's config and the\n"
    "environment have for another account is not used; for a subaccount's numbers, give the resource its account_sid."
)

ALLOWED_REGIONS = {"TWILIO_REGION": ("us1",), "TWILIO_EDGE": ("us1", "ashburn")}
"""Source: Twilio docs, global-infrastructure/regional-product-and-feature-availability."""


def _api_key(value: str) -> str:
    if value.startswith("AC"):
        raise ValueError("is the sid of an account: give the sid of an API key, which begins with SK")
    if not re.fullmatch(r"SK[0-9a-fA-F]{32}", value):
        raise ValueError("must be the sid of an API key: SK and 32 hexadecimal digits")
    return value


def _sendable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[ -~]+", value.get_secret_value()):
        raise ValueError("holds a character that Twilio's tokens and secrets never have")
    return value


def _base_url(value: str) -> str:
    parts = split_http_url(value)
    # The paths of requests are appended to it. Servers differ in how they read backslashes and dots.
    segments = parts.path.lower().replace("%2e", ".").split("/") if parts else []
    if parts is None or re.search(r"[@?#\\]", value) or {".", ".."} & set(segments):
        raise ValueError("must be a base URL: http or https, a host, and no user, query or fragment")
    return value.rstrip("/")


def _callback_url(value: str) -> str:
    if len(value) > 900:  # Twilio takes 1,000 characters, and each wait for a call appends a path of its own
        raise ValueError("is too long: at most 900 characters")
    return _base_url(value)


def _listen(value: str) -> str:
    from pulumi_twilio_caller_id.verification.sockets import host_and_port  # late, as few stacks set it

    host_and_port(value)
    return value


def _apprise_urls(value: object) -> object:
    from pulumi_twilio_caller_id.progress.notifications import parse_urls  # late, as few stacks set it

    return parse_urls(value)


def _boolean(value: object) -> bool:
    """A stack's config has text where a program has a bool."""
    return parse_boolean({"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value)


def _region(value: str) -> str:
    if not is_region(value.upper()):
        raise ValueError("must be a country, such as US, GB or DE")
    return value


Secret = Annotated[SecretStr, AfterValidator(_sendable)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Region = Annotated[str, AfterValidator(_region)]


class Settings(BaseModel):
    """One Twilio account, complete enough to send requests to it.

    `default_region` is not part of it: reading a phone number needs no account.
    """

    model_config = ConfigDict(frozen=True)

    account_sid: Annotated[str, AfterValidator(parse_account_sid)]
    auth_token: Secret | None = None
    api_key: Annotated[str, AfterValidator(_api_key)] | None = None
    api_secret: Secret | None = None
    api_url: Annotated[str, AfterValidator(_base_url)] | None = None
    callback_url: Annotated[str, AfterValidator(_callback_url)] | None = None
    callback_listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8585"
    callback_auth_tokens: Annotated[tuple[Secret, ...], BeforeValidator(list_items)] = ()
    notify: Annotated[tuple[SecretStr, ...], BeforeValidator(_apprise_urls)] = ()
    adopt: Boolean = False
    preflight: Boolean = True
    token_source: str = "the settings"  # noqa: S105  this is no token
    """Where account_sid and auth_token come from, in words; key_source says the same of the API key."""
    key_source: str = "the settings"

    @model_validator(mode="after")
    def _callback_is_public(self) -> Self:
        if _is_this_machine(self.callback_url) and not _is_this_machine(self.api_url):  # a sandbox here reaches it
            raise ValueError("names this machine, which Twilio can't reach: give the URL of a tunnel or ingress")
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: Pulumi keeps pickles of providers in the state, which many people can read."""
        raise TypeError("an account's settings hold secrets, so they are not pickled")

    @property
    def signing_tokens(self) -> tuple[str, ...]:
        """The auth tokens that may have signed a callback. An API key's secret never signs.

        Source: Twilio docs, usage/rest-api-best-practices.
        """
        tokens = (self.auth_token, *self.callback_auth_tokens)
        return tuple(token.get_secret_value() for token in tokens if token is not None)

    def uses_key(self, account_sid: str) -> bool:
        """Whether requests for this account are made with the API key.

        A key opens its own account and no subaccount; the auth token opens both. Source: Twilio docs, iam/api-keys.
        """
        has_key = self.api_key is not None and self.api_secret is not None
        return has_key and (self.auth_token is None or account_sid == self.account_sid)

    def login(self, account_sid: str) -> tuple[str, str]:
        """User name and password of the requests for this account, which may be a subaccount."""
        if self.uses_key(account_sid):
            user_name, password = self.api_key, self.api_secret
        else:
            user_name, password = self.account_sid, self.auth_token
        assert user_name is not None and password is not None, "load_settings lets nothing else through"  # noqa: S101, PT018
        return user_name, password.get_secret_value()

    def source(self, account_sid: str) -> str:
        """Where the credentials for this account come from, in words."""
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
                "Set the auth token in the same place as the key: requests for subaccounts are then made with it.\n"
                f"Or use a Provider with account_sid {account_sid} and credentials of that account."
            )
        return f"{todo}Check that they are current, and that {account_sid} is a subaccount of {self.account_sid}."


def load_settings(config: Lookup, environment: Mapping[str, str]) -> Settings:
    """Load the settings of this process. Raises CredentialsMissing, or SettingsError for a value that is not valid."""
    sources.register_secrets(config, environment)
    for variable, allowed in ALLOWED_REGIONS.items():
        value = environment.get(variable)
        if value and value not in allowed:
            raise SettingsError(
                f"{variable} is {one_line(value, 40)!r}, but verified caller IDs live in us1 only.",
                f"Unset {variable} for this stack.",
            )
    from_config, from_environment = sources.from_config(config), sources.from_environment(environment)
    settings = sources.merge(from_config, from_environment)
    other_account = sources.name_different_accounts(from_config, from_environment)
    unused = other_account and bool(CREDENTIALS & from_environment.keys())
    _refuse_missing(settings, provider=config(PROVIDER), environment_is_unused=unused)
    try:
        return Settings(
            **{name: given.value for name, given in settings.items()},
            token_source=sources.describe_sources(settings, ("account_sid", "auth_token")),
            key_source=sources.describe_sources(settings, KEY_HALVES),
        )
    except ValidationError as refused:
        location = refused.errors()[0]["loc"]
        name = str(location[0]) if location else "callback_url"  # the one check of two settings
        raise _refusal(name, settings[name], refused) from None


def _refuse_missing(settings: Mapping[str, Given], *, provider: str | None, environment_is_unused: bool) -> None:
    """Raise SettingsError for half an API key, and CredentialsMissing if there are no credentials.

    provider: the name of the explicit Provider. environment_is_unused: whether the environment has credentials that are
    not used, as they belong to another account.
    """
    for has, lacks in (KEY_HALVES, KEY_HALVES[::-1]):
        if has in settings and lacks not in settings:
            half, other_half = (label(name, settings[has].source) for name in (has, lacks))
            raise SettingsError(
                f"{half} is set, but {other_half} is not.",
                f"Set {other_half} too, or remove {half}. Key and secret have to be in the same place.",
            )
    missing = ["account sid"] if "account_sid" not in settings else []
    if "auth_token" not in settings and "api_key" not in settings:
        missing.append("auth token (or API key)")
    if missing:
        todo = HOW_TO_SET if provider is None else HOW_TO_GIVE
        if environment_is_unused:
            todo += "\nThe environment's credentials are not used: TWILIO_ACCOUNT_SID is another account than "
            todo += f"{label('account_sid', settings['account_sid'].source)}."
        whose = "" if provider is None else f" for Provider {provider}"
        raise CredentialsMissing(f"Twilio credentials are missing{whose}: no {' and no '.join(missing)}.", todo)


def validate_setting(name: str, given: Given) -> None:
    """Check one setting by itself. Raises SettingsError for a value that is not valid, whatever the others are."""
    kind = Region if name == "default_region" else Settings.model_fields[name].rebuild_annotation()
    try:
        TypeAdapter(kind).validate_python(given.value)
    except ValidationError as refused:
        raise _refusal(name, given, refused) from None


def _refusal(name: str, given: Given, refused: ValidationError) -> SettingsError:
    """The error for a value that is not valid. It shows the value only if that can't be a secret in the wrong place."""
    reason = str(refused.errors()[0].get("ctx", {}).get("error", "must be text")).removeprefix("it ")
    own_label = label(name, given.source)
    can_be_no_secret = SETTINGS[name].type == "boolean" or name == "default_region"
    shown = can_be_no_secret or re.fullmatch("(AC|SK)[0-9a-fA-F]*", str(given.value))
    value = f" {quote(given.value, 80)}" if shown else ""
    todo = f"Correct {own_label}."
    if name in ("account_sid", "api_key"):
        account, key = (label(other, given.source) for other in ("account_sid", "api_key"))
        todo = f"{account} takes the sid of the account (AC...), {key} that of an API key (SK...)."
    return SettingsError(f"{own_label}{value} {reason}.", todo)


def _is_this_machine(url: str | None) -> bool:
    return url is not None and is_loopback(urlsplit(url).hostname or "")
