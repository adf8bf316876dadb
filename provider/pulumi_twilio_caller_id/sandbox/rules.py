"""What Twilio accepts in a request: phone numbers, and the form of a validation request.

Everything here looks at one value at a time and knows of no account. Source: Twilio docs:
voice/api/outgoing-caller-ids and voice/api/verifying-caller-ids-scale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import errors

FRIENDLY_NAME_LIMIT = 64
STATUS_CALLBACK_LIMIT = 1000
CALL_DELAY_LIMIT = 60  # seconds

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EXTENSION = re.compile(r"[0-9*#w]{1,32}", re.ASCII)  # undocumented; so it is for a Call's SendDigits
_WHOLE_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True)
class ValidationForm:
    """A validation request that has passed the rules, with Twilio's defaults filled in."""

    phone_number: str
    friendly_name: str
    call_delay: int = 0
    extension: str | None = None
    status_callback: str | None = None
    status_callback_method: str = "POST"


def read_validation_form(form: Mapping[str, str]) -> ValidationForm:
    """The form of `POST OutgoingCallerIds.json`, checked; raises `TwilioError` for the first field that is wrong."""
    phone_number = e164(form.get("PhoneNumber", ""))
    return ValidationForm(
        phone_number=phone_number,
        friendly_name=friendly_name(form.get("FriendlyName"), phone_number),
        call_delay=_call_delay(form.get("CallDelay")),
        extension=_extension(form.get("Extension")),
        status_callback=_status_callback(form.get("StatusCallback")),
        status_callback_method=_status_callback_method(form.get("StatusCallbackMethod")),
    )


def e164(given: str) -> str:
    """The number in E.164. Without a leading + it is read as a US number, as Twilio does; 13224 if it is none.

    Twilio has numbers of a length that the metadata does not know. So with a leading + any length of E.164 is one, but
    for North America.
    """
    import phonenumbers  # its tables take a while to load, and not everybody who imports this needs them

    try:
        number = phonenumbers.parse(given, "US")
    except phonenumbers.NumberParseException as unreadable:
        raise errors.invalid_phone_number(given) from unreadable
    read = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    abroad = given.strip().startswith("+") and number.country_code != 1
    if not _E164.fullmatch(read) or not (abroad or phonenumbers.is_possible_number(number)):
        raise errors.invalid_phone_number(given)
    return read


def formatted(phone_number: str, *, abroad_e164: bool = False) -> str:
    """The number for display: "(415) 867-5309" in North America, elsewhere "+44 20 7183 8750".

    `abroad_e164` leaves numbers from elsewhere as they are, which is how Calls show them.
    """
    import phonenumbers

    number = phonenumbers.parse(phone_number)
    if number.country_code == 1:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    if abroad_e164:
        return phone_number
    # Only the North American form is documented; this is a guess for the rest of the world.
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def friendly_name(given: str | None, phone_number: str) -> str:
    """The name a caller ID gets: the one given, else the number for display; 20001 if it is over 64 characters."""
    if not given:  # what an empty FriendlyName does at Twilio is unknown; here it means the default
        return formatted(phone_number)
    if len(given) > FRIENDLY_NAME_LIMIT:
        raise errors.invalid_parameter(f"FriendlyName is at most {FRIENDLY_NAME_LIMIT} characters, not {len(given)}")
    return given


def _call_delay(given: str | None) -> int:
    if given is None:
        return 0
    if not _WHOLE_NUMBER.fullmatch(given) or int(given) > CALL_DELAY_LIMIT:
        raise errors.invalid_call_delay(given)
    return int(given)


def _extension(given: str | None) -> str | None:
    if given is not None and not _EXTENSION.fullmatch(given):
        raise errors.invalid_extension(given)
    return given


def _status_callback(given: str | None) -> str | None:
    if given is None:
        return None
    if len(given) > STATUS_CALLBACK_LIMIT:
        raise errors.invalid_status_callback(f"{len(given)} characters, {STATUS_CALLBACK_LIMIT} are allowed")
    try:
        url = urlsplit(given)
        host, _ = url.hostname, url.port  # both raise for nonsense
    except ValueError as malformed:
        raise errors.invalid_status_callback(given) from malformed
    if url.scheme not in ("http", "https") or not host or any(character.isspace() for character in given):
        raise errors.invalid_status_callback(given)
    return given


def _status_callback_method(given: str | None) -> str:
    if given is None:
        return "POST"
    if given not in ("GET", "POST"):
        raise errors.invalid_method(given)
    return given
