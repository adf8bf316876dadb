"""The JSON bodies that the sandbox's own end points take, and what is said about one that makes no sense."""

from __future__ import annotations

import json
import shlex
from typing import Any, ClassVar, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .callback_plan import HOWS

SECONDS = "a number of seconds, 0 or more"


class Body(BaseModel):
    """A mapping with these fields and no others. Each field's description follows "must be". `like` is an example."""

    model_config = ConfigDict(extra="forbid", strict=True)
    like: ClassVar[str]


class ClockBody(Body):
    """POST /sandbox/clock."""

    like = '{"advance": 60}'
    advance: float = Field(description=SECONDS)


class CallbacksBody(Body):
    """PUT /sandbox/callbacks; see `callbacks.Plan`."""

    like = '{"how": "late", "delay": 2}'
    how: str = Field(description=f"one of {', '.join(HOWS)}")
    delay: float | None = Field(None, description=f"{SECONDS}, for late callbacks")


class NewCallerId(Body):
    """POST /sandbox/caller-ids."""

    like = '{"phone_number": "+14155550101"}'
    phone_number: str = Field(description="a phone number, such as +14155550101")
    friendly_name: str | None = Field(None, description="a text; without it the caller ID has Twilio's default name")
    account_sid: str | None = Field(None, description="one of the sandbox's accounts; without it the main one")


class NewName(Body):
    """POST /sandbox/caller-ids/{sid}."""

    like = '{"friendly_name": "Desk"}'
    friendly_name: str = Field(description="a text; an empty one brings Twilio's default name back")


Read = TypeVar("Read", bound=Body)


class WrongBody(ValueError):
    """A body that cannot be used; the message names the key, the value and what is allowed."""


async def read_json(request: web.Request, *like: str) -> Any:
    """The body, whatever type it claims to be; raises `WrongBody`, with what a body may be `like`."""
    text = await request.read()
    written = f"it must be JSON, as in {' or '.join(f'-d {shlex.quote(body)}' for body in like)}"
    if not text.strip():
        raise WrongBody(f"the body is empty; {written}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as malformed:
        reason = "it is nested too deeply" if isinstance(malformed, RecursionError) else str(malformed)
        raise WrongBody(f"the body is not JSON ({reason}); {written}") from malformed


async def read_body(request: web.Request, model: type[Read]) -> Read:
    """The body as that model; raises `WrongBody`."""
    content = await read_json(request, model.like)
    if not isinstance(content, dict):
        raise WrongBody(f"the body must be a mapping with {' and '.join(model.model_fields)}, not {content!r}")
    try:
        return model.model_validate(content)
    except ValidationError as invalid:
        raise WrongBody(_explain(model, invalid.errors()[0])) from invalid


def _explain(model: type[Body], error: Any) -> str:
    key = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"{key!r} is not one of {', '.join(model.model_fields)}"
    allowed = model.model_fields[key].description
    if error["type"] == "missing":
        return f"{key} is missing: it must be {allowed}"
    return f"{key} {error['input']!r} must be {allowed}"
