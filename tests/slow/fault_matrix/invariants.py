"""What must hold in every cell of the fault matrix (`faults.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.phone_number import international_format
from tests.support.leak_search import Search, canary

NEW, DESK = "+14155550101", "+14155550199"
"""A number that is to be verified, and one that is."""

CALLING = ("look-up", "place call", "poll call", "poll list", "called back")
WAITING = ("poll call", "poll list", "called back")

DEADLINE = 15.0
PAUSES = 60.0
LAST_LOOK = 10.0
"""Seconds: of an operation whose pauses are not made; of those pauses; and of them, behind a wait's deadline."""

OF_RECORDS = ("extra fields", "no such date")
"""Faults of records, and a look-up that finds none has none."""

LONGEST = 1500
"""Characters of an error message."""

Lasting = Literal["once", "lasting"]


@dataclass(frozen=True)
class Outcome:
    """What one cell came to. sid: what the state has afterwards, "" for nothing. left: what Twilio has, sid by number.
    paused: seconds of pauses that were asked for, and not made. strays: requests to no endpoint.
    """

    step: str
    fault: str
    lasting: Lasting
    answer: Any
    error: BaseException | None
    sid: str
    calls: int
    left: dict[str, str]
    seconds: float
    paused: float
    strays: int
    logged: list[str]

    @property
    def word(self) -> str:
        return "ok" if self.error is None else type(self.error).__name__

    @property
    def message(self) -> str:
        return str(self.error or "")


def one_call_at_most(seen: Outcome) -> bool:
    """And none but by a create that verifies a number."""
    return seen.calls <= (seen.step in CALLING)


def state_is_kept(seen: Outcome) -> bool:
    """Only Twilio's own 20404 takes a caller ID out of the state while it is there."""
    if seen.step not in ("read", "delete"):
        return True
    return bool(seen.sid) or seen.fault == "20404" or DESK not in seen.left.values()


def nothing_is_orphaned(seen: Outcome) -> bool:
    """A number that was phoned may become a caller ID: it is in the state, or the error speaks of it."""
    return seen.calls == 0 or seen.sid in seen.left or international_format(NEW) in seen.message or NEW in seen.message


def it_ends_in_time(seen: Outcome) -> bool:
    return seen.seconds < DEADLINE and seen.paused <= (LAST_LOOK if seen.step in WAITING else PAUSES)


def one_clear_message(seen: Outcome) -> bool:
    if seen.error is None:
        return True
    return isinstance(seen.error, CallerIdError) and "Traceback" not in seen.message and len(seen.message) < LONGEST


def no_secret_is_told(seen: Outcome) -> bool:
    search = Search({"auth token": canary("auth token")})
    search.look("all", "\n".join([seen.message, *seen.logged]))
    return not search.leaks


def more_fields_are_harmless(seen: Outcome) -> bool:
    return seen.fault != "extra fields" or seen.error is None


def no_call_without_a_look_up(seen: Outcome) -> bool:
    """What can't be read is no word for the number not being there."""
    return seen.step != "look-up" or seen.lasting == "once" or seen.fault in OF_RECORDS or seen.calls == 0


def redirects_are_not_followed(seen: Outcome) -> bool:
    return seen.strays == 0


INVARIANTS: tuple[Callable[[Outcome], bool], ...] = (
    one_call_at_most,
    state_is_kept,
    nothing_is_orphaned,
    it_ends_in_time,
    one_clear_message,
    no_secret_is_told,
    more_fields_are_harmless,
    redirects_are_not_followed,
    no_call_without_a_look_up,
)


def broken(seen: Outcome) -> list[str]:
    return [invariant.__name__ for invariant in INVARIANTS if not invariant(seen)]
