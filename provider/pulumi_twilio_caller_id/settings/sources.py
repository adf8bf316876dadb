"""Decides where each setting comes from: the arguments of a Provider, the stack's config, or the environment.

A Provider's arguments win over the stack's config, and the config wins over the environment. Credentials are taken
from one source as a set: see `merge`. `model.py` says which values are valid.

The plugin loads this module when it starts, so it imports no pydantic.
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
from pulumi_twilio_caller_id.phone_number import DEFAULT_REGION
from pulumi_twilio_caller_id.text import register_secret


@dataclass(frozen=True)
class Setting:
    """One setting: how it is named in each source, what it takes, and what it is for."""

    name: str
    """The argument of `Provider`."""
    doc: str
    variable: str | None = None
    """The environment variable, named as Twilio's own tools name it; None if there is none."""
    type: Literal["string", "boolean", "array"] = "string"
    secret: bool = False

    @property
    def key(self) -> str:
        """The key in a stack's config, such as `twilio:accountSid`."""
        return f"twilio:{camel_case(self.name)}"


_TABLE = (
    Setting("account_sid", "the account, `AC...`", "TWILIO_ACCOUNT_SID"),
    Setting("auth_token", "its auth token", "TWILIO_AUTH_TOKEN", secret=True),
    Setting("api_key", "an API key, `SK...`, in place of the token; it opens no subaccount", "TWILIO_API_KEY"),
    Setting("api_secret", "the secret of the API key", "TWILIO_API_SECRET", secret=True),
    Setting("callback_url", "a public URL that leads to `twilio:callbackListen`, at most 900 characters"),
    Setting("callback_listen", "`host:port` to receive callbacks at; `127.0.0.1:8585`"),
    Setting("callback_auth_tokens", "more auth tokens that may have signed callbacks", type="array", secret=True),
    Setting("notify", "Apprise URLs that get the code and the outcome", type="array", secret=True),
    Setting("adopt", "whether numbers that are verified already are taken over; `false`", type="boolean"),
    Setting("preflight", "whether previews ask Twilio which numbers are verified already; `true`", type="boolean"),
    Setting("default_region", "the country whose numbers may be written without country code; `US`"),
    Setting("api_url", "another base URL, such as a sandbox's", "TWILIO_API_URL"),
)
SETTINGS = {setting.name: setting for setting in _TABLE}
"""Every setting, by its name. Documentation and messages follow this table."""

KEY_HALVES = ("api_key", "api_secret")
CREDENTIALS = frozenset({"auth_token", *KEY_HALVES})
"""What opens an account. Its sid is no secret, and may come from another source."""

PROVIDER = "twilio:provider"
"""The key for a Provider's name. Only the process of an explicit Provider has it in its config."""

CONFIG = "the stack's config"
ENVIRONMENT = "the environment"

Lookup = Callable[[str], Any]
"""Answers a key of the config, such as `twilio:accountSid`, with its value or None."""


class Given(NamedTuple):
    """The value of a setting, and the source it comes from."""

    value: Any
    source: str
    """CONFIG, ENVIRONMENT, or `Provider NAME`."""


def from_config(config: Lookup) -> dict[str, Given]:
    """The settings in a config: the stack's, or the one that a Provider's process gets."""
    provider = config(PROVIDER)
    source = CONFIG if provider is None else f"Provider {provider}"
    return given_in(source, {name: config(setting.key) for name, setting in SETTINGS.items()})


def from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """The settings in the environment's variables."""
    return given_in(ENVIRONMENT, {name: environment.get(setting.variable or "") for name, setting in SETTINGS.items()})


def given_in(source: str, values: Mapping[str, Any]) -> dict[str, Given]:
    """The settings that have a value in this source."""
    stripped = {name: blank_to_none(value) for name, value in values.items()}
    return {name: Given(value, source) for name, value in stripped.items() if value is not None}


def blank_to_none(value: Any) -> Any:
    """The value without blanks at its ends, which no setting has; None if nothing is left.

    A CI system hands a missing secret to a job as an empty variable.
    """
    stripped = value.strip() if isinstance(value, str) else value
    return None if stripped == "" else stripped


def merge(explicit: Mapping[str, Given], fallback: Mapping[str, Given]) -> dict[str, Given]:
    """Complete the explicit settings with those of another source.

    Credentials of two sources are never mixed. The explicit ones are used if they open an account: an auth token does,
    and an API key with its secret. If only the fallback opens an account, its credentials are used. If the sources name
    different accounts, the fallback's credentials and callback tokens are never used.
    """
    if name_different_accounts(explicit, fallback):
        fallback = _without(CREDENTIALS | {"callback_auth_tokens"}, fallback)
    elif _opens(explicit) or (CREDENTIALS & explicit.keys() and not _opens(fallback)):
        fallback = _without(CREDENTIALS, fallback)
    else:
        explicit = _without(CREDENTIALS, explicit)
    return {**fallback, **explicit}


def name_different_accounts(explicit: Mapping[str, Given], fallback: Mapping[str, Given]) -> bool:
    """Whether both sources name an account, and not the same one."""
    sids = [source["account_sid"].value for source in (explicit, fallback) if "account_sid" in source]
    return len(sids) == 2 and bool(sids[0] != sids[1])


def _without(names: Container[str], settings: Mapping[str, Given]) -> dict[str, Given]:
    return {name: given for name, given in settings.items() if name not in names}


def _opens(source: Mapping[str, Given]) -> bool:
    """Whether a source has what opens an account."""
    return "auth_token" in source or all(half in source for half in KEY_HALVES)


def label(name: str, source: str) -> str:
    """How a message names a setting of this source: `twilio:apiKey`, `TWILIO_API_KEY` or `Provider eu's api_key`."""
    setting = SETTINGS[name]
    if source == CONFIG:
        return setting.key
    if source == ENVIRONMENT and setting.variable:
        return setting.variable
    return f"{source}'s {name}"


def describe_sources(settings: Mapping[str, Given], names: Iterable[str]) -> str:
    """Say where these settings come from, without any value: `the environment (TWILIO_AUTH_TOKEN)`."""
    labels: dict[str, list[str]] = {}
    for name in names:
        if name in settings:
            source = settings[name].source
            labels.setdefault(source, []).append(label(name, source).removeprefix(f"{source}'s "))
    return " and ".join(f"{source} ({', '.join(those)})" for source, those in labels.items())


def account_sid(config: Lookup, environment: Mapping[str, str]) -> str | None:
    """The sid of the account that is set; None if there is none. It needs no credentials."""
    sid = _value("account_sid", config, environment)
    return sid if isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid) else None


def api_address(config: Lookup, environment: Mapping[str, str]) -> str:
    """The base URL that is set in place of Twilio's own, in one spelling; "" for Twilio's own."""
    url = str(_value("api_url", config, environment) or "").lower().rstrip("/")
    return "" if re.fullmatch(r"https?://([\w-]+\.)*twilio\.com(:\d+)?", url) else url


def default_region(config: Lookup) -> str:
    """The country whose numbers may be written without a country code."""
    return str(_value("default_region", config, {}) or DEFAULT_REGION).upper()


def region_setting(config: Lookup) -> str:
    """How a message names the setting that `default_region` reads."""
    provider = config(PROVIDER)
    return label("default_region", CONFIG if provider is None else f"Provider {provider}")


def _value(name: str, config: Lookup, environment: Mapping[str, str]) -> Any:
    setting = SETTINGS[name]
    return blank_to_none(config(setting.key)) or blank_to_none(environment.get(setting.variable or ""))


def register_secrets(config: Lookup, environment: Mapping[str, str]) -> None:
    """Have every secret of these sources redacted in all texts of this process, also as HTTP encodes credentials."""

    def values(name: str) -> list[Any]:
        setting = SETTINGS[name]
        return [config(setting.key), environment.get(setting.variable or "")]

    for setting in SETTINGS.values():
        for value in values(setting.name) if setting.secret else ():
            items = list_items(value)
            register_secret(value, *(items if isinstance(items, (list, tuple)) else ()))
    for user, password in (("account_sid", "auth_token"), KEY_HALVES):
        pairs = [f"{blank_to_none(u)}:{blank_to_none(p)}" for u in values(user) for p in values(password) if u and p]
        register_secret(*(base64.b64encode(pair.encode("utf-8", "surrogatepass")).decode() for pair in pairs))


def list_items(value: Any, separator: str | re.Pattern[str] = r"[\s,]+") -> Any:
    """The items of text with separators between them, or of a list as JSON, which is how a stack's config has it.

    Any other value is returned as it is.
    """
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return [item for item in re.split(separator, value) if item]


def misspelled(keys: Iterable[str]) -> dict[str, str]:
    """Find the config keys that nearly are one of ours: key -> ours.

    Other keys are left alone, as the namespace is shared with other providers for Twilio.
    """
    ours = [setting.key for setting in SETTINGS.values()]
    strange = {key for key in keys if key.startswith("twilio:")} - {*ours, PROVIDER}
    if not strange:
        return {}
    import difflib  # late, as few stacks misspell a key

    near = {key: difflib.get_close_matches(key, ours, 1, cutoff=0.85) for key in sorted(strange)}
    return {key: matches[0] for key, matches in near.items() if matches}
