"""What a program may write: normalised, and refused with a reason per property.

Limits are Twilio's (docs: voice/api/outgoing-caller-ids, "Add an Outgoing Caller ID"), unless a comment says otherwise.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Container, Mapping
from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import ValidationInfo as Info

ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
CALLER_ID_SID = re.compile(r"PN[0-9a-fA-F]{32}")
CALLER = "+14157234000"
"""The number all validation calls come from (Twilio docs: voice/api/verifying-caller-ids-scale)."""

# What check is told of a resource beside its inputs: properties that it takes out again, so that no state has them.
IMPORT = "import_"  # the sid to take over, of the resource's options
DELETE_BEFORE_REPLACE = "delete_before_replace"  # of the resource's options
DRY_RUN = "dry_run"  # there in previews, which the engine does not tell: true, or how long creation may take
HINTS = (IMPORT, DELETE_BEFORE_REPLACE, DRY_RUN)

DEFAULT_REGION = "US"  # Twilio itself reads an unformatted number as a US one


def e164(number: str, region: str = DEFAULT_REGION) -> str:
    """The number in E.164, e.g. `+14155550101`; one without country code is read as of `region`, such as US.

    Raises ValueError, with the reason, for what cannot be a phone number.
    """
    import phonenumbers  # late: its metadata is large, and most operations never need it

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"it can't be read: twilio:defaultRegion is {region!r}, not a country such as US, GB or DE")
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException as failed:
        raise ValueError(_PARSE_REASONS.get(failed.error_type, "it is not a phone number")) from None
    if parsed.extension:
        raise ValueError(f"it holds an extension: put {parsed.extension!r} into `extension`")
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError(_LENGTH_REASONS.get(possible, "it is not a phone number"))
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def readable(number: str) -> str:
    """A number in E.164 as people write it, e.g. `+1 415-555-0101`."""
    import phonenumbers

    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


# phonenumbers' own numbers: NumberParseException.* and ValidationResult.*
_PARSE_REASONS = {
    0: "it has a country code that does not exist",
    1: "it is not a phone number",
    2: "it is too short after its country code",
    3: "it is too short to be a phone number",
    4: "it is too long to be a phone number",
}
_LENGTH_REASONS = {
    1: "it has a country code that does not exist",
    2: "it is too short for its country",
    3: "it is too long for its country",
    4: "it lacks its area code",
    5: "it has a length that its country does not use",
}


def _text(value: object) -> object:
    """Numbers lose leading zeros and the plus on their way here, so they are not taken for text."""
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError("it must be text: put it in quotes")  # noqa: TRY004  pydantic collects ValueErrors
    return value


def _phone_number(value: str, info: Info) -> str:
    return e164(value, (info.context or {}).get("region", DEFAULT_REGION))


def _whole(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("it must be a whole number of seconds from 0 to 60")  # noqa: TRY004
    return value


def _true_or_false(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004
    return value


def _friendly_name(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty: leave it out to leave Twilio's name alone")
    if len(value) > 64:
        raise ValueError(f"it is {len(value)} characters long: Twilio keeps at most 64")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value):
        raise ValueError("it holds a line break or another control character")
    return value


def _extension(value: str) -> str:
    # The alphabet is that of a Call's SendDigits (docs: voice/api/call-resource); none is documented for Extension.
    if not re.fullmatch(r"[0-9*#w]{1,32}", value, re.ASCII):
        raise ValueError("it must be 1 to 32 of the digits 0-9, * and #, and w for a pause of half a second")
    return value


def _public_url(value: str) -> str:
    if len(value) > 1000:
        raise ValueError(f"it is {len(value)} characters long: Twilio takes at most 1,000")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
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


def _account_sid(value: str) -> str:
    if value.startswith("SK"):
        raise ValueError("it is an API key: give the sid of the account, which begins with AC")
    if not ACCOUNT_SID.fullmatch(value):
        raise ValueError("it must be the sid of an account: AC and 32 hexadecimal digits")
    return value


Text = Annotated[str, BeforeValidator(_text)]
PhoneNumber = Annotated[Text, AfterValidator(_phone_number)]
AccountSid = Annotated[Text, AfterValidator(_account_sid)]
Upper = Annotated[
    Literal["GET", "POST"], BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
]


class CallerIdInputs(BaseModel):
    """The inputs of an OutgoingCallerId. Only `phone_number` is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_number: PhoneNumber
    friendly_name: Annotated[Text, AfterValidator(_friendly_name)] | None = None
    call_delay: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=60)] | None = None
    extension: Annotated[Text, AfterValidator(_extension)] | None = None
    status_callback: Annotated[Text, AfterValidator(_public_url)] | None = None
    status_callback_method: Upper | None = None
    account_sid: AccountSid | None = None
    adopt: Annotated[bool, BeforeValidator(_true_or_false)] | None = None


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(field.rebuild_annotation()) for name, field in CallerIdInputs.model_fields.items()}


def checked(
    given: Mapping[str, Any], *, unknown: Container[str] = (), region: str = DEFAULT_REGION
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Normalise what is `given`, property by property; properties named in `unknown` have no value yet and pass.

    Returns the normalised properties and the failures as (property, reason). A reason speaks of "it" and leaves the
    value out: the engine shows property and value before it, and knows which values are secret.
    """
    adapters = _adapters()
    good: dict[str, Any] = {}
    failures: list[tuple[str, str]] = []
    if given.get("phone_number") is None and "phone_number" not in unknown:
        failures.append(("phone_number", "it is missing: give the number to verify, in E.164 such as +14155550101"))
    for name, value in given.items():
        if value is None:
            continue
        if name not in adapters:
            near = difflib.get_close_matches(name, adapters, 1)
            failures.append(
                (name, "it is not an input of OutgoingCallerId" + (f": did you mean {near[0]}?" if near else ""))
            )
            continue
        try:
            good[name] = adapters[name].validate_python(value, context={"region": region})
        except ValidationError as refused:
            failures.append((name, _reason(name, refused)))
    return good, failures


def _reason(name: str, refused: ValidationError) -> str:
    """Our own words where we raised them, else what the property takes."""
    first = refused.errors()[0]
    own = first.get("ctx", {}).get("error")
    if isinstance(own, ValueError):
        return str(own)
    return _TAKES[name]


_TAKES = {
    "call_delay": "it must be a whole number of seconds from 0 to 60",
    "status_callback_method": "it must be GET or POST",
}
