"""Defines a resource's inputs and Twilio's responses as pydantic models. (Settings are in `settings/model.py`.)

The limits of inputs are Twilio's, unless a comment says otherwise.
Source: Twilio docs, voice/api/outgoing-caller-ids and voice/api/call-resource.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from .inputs import ACCOUNT_SID, CALLER_ID_SID
from .phone_number import DefaultRegion, e164
from .text import quote

NOT_YET_ANSWERED = frozenset({"queued", "ringing"})
CALL_ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})

BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's characters that reverse the text after them (Unicode Standard Annex #9, 2)."""


def _phone_number(value: str, info: ValidationInfo) -> str:
    return e164(value, **(info.context or {}))  # `parse_input` sets the context


def _friendly_name(name: str) -> str:
    if all(char.isspace() or unicodedata.category(char) == "Cf" for char in name):
        raise ValueError("it is empty: omit it to keep the name that the number has at Twilio")
    if len(name) > 64:
        raise ValueError(f"it is {len(name)} characters long: Twilio keeps at most 64")
    for char in name:
        if _is_control_character(char):
            raise ValueError(f"it holds {quote(char)}, a line break or another control character")
        if char in BIDI_CONTROLS:  # joiners and direction marks are fine: emoji, Persian and Hebrew need them
            raise ValueError(f"it holds {quote(char)}, a character that reverses the text after it")
    return name


def _call_delay(value: object) -> int:
    # The engine has only floats, so 5 arrives as 5.0. A value from a stack's config arrives as text.
    if isinstance(value, str) and re.fullmatch(r" *[0-9]{1,3} *", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1 or not 0 <= value <= 60:
        raise ValueError("it must be a whole number of seconds from 0 to 60")
    return int(value)


def _extension(value: str) -> str:
    # Twilio does not document the characters of Extension. These are SendDigits' (voice/api/call-resource).
    if not re.fullmatch(r"[0-9*#w]{1,32}", value, re.ASCII):
        raise ValueError("it must be 1 to 32 of the digits 0-9, * and #, and w for a pause of half a second")
    return value


def _status_callback(url: str) -> str:
    if len(url) > 1000:
        raise ValueError(f"it is {len(url)} characters long: Twilio takes at most 1,000")
    parts = split_http_url(url)
    if parts is None:
        raise ValueError("it must be an absolute http or https URL")
    if is_loopback(parts.hostname or ""):
        raise ValueError(f"it names this machine ({parts.hostname}): Twilio can't reach it; give a public URL")
    return url


def _method(value: object) -> str:
    if not isinstance(value, str) or value.upper() not in ("GET", "POST"):
        raise ValueError("it must be GET or POST")
    return value.upper()


def parse_account_sid(sid: str) -> str:
    """Return the sid of an account. Raises ValueError for any other text."""
    if sid.startswith("SK"):
        raise ValueError("it is an API key: give the sid of the account, which begins with AC")
    if not ACCOUNT_SID.fullmatch(sid):
        raise ValueError("it must be the sid of an account: AC and 32 hexadecimal digits")
    return sid


def parse_boolean(value: object) -> bool:
    """Return a bool. Raises ValueError for anything else."""
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004  pydantic collects ValueErrors
    return value


class OutgoingCallerIdInputs(BaseModel):
    """The inputs of an OutgoingCallerId, each with its validator. The constructor in `resource.py` takes the same."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)  # an input may be secret

    phone_number: Annotated[str, AfterValidator(_phone_number)]
    friendly_name: Annotated[str, AfterValidator(_friendly_name)] | None = None
    call_delay: Annotated[int, BeforeValidator(_call_delay)] | None = None
    extension: Annotated[str, AfterValidator(_extension)] | None = None
    status_callback: Annotated[str, AfterValidator(_status_callback)] | None = None
    status_callback_method: Annotated[str, BeforeValidator(_method)] | None = None
    account_sid: Annotated[str, AfterValidator(parse_account_sid)] | None = None
    adopt: Annotated[bool, BeforeValidator(parse_boolean)] | None = None
    """None: the setting `adopt` decides."""


def parse_input(name: str, value: object, region: DefaultRegion, old_number: str | None) -> Any:
    """Validate and normalise one input alone, as a preview may not know the others. Raises ValueError with the reason.

    region, old_number: as for `e164`, which parses `phone_number`. No other input uses them.
    """
    if name not in OutgoingCallerIdInputs.model_fields:
        import difflib  # late, as few programs misspell an input

        near = difflib.get_close_matches(name, OutgoingCallerIdInputs.model_fields, 1)
        raise ValueError(f"it is not an input of OutgoingCallerId{f': did you mean {near[0]}?' if near else ''}")
    inputs = OutgoingCallerIdInputs.model_construct(phone_number="")  # an empty model, to assign the one input to
    number_context = {"region": region, "old_number": old_number}
    try:
        inputs.__pydantic_validator__.validate_assignment(inputs, name, value, context=number_context)
        return getattr(inputs, name)
    except ValidationError as refused:
        details = refused.errors()[0].get("ctx", {})
        # "error" is our validator's ValueError. Without it, pydantic refused the type of an input that must be text.
        raise ValueError(str(details.get("error", "it must be text: put it in quotes"))) from None


def split_http_url(text: str) -> SplitResult | None:
    """Split an absolute http or https URL in ASCII. Returns None for any other text."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable and re.fullmatch(r"[!-~]+", text) else None


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine, in any spelling that resolvers accept."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(name))  # legacy spellings: 127.1, 0x7f.0.0.1
        except OSError:
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _is_control_character(char: str) -> bool:
    """Whether a character is a line break, another control character, or a lone surrogate."""
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _without_control_characters(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join("\ufffd" if _is_control_character(char) or char in BIDI_CONTROLS else char for char in value)


def _rfc2822(value: object) -> object:
    """Format a date as Twilio's API does. Twilio's SDK has parsed it, but the state keeps the API's form."""
    return format_datetime(value) if isinstance(value, datetime) else value


def _six_digits(value: object) -> object:
    """Restore the zeros at the beginning of a code, which a JSON number has lost."""
    return f"{value:06d}" if isinstance(value, int) else value


Rfc2822Date = Annotated[str | None, BeforeValidator(_rfc2822)]


class _TwilioResponse(BaseModel):
    # The validators are built when they are first used: many previews read no response.
    model_config = ConfigDict(frozen=True, from_attributes=True, defer_build=True)


class CallerId(_TwilioResponse):
    """An OutgoingCallerId at Twilio. The dates are in UTC; `uri` is relative to the API's base URL."""

    sid: str = Field(pattern=f"^{CALLER_ID_SID.pattern}$")
    phone_number: str
    friendly_name: str | None = None
    account_sid: str
    date_created: Rfc2822Date = None
    date_updated: Rfc2822Date = None
    uri: str | None = None

    def outputs(self) -> dict[str, Any]:
        """Return the resource's outputs. Control characters become U+FFFD, because the engine prints outputs raw.

        Inputs refuse these characters, so a declared friendly_name is never altered here.
        """
        return {name: _without_control_characters(value) for name, value in self.model_dump().items()}


class ValidationRequest(_TwilioResponse):
    """Twilio's response to a validation request: the phone call it placed, and the code to key in.

    The response has no caller ID sid, as the caller ID is created only once the code has been keyed in.
    """

    call_sid: str = Field(pattern=r"^CA[0-9a-fA-F]{32}$")
    phone_number: str
    validation_code: Annotated[str, BeforeValidator(_six_digits)] = Field(repr=False)
    account_sid: str | None = None


class CallState(_TwilioResponse):
    """The state of a phone call: `status` is queued, ringing, in-progress or one of CALL_ENDED.

    `duration` is in seconds, and None until the call has ended.
    `completed` does not mean verified: a call without the right code ends as completed too.
    """

    status: str
    duration: int | None = None

    @property
    def ended(self) -> bool:
        return self.status in CALL_ENDED
