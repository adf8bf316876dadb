"""The JSON bodies that the sandbox's own end points take, and what is said about one that makes no sense."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .callback_plan import HOWS

SECONDS = "a number of seconds, 0 or more"


class Body(BaseModel):
    """A mapping with these fields and no others. Each field's description follows "must be"."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ClockBody(Body):
    """POST /sandbox/clock."""

    advance: float = Field(description=SECONDS)


class CallbacksBody(Body):
    """PUT /sandbox/callbacks; see `callbacks.Plan`."""

    how: str = Field(description=f"one of {', '.join(HOWS)}")
    delay: float | None = Field(None, description=f"{SECONDS}, for late callbacks")


class NewCallerId(Body):
    """POST /sandbox/caller-ids."""

    phone_number: str = Field(description="a phone number, such as +14155550101")
    friendly_name: str | None = Field(None, description="a text; without it the caller ID has Twilio's default name")
    account_sid: str | None = Field(None, description="one of the sandbox's accounts; without it the main one")


class NewName(Body):
    """POST /sandbox/caller-ids/{sid}."""

    friendly_name: str = Field(description="a text; an empty one brings Twilio's default name back")


Read = TypeVar("Read", bound=Body)


class WrongBody(ValueError):
    """A body that cannot be used; the message names the key, the value and what is allowed."""


async def read_json(request: web.Request) -> Any:
    """The body, whatever type it claims to be; raises `WrongBody`."""
    text = await request.read()
    if not text.strip():
        raise WrongBody("the body is empty; it must be JSON")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as malformed:
        reason = "it is nested too deeply" if isinstance(malformed, RecursionError) else str(malformed)
        raise WrongBody(f"the body is not JSON ({reason})") from malformed


async def read_body(request: web.Request, model: type[Read]) -> Read:
    """The body as that model; raises `WrongBody`."""
    content = await read_json(request)
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
