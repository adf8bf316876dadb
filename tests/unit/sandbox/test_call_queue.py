"""The queue of an account's calls, on a clock that the test moves."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.phones import Delays, PhoneBook
from pulumi_twilio_caller_id.sandbox.store import Store
from pulumi_twilio_caller_id.testing import Sandbox

START = 1_795_514_400.0  # Tue, 24 Nov 2026 10:00:00 +0000
SUBACCOUNT = "AC" + "5" * 32
DELAYS = Delays(queued=0.5, rings=10, talks=20)


class World:
    """A local Twilio whose calls are placed to one number after the other; `state` keeps them over a restart."""

    def __init__(self, state: Path, calls_per_second: float | None = 1) -> None:
        self.now = START
        self.store = Store(state)
        self.credentials = Credentials(subaccounts={SUBACCOUNT: "token"})
        self.start(calls_per_second)

    def start(self, calls_per_second: float | None) -> None:
        self.twilio = LocalTwilio(
            self.credentials,
            PhoneBook(None, DELAYS),
            lambda: self.now,
            calls_per_second=calls_per_second,
            state=self.store.load(),
            save=self.store.save,
        )

    def at(self, seconds: float) -> None:
        self.now = START + seconds

    def call(self, account_sid: str = "", **form: str) -> str:
        number = f"+1415555{len(self.twilio.placed_calls()) + 100:04d}"
        account_sid = account_sid or self.credentials.account_sid
        return self.twilio.request_validation(account_sid, {"PhoneNumber": number, **form})["call_sid"]

    def statuses(self, seconds: float) -> list[str]:
        self.at(seconds)
        return [call.status for call in self.twilio.placed_calls()]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def test_calls_start_one_after_the_other_in_the_order_of_their_requests(state: Path) -> None:
    world = World(state)
    for _ in range(3):
        world.call()
    assert ["queued", "queued", "queued"] == world.statuses(0.49)
    assert ["ringing", "queued", "queued"] == world.statuses(0.5)
    assert ["ringing", "queued", "queued"] == world.statuses(1.49)
    assert ["ringing", "ringing", "queued"] == world.statuses(1.5)
    assert ["ringing", "ringing", "ringing"] == world.statuses(2.5)
    assert ["in-progress", "in-progress", "ringing"] == world.statuses(12)
    assert ["completed", "completed", "in-progress"] == world.statuses(32)
    assert [START + 30.5, START + 31.5] == [record.created for record in world.twilio.caller_ids()]


def test_the_queue_goes_at_its_rate(state: Path) -> None:
    world = World(state, calls_per_second=4)
    for _ in range(3):
        world.call()
    assert ["ringing", "ringing", "queued"] == world.statuses(0.75)


def test_without_a_rate_there_is_no_queue(state: Path) -> None:
    world = World(state, calls_per_second=None)
    for _ in range(3):
        world.call()
    assert ["ringing", "ringing", "ringing"] == world.statuses(0.5)


def test_a_call_after_a_pause_starts_without_delay(state: Path) -> None:
    world = World(state)
    world.call()
    world.call()
    world.at(1.25)
    world.call()  # the one before it started at 1
    world.at(5)
    world.call()
    assert ["ringing", "ringing", "queued", "queued"] == world.statuses(2.49)
    assert ["ringing", "ringing", "ringing", "queued"] == world.statuses(5.49)
    assert ["ringing", "ringing", "ringing", "ringing"] == world.statuses(5.5)


def test_each_account_has_a_queue_of_its_own(state: Path) -> None:
    world = World(state)
    for account_sid in ("", SUBACCOUNT, "", SUBACCOUNT):
        world.call(account_sid)
    assert ["ringing", "ringing", "queued", "queued"] == world.statuses(0.5)
    assert ["ringing", "ringing", "ringing", "ringing"] == world.statuses(1.5)


def test_the_call_delay_counts_from_the_turn(state: Path) -> None:
    world = World(state)
    world.call(CallDelay="7")
    world.call(CallDelay="2")
    world.call()
    assert ["queued", "queued", "ringing"] == world.statuses(3.49)
    assert ["queued", "ringing", "ringing"] == world.statuses(3.5)


def test_a_call_tells_how_long_it_was_queued(state: Path) -> None:
    world = World(state)
    sids = [world.call() for _ in range(2)]
    bodies = [world.twilio.call_body(world.credentials.account_sid, sid) for sid in sids]
    assert ["500", "1500"] == [body["queue_time"] for body in bodies]
    assert 2 * ["Tue, 24 Nov 2026 10:00:00 +0000"] == [body["date_created"] for body in bodies]


def test_a_call_may_be_canceled_while_it_waits(state: Path) -> None:
    world = World(state)
    world.call()
    waiting = world.call()
    world.at(1.25)
    world.twilio.hang_up(waiting)
    assert ["ringing", "canceled"] == world.statuses(1.3)
    assert ["completed", "canceled"] == world.statuses(100)


def test_turns_outlive_a_restart(state: Path) -> None:
    world = World(state)
    for _ in range(3):
        world.call()
    world.at(0.25)
    world.start(calls_per_second=1)
    world.call()
    assert ["ringing", "ringing", "queued", "queued"] == world.statuses(2.49)
    assert ["ringing", "ringing", "ringing", "queued"] == world.statuses(3.49)
    assert ["ringing", "ringing", "ringing", "ringing"] == world.statuses(3.5)


def test_a_state_file_from_before_the_queue_is_read(state: Path) -> None:
    world = World(state)
    world.call()
    world.call()
    content = json.loads(state.read_text())
    assert [0.0, 1.0] == [call.pop("waits") for call in content["calls"]]
    state.write_text(json.dumps(content))
    world.start(calls_per_second=1)
    world.call()
    assert ["ringing", "ringing", "queued"] == world.statuses(0.5)
    assert ["ringing", "ringing", "ringing"] == world.statuses(1.5)


def test_nobody_waits_for_a_call_from_the_future(state: Path) -> None:
    """Such as one that was placed before the clock was set right."""
    world = World(state)
    world.at(86_400)
    world.call()
    world.at(0)
    world.call()
    world.call()
    assert ["queued", "ringing", "queued"] == world.statuses(0.5)
    assert ["queued", "ringing", "ringing"] == world.statuses(1.5)


def test_a_sandbox_has_a_queue_where_it_is_asked_to() -> None:
    for calls_per_second, expected in ((None, [0.0, 0.0]), (0.5, [0.0, 2.0])):
        sandbox = Sandbox(clock=lambda: START, calls_per_second=calls_per_second)
        for number in ("+14155550101", "+14155550102"):
            sandbox._twilio.request_validation(sandbox.account_sid, {"PhoneNumber": number})
        assert expected == [call.waits for call in sandbox._twilio._calls.values()]


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan])
def test_a_rate_is_above_nothing(rate: float) -> None:
    with pytest.raises(ValueError, match=f"calls_per_second is a number above 0, or None for no queue, not {rate}"):
        Sandbox(calls_per_second=rate)
