"""The rules of the local Twilio, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pulumi_twilio_caller_id.sandbox import TwilioError
from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.account_rules import AccountRules
from pulumi_twilio_caller_id.sandbox.calls import CallIsOver
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.phones import Delays, PhoneBook, PhoneLike
from pulumi_twilio_caller_id.sandbox.store import State

NUMBER = "+14155550101"
START = 1_795_514_400.0  # Tue, 24 Nov 2026 10:00:00 +0000
SUBACCOUNT = "AC" + "5" * 32
DELAYS = Delays(queued=1, rings=10, talks=20)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def at(self, seconds: float) -> None:
        self.now = START + seconds


class World:
    """A local Twilio with one caller of its API."""

    def __init__(self, phones: Mapping[str, PhoneLike] | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.saved: list[State] = []
        self.credentials = Credentials(subaccounts={SUBACCOUNT: "token"})
        self.sid = self.credentials.account_sid
        self.twilio = LocalTwilio(
            self.credentials, PhoneBook(phones, DELAYS), self.clock, save=self.saved.append, **options
        )

    def call(self, number: str = NUMBER, account_sid: str = "", **form: str) -> dict[str, str]:
        return self.twilio.request_validation(account_sid or self.sid, {"PhoneNumber": number, **form})

    def status(self, call_sid: str) -> str:
        return next(call.status for call in self.twilio.placed_calls() if call.sid == call_sid)

    def listed(self) -> list[str]:
        return [record.phone_number for record in self.twilio.caller_ids(self.sid)]


def refused(world: World, **form: str) -> tuple[int, int]:
    with pytest.raises(TwilioError) as refusal:
        world.twilio.request_validation(world.sid, form)
    assert world.twilio.placed_calls() == []
    return refusal.value.status, refusal.value.code


# Verification


def test_a_number_is_listed_once_its_code_has_been_keyed_in() -> None:
    world = World()
    answer = world.call(FriendlyName="Front desk")
    assert answer == {
        "account_sid": world.sid,
        "call_sid": answer["call_sid"],
        "friendly_name": "Front desk",
        "phone_number": NUMBER,
        "validation_code": answer["validation_code"],
    }
    seen = []
    for seconds in (0, 0.9, 1, 10.9, 11, 30.9, 31):
        world.clock.at(seconds)
        seen.append((seconds, world.status(answer["call_sid"]), world.listed()))
    assert seen == [
        (0, "queued", []),
        (0.9, "queued", []),
        (1, "ringing", []),
        (10.9, "ringing", []),
        (11, "in-progress", []),
        (30.9, "in-progress", []),
        (31, "completed", [NUMBER]),
    ]
    (record,) = world.twilio.caller_ids()
    assert (record.friendly_name, record.account_sid, record.created) == ("Front desk", world.sid, START + 31)


@pytest.mark.parametrize(
    ("behaviour", "statuses", "verified"),
    [
        ("keys-code", ["queued", "ringing", "in-progress", "completed"], True),
        ("late-listed", ["queued", "ringing", "in-progress", "completed"], False),
        ("wrong-code", ["queued", "ringing", "in-progress", "completed"], False),
        ("hangs-up", ["queued", "ringing", "in-progress", "completed"], False),
        ("busy", ["queued", "ringing", "busy", "busy"], False),
        ("no-answer", ["queued", "ringing", "no-answer", "no-answer"], False),
        ("country-blocked", ["queued", "failed", "failed", "failed"], False),
        ("manual", ["queued", "ringing", "ringing", "ringing"], False),
    ],
)
def test_what_becomes_of_a_call(behaviour: str, statuses: list[str], verified: bool) -> None:
    world = World({NUMBER: behaviour})
    sid = world.call()["call_sid"]
    seen = []
    for seconds in (0.5, 5, 20, 32):
        world.clock.at(seconds)
        seen.append(world.status(sid))
    assert seen == statuses
    assert world.listed() == ([NUMBER] if verified else [])


@pytest.mark.parametrize("behaviour", ["wrong-code", "hangs-up", "busy", "no-answer", "country-blocked", "manual"])
def test_who_does_not_key_the_code_in_is_never_listed(behaviour: str) -> None:
    world = World({NUMBER: behaviour})
    world.call()
    world.clock.at(1_000_000)
    assert world.listed() == []


def test_a_late_listed_number_comes_after_the_call() -> None:
    world = World({NUMBER: {"behaviour": "late-listed", "listed_after": 5}})
    sid = world.call()["call_sid"]
    world.clock.at(35.9)
    assert (world.status(sid), world.listed()) == ("completed", [])
    world.clock.at(36)
    assert world.listed() == [NUMBER]


def test_a_phone_has_delays_of_its_own() -> None:
    world = World({NUMBER: {"behaviour": "no-answer", "queued": 0, "rings": 32}})
    sid = world.call()["call_sid"]
    assert world.status(sid) == "ringing"
    world.clock.at(31.9)
    assert world.status(sid) == "ringing"
    world.clock.at(32)
    assert world.status(sid) == "no-answer"


def test_with_no_delays_the_number_is_listed_at_once() -> None:
    world = World({NUMBER: {"queued": 0, "rings": 0, "talks": 0}})
    sid = world.call()["call_sid"]
    assert (world.status(sid), world.listed()) == ("completed", [NUMBER])


def test_call_delay_holds_the_ringing_back() -> None:
    world = World()
    sid = world.call(CallDelay="60")["call_sid"]
    world.clock.at(60.9)
    assert world.status(sid) == "queued"
    world.clock.at(61)
    assert world.status(sid) == "ringing"


def test_two_calls_for_one_number_make_one_caller_id() -> None:
    world = World({NUMBER: "manual"})
    first, second = world.call(FriendlyName="First"), world.call(FriendlyName="Second")
    assert first["call_sid"] != second["call_sid"]
    world.clock.at(2)
    assert world.twilio.key_in(second["call_sid"], second["validation_code"])
    assert world.twilio.key_in(first["call_sid"], first["validation_code"])
    assert [record.friendly_name for record in world.twilio.caller_ids()] == ["Second"]


def test_settled_long_after_the_first_success_names_the_caller_id() -> None:
    world = World({NUMBER: {"behaviour": "late-listed", "listed_after": 100}})
    world.call(FriendlyName="Late")
    world.twilio.phones.set(NUMBER, "keys-code")
    world.call(FriendlyName="Soon")
    world.clock.at(10_000)
    assert [(record.friendly_name, record.created) for record in world.twilio.caller_ids()] == [("Soon", START + 31)]


def test_a_number_removed_after_its_verification_stays_away() -> None:
    world = World()
    world.call()
    world.clock.at(40)
    (record,) = world.twilio.caller_ids()
    world.twilio.remove(world.sid, record.sid)
    world.clock.at(50)
    assert world.listed() == []
    again = LocalTwilio(world.credentials, PhoneBook(), world.clock, state=world.saved[-1])
    assert again.caller_ids() == []


def test_a_clock_that_is_set_back_breaks_nothing() -> None:
    world = World()
    sid = world.call()["call_sid"]
    world.clock.at(-100)
    body = world.twilio.call_body(world.sid, sid)
    assert (body["status"], body["date_updated"]) == ("queued", "Tue, 24 Nov 2026 10:00:00 +0000")


def test_codes_are_six_digits_and_differ() -> None:
    world = World()
    codes = {world.call(f"+1415555{number:04d}")["validation_code"] for number in range(100, 160)}
    assert {len(code) for code in codes} == {6}
    assert all(code.isdigit() for code in codes)
    assert len(codes) > 55


def test_a_phone_may_fix_its_code_leading_zeros_and_all() -> None:
    assert World({NUMBER: {"validation_code": "012345"}}).call()["validation_code"] == "012345"


# By hand


def test_digits_answer_a_ringing_phone_and_verify_it() -> None:
    world = World({NUMBER: "manual"})
    answer = world.call()
    world.clock.at(30)
    assert world.twilio.key_in(answer["call_sid"], answer["validation_code"] + "#")
    assert (world.status(answer["call_sid"]), world.listed()) == ("completed", [NUMBER])


def test_the_third_wrong_code_ends_the_call() -> None:
    world = World({NUMBER: {"behaviour": "manual", "validation_code": "123456"}})
    sid = world.call()["call_sid"]
    world.clock.at(5)
    statuses = []
    for digits in ("654321", "12345", "#"):
        assert not world.twilio.key_in(sid, digits)
        statuses.append(world.status(sid))
    assert statuses == ["in-progress", "in-progress", "completed"]
    with pytest.raises(CallIsOver, match="the call is completed"):
        world.twilio.key_in(sid, "123456")
    assert world.listed() == []


def test_a_right_code_after_wrong_ones_verifies() -> None:
    world = World({NUMBER: {"behaviour": "manual", "validation_code": "123456"}})
    sid = world.call()["call_sid"]
    world.clock.at(5)
    assert [world.twilio.key_in(sid, digits) for digits in ("1", "2", "123456")] == [False, False, True]
    assert world.listed() == [NUMBER]


def test_an_answered_call_ends_when_nothing_more_is_keyed_in() -> None:
    world = World({NUMBER: "manual"})
    sid = world.call()["call_sid"]
    world.clock.at(5)
    world.twilio.key_in(sid, "1")
    world.clock.at(64.9)
    assert world.status(sid) == "in-progress"
    world.clock.at(65)
    assert (world.status(sid), world.listed()) == ("completed", [])


def test_a_manual_phone_rings_a_minute_whatever_the_delays() -> None:
    world = World({NUMBER: "manual"})
    sid = world.call()["call_sid"]
    world.clock.at(60.9)
    assert world.status(sid) == "ringing"
    world.clock.at(61)
    assert world.status(sid) == "no-answer"


def test_digits_need_a_phone_that_rings() -> None:
    world = World({NUMBER: "manual"})
    answer = world.call()
    with pytest.raises(CallIsOver, match="the call is queued"):
        world.twilio.key_in(answer["call_sid"], answer["validation_code"])
    with pytest.raises(KeyError):
        world.twilio.key_in("CA" + "0" * 32, "123456")


def test_a_hand_may_take_over_any_phone() -> None:
    world = World({NUMBER: "busy"})
    answer = world.call()
    world.clock.at(5)
    assert world.twilio.key_in(answer["call_sid"], answer["validation_code"])
    assert world.listed() == [NUMBER]


@pytest.mark.parametrize(("seconds", "status"), [(0.5, "canceled"), (5, "busy"), (15, "completed")])
@pytest.mark.parametrize("behaviour", ["keys-code", "wrong-code"])
def test_hanging_up(behaviour: str, seconds: float, status: str) -> None:
    world = World({NUMBER: behaviour})
    sid = world.call()["call_sid"]
    world.clock.at(seconds)
    world.twilio.hang_up(sid)
    assert world.status(sid) == status
    with pytest.raises(CallIsOver, match=f"has ended already .{status}"):
        world.twilio.hang_up(sid)
    world.clock.at(1000)
    assert (world.status(sid), world.listed()) == (status, [])


# Refusals


@pytest.mark.parametrize("number", ["", "abc", "+141586753096", "123", "+1999", "+0000000000", "+4930123456789012"])
def test_what_is_no_phone_number_is_refused(number: str) -> None:
    assert refused(World(), PhoneNumber=number) == (400, 13224)


def test_a_missing_phone_number_is_refused() -> None:
    assert refused(World()) == (400, 13224)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("CallDelay", "-1", 21454),
        ("CallDelay", "61", 21454),
        ("CallDelay", "1.5", 21454),
        ("CallDelay", "", 21454),
        ("CallDelay", "٣", 21454),
        ("Extension", "", 21401),
        ("Extension", "12,3", 21401),
        ("Extension", "1" * 33, 21401),
        ("Extension", "1W2", 21401),
        ("StatusCallback", "", 21456),
        ("StatusCallback", "/callback", 21456),
        ("StatusCallback", "example.com/callback", 21456),
        ("StatusCallback", "ftp://example.com", 21456),
        ("StatusCallback", "https://", 21456),
        ("StatusCallback", "https://example.com:port/", 21456),
        ("StatusCallback", "https://example.com/a b", 21456),
        ("StatusCallback", "https://example.com/".ljust(1001, "x"), 21456),
        ("StatusCallbackMethod", "PUT", 21403),
        ("StatusCallbackMethod", "post", 21403),
        ("FriendlyName", "x" * 65, 20001),
    ],
)
def test_fields_that_are_refused(field: str, value: str, code: int) -> None:
    assert refused(World(), PhoneNumber=NUMBER, **{field: value}) == (400, code)


def test_fields_at_their_limits_are_taken_as_they_are() -> None:
    world = World()
    callback = "http://example.com/".ljust(1000, "x")
    world.call(
        CallDelay="60",
        Extension="1w2*#",
        FriendlyName="ü" * 64,
        StatusCallback=callback,
        StatusCallbackMethod="GET",
    )
    (call,) = world.twilio.placed_calls()
    assert (call.call_delay, call.extension, call.friendly_name) == (60, "1w2*#", "ü" * 64)
    assert (call.status_callback, call.status_callback_method) == (callback, "GET")


def test_numbers_that_need_no_verifying_are_refused() -> None:
    world = World(
        {"+14155550102": "own-number", "+14155550103": "refused"},
        account_rules=AccountRules(own_numbers=["(415) 555-0104"]),
    )
    for number, code in (("+14155550102", 21449), ("+14155550103", 13224), ("+14155550104", 21449)):
        assert refused(world, PhoneNumber=number) == (400, code)
    world.call("+14155550104", SUBACCOUNT)  # a subaccount does not own it


def test_a_verified_number_is_refused_in_that_account_alone() -> None:
    world = World()
    world.twilio.add_caller_id(world.sid, NUMBER)
    with pytest.raises(TwilioError) as refusal:
        world.call("415-555-0101")
    assert refusal.value.body == {
        "code": 21450,
        "message": "Phone number is already verified.",
        "more_info": "https://www.twilio.com/docs/errors/21450",
        "status": 400,
    }
    world.call(NUMBER, SUBACCOUNT)
    world.clock.at(31)
    assert [record.account_sid for record in world.twilio.caller_ids()] == [world.sid, SUBACCOUNT]


@pytest.mark.parametrize(
    ("given", "number", "name"),
    [
        ("+14158675309", "+14158675309", "(415) 867-5309"),
        ("415-867-5309", "+14158675309", "(415) 867-5309"),
        (" 1 (415) 867 5309 ", "+14158675309", "(415) 867-5309"),
        ("+44 20 7183 8750", "+442071838750", "+44 20 7183 8750"),
        ("+52 1 55 1234 5678", "+5215512345678", "+52 15512345678"),
        ("+22990011234", "+22990011234", "+229 90011234"),
    ],
)
def test_numbers_are_answered_in_e164_with_a_name_to_read(given: str, number: str, name: str) -> None:
    answer = World().call(given)
    assert (answer["phone_number"], answer["friendly_name"]) == (number, name)


# Saving


def test_each_change_is_saved_once_and_looking_saves_nothing() -> None:
    world = World()
    world.twilio.seed(world.sid, {f"+1415555{number:04d}": None for number in range(1000, 1100)})
    assert len(world.saved) == 1
    world.twilio.caller_ids()
    world.call()
    assert len(world.saved) == 2
    world.clock.at(5)
    world.twilio.placed_calls()
    assert len(world.saved) == 2
    world.clock.at(31)
    world.twilio.placed_calls()
    assert len(world.saved) == 3


def test_a_call_goes_on_while_the_sandbox_is_down() -> None:
    world = World({NUMBER: {"validation_code": "000001"}})
    sid = world.call(FriendlyName="Desk")["call_sid"]
    stored = State.model_validate_json(world.saved[-1].model_dump_json())
    world.clock.at(15)
    again = LocalTwilio(world.credentials, PhoneBook({NUMBER: "busy"}), world.clock, state=stored)
    assert [(call.sid, call.status) for call in again.placed_calls()] == [(sid, "in-progress")]
    world.clock.at(500)
    assert [(record.friendly_name, record.created) for record in again.caller_ids()] == [("Desk", START + 31)]
