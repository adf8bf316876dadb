"""One verification call: what has become of it at a given moment.

Nothing here waits. A call remembers when it was placed and the script of the phone it goes to, and what happened by
hand; from these `timeline` computes all of its future, and `status` reads off any moment of it. So a call goes on while
the sandbox is down, and a test can move the clock.

    queued -> ringing -> in-progress -> completed
                 |-> busy, no-answer        |-> (the code was right) -> verified -> listed
    queued -> failed, canceled

Source of the statuses: Twilio docs: voice/api/call-resource.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from pulumi_twilio_caller_id.text import quote

from .phones import Behaviour, Delays, Phone, Script
from .rules import ValidationForm
from .seconds import Seconds

TRIES = 3  # how many wrong codes Twilio bears is unknown
LISTENS = 60.0  # seconds without a right code after which the call ends; Twilio's own number is unknown
_KEYS = re.compile("[0-9*#]+")


class CallIsOver(Exception):
    """Nothing can be done on this call any more, or not yet."""


class Call(BaseModel):
    """A verification call as it is kept. Times are seconds since the epoch."""

    model_config = ConfigDict(extra="forbid")

    sid: str = Field(pattern=r"^CA[0-9a-f]{32}$")
    account_sid: str
    to: str
    friendly_name: str
    validation_code: str = Field(pattern=r"^[0-9]{6}$")
    placed: float
    waits: Seconds = 0.0
    """Seconds in the queue of the account's calls, until it is this one's turn."""
    call_delay: int = 0
    extension: str | None = None
    status_callback: str | None = None
    status_callback_method: str = "POST"
    script: Script

    # What happened by hand; only looked at where the script is manual.
    answered: float | None = None
    last_try: float | None = None
    wrong_tries: int = 0
    keyed_right: float | None = None
    hung_up: float | None = None

    caller_id_sid: str | None = None
    """Set once the number is in the list because of this call."""
    promised_sid: str | None = None
    """The sid of the number's caller ID, decided as the call ended, and told by the callback."""
    called_back: bool = False
    """Whether its StatusCallback has been dealt with."""

    @property
    def turn(self) -> float:
        """When Twilio begins with it."""
        return self.placed + self.waits


@dataclass(frozen=True)
class PlacedCall:
    """A verification call as it stands at the moment it was asked for. Times are seconds since the epoch, and None for
    what has not happened by then.

    by_hand        a person decides what comes of it: its phone is manual, or somebody took the call over.
    tries_left     wrong codes that the call still bears; the one that leaves none ends it.
    ends           when the call ends if nobody does anything; None once it has ended.
    caller_id_sid  the sid that its number has because of this call, or is about to have; None: not verified by it.
    listed         whether that caller ID is in the list.
    """

    sid: str
    account_sid: str
    to: str
    status: str
    validation_code: str
    friendly_name: str
    placed: float
    call_delay: int
    extension: str | None
    status_callback: str | None
    status_callback_method: str
    ringing: float | None
    answered: float | None
    ended: float | None
    ends: float | None
    by_hand: bool
    tries_left: int
    caller_id_sid: str | None
    listed: bool


@dataclass(frozen=True)
class Timeline:
    """When each thing happens on a call. None: it never does."""

    placed: float
    ringing: float | None
    answered: float | None
    ended: float
    end_status: str
    listed: float | None
    """When the number shows up in the list of verified ones."""

    def status(self, at: float) -> str:
        """The call's status at a moment."""
        if at >= self.ended:
            return self.end_status
        if self.answered is not None and at >= self.answered:
            return "in-progress"
        if self.ringing is not None and at >= self.ringing:
            return "ringing"
        return "queued"

    def last_change(self, at: float) -> float:
        """When the status at that moment came about."""
        times = (self.placed, self.ringing, self.answered, self.ended)
        return max((time for time in times if time is not None and time <= at), default=self.placed)


def place(account_sid: str, request: ValidationForm, phone: Phone, delays: Delays, now: float, waits: float) -> Call:
    """A new call for a validation request, with a code: the phone's own, or a random one."""
    return Call(
        sid="CA" + secrets.token_hex(16),
        account_sid=account_sid,
        to=request.phone_number,
        friendly_name=request.friendly_name,
        validation_code=phone.validation_code or f"{secrets.randbelow(10**6):06d}",
        placed=now,
        waits=waits,
        call_delay=request.call_delay,
        extension=request.extension,
        status_callback=request.status_callback,
        status_callback_method=request.status_callback_method,
        script=phone.script(delays),
    )


def timeline(call: Call) -> Timeline:
    """All that happens on a call, as far as it is known now."""
    script = call.script
    ringing = call.turn + call.call_delay + script.queued
    answered = ringing + script.rings
    ended = answered + script.talks
    match script.behaviour:
        case Behaviour.COUNTRY_BLOCKED:
            return Timeline(call.placed, None, None, ringing, "failed", None)
        case Behaviour.BUSY:
            return Timeline(call.placed, ringing, None, answered, "busy", None)
        case Behaviour.NO_ANSWER:
            return Timeline(call.placed, ringing, None, answered, "no-answer", None)
        case Behaviour.WRONG_CODE | Behaviour.HANGS_UP:
            return Timeline(call.placed, ringing, answered, ended, "completed", None)
        case Behaviour.MANUAL:
            return _by_hand(call, ringing)
        case _:
            return Timeline(call.placed, ringing, answered, ended, "completed", ended + script.listed_after)


def _by_hand(call: Call, ringing: float) -> Timeline:
    if call.answered is None:
        if call.hung_up is None:
            return Timeline(call.placed, ringing, None, ringing + call.script.rings, "no-answer", None)
        if call.hung_up < ringing:
            return Timeline(call.placed, None, None, call.hung_up, "canceled", None)
        return Timeline(call.placed, ringing, None, call.hung_up, "busy", None)  # a call declined looks like a busy one
    ringing = min(ringing, call.answered)
    if call.keyed_right is not None:
        listed = call.keyed_right + call.script.listed_after
        return Timeline(call.placed, ringing, call.answered, call.keyed_right, "completed", listed)
    if call.hung_up is not None:
        return Timeline(call.placed, ringing, call.answered, call.hung_up, "completed", None)
    heard = max(call.answered, call.last_try or 0)
    patient = call.script.rings > LISTENS  # whoever asked for the call waits longer than Twilio would listen
    listens_until = ringing + call.script.rings if patient else heard + LISTENS
    ended = heard if call.wrong_tries >= TRIES else listens_until
    return Timeline(call.placed, ringing, call.answered, ended, "completed", None)


def placed(call: Call, now: float) -> PlacedCall:
    """The call as it stands."""
    times = timeline(call)
    return PlacedCall(
        sid=call.sid,
        account_sid=call.account_sid,
        to=call.to,
        status=times.status(now),
        validation_code=call.validation_code,
        friendly_name=call.friendly_name,
        placed=call.placed,
        call_delay=call.call_delay,
        extension=call.extension,
        status_callback=call.status_callback,
        status_callback_method=call.status_callback_method,
        ringing=_by(now, times.ringing),
        answered=_by(now, times.answered),
        ended=_by(now, times.ended),
        ends=times.ended if times.ended > now else None,
        by_hand=call.script.behaviour is Behaviour.MANUAL,
        tries_left=max(0, TRIES - call.wrong_tries),
        caller_id_sid=call.caller_id_sid or call.promised_sid,
        listed=call.caller_id_sid is not None,
    )


def _by(now: float, at: float | None) -> float | None:
    return at if at is not None and at <= now else None


def answer(call: Call, now: float) -> None:
    """The person picks up. Raises `CallIsOver` unless the phone rings."""
    status = timeline(call).status(now)
    if status != "ringing":
        raise CallIsOver(f"the call is {status}; it can be answered while it is ringing")
    _take_over(call, now)
    call.answered = now


def key_in(call: Call, digits: str, now: float) -> bool:
    """The person keys digits in, after answering if the phone still rings. Says whether that was the code.

    The third wrong try ends the call. Raises `ValueError` for what is not on a phone's keys, or nothing at all, and
    `CallIsOver` unless the phone rings or the call is in progress.
    """
    if not (isinstance(digits, str) and _KEYS.fullmatch(digits)):
        raise ValueError(f"digits are one or more of 0-9 * #, as a text such as '476021', not {quote(digits)}")
    status = timeline(call).status(now)
    if status not in ("ringing", "in-progress"):
        raise CallIsOver(f"the call is {status}; digits can be keyed in while it is ringing or in-progress")
    _take_over(call, now)
    if call.answered is None:
        call.answered = now
    right = digits.removesuffix("#") == call.validation_code
    if right:
        call.keyed_right = now
    else:
        call.last_try = now
        call.wrong_tries += 1
    return right


def hang_up(call: Call, now: float) -> None:
    """Ends the call by hand: canceled before it rings, busy while it rings, completed after that.

    Raises `CallIsOver` where it has ended already.
    """
    status = timeline(call).status(now)
    if status not in ("queued", "ringing", "in-progress"):
        raise CallIsOver(f"the call has ended already ({status})")
    _take_over(call, now)
    call.hung_up = now


def succeed_at_once(call: Call, now: float) -> bool:
    """The person answers and keys the code in within no time. False, and nothing, unless the call would succeed."""
    if timeline(call).listed is None:
        return False
    _take_over(call, now)
    call.answered = call.keyed_right = now
    return True


def _take_over(call: Call, now: float) -> None:
    """From here on a person decides; what the script has brought about so far stays."""
    if call.script.behaviour is not Behaviour.MANUAL:
        answered = timeline(call).answered
        call.answered = answered if answered is not None and answered <= now else None
        call.script = call.script.model_copy(update={"behaviour": Behaviour.MANUAL})
