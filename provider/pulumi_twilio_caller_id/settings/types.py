"""What each setting may be. A reason for a refusal goes behind the setting's name, and holds no secret. `{}` in it
stands for the name of the setting that the value was meant for.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from pulumi_twilio_caller_id.inputs import ACCOUNT_SID
from pulumi_twilio_caller_id.phone_number import is_region


def _account_sid(value: str) -> str:
    if value.startswith("SK"):
        raise ValueError("is an API key: it goes into {}; the account's sid begins with AC")
    if not ACCOUNT_SID.fullmatch(value):
        raise ValueError("must be the sid of an account: AC and 32 hexadecimal digits")
    return value


def _api_key(value: str) -> str:
    if value.startswith("AC"):
        raise ValueError("is the sid of an account: it goes into {}; an API key begins with SK")
    if not re.fullmatch(r"SK[0-9a-fA-F]{32}", value):
        raise ValueError("must be the sid of an API key: SK and 32 hexadecimal digits")
    return value


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # Paths go behind it. Backslashes and dots are read in one way here and in another on the way there.
    path = parts.path.lower().replace("%2e", ".").split("/") if usable else []
    if not usable or not re.fullmatch(r"[!-~]+", value) or re.search(r"[@?#\\]", value) or {".", ".."} & set(path):
        raise ValueError("must be a base URL, such as http://127.0.0.1:8484")
    return value.rstrip("/")


def _sendable(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[ -~]+", value.get_secret_value()):
        raise ValueError("holds a character that Twilio's tokens and secrets never have")
    return value


def _callback_url(value: str) -> str:
    if len(value) > 900:  # Twilio takes 1,000 for the whole, with each wait's own path behind it
        raise ValueError("is too long: at most 900 characters")
    try:
        return _base_url(value)
    except ValueError:
        raise ValueError("must be a public base URL, such as https://hooks.example.com/twilio") from None


def _listen(value: str) -> str:
    from pulumi_twilio_caller_id.verification.sockets import host_and_port  # late, as few stacks set it

    host_and_port(value)
    return value


def _region(value: str) -> str:
    if not is_region(value.upper()):
        raise ValueError("must be a country, such as US, GB or DE")
    return value


def _urls(value: object) -> object:
    from pulumi_twilio_caller_id.progress.notifications import parse_urls  # late, as few stacks set it

    return parse_urls(value)


def _tokens(value: object) -> object:
    """A list, a list as JSON (which is how a stack's config hands one over), or text with commas or spaces between."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value.replace(",", " ").split()


def _true_or_false(value: object) -> object:
    """A stack's config has text where the program has a bool."""
    known = {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
    if not isinstance(known, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  pydantic collects ValueErrors
    return known


AccountSid = Annotated[str, AfterValidator(_account_sid)]
ApiKey = Annotated[str, AfterValidator(_api_key)]
Secret = Annotated[SecretStr, AfterValidator(_sendable)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
CallbackUrl = Annotated[str, AfterValidator(_callback_url)]
Listen = Annotated[str, AfterValidator(_listen)]
Tokens = Annotated[tuple[Secret, ...], BeforeValidator(_tokens)]
Notify = Annotated[tuple[SecretStr, ...], BeforeValidator(_urls)]
Region = Annotated[str, AfterValidator(_region)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]
