"""The arguments of `testing.Sandbox`: of which kind each must be, and numbers as they are written there.

What only makes sense or not in its place, such as a phone's behaviour, is checked there; `of` says whose value it was.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pulumi_twilio_caller_id.phone_number import duplicate_number_message
from pulumi_twilio_caller_id.text import quote

from . import rules
from .callback_plan import HOWS
from .errors import TwilioError
from .phones import Delays
from .seconds import is_seconds

PORTS = 65535
"""The last one there is."""


def _a(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _list(value: object) -> bool:
    """A text can be gone through as well, but is one value; a mapping is for other arguments."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)


def _number(value: object) -> bool:
    return isinstance(value, float) or (_whole(value) and abs(value) < 10**300)  # type: ignore[arg-type]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _takes(count: int) -> Callable[[Any], bool]:
    """Whether it is a function that can be called with so many arguments."""

    def fits(value: object) -> bool:
        if not callable(value):
            return False
        try:
            inspect.signature(value).bind(*range(count))
        except TypeError:
            return False
        except ValueError:  # one that is built in does not say
            return True
        return True

    return fits


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "phones": ("a mapping of phone number to behaviour", _or_none(_a(Mapping))),
    "delays": ("a Delays(queued=..., rings=..., talks=...)", _or_none(_a(Delays))),
    "state": ("the path of a file", _or_none(_a(str, os.PathLike))),
    "numbers": ("a mapping of phone number to friendly name", _or_none(_a(Mapping))),
    "own_numbers": ("a list of phone numbers", _list),
    "subaccounts": (
        "a list of AccountSids, or a mapping of AccountSid to auth token",
        lambda value: _list(value) or isinstance(value, Mapping),
    ),
    "trial": ("True or False", _a(bool)),
    "geo_permissions": ("a list of countries such as ['US', 'CA']", _or_none(_list)),
    "port": (f"a whole number, 0 to {PORTS}", _whole),
    "clock": ("a function without arguments that gives seconds since the epoch", _takes(0)),
    "callbacks": (f"one of {', '.join(HOWS)}", _a(str)),
    "callback_delay": ("a number of seconds, 0 or more, or None", _or_none(_number)),
    "faults": ("a list of faults, each a Fault or a mapping such as {'endpoint': 'create', 'status': 500}", _list),
    "deliver_to": ("a mapping of public base URL to local one, both texts", _or_none(_texts)),
    "on_answer": ("a function that takes the record of a request", _or_none(_takes(1))),
    "latency": ("a number of seconds, 0 or more", _number),
    "concurrency": ("a whole number of requests, 1 or more, or None", _or_none(_whole)),
    "calls_per_second": ("a number above 0, or None", _or_none(_number)),
}
"""What each argument must be, in words that follow "must be", and whether a value is of that kind."""


def check(given: Mapping[str, Any]) -> None:
    """All arguments by name, and whatever else. `TypeError` for the first one of another kind; `ValueError` for a port
    that there is not, and for a delay that is none, or without callbacks that are late.
    """
    port, delay = given["port"], given["callback_delay"]
    for name, (kind, fits) in KINDS.items():
        if not fits(given[name]):
            raise TypeError(f"{name} must be {kind}, not {quote(given[name])}")
    for name, fit in (("port", 0 <= port <= PORTS), ("callback_delay", delay is None or is_seconds(delay))):
        if not fit:
            raise ValueError(f"{name} must be {KINDS[name][0]}, not {quote(given[name])}")
    if delay is not None and given["callbacks"] != "late":
        raise ValueError(f"callback_delay is for callbacks='late', not for {quote(given['callbacks'])}")


@contextmanager
def of(name: str) -> Iterator[None]:
    """Has a `ValueError` about what is in an argument begin with the argument's name."""
    try:
        yield
    except ValueError as wrong:
        raise ValueError(f"{name}: {wrong}") from wrong


def read_number(given: object) -> str:
    """A phone number, in E.164; `ValueError` for what is none."""
    try:
        return rules.e164(given if isinstance(given, str) else "")
    except TwilioError as impossible:
        raise ValueError(f"{quote(given)} is not a phone number; write it as +14155550101") from impossible


def read_each(given: Iterable[object]) -> list[str]:
    """Phone numbers, in E.164; `ValueError` for what is none, and for one that is given twice in any spelling."""
    read: list[str] = []
    for written in given:
        number = read_number(written)
        if number in read:
            raise ValueError(duplicate_number_message(written, number))
        read.append(number)
    return read


def read_numbers(given: Mapping[str, str | None]) -> dict[str, str]:
    """Numbers in E.164 and their friendly names, Twilio's own where none is given.

    `ValueError` for what is no number, for one that is given twice, and for a name that Twilio refuses.
    """
    read: dict[str, str] = {}
    for number, name in zip(read_each(given), given.values(), strict=True):
        if not isinstance(name, str | None):
            raise ValueError(f"{number} must have a text for a friendly name, or None, not {quote(name)}")  # noqa: TRY004
        try:
            read[number] = rules.friendly_name(name, number)
        except TwilioError as refused:
            raise ValueError(f"{number}: {refused.message}") from refused
    return read
