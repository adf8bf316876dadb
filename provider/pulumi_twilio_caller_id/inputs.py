"""What a program may write: normalised, and refused with a reason per property.

Limits are Twilio's (docs: voice/api/outgoing-caller-ids, "Add an Outgoing Caller ID"), unless a comment says otherwise.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable, Container, Mapping
from typing import Any
from urllib.parse import urlsplit

from .phone_number import DEFAULT_REGION, REGION_KEY, e164
from .text import quote

ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
CALLER_ID_SID = re.compile(r"PN[0-9a-fA-F]{32}")

# What check is told of a resource beside its inputs: properties that it takes out again, so that no state has them.
# Transforms of a program see them. Two underscores say that they are internal, as those of the SDK's __provider do.
IMPORT = "__import"  # the sid to take over, of the resource's options
DELETE_BEFORE_REPLACE = "__delete_before_replace"  # of the resource's options
DRY_RUN = "__dry_run"  # there in previews, which the engine does not tell: true, or how long creation may take
SECRET_INPUTS = "__secret_inputs"  # noqa: S105  the names of those that the program keeps secret
MASKED = frozenset({"friendly_name", "status_callback"})
"""Those of them that no message shows. A number is shown: whoever keys in the code has to know which phone rings."""
DECLARATION = (IMPORT, DELETE_BEFORE_REPLACE, DRY_RUN, SECRET_INPUTS)

BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's explicit directional formatting: embeddings, overrides, isolates (Unicode Standard Annex #9, 2)."""


def has_lone_surrogates(text: str) -> bool:
    """Whether the text can't be sent: it has halves of characters (lone surrogates), as Python makes of a variable of
    the environment or a file name whose bytes are no UTF-8.
    """
    return any("\ud800" <= char <= "\udfff" for char in text)


def _text(value: object) -> str:
    """Numbers lose leading zeros and the plus on their way here, so they are not taken for text."""
    if not isinstance(value, str):
        raise ValueError("it must be text: put it in quotes")  # noqa: TRY004  all refusals are ValueErrors
    return value


def _call_delay(value: object) -> int:
    # The engine knows one kind of number, so 5 comes as 5.0; from a stack's config it comes as text.
    if isinstance(value, str) and re.fullmatch(r" *[0-9]{1,3} *", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1 or not 0 <= value <= 60:
        raise ValueError("it must be a whole number of seconds from 0 to 60")
    return int(value)


def _method(value: object) -> str:
    if not isinstance(value, str) or value.upper() not in ("GET", "POST"):
        raise ValueError("it must be GET or POST")
    return value.upper()


def _true_or_false(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004
    return value


def is_control_character(char: str) -> bool:
    """Whether it is a line break, another control character, or half a character."""
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _friendly_name(given: object) -> str:
    value = _text(given)
    if all(char.isspace() or unicodedata.category(char) == "Cf" for char in value):
        raise ValueError("it is empty: leave it out to leave Twilio's name alone")
    if len(value) > 64:
        raise ValueError(f"it is {len(value)} characters long: Twilio keeps at most 64")
    for char in value:
        if is_control_character(char):
            raise ValueError(f"it holds {quote(char)}, a line break or another control character")
        # Joiners and direction marks stay: emoji, Persian and Hebrew need them. These make a name read as another one.
        if char in BIDI_CONTROLS:
            raise ValueError(f"it holds {quote(char)}, which turns the text around that is shown behind it")
    return value


def _extension(given: object) -> str:
    value = _text(given)
    # The alphabet is that of a Call's SendDigits (docs: voice/api/call-resource); none is documented for Extension.
    if not re.fullmatch(r"[0-9*#w]{1,32}", value, re.ASCII):
        raise ValueError("it must be 1 to 32 of the digits 0-9, * and #, and w for a pause of half a second")
    return value


def _public_url(given: object) -> str:
    value = _text(given)
    if len(value) > 1000:
        raise ValueError(f"it is {len(value)} characters long: Twilio takes at most 1,000")
    try:
        parts = urlsplit(value)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or not re.fullmatch(r"[!-~]+", value):
        raise ValueError("it must be an absolute http or https URL")
    if is_loopback(host):
        raise ValueError(f"it names this machine ({host}): Twilio can't reach it; give a public URL")
    return value


def is_loopback(host: str) -> bool:
    """Whether a host name or address means the machine itself, in any of the spellings resolvers take."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(name))  # the old spellings: 127.1, 0x7f.0.0.1
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _account_sid(given: object) -> str:
    value = _text(given)
    if value.startswith("SK"):
        raise ValueError("it is an API key: give the sid of the account, which begins with AC")
    if not ACCOUNT_SID.fullmatch(value):
        raise ValueError("it must be the sid of an account: AC and 32 hexadecimal digits")
    return value


RULES: dict[str, Callable[[object], object]] = {
    "phone_number": _text,  # and e164, which is told the region
    "friendly_name": _friendly_name,
    "call_delay": _call_delay,
    "extension": _extension,
    "status_callback": _public_url,
    "status_callback_method": _method,
    "account_sid": _account_sid,
    "adopt": _true_or_false,
}
"""The inputs of an OutgoingCallerId, of which only `phone_number` is required. Each is normalised by its function, or
refused with a ValueError."""


def validate_inputs(
    given: Mapping[str, Any],
    *,
    unknown: Container[str] = (),
    region: str = DEFAULT_REGION,
    region_setting: str = REGION_KEY,
    before: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Normalise what is `given`, property by property; properties named in `unknown` have no value yet and pass.

    region, region_setting: see `e164`. before: the inputs in state. The same number passes as it is: most numbers of a
    stack are that, and reading one takes metadata of its country.

    Returns the normalised properties and the failures as (property, reason). A reason speaks of "it" and leaves the
    value out: the engine shows property and value before it, and knows which values are secret.
    """
    good: dict[str, Any] = {}
    failures: list[tuple[str, str]] = []
    if given.get("phone_number") is None and "phone_number" not in unknown:
        failures.append(("phone_number", "it is missing: give the number to verify, in E.164 such as +14155550101"))
    for name, value in given.items():
        if value is None:
            continue
        if name not in RULES:
            failures.append((name, "it is not an input of OutgoingCallerId" + _did_you_mean(name)))
            continue
        try:
            text = RULES[name](value)
            if name == "phone_number":
                text = e164(str(text), region, setting=region_setting, before=(before or {}).get("phone_number"))
            good[name] = text
        except ValueError as refused:
            failures.append((name, str(refused)))
    return good, failures


def _did_you_mean(name: str) -> str:
    import difflib  # late: for a mistake alone

    near = difflib.get_close_matches(name, RULES, 1)
    return f": did you mean {near[0]}?" if near else ""
