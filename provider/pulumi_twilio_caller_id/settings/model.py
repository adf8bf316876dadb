"""Defines `Settings`: the settings of one Twilio account, validated. (A resource's inputs are in `models.py`.)"""

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
from pulumi_twilio_caller_id.phone_number import is_country
from pulumi_twilio_caller_id.text import one_line, quote

from . import sources
from .sources import API_KEY_PAIR, CREDENTIALS, SETTINGS, ConfigGetter, SourcedValue, label, list_items

ADVICE_FOR_STACK = (
    "Set twilio:accountSid and twilio:authToken in the stack's config (`pulumi config set --secret twilio:authToken`)\n"
    "or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment."
)
# The same state file each time: a command with another one would find that the stack's numbers are gone.
ADVICE_WITHOUT_ACCOUNT = (
    "\nWithout an account: begin the command with\n`python -m pulumi_twilio_caller_id sandbox --state sandbox.json --`."
)
ADVICE_FOR_PROVIDER = (
    "Give it account_sid and auth_token, or account_sid, api_key and api_secret.\n"
    "Credentials in the stack's config or the environment are ignored if they are for another account.\n"
    "For a subaccount's number, set account_sid on the resource."
)

APPRISE_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
BETWEEN_APPRISE_URLS = re.compile(r"\s+|,(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
"""A comma is part of a URL if no scheme follows it, as in `?to=a@b.c,d@e.f`."""

LOCATIONS_WITH_CALLER_IDS = {"TWILIO_REGION": ("us1",), "TWILIO_EDGE": ("us1", "ashburn")}
"""Source: Twilio docs, global-infrastructure/regional-product-and-feature-availability."""


def _api_key(value: str) -> str:
    if value.startswith("AC"):
        raise ValueError("is the sid of an account: give the sid of an API key, which begins with SK")
    if not re.fullmatch(r"SK[0-9a-fA-F]{32}", value):
        raise ValueError("must be the sid of an API key: SK and 32 hexadecimal digits")
    return value


def _printable_ascii(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[ -~]+", value.get_secret_value()):
        raise ValueError("holds a character that Twilio's tokens and secrets never have")
    return value


def _base_url(value: str) -> str:
    parts = split_http_url(value)
    # Paths of requests are appended to the base URL. Servers interpret backslashes and dots differently.
    segments = parts.path.lower().replace("%2e", ".").split("/") if parts else []
    if parts is None or re.search(r"[@?#\\]", value) or {".", ".."} & set(segments):
        raise ValueError("must be a base URL: http or https, a host, and no user, query or fragment")
    return value.rstrip("/")


def _callback_url(value: str) -> str:
    if len(value) > 900:  # Twilio accepts 1,000 characters, and each verification appends a path of its own
        raise ValueError("is too long: at most 900 characters")
    return _base_url(value)


def _host_and_port(value: str) -> str:
    from pulumi_twilio_caller_id.verification.sockets import host_and_port  # late, as few stacks set it

    host_and_port(value)
    return value


def parse_apprise_urls(value: object) -> tuple[str, ...]:
    """Return the Apprise URLs in a list, a JSON list, or text with white space or commas between URLs.

    Raises ValueError for anything else. The error does not quote the value, because it is a secret.
    """
    items: object = () if value is None else list_items(value, BETWEEN_APPRISE_URLS)
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be Apprise URLs, as a list or with spaces between them")
    urls = tuple(filter(None, (item.strip(" \t\r\n,") for item in items)))
    for position, url in enumerate(urls, 1):
        if not APPRISE_SCHEME.match(url):
            raise ValueError(f"must be Apprise URLs, such as slack://..., and its entry {position} has no scheme")
    return urls


def _boolean(value: object) -> bool:
    """Accept the text "true" or "false" too, because a stack's config stores booleans as text."""
    return parse_boolean({"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value)


def _fail_or_await(value: str) -> str:
    if value not in ("fail", "await"):
        raise ValueError("must be fail or await")
    return value


def _country(value: str) -> str:
    if not is_country(value.upper()):
        raise ValueError("must be a country, such as US, GB or DE")
    return value


Secret = Annotated[SecretStr, AfterValidator(_printable_ascii)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Country = Annotated[str, AfterValidator(_country)]


class Settings(BaseModel):
    """The settings of one Twilio account, sufficient to send requests to it.

    `default_region` isn't a field, as numbers are parsed even if credentials are missing: see `sources.default_region`.
    """

    model_config = ConfigDict(frozen=True)

    account_sid: Annotated[str, AfterValidator(parse_account_sid)]
    auth_token: Secret | None = None
    api_key: Annotated[str, AfterValidator(_api_key)] | None = None
    api_secret: Secret | None = None
    api_url: Annotated[str, AfterValidator(_base_url)] | None = None
    callback_url: Annotated[str, AfterValidator(_callback_url)] | None = None
    callback_listen: Annotated[str, AfterValidator(_host_and_port)] = str(SETTINGS["callback_listen"].default)
    callback_auth_tokens: Annotated[tuple[Secret, ...], BeforeValidator(list_items)] = ()
    notify: Annotated[tuple[SecretStr, ...], BeforeValidator(parse_apprise_urls)] = ()
    adopt: Boolean = bool(SETTINGS["adopt"].default)
    """Applies to resources that don't set their input `adopt`: see `operations.adopt.wants_adoption`."""
    unverified: Annotated[str, AfterValidator(_fail_or_await)] = str(SETTINGS["unverified"].default)
    """What create does if nobody keys the code in: fail, or await the next `pulumi up` (see `operations.create`)."""
    preflight: Boolean = bool(SETTINGS["preflight"].default)
    token_source: str = "the settings"  # noqa: S105  this is no token
    """The source of account_sid and auth_token, for messages: see `sources.describe_sources`."""
    key_source: str = "the settings"
    """The source of the API key, for messages."""

    @model_validator(mode="after")
    def _callback_is_public(self) -> Self:
        if _is_this_machine(self.callback_url) and not _is_this_machine(self.api_url):  # a local sandbox reaches it
            raise ValueError("names this machine, which Twilio can't reach: give the URL of a tunnel or ingress")
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: Pulumi stores pickled providers in the state, which many people can read."""
        raise TypeError("an account's settings hold secrets, so they are not pickled")

    @property
    def signing_tokens(self) -> tuple[str, ...]:
        """The auth tokens whose signatures on callbacks are accepted. An API key's secret never signs.

        Source: Twilio docs, usage/rest-api-best-practices.
        """
        return self.signing_tokens_with(self.auth_token.get_secret_value() if self.auth_token else None)

    def signing_tokens_with(self, auth_token: str | None) -> tuple[str, ...]:
        """Return `signing_tokens`, with this auth token (a subaccount's) in place of the account's own."""
        tokens = (auth_token, *(token.get_secret_value() for token in self.callback_auth_tokens))
        return tuple(token for token in tokens if token)

    def uses_key(self, account_sid: str) -> bool:
        """Whether requests for this account are authenticated with the API key.

        A key works for its own account only, the auth token also for subaccounts (Twilio docs, iam/api-keys). Without
        an auth token the key is used for subaccounts too, and Twilio refuses it.
        """
        has_key = self.api_key is not None and self.api_secret is not None
        return has_key and (self.auth_token is None or account_sid == self.account_sid)

    def basic_auth(self, account_sid: str) -> tuple[str, str]:
        """Return the user name and password of requests for this account, which may be a subaccount."""
        if self.uses_key(account_sid):
            user_name, password = self.api_key, self.api_secret
        else:
            user_name, password = self.account_sid, self.auth_token
        assert user_name is not None and password is not None, "load_settings refuses incomplete credentials"  # noqa: S101, PT018
        return user_name, password.get_secret_value()

    def credentials_source(self, account_sid: str) -> str:
        """Return the source of the credentials for this account, for messages."""
        return self.key_source if self.uses_key(account_sid) else self.token_source

    def credentials_advice(self, account_sid: str) -> str:
        """Return what to do if Twilio refuses the credentials for this account."""
        source = self.credentials_source(account_sid)
        todo = f"The credentials come from {source}.\n"
        if source.startswith("Provider "):  # as `sources.config_source` begins
            todo += "Settings omitted from the Provider fall back to the stack's config.\n"
        todo_for_own = f"Check that they are current and belong to account {account_sid}."
        if self.api_url and not self.api_url.endswith(".twilio.com"):
            todo += f"They were sent to {self.api_url}, not to Twilio.\n"
            todo_for_own = "A sandbox accepts only its own: use a stack without credentials in its config."
        if account_sid == self.account_sid:
            return todo + todo_for_own
        if self.uses_key(account_sid):
            return (
                f"{todo}An API key of {self.account_sid} does not work for its subaccount {account_sid}.\n"
                "Set the auth token in the same place as the key: requests for subaccounts are then made with it.\n"
                f"Or use a Provider with account_sid {account_sid} and credentials of that account."
            )
        return f"{todo}Check that they are current, and that {account_sid} is a subaccount of {self.account_sid}."


def load_settings(config: ConfigGetter, environment: Mapping[str, str]) -> Settings:
    """Load the settings of this process. Raises CredentialsMissing, or SettingsError for an invalid value.

    config: returns the value of a config key. What an explicit Provider's config is: see `sources`.
    """
    sources.register_secrets(config, environment)
    for variable, allowed in LOCATIONS_WITH_CALLER_IDS.items():
        value = environment.get(variable)
        if value and value not in allowed:
            raise SettingsError(
                f"{variable} is {one_line(value, 40)!r}, but verified caller IDs live in us1 only.",
                f"Unset {variable} for this stack.",
            )
    from_config, from_environment = sources.from_config(config), sources.from_environment(environment)
    settings = sources.merge(from_config, from_environment)
    other_account = sources.accounts_differ(from_config, from_environment)
    environment_unused = other_account and bool(CREDENTIALS & from_environment.keys())
    _require_complete(settings, provider=config(sources.PROVIDER_NAME_KEY), environment_unused=environment_unused)
    try:
        return Settings(
            **{name: setting.value for name, setting in settings.items() if name in Settings.model_fields},
            token_source=sources.describe_sources(settings, ("account_sid", "auth_token")),
            key_source=sources.describe_sources(settings, API_KEY_PAIR),
        )
    except ValidationError as refused:
        location = refused.errors()[0]["loc"]
        name = str(location[0]) if location else "callback_url"  # `_callback_is_public` is the only cross-field check
        raise _setting_error(name, settings[name], refused) from None


def _require_complete(settings: Mapping[str, SourcedValue], *, provider: str | None, environment_unused: bool) -> None:
    """Raise SettingsError for half of an API key pair, and CredentialsMissing if there are no credentials.

    provider: the explicit Provider's name, if any.
    environment_unused: whether the environment's credentials are ignored, because they are for another account.
    """
    for name, other_name in (API_KEY_PAIR, API_KEY_PAIR[::-1]):
        if name in settings and other_name not in settings:
            present, missing_half = (label(half, settings[name].source) for half in (name, other_name))
            raise SettingsError(
                f"{present} is set, but {missing_half} is not.",
                f"Set {missing_half} too, or remove {present}. Key and secret have to be in the same place.",
            )
    missing = ["account sid"] if "account_sid" not in settings else []
    if "auth_token" not in settings and "api_key" not in settings:
        missing.append("auth token (or API key)")
    if missing:
        todo = ADVICE_FOR_STACK if provider is None else ADVICE_FOR_PROVIDER
        if provider is None and len(missing) == 2:
            todo += ADVICE_WITHOUT_ACCOUNT
        if environment_unused:
            todo += "\nThe environment's credentials are not used: TWILIO_ACCOUNT_SID is another account than "
            todo += f"{label('account_sid', settings['account_sid'].source)}."
        for_provider = "" if provider is None else f" for Provider {provider}"
        raise CredentialsMissing(f"Twilio credentials are missing{for_provider}: no {' and no '.join(missing)}.", todo)


def validate_setting(name: str, setting: SourcedValue) -> None:
    """Check one setting independently of the others. Raises SettingsError for an invalid value."""
    annotation = Country if name == "default_region" else Settings.model_fields[name].rebuild_annotation()
    try:
        TypeAdapter(annotation).validate_python(setting.value)
    except ValidationError as refused:
        raise _setting_error(name, setting, refused) from None


def _setting_error(name: str, setting: SourcedValue, refused: ValidationError) -> SettingsError:
    """Return the error for an invalid value. It quotes no value that may be a secret set by mistake."""
    reason = str(refused.errors()[0].get("ctx", {}).get("error", "must be text"))
    reason = reason.removeprefix("it ")  # the validators in `models.py` speak of an input as "it"
    own_label = label(name, setting.source)
    cannot_be_secret = SETTINGS[name].type == "boolean" or name in ("default_region", "unverified")
    is_quoted = cannot_be_secret or re.fullmatch("(AC|SK)[0-9a-fA-F]*", str(setting.value))
    value = f" {quote(setting.value, 80)}" if is_quoted else ""
    todo = f"Correct {own_label}."
    if name in ("account_sid", "api_key"):
        account, key = (label(other, setting.source) for other in ("account_sid", "api_key"))
        todo = f"{account} takes the sid of the account (AC...), {key} that of an API key (SK...)."
    return SettingsError(f"{own_label}{value} {reason}.", todo)


def _is_this_machine(url: str | None) -> bool:
    return url is not None and is_loopback(urlsplit(url).hostname or "")
