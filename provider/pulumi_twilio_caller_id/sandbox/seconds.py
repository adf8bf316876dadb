"""Numbers of seconds, as they are given in a program, over HTTP or in a file. A boolean is no number there."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def is_seconds(value: object) -> bool:
    """Whether it is a number of seconds, 0 or more."""
    return isinstance(value, int | float) and is_number(value) and value >= 0


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("boolean", "a boolean is no number")
    return value


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(_no_boolean)]
"""In a model: 0 or more, also where it is given as a text, as all numbers are in YAML here."""
