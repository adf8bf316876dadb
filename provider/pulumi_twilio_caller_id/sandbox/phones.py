"""The people who are called: how each phone behaves, and the file that says so.

A phone is a number and a behaviour. The number "*" stands for all that are not named; without it they are answered, and
the code is keyed in. The file is YAML or JSON, a mapping of number to behaviour, or to a mapping with the behaviour and
delays in seconds:

    "+14155550101": busy
    "+14155550102": {behaviour: late-listed, rings: 1, listed_after: 5}
    "*": manual
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pulumi_twilio_caller_id.phone_number import duplicate_number_message

from . import rules
from .data_file import DataFileError, read_data
from .errors import TwilioError
from .seconds import Seconds, is_seconds

EVERY = "*"
"""In place of a number: every one that is not named."""

# Twilio rings for 60 seconds unless told otherwise (Twilio docs: voice/api/call-resource, Timeout). A person who works
# the sandbox by hand gets as much; the short default of the other phones would be over before the page is open.
RING_TIMEOUT = 60.0


class Behaviour(StrEnum):
    """What the person at a number does when Twilio calls to verify it, or what Twilio makes of the number."""

    KEYS_CODE = "keys-code"
    """Answers and keys the right code in: verified."""
    WRONG_CODE = "wrong-code"
    """Answers and keys wrong codes in: the call is `completed`, the number is not verified."""
    HANGS_UP = "hangs-up"
    """Answers, keys nothing in, hangs up: `completed`, not verified."""
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    """Rings for `rings` seconds, then Twilio gives up."""
    COUNTRY_BLOCKED = "country-blocked"
    """Accepted, but the account may not call that country: the call is `failed`. Source: Twilio error 13227."""
    LATE_LISTED = "late-listed"
    """As keys-code, but the number shows up in the list only `listed_after` seconds after the call."""
    MANUAL = "manual"
    """Rings until somebody answers by hand (`POST /sandbox/calls/{CallSid}/digits`); `no-answer` after `rings`."""
    REFUSED = "refused"
    """Twilio refuses to call the number: 400, code 13224."""
    OWN_NUMBER = "own-number"
    """A Twilio number of the account, a caller ID already: 400, code 21449."""


@dataclass(frozen=True)
class Delays:
    """How long things take, in seconds, on every phone that does not say otherwise. All may be 0.

    `queued` until the phone rings, from the request or, where calls have to wait for their turn, from that on; `rings`
    until it is answered (or given up), `talks` until the call ends. Raises `ValueError` for a negative or infinite one.
    """

    queued: float = 0.5
    rings: float = 2.0
    talks: float = 4.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not is_seconds(value):
                raise ValueError(f"{field.name} is a number of seconds, 0 or more, not {value!r}")


class Script(BaseModel):
    """What will happen on one call: a behaviour with every delay settled, in seconds. Stored with the call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    behaviour: Behaviour
    queued: Seconds
    rings: Seconds
    talks: Seconds
    listed_after: Seconds
    known_after: Seconds = 0.0


class Phone(BaseModel):
    """One phone as a user describes it. Delays are in seconds; one that is left out follows `Delays`.

    `listed_after` is for late-listed phones alone. `known_after`: until then the Call is not found (Twilio docs:
    voice/api/call-resource: Calls are eventually consistent). `validation_code` is the code Twilio gives for this
    number, instead of a random one: six digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    behaviour: Behaviour = Behaviour.KEYS_CODE
    queued: Seconds | None = None
    rings: Seconds | None = None
    talks: Seconds | None = None
    listed_after: Seconds | None = None
    known_after: Seconds | None = None
    validation_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None

    @model_validator(mode="after")
    def _listed_after_belongs_to_late_listed(self) -> Self:
        if self.listed_after is not None and self.behaviour is not Behaviour.LATE_LISTED:
            raise ValueError(f"listed_after is for {Behaviour.LATE_LISTED} phones, not for {self.behaviour}")
        return self

    def script(self, delays: Delays) -> Script:
        """The script for a call that is placed now."""
        rings = RING_TIMEOUT if self.behaviour is Behaviour.MANUAL else delays.rings
        late = 3.0 if self.behaviour is Behaviour.LATE_LISTED else 0.0
        return Script(
            behaviour=self.behaviour,
            queued=delays.queued if self.queued is None else self.queued,
            rings=rings if self.rings is None else self.rings,
            talks=delays.talks if self.talks is None else self.talks,
            listed_after=late if self.listed_after is None else self.listed_after,
            known_after=self.known_after or 0.0,
        )


PhoneLike = Phone | str | Mapping[str, Any]
"""A phone as it may be written: a behaviour's name, a mapping of `Phone`'s fields, or a `Phone`."""


class PhoneBook:
    """Every phone there is, by number. May be used from any thread.

    Raises `PhonesFileError` for a phone that makes no sense.
    """

    def __init__(self, phones: Mapping[str, PhoneLike] | None = None, delays: Delays | None = None) -> None:
        self.delays = delays or Delays()
        self._phones = read_phones(phones or {})

    def phone(self, phone_number: str) -> Phone:
        """What somebody said of that number, else of "*"; keys-code where nobody said anything."""
        phones = self._phones
        return phones.get(phone_number) or phones.get(EVERY) or Phone()

    def described(self) -> dict[str, Phone]:
        """What was said of numbers, and of "*"; a copy."""
        return dict(self._phones)

    def set(self, number: str, phone: PhoneLike) -> None:
        """Describes one number anew, or "*"; calls that are under way keep their script."""
        self._phones = self._phones | read_phones({number: phone})


class PhonesFileError(ValueError):
    """A description of phones that cannot be used; the message names the entry, the value and what is allowed."""


def load_phones(path: Path) -> dict[str, Phone]:
    """Reads a phones file; raises `PhonesFileError`."""
    try:
        content = read_data(path)
    except DataFileError as unreadable:
        raise PhonesFileError(str(unreadable)) from unreadable
    if not isinstance(content, dict):
        raise PhonesFileError(f"{path}: must be a mapping of phone number to behaviour")
    try:
        return read_phones(content)
    except PhonesFileError as wrong:
        raise PhonesFileError(f"{path}: {wrong}") from wrong


def read_phones(phones: Mapping[str, PhoneLike]) -> dict[str, Phone]:
    """Checks descriptions of phones and brings their numbers to E.164, but for "*"; raises `PhonesFileError`."""
    read: dict[str, Phone] = {}
    for number, phone in phones.items():
        try:
            phone_number = number if number == EVERY else rules.e164(number if isinstance(number, str) else "")
        except TwilioError as impossible:
            raise PhonesFileError(
                f"{number!r} is not a phone number; write it as +14155550101, or * for all the others"
            ) from impossible
        if phone_number in read:
            raise PhonesFileError(duplicate_number_message(number, phone_number))
        read[phone_number] = _read_phone(number, phone)
    return read


def _read_phone(number: str, phone: PhoneLike) -> Phone:
    if isinstance(phone, Phone):
        return phone
    try:
        return Phone.model_validate({"behaviour": phone} if isinstance(phone, str) else phone)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise PhonesFileError(f"{number}: {_explain([str(step) for step in first['loc']], first)}") from invalid


def _explain(where: list[str], error: Any) -> str:
    key, value = ".".join(where), error["input"]
    match error["type"]:
        case "enum":
            return f"{key} {value!r} is not one of {', '.join(Behaviour)}"
        case "extra_forbidden":
            return f"{key!r} is not one of {', '.join(Phone.model_fields)}"
        case "string_pattern_mismatch" | "string_type":
            return f"{key} {value!r} must be six digits, in quotes"
        case "value_error":
            return str(error["ctx"]["error"])
        case "model_type" | "model_attributes_type":
            return f"{value!r} is neither a behaviour ({', '.join(Behaviour)}) nor a mapping"
        case _:
            return f"{key} {value!r} must be a number of seconds, 0 or more"
