"""The events of the sandbox's page, read as they come over HTTP; and what the guard says to whoever asks for them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.sandbox import live
from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.store import StateFileError
from pulumi_twilio_caller_id.testing import Delays, PlacedCall, Sandbox
from tests.support.rest import Clock, place
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "5" * 32
SERVED = ("/", "/sandbox/page/page.js", "/sandbox/events")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio_sandbox_options(clock: Clock) -> dict[str, Any]:
    phones = {NUMBER: {"behaviour": "manual", "validation_code": "481592"}}
    return {"phones": phones, "delays": Delays(1, 2, 4), "subaccounts": {SUBACCOUNT: "sub"}, "clock": clock}


class Events:
    """An open connection; `next` waits for the next snapshot."""

    def __init__(self, answer: requests.Response) -> None:
        self.lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        self.seen: list[str] = []

    def next(self) -> dict[str, Any]:
        give_up = time.monotonic() + PATIENCE
        for line in self.lines:  # one comes now and then, also where nothing changes
            self.seen.append(line)
            assert time.monotonic() < give_up, "nothing new is told"
            if line.startswith("data: "):
                told: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return told
        raise AssertionError("the events are at an end")

    def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        while not holds(told := self.next()):
            pass
        return told


@contextmanager
def events(sandbox: Sandbox) -> Iterator[Events]:
    with requests.get(f"{sandbox.url}/sandbox/events", stream=True, timeout=PATIENCE) as answer:
        assert (200, "text/event-stream") == (answer.status_code, answer.headers["Content-Type"])
        yield Events(answer)


def call_of(told: dict[str, Any], at: int = -1) -> dict[str, Any]:
    found: dict[str, Any] = told["calls"][at]
    return found


# What is told


def test_the_first_event_comes_at_once_and_tells_what_there_is(sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id("+14155550102", "Desk")
    with events(sandbox) as told:
        assert {
            "accounts": [sandbox.account_sid, SUBACCOUNT],
            "from": "+1 415-723-4000",
            "tries": 3,
            "requests": [],
            "calls": [],
            "callbacks": [],
            "caller_ids": [
                {
                    "key": record.sid,
                    "number": "+1 415-555-0102",
                    "friendly_name": "Desk",
                    "account_sid": sandbox.account_sid,
                }
            ],
            "totals": {"requests": 0, "calls": 0, "callbacks": 0, "caller_ids": 1},
            "since": None,
            "trouble": None,
        } == told.next()


def test_a_call_is_told_of_from_its_request_to_its_end(sandbox: Sandbox, clock: Clock) -> None:
    begin = clock.now
    with events(sandbox) as told:
        told.next()
        sid = place(sandbox, FriendlyName="Front desk", CallDelay="5", Extension="12").json()["call_sid"]
        queued = call_of(told.until(lambda it: it["calls"]))
        assert {
            "key": sid,
            "account_sid": sandbox.account_sid,
            "number": "+1 415-555-0101",
            "friendly_name": "Front desk",
            "status": "queued",
            "placed": begin,
            "ringing": None,
            "answered": None,
            "ended": None,
            "left": None,
            "call_delay": 5,
            "extension": "12",
            "by_hand": True,
            "tries_left": 3,
            "caller_id_sid": None,
            "listed": False,
        } == queued
        clock.now += 6
        ringing = call_of(told.until(lambda it: call_of(it)["status"] != "queued"))
        assert queued | {"status": "ringing", "ringing": begin + 6, "left": 54} == ringing, "by the clock alone"
        clock.now += 1
        sandbox.key_in(sid, "000000")
        clock.now += 1
        talking = call_of(told.until(lambda it: call_of(it)["status"] == "in-progress"))
        assert ringing | {"status": "in-progress", "answered": begin + 7, "tries_left": 2, "left": 53} == talking
        sandbox.key_in(sid, "481592")
        done = told.until(lambda it: it["caller_ids"])
        [record] = sandbox.caller_ids
        over = {"status": "completed", "ended": begin + 8, "left": None, "caller_id_sid": record.sid, "listed": True}
        assert talking | over == call_of(done)


def test_the_time_left_counts_from_the_request_as_up_counts_it(sandbox: Sandbox, clock: Clock) -> None:
    """For as long as the phone rings, and for as long after it is answered; for calls that a person has in hand."""
    sandbox.set_phone(NUMBER, {"behaviour": "manual", "rings": 300})
    sid = place(sandbox).json()["call_sid"]
    place(sandbox, "+14155550102")
    with events(sandbox) as told:
        for seconds, left in ((1, 299), (9.4, 290), (80, 210), (209, 1), (0.6, 0)):  # it rings after 1 s; all are 300 s
            clock.now += seconds
            if seconds == 80:
                sandbox.answer(sid)
            while call_of(it := told.until(lambda it: it["calls"]), 0)["left"] != left:
                pass
            by_hand, other = it["calls"]
            assert other["left"] is None, "nobody has to do anything"
        clock.now += 1
        over = call_of(told.until(lambda it: call_of(it, 0)["ended"]), 0)
    assert (by_hand["status"], over["status"], over["left"]) == ("in-progress", "completed", None)


def test_a_number_that_is_not_listed_yet_is_told_with_the_sid_that_it_will_have(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_phone(NUMBER, {"behaviour": "late-listed", "listed_after": 5})
    place(sandbox)
    clock.now += 7
    with events(sandbox) as told:
        before = call_of(told.next())
        clock.now += 5
        after = call_of(told.next())
    assert (False, True) == (before["listed"], after["listed"])
    assert [record.sid for record in sandbox.caller_ids] == [before["caller_id_sid"]] == [after["caller_id_sid"]]


def test_where_nothing_changes_nothing_is_told_but_that_the_sandbox_is_there(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT", 0.15)
    with events(sandbox) as told:
        told.next()
        assert ["", ": nothing new", "", ": nothing new"] == [next(told.lines) for _ in range(4)]


def test_requests_are_told_with_their_answers_also_refused_and_broken_ones(sandbox: Sandbox) -> None:
    sid = place(sandbox, "415-555-0101", FriendlyName="Front desk").json()["call_sid"]
    place(sandbox, "12", FriendlyName="x" * 400)
    sandbox.fail("create", body="<h1>Bad gateway</h1>", status=502, times=1)
    place(sandbox)
    sandbox.fail("create", drop="before", times=1)
    with pytest.raises(requests.ConnectionError):
        place(sandbox)
    requests.get(f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds.json", timeout=PATIENCE)
    with events(sandbox) as told:
        first = told.next()
    placed, refused, broken, dropped = first["requests"]
    assert ("415-555-0101", "Front desk", sandbox.account_sid, 200, None, sid) == tuple(
        placed[name] for name in ("number", "friendly_name", "account_sid", "status", "code", "call_sid")
    )
    assert (400, 13224, None) == (refused["status"], refused["code"], refused["call_sid"])
    assert "is invalid" in refused["message"]
    assert (live.LONGEST, "…") == (len(refused["friendly_name"]), refused["friendly_name"][-1])
    assert (502, None, None, None) == tuple(broken[name] for name in ("status", "code", "message", "call_sid"))
    assert ("+1 415-555-0101", None) == (dropped["number"], dropped["status"])
    assert 4 == first["totals"]["requests"]


def test_a_callback_is_told_without_what_its_address_may_hide(sandbox: Sandbox) -> None:
    place(sandbox, StatusCallback="http://me:secret@127.0.0.1:9/hook?key=secret", StatusCallbackMethod="GET")
    with events(sandbox) as told:
        told.next()
        sandbox.hang_up(sandbox.calls[-1].sid)
        seen = told.until(lambda it: it["callbacks"] and it["callbacks"][-1]["error"])
    callback = seen["callbacks"][0]
    assert ("http://127.0.0.1:9/hook", "GET") == (callback["url"], callback["method"])
    assert ("failed", None) == (callback["verification_status"], callback["status"])
    assert "secret" not in json.dumps(seen)


def test_no_event_holds_a_code_or_a_credential(sandbox: Sandbox, clock: Clock) -> None:
    secrets = (sandbox.auth_token, sandbox.api_key, sandbox.api_secret, '"sub"', "481592")
    with events(sandbox) as told:
        told.next()
        sid = place(sandbox, StatusCallback="http://127.0.0.1:9/").json()["call_sid"]
        clock.now += 2
        sandbox.key_in(sid, "111111")
        sandbox.key_in(sid, "481592")
        told.until(lambda it: it["caller_ids"] and it["callbacks"])
        assert [] == [secret for secret in secrets if secret in "\n".join(told.seen)]


def test_of_a_busy_account_the_latest_are_told_and_what_goes_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LATEST", 4)
    numbers = {f"+1415555011{n}": f"Desk {n}" for n in range(6)}
    with Sandbox(phones={NUMBER: "manual", "+14155550102": "busy"}, numbers=numbers, clock=clock) as sandbox:
        place(sandbox, FriendlyName="the one that rings")
        clock.now += 1
        for _ in range(6):
            place(sandbox, "+14155550102")
        clock.now += 10
        with events(sandbox) as told:
            first = told.next()
        assert {"calls": 7, "requests": 7, "callbacks": 0, "caller_ids": 6} == first["totals"]
        assert ("the one that rings", "ringing") == (call_of(first, 0)["friendly_name"], call_of(first, 0)["status"])
        assert [call.sid for call in sandbox.calls[-3:]] == [call["key"] for call in first["calls"][1:]]
        assert [3, 4, 5, 6] == [request["key"] for request in first["requests"]]
        assert ["Desk 2", "Desk 3", "Desk 4", "Desk 5"] == [record["friendly_name"] for record in first["caller_ids"]]


def test_where_a_look_takes_long_it_is_done_less_often(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of ten thousand calls may not keep the sandbox from its work."""
    looks: list[float] = []
    snapshot = live.Live.snapshot

    def slow(self: live.Live) -> dict[str, Any]:
        looks.append(time.monotonic())
        time.sleep(0.03)  # what is tested is the time that it takes
        return snapshot(self)

    monkeypatch.setattr(live.Live, "snapshot", slow)
    monkeypatch.setattr(live, "BEAT", 0.05)
    with events(sandbox) as told:
        while len(looks) < 3:
            next(told.lines)
    assert min(after - before for before, after in pairwise(looks)) > 0.3


def test_a_state_that_cannot_be_saved_is_told_beside_what_is_known(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed_calls = LocalTwilio.placed_calls

    def unsaved(self: LocalTwilio) -> list[PlacedCall]:
        raise StateFileError("state.json: no space left")

    with events(sandbox) as told:
        known = told.next()
        monkeypatch.setattr(LocalTwilio, "placed_calls", unsaved)
        assert known | {"trouble": "state.json: no space left"} == told.next()
        monkeypatch.setattr(LocalTwilio, "placed_calls", placed_calls)
        assert known == told.next()


# Who may look, and how it ends


def test_it_is_no_part_of_the_recording_and_no_fault_concerns_it(sandbox: Sandbox) -> None:
    for endpoint in ("create", "list", "fetch", "update", "delete", "call"):
        sandbox.fail(endpoint, status=500)
    with events(sandbox) as told:
        told.next()
    assert 200 == requests.get(f"{sandbox.url}/", timeout=PATIENCE).status_code
    assert [] == sandbox.requests


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=["name of another machine", "page of another site", "page of no site"],
)
def test_nobody_else_gets_the_page_or_its_events(sandbox: Sandbox, path: str, headers: dict[str, str]) -> None:
    answer = requests.get(sandbox.url + path, headers=headers, timeout=PATIENCE)
    assert (403, ["message", "status"]) == (answer.status_code, sorted(answer.json()))


def test_the_page_may_use_nothing_from_elsewhere_and_nobody_may_frame_it(sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.url}/", timeout=PATIENCE)
    assert "text/html; charset=utf-8" == page.headers["Content-Type"]
    assert ["default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"] == page.headers[
        "Content-Security-Policy"
    ].split("; ")
    assert 404 == requests.get(f"{sandbox.url}/sandbox/page/page.py", timeout=PATIENCE).status_code
    assert 404 == requests.get(f"{sandbox.url}/sandbox/page/..%2fpage.py", timeout=PATIENCE).status_code


def test_the_events_end_as_the_sandbox_stops_which_they_do_not_hold_up(sandbox: Sandbox) -> None:
    """They end in good order: a connection that is cut off would be an error of its reader."""
    with events(sandbox) as told, events(sandbox) as others:
        told.next()
        others.next()
        stopping = threading.Thread(target=sandbox.stop)
        begin = time.monotonic()
        stopping.start()
        for connection in (told, others):
            assert [] == [line for line in connection.lines if line.startswith("data:")]
        stopping.join()
        assert time.monotonic() - begin < PATIENCE / 2
    sandbox.start()
    with events(sandbox) as again:
        again.next()


def test_nothing_is_left_of_somebody_who_went_away(sandbox: Sandbox, clock: Clock) -> None:
    loop = sandbox._callbacks._loop
    assert loop is not None

    def tasks() -> int:
        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), loop).result(PATIENCE)

    before = tasks()
    for _ in range(5):
        with events(sandbox) as told:
            told.next()
            assert before < tasks()
        until(lambda: tasks() <= before)
