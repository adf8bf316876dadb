"""The await, by recorded streams of what Twilio showed, under a clock that only moves when somebody waits.

A stream (data/streams) says from which second on the call, the list and the instance (a fetch by sid) show what, and
when which callback comes (`callback`; an `interruption` likewise). `jump` moves the clock by itself, as when a laptop
sleeps. `latency` is how long each request takes. Expected are the numbered condition of evidence.py, the second it
is told, and the message where it fails; `looks_at` are the seconds at which the list is asked.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    CallerIdError,
    Interrupted,
    NotFound,
    NotVerified,
    TwilioRefused,
    TwilioUnreachable,
)
from pulumi_twilio_caller_id.models import CallerId, CallState, ValidationRequest
from pulumi_twilio_caller_id.verification.status_callback import Callback
from pulumi_twilio_caller_id.verification.waiter import CallbackInbox, Progress, wait_until_verified

STREAMS = sorted((Path(__file__).parents[2] / "data" / "streams").glob("*.json"))
BEGIN = 1000.0
NUMBER = "+14155550101"
CALL = "CA" + "1" * 32
FOUND = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "1" * 32)
OTHER = CallerId(sid="PN" + "1" * 32, phone_number="+14155550199", account_sid="AC" + "1" * 32)
REQUEST = ValidationRequest(call_sid=CALL, phone_number=NUMBER, validation_code="048392", account_sid="AC" + "1" * 32)
ENDINGS = ("the line was busy", "nobody answered", "the call was canceled", "the call could not be put through")
REASONS = {
    3: (*ENDINGS, "no correct code was entered"),
    4: ENDINGS,
    5: ("no correct code was entered", "Twilio reported success, but there is no caller ID"),
    6: ("the code was not keyed in within",),
}


class Clock(CallbackInbox):
    """Virtual time. Waiting costs nothing, but it must be of use; what a stream sends meanwhile cuts it short."""

    def __init__(self, stream: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.time = BEGIN
        self.wakes: list[float] = []
        self.cancel = CancelToken()
        events = (stream or {}).get("events", [])
        self._sent = [(BEGIN + e["at"], e) for e in events if "callback" in e or "interruption" in e]
        self._jumps = {BEGIN + e["at"]: e["jump"] for e in events if "jump" in e}
        self.advance(0)

    def advance(self, seconds: float) -> None:
        """Let time pass, and have what is sent until then arrive."""
        self.time += seconds
        due = [event for at, event in self._sent if at <= self.time]
        self._sent = [sent for sent in self._sent if sent[0] > self.time]
        for event in due:
            if "interruption" in event:
                self.cancel.cancel(event["interruption"])
            else:
                self.put(_callback(event["callback"]))

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        end = min([self.time + seconds, *[max(at, self.time) for at, _ in self._sent]])
        for at in [at for at in self._jumps if at <= end]:
            end += self._jumps.pop(at)
        self.advance(end - self.time)
        self.wakes.append(self.time - BEGIN)


def _callback(told: dict[str, Any]) -> Callback:
    return Callback(
        call_sid=told.get("call_sid", CALL),
        account_sid=told.get("account_sid", FOUND.account_sid),
        call_status=told.get("call_status", "completed"),
        verification_status=told.get("verification_status"),
        caller_id_sid=FOUND.sid if told.get("verification_status") == "success" else None,
        trusted=told.get("trusted", True),
    )


class Twilio:
    """Shows what a stream says, at the second it is asked. `asked` notes who asked for what, and when."""

    def __init__(
        self, stream: dict[str, Any], clock: Clock, asked: list[tuple[str, float]], who: str = "once "
    ) -> None:
        self._stream = stream
        self._clock = clock
        self.asked = asked
        self._who = who

    def final_lookup(self, phone_number: str) -> CallerId | None:
        return Twilio(self._stream, self._clock, self.asked, "last ").find(phone_number)

    def find(self, phone_number: str) -> CallerId | None:
        assert phone_number == NUMBER
        shown = self._shown("list")
        _fail(shown, f"look up {NUMBER}")
        return {"empty": None, "found": FOUND}[shown]

    def fetch(self, sid: str) -> CallerId:
        assert sid == FOUND.sid
        shown = self._shown("instance")
        if shown == "not found":
            raise NotFound(f"read caller ID {sid}", 404, 20404)
        _fail(shown, f"read caller ID {sid}")
        return {"found": FOUND, "of another number": OTHER}[shown]

    def call_state(self, call_sid: str) -> CallState | None:
        assert call_sid == CALL
        shown = self._shown("call")
        _fail(shown, f"read call {CALL}")
        if isinstance(shown, dict):
            return CallState(status=shown["ended"], duration=shown["duration"])
        return None if shown == "not known" else CallState(status=shown)

    def _shown(self, what: str) -> Any:
        at = self._clock.time - BEGIN
        self._clock.advance(self._stream.get("latency", 0))
        self.asked.append((self._who + what, at))
        return [event[what] for event in self._stream["events"] if event["at"] <= at and what in event][-1]


def _fail(shown: Any, step: str) -> None:
    if shown == "unreachable":
        raise TwilioUnreachable(step, "no connection")
    if shown == "lost":
        raise AnswerLost(step, "nothing came within 15 s")
    if isinstance(shown, dict) and "status" in shown:
        raise TwilioRefused(step, shown["status"], retry_after=shown.get("retry_after"))


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(next(path for path in STREAMS if path.stem == name).read_text(encoding="utf-8"))
    return loaded


def wait(twilio: Twilio, clock: Clock, **options: Any) -> CallerId:
    return wait_until_verified(
        twilio,
        REQUEST,
        inbox=clock,
        cancel=clock.cancel,
        clock=clock.now,
        advice_if_call_goes_on="It goes on.",
        **options,
    )


def play(stream: dict[str, Any], shown: list[Progress] | None = None) -> tuple[CallerId | CallerIdError, Clock, Twilio]:
    """What the await comes to on a stream."""
    clock = Clock(stream)
    twilio = Twilio(stream, clock, [])
    shown = [] if shown is None else shown
    options = {name: stream[name] for name in ("callback_expected",) if name in stream}
    try:
        outcome: CallerId | CallerIdError = wait(
            twilio, clock, timeout=stream.get("timeout", 300), report=shown.append, **options
        )
    except (NotVerified, Interrupted) as failed:
        outcome = failed
    return outcome, clock, twilio


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_ends_as_recorded(path: Path) -> None:
    """Each stream is named for the condition that decides it. No pause goes beyond the deadline."""
    stream = json.loads(path.read_text(encoding="utf-8"))
    expected = stream["expected"]
    outcome, clock, twilio = play(stream)
    assert expected["at"] == round(clock.time - BEGIN, 6)
    assert path.stem.startswith(f"condition-{expected['condition']}-")
    if expected["condition"] in (1, 2):
        assert outcome == FOUND
    else:
        assert isinstance(outcome, NotVerified)
        assert expected["what"] == outcome.what
        assert any(reason in outcome.what for reason in REASONS[expected["condition"]])
    if "looks_at" in stream:
        assert stream["looks_at"] == [at for what, at in twilio.asked if what.endswith("list")]
    slept = sum(event.get("jump", 0) for event in stream["events"])
    assert max(clock.wakes, default=0) <= stream.get("timeout", 300) + slept


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_only_a_call_that_may_go_on_has_the_advice_with_the_code(path: Path) -> None:
    """Errors end up in logs and in the engine's history, where nobody needs the code of a call that is over."""
    outcome, _, _ = play(json.loads(path.read_text(encoding="utf-8")))
    told = str(outcome) if isinstance(outcome, NotVerified) else ""
    assert path.stem.startswith("condition-6-") == told.endswith("\nIt goes on.")
    assert "048392" not in told


def test_there_is_a_stream_for_each_condition() -> None:
    assert {path.stem.split("-")[1] for path in STREAMS} == {"1", "2", "3", "4", "5", "6"}
    assert {path.stem for path in STREAMS} >= {f"condition-4-{s}" for s in ("busy", "no-answer", "canceled", "failed")}


def test_the_call_is_looked_at_before_the_list() -> None:
    """So that a call seen as ended is older than the list beside it."""
    _, _, twilio = play(load("condition-1-three-seconds-after-the-call"))
    assert twilio.asked[:4] == [("once call", 0), ("once list", 0), ("once call", 1), ("once list", 1)]


def test_a_call_that_has_ended_is_not_looked_at_again() -> None:
    _, _, twilio = play(load("condition-5-no-duration"))
    assert [at for what, at in twilio.asked if what == "once call"] == [*range(5), *range(5, 22, 2)]


@pytest.mark.parametrize(
    ("call", "callback_expected", "expected"),
    [
        ("queued", False, [0, 1, 2, 3, 4, 5, 7, 9, 11]),
        ("ringing", False, [0, 1, 2, 3, 4, 5, 7, 9, 11]),
        ("in-progress", False, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("not known", False, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("in-progress", True, [0, 3, 6, 9, 12]),
        ("ringing", True, [0, 3, 6, 9, 12]),
    ],
)
def test_looks_are_rarer_while_the_phone_rings_or_a_callback_is_expected(
    call: str, callback_expected: bool, expected: list[int]
) -> None:
    clock, asked = Clock(), list[tuple[str, float]]()
    stream = {"events": [{"at": 0, "call": call, "list": "empty"}, {"at": 11.5, "list": "found"}]}
    wait(Twilio(stream, clock, asked), clock, callback_expected=callback_expected)
    looks = [at for what, at in asked if what == "once list"]
    assert expected == [at for at in looks if at < 12 or callback_expected]


def test_only_the_final_lookup_is_repeated_by_itself() -> None:
    """The loop comes back anyway; for the final look-up, a passing fault must not be the end."""
    _, _, twilio = play(load("condition-4-no-answer"))
    assert [what for what, _ in twilio.asked].count("last list") == 1
    assert twilio.asked[-1] == ("last list", 33)


@pytest.mark.parametrize("deadline", range(1, 60, 4))
def test_a_twilio_that_hangs_delays_the_end_by_one_request_and_the_final_lookup(deadline: int) -> None:
    """What is asked in a row, each until its time-out, is cut off at the deadline."""
    clock, asked = Clock(), list[tuple[str, float]]()
    stream = {"latency": 15, "events": [{"at": 0, "call": "lost", "list": "lost"}]}
    with pytest.raises(NotVerified, match="was not keyed in within"):
        wait(Twilio(stream, clock, asked), clock, timeout=deadline)
    late = [(what, at - deadline) for what, at in asked if at > deadline]
    assert ["last list"] == [what for what, _ in late]
    assert late[0][1] <= 15


def test_progress_is_reported_at_each_look() -> None:
    shown: list[Progress] = []
    play(load("condition-1-call-not-known-at-first"), shown)
    states = {0: "calling", 1: "calling", 2: "calling", 3: "ringing", 4: "ringing", 5: "ringing"}
    states |= {7: "answered", 8: "answered"}
    expected = [Progress(NUMBER, "048392", state, 300.0 - second) for second, state in states.items()]
    assert expected == shown


def test_progress_says_that_the_call_is_over() -> None:
    shown: list[Progress] = []
    play(load("condition-1-three-seconds-after-the-call"), shown)
    assert [each.state for each in shown][-4:] == ["answered"] + ["call over, looking for the number"] * 3


def test_without_a_timeout_it_is_five_minutes() -> None:
    clock = Clock()
    stream = {"events": [{"at": 0, "call": "in-progress", "list": "empty"}]}
    with pytest.raises(NotVerified, match="was not keyed in within 5 min "):
        wait(Twilio(stream, clock, []), clock)
    assert clock.time - BEGIN == 300


def test_an_interruption_ends_the_wait_without_another_look() -> None:
    stream = {
        "events": [{"at": 0, "call": "ringing", "list": "empty"}, {"at": 4.5, "interruption": "pulumi was interrupted"}]
    }
    outcome, clock, twilio = play(stream)

    assert 4.5 == clock.time - BEGIN
    assert 4 == max(at for _, at in twilio.asked)
    assert isinstance(outcome, Interrupted)
    assert (
        f"+1 415-555-0101 was not verified: pulumi was interrupted while Twilio's call to it was ringing (call {CALL})."
        == outcome.what
    )
    assert "It goes on." == outcome.todo


def interrupted_at(second: float, *more: dict[str, Any], call: Any = "ringing") -> dict[str, Any]:
    """A stream in which the number shows up nowhere until pulumi is interrupted."""
    before = {"at": 0, "call": call, "list": "empty", "instance": "found"}
    return {"events": [before, *more, {"at": second, "interruption": "pulumi was interrupted"}]}


def test_a_success_that_comes_together_with_an_interruption_counts() -> None:
    """The caller ID it names is looked at once more."""
    outcome, clock, twilio = play(interrupted_at(4.5, {"at": 4.5, "callback": {"verification_status": "success"}}))

    assert (FOUND, 4.5) == (outcome, clock.time - BEGIN)
    assert twilio.asked[-1] == ("once instance", 4.5)


def test_a_success_that_can_not_be_confirmed_does_not_outlast_an_interruption() -> None:
    success = {"at": 4.5, "callback": {"verification_status": "success"}, "instance": "unreachable"}
    outcome, clock, _ = play(interrupted_at(4.5, success))

    assert isinstance(outcome, Interrupted)
    assert 4.5 == clock.time - BEGIN


def test_a_final_lookup_that_an_interruption_cuts_off_is_no_failure() -> None:
    """Twilio is not to blame: whoever looks is told that pulumi was interrupted."""
    stream = interrupted_at(9, {"at": 8, "list": "lost"}, call={"ended": "busy", "duration": 0})
    outcome, _, twilio = play(stream | {"latency": 4})

    assert ("last list", 8) == twilio.asked[-1]
    assert isinstance(outcome, Interrupted)
    assert (
        "+1 415-555-0101 was not verified: pulumi was interrupted after Twilio's call to it had ended"
        f" (call {CALL})." == outcome.what
    )


def test_a_final_lookup_that_is_answered_is_what_counts_whoever_interrupts() -> None:
    busy = {"ended": "busy", "duration": 0}
    found, _, _ = play(interrupted_at(9, {"at": 8, "list": "found"}, call=busy) | {"latency": 4})
    missing, _, _ = play(interrupted_at(9, call=busy) | {"latency": 4})

    assert found == FOUND
    assert isinstance(missing, NotVerified)


@pytest.mark.parametrize(
    "path",
    [path for path in STREAMS if not re.search("at-the-deadline|recovers-for-the-last-look", path.stem)],
    ids=lambda path: path.stem,
)
def test_a_callback_that_does_not_count_changes_nothing(path: Path) -> None:
    """Forged ones, and those of another call of the same number, thrown into the streams at every second.

    Not into those in which the list changes just before the last look: each callback is a reason to look.
    """
    stream = json.loads(path.read_text(encoding="utf-8"))
    alone = _told(play(stream)[0])
    forged: tuple[dict[str, Any], ...] = (
        {"verification_status": "success", "trusted": False},
        {"verification_status": "failed", "trusted": False},
        {"verification_status": "success", "call_sid": "CA" + "2" * 32},
        {"verification_status": "failed", "call_sid": "CA" + "2" * 32, "call_status": "busy"},
        {"verification_status": "success", "account_sid": "AC" + "2" * 32},
        {"verification_status": "failed", "account_sid": "", "call_status": "busy"},
    )
    noise = [{"at": second + 0.5, "callback": told} for second in range(40) for told in forged]
    assert alone == _told(play({**stream, "events": stream["events"] + noise})[0])


def _told(outcome: CallerId | CallerIdError) -> tuple[object, str]:
    """What it came to, and why: without the seconds, which an additional look may change."""
    return (outcome, "") if isinstance(outcome, CallerId) else (type(outcome), outcome.what.partition(" (call")[0])
