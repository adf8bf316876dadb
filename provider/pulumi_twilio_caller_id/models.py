"""What is declared, and what Twilio answers, as pydantic models.

Source of the fields: Twilio docs, voice/api/outgoing-caller-ids and voice/api/call-resource.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .inputs import BIDI_CONTROLS, CALLER_ID_SID, is_control_character, validate_inputs

NOT_YET_ANSWERED = frozenset({"queued", "ringing"})
MAX_WORD_LENGTH = 40
"""Characters of what is one word of Twilio's, and shown as such. Anything longer is not what it should be."""

CALL_ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


class CallerIdInputs(BaseModel):
    """The inputs of an OutgoingCallerId, as `inputs.checked` normalises them. Only `phone_number` is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_number: str
    friendly_name: str | None = None
    call_delay: int | None = None
    extension: str | None = None
    status_callback: str | None = None
    status_callback_method: str | None = None
    account_sid: str | None = None
    adopt: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _normalised(cls, given: dict[str, Any]) -> dict[str, Any]:
        good, failures = validate_inputs(given)
        if failures:
            raise ValueError("; ".join(f"{name}: {reason}" for name, reason in failures))
        return good


def _rfc2822(value: object) -> object:
    """The date as Twilio wrote it: the client parses it, and state keeps the API's own form."""
    return format_datetime(value) if isinstance(value, datetime) else value


def _whole(value: object) -> object:
    """Text without halves of characters, which JSON may have (a name cut in the middle of an emoji), and which can be
    sent and stored nowhere: each is a U+FFFD.
    """
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _steerless(text: str) -> str:
    if text.isprintable():
        return text
    return "".join("\ufffd" if is_control_character(char) or char in BIDI_CONTROLS else char for char in text)


def _six_digits(value: object) -> object:
    """Codes may begin with zeros, which a JSON number has lost."""
    return f"{value:06d}" if isinstance(value, int) else value


Date = Annotated[str | None, BeforeValidator(_rfc2822)]
Name = Annotated[str | None, BeforeValidator(_whole)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class CallerId(_Record):
    """An OutgoingCallerId as Twilio has it. Dates are RFC 2822, in UTC; `uri` is relative to the API's base URL."""

    sid: str = Field(pattern=f"^{CALLER_ID_SID.pattern}$")
    phone_number: str = Field(max_length=MAX_WORD_LENGTH)
    friendly_name: Name = None
    account_sid: str = Field(max_length=MAX_WORD_LENGTH)
    date_created: Date = None
    date_updated: Date = None
    uri: str | None = None

    def outputs(self) -> dict[str, Any]:
        """As the state has it. The engine prints texts of several lines as they are: what steers a terminal is a U+FFFD
        there. No program may give it, so nothing that one declares is affected.
        """
        fields = self.model_dump()
        return {name: _steerless(value) if isinstance(value, str) else value for name, value in fields.items()}


class ValidationRequest(_Record):
    """Twilio's answer to a validation request: which call it placed, and the code to key in. No sid: the caller ID
    does not exist before the code has been keyed in.
    """

    call_sid: str = Field(pattern=r"^CA[0-9a-fA-F]{32}$")
    phone_number: str
    validation_code: Annotated[str, BeforeValidator(_six_digits)] = Field(max_length=MAX_WORD_LENGTH, repr=False)
    account_sid: str | None = None


class CallState(_Record):
    """How a Call stands: `status` queued, ringing, in-progress or one of CALL_ENDED; `duration` in seconds, once over.

    `completed` does not mean verified: a call with a wrong code or none ends as completed too.
    """

    status: str = Field(max_length=MAX_WORD_LENGTH)
    duration: int | None = None

    @property
    def ended(self) -> bool:
        return self.status in CALL_ENDED
