"""Finds the value of each setting: an argument of a Provider, else the stack's config, else the environment.

`provider.py` completes a Provider's arguments from the stack's config; those of a native provider stay as they are. The
result is the config of the Provider's plugin process. Each plugin process completes its config from the environment
(`model.load_settings`). `merge` does both, and takes all credentials from one source.

The plugin loads this module when it starts, so it imports no pydantic. `model.py` says which values are valid.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pulumi_twilio_caller_id.inputs import ACCOUNT_SID, camel_case
from pulumi_twilio_caller_id.phone_number import DEFAULT_REGION, DefaultRegion
from pulumi_twilio_caller_id.text import register_secret


@dataclass(frozen=True)
class Setting:
    """One setting: its names, its purpose and its default. docs/reference.md is made from them."""

    name: str
    """The argument of `Provider`."""
    doc: str
    variable: str | None = None
    """The environment variable, named as Twilio's own tools name it; None if there is none."""
    type: Literal["string", "boolean", "array"] = "string"
    """The type in a Pulumi schema."""
    secret: bool = False
    default: str | bool | None = None

    @property
    def key(self) -> str:
        """The key in a stack's config, such as `twilio:accountSid`."""
        return f"twilio:{camel_case(self.name)}"


_TABLE = (
    Setting("account_sid", "The account's sid, `AC...`.", "TWILIO_ACCOUNT_SID"),
    Setting("auth_token", "The account's auth token.", "TWILIO_AUTH_TOKEN", secret=True),
    Setting("api_key", "An API key, `SK...`, in place of the token. It opens only its own account.", "TWILIO_API_KEY"),
    Setting("api_secret", "The API key's secret.", "TWILIO_API_SECRET", secret=True),
    Setting(
        "callback_url",
        "A public URL, at most 900 characters, that leads to `twilio:callbackListen`. Twilio requests it after a call.",
    ),
    Setting("callback_listen", "The `host:port` to receive callbacks at.", default="127.0.0.1:8585"),
    Setting(
        "callback_auth_tokens",
        "More auth tokens, separated by commas, to accept in the signatures of callbacks.",
        type="array",
        secret=True,
    ),
    Setting(
        "notify", "Apprise URLs, separated by spaces, that get the code and the outcome.", type="array", secret=True
    ),
    Setting("adopt", "Whether to take over numbers that are verified already.", type="boolean", default=False),
    Setting("unverified", "What `pulumi up` does if nobody keys in the code: `fail` or `await`.", default="fail"),
    Setting(
        "preflight",
        "Whether previews with credentials ask Twilio which numbers are verified.",
        type="boolean",
        default=True,
    ),
    Setting("default_region", "The country of numbers without a country code.", default=DEFAULT_REGION.country),
    Setting("api_url", "Another base URL of Twilio's API, such as a sandbox's.", "TWILIO_API_URL"),
)
SETTINGS = {setting.name: setting for setting in _TABLE}
"""Every setting, by its name. Messages are built from this table."""

API_KEY_PAIR = ("api_key", "api_secret")
CREDENTIALS = frozenset({"auth_token", *API_KEY_PAIR})
"""The settings that authenticate requests. The account sid is not among them: it may come from another source."""

PROVIDER_NAME_KEY = "twilio:provider"
"""Internal config key: an explicit Provider's name, in its plugin process. `provider.py` or `native/server` sets it."""

CONFIG = "the stack's config"
ENVIRONMENT = "the environment"

ConfigGetter = Callable[[str], Any]
"""Returns the value of a config key such as `twilio:accountSid`, or None."""


class SourcedValue(NamedTuple):
    """The value of a setting, and the source it comes from."""

    value: Any
    source: str
    """CONFIG, ENVIRONMENT, or `Provider NAME`."""


def from_config(config: ConfigGetter) -> dict[str, SourcedValue]:
    """Return the settings in the config of this process.

    In the plugin process of an explicit Provider, all of them have the source `Provider NAME`, even if the stack's
    config completed the arguments: the process can't tell the two apart.
    """
    values = {name: config(setting.key) for name, setting in SETTINGS.items()}
    return sourced_values(config_source(config(PROVIDER_NAME_KEY)), values)


def from_environment(environment: Mapping[str, str]) -> dict[str, SourcedValue]:
    """Return the settings in the environment's variables."""
    values = {name: environment.get(setting.variable or "") for name, setting in SETTINGS.items()}
    return sourced_values(ENVIRONMENT, values)


def sourced_values(source: str, values: Mapping[str, Any]) -> dict[str, SourcedValue]:
    """Return the settings that have a value in this source."""
    stripped = {name: blank_to_none(value) for name, value in values.items()}
    return {name: SourcedValue(value, source) for name, value in stripped.items() if value is not None}


def blank_to_none(value: Any) -> Any:
    """Strip blanks, and return None if nothing is left. CI systems pass a missing secret as an empty variable."""
    stripped = value.strip() if isinstance(value, str) else value
    return None if stripped == "" else stripped


def merge(preferred: Mapping[str, SourcedValue], fallback: Mapping[str, SourcedValue]) -> dict[str, SourcedValue]:
    """Complete the preferred settings from another source. Credentials of two sources are never mixed.

    All credentials come from the first source that has complete ones. If neither has, incomplete preferred ones
    are kept, so that `load_settings` can name the missing half. If the sources name different accounts, the fallback's
    credentials and callback tokens are never used.
    """
    has_credentials = bool(CREDENTIALS & preferred.keys())
    if accounts_differ(preferred, fallback):
        fallback = _without(CREDENTIALS | {"callback_auth_tokens"}, fallback)
    elif _can_authenticate(preferred) or (has_credentials and not _can_authenticate(fallback)):
        fallback = _without(CREDENTIALS, fallback)
    else:
        preferred = _without(CREDENTIALS, preferred)
    return {**fallback, **preferred}


def accounts_differ(preferred: Mapping[str, SourcedValue], fallback: Mapping[str, SourcedValue]) -> bool:
    """Whether the sources name two different accounts. An account sid that is an Output counts as different."""
    sids = [source["account_sid"].value for source in (preferred, fallback) if "account_sid" in source]
    return len(sids) == 2 and bool(sids[0] != sids[1])


def _without(names: Container[str], settings: Mapping[str, SourcedValue]) -> dict[str, SourcedValue]:
    return {name: setting for name, setting in settings.items() if name not in names}


def _can_authenticate(source: Mapping[str, SourcedValue]) -> bool:
    """Whether a source has an auth token, or an API key with its secret."""
    return "auth_token" in source or all(name in source for name in API_KEY_PAIR)


def label(name: str, source: str) -> str:
    """Return a setting's name in messages: `twilio:apiKey`, `TWILIO_API_KEY` or `Provider eu's api_key`."""
    setting = SETTINGS[name]
    if source == CONFIG:
        return setting.key
    if source == ENVIRONMENT and setting.variable:
        return setting.variable
    return f"{source}'s {name}"


def describe_sources(settings: Mapping[str, SourcedValue], names: Iterable[str]) -> str:
    """Return the sources of these settings without the values, such as `the environment (TWILIO_AUTH_TOKEN)`."""
    labels: dict[str, list[str]] = {}
    for name in names:
        if name in settings:
            source = settings[name].source
            labels.setdefault(source, []).append(label(name, source).removeprefix(f"{source}'s "))
    return " and ".join(f"{source} ({', '.join(in_source)})" for source, in_source in labels.items())


def account_sid(config: ConfigGetter, environment: Mapping[str, str]) -> str | None:
    """Return the configured account sid, or None if it is unset or malformed. This needs no credentials."""
    sid = _value_of("account_sid", config, environment)
    return sid if isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid) else None


def normalized_api_url(config: ConfigGetter, environment: Mapping[str, str]) -> str:
    """Return the API's base URL in lower case, "" for Twilio's own. `context.Plugin` tells accounts apart by it."""
    url = str(_value_of("api_url", config, environment) or "").lower().rstrip("/")
    return "" if re.fullmatch(r"https?://([\w-]+\.)*twilio\.com(:\d+)?", url) else url


def default_region(config: ConfigGetter) -> DefaultRegion:
    """Return the country of numbers without a country code, and the label of the setting that names it."""
    country = str(_value_of("default_region", config, {}) or DEFAULT_REGION.country).upper()
    return DefaultRegion(country, label("default_region", config_source(config(PROVIDER_NAME_KEY))))


def config_source(provider_name: str | None) -> str:
    """Return the source of a plugin process's config. provider_name: None without an explicit Provider."""
    return CONFIG if provider_name is None else f"Provider {provider_name}"


def _value_of(name: str, config: ConfigGetter, environment: Mapping[str, str]) -> Any:
    """Return the value of a setting that is no credential. (`merge` chooses the credentials.)"""
    setting = SETTINGS[name]
    return blank_to_none(config(setting.key)) or blank_to_none(environment.get(setting.variable or ""))


def register_secrets(config: ConfigGetter, environment: Mapping[str, str]) -> None:
    """Register all secrets of both sources for redaction, and the Basic authentication headers made from them."""

    def values(name: str) -> list[Any]:
        setting = SETTINGS[name]
        return [config(setting.key), environment.get(setting.variable or "")]

    for setting in SETTINGS.values():
        for value in values(setting.name) if setting.secret else ():
            items = list_items(value)
            register_secret(value, *(items if isinstance(items, (list, tuple)) else ()))
    for user, password in (("account_sid", "auth_token"), API_KEY_PAIR):
        pairs = [f"{blank_to_none(u)}:{blank_to_none(p)}" for u in values(user) for p in values(password) if u and p]
        register_secret(*(base64.b64encode(pair.encode("utf-8", "surrogatepass")).decode() for pair in pairs))


def list_items(value: Any, separator: str | re.Pattern[str] = r"[\s,]+") -> Any:
    """Split text at separators, or parse it as a JSON list, which is how a stack's config stores lists.

    Any value that is not text is returned unchanged.
    """
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return [item for item in re.split(separator, value) if item]


def misspelled(keys: Iterable[str]) -> dict[str, str]:
    """Return the config keys that look like a misspelled setting, each with the right key.

    Other keys are ignored, because other providers for Twilio share the namespace `twilio:`.
    """
    known = [setting.key for setting in SETTINGS.values()]
    unknown = {key for key in keys if key.startswith("twilio:")} - {*known, PROVIDER_NAME_KEY}
    if not unknown:
        return {}
    import difflib  # late, as few stacks misspell a key

    close = {key: difflib.get_close_matches(key, known, 1, cutoff=0.85) for key in sorted(unknown)}
    return {key: matches[0] for key, matches in close.items() if matches}
