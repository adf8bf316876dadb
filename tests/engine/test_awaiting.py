"""`twilio:unverified: await`: if nobody keys the code in, nothing fails, and the next `up` calls again.

Rarer cases: `slow/engine_details/test_awaiting_details.py`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.testing import PlacedCall, Sandbox
from tests.support.harness import Result, Stack

AWAIT = {"twilio:unverified": "await"}
EXIT_AWAITING, EXIT_ERROR = 10, 1

AGAIN = "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English."
SOMEBODY = "Have somebody at the phone; Twilio calls from +1 415-723-4000, in English."
ANOTHER_CODE = "Run `pulumi up` again: Twilio calls from +1 415-723-4000, in English, with a new code."
GEO = "If the phone did not ring, check that the account may call this country (Voice geo permissions)."
LONGER = 'To wait longer: `opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m"))`.'
AFTER_ALL = (
    "If {code} is keyed in after all, Twilio verifies the number.\n"
    "`pulumi up` looks for the number first, and calls only if it is not verified."
)
AWAITING = (
    "The number is not in the state yet. The rest is deployed, and `pulumi up` exits with 10 unless something fails."
)

RINGS = {"behaviour": "manual", "rings": 600}
WRONG = "no correct code was entered (call {sid}, completed)."
ENDINGS: dict[str, tuple[Any, str, str]] = {
    "busy": ("busy", "the line was busy (call {sid}, busy@).", AGAIN),
    "unanswered": ("no-answer", "nobody answered (call {sid}, no-answer@).", AGAIN),
    "canceled": ({**RINGS, "queued": 600}, "the call was canceled (call {sid}, canceled@).", AGAIN),
    "wrong": ("wrong-code", WRONG, f"{ANOTHER_CODE}\n{GEO}"),
    "hung_up": ("hangs-up", WRONG, f"{ANOTHER_CODE}\n{GEO}"),
    "too_late": (
        RINGS,
        "the code was not keyed in within 3 s (call {sid}, ringing).",
        f"{SOMEBODY}\n{LONGER}\n{AFTER_ALL}",
    ),
}
"""Resource -> what its phone does, and what `up` says: what happened, and what to do. @: " after 1 s", or nothing."""

NUMBERS = {name: f"+141555501{at}" for at, name in enumerate([*ENDINGS, "user", "lobby", "old"], start=10)}


def call_to(sandbox: Sandbox, number: str) -> PlacedCall:
    """The latest call."""
    return [call for call in sandbox.calls if call.to == number][-1]


def calls_since(sandbox: Sandbox, before: int) -> list[str]:
    return sorted(call.to for call in sandbox.calls[before:])


def awaiting(stack: Stack, *args: str) -> Result:
    """`pulumi up`, at the end of which numbers await the next one and nothing has failed."""
    result = stack.up(*args, ok=False)
    assert EXIT_AWAITING == result.code, result.output
    return result


def test_whoever_keyed_nothing_in_is_called_again(stack: Stack, sandbox: Sandbox) -> None:
    """The rest of the stack is deployed: another number is made, and one is deleted. What depends on a number waits."""

    def program(deadline: str) -> str:
        lines = [f'lobby = OutgoingCallerId("lobby", phone_number="{NUMBERS["lobby"]}")\n']
        for name in ENDINGS:
            options = f"custom_timeouts=CustomTimeouts(create='{deadline}')" if name == "too_late" else ""
            given = f'"{name}", phone_number="{NUMBERS[name]}", opts=ResourceOptions({options})'
            lines.append(f"{name} = OutgoingCallerId({given})\n")
        lines.append(f'OutgoingCallerId("user", phone_number="{NUMBERS["user"]}", friendly_name=busy.sid)\n')
        return "".join(lines)

    stack.configure(AWAIT)
    stack.program(f'OutgoingCallerId("old", phone_number="{NUMBERS["old"]}")\n')
    stack.up(settled=False)
    for name, (phone, _, _) in ENDINGS.items():
        sandbox.set_phone(NUMBERS[name], phone)
    stack.program(program("3s"))
    running = stack.start("up", "--yes", "--skip-preview", "--parallel", "20")
    try:
        running.until(lambda: NUMBERS["canceled"] in calls_since(sandbox, 0))
        sandbox.hang_up(call_to(sandbox, NUMBERS["canceled"]).sid)
        running.until(running.ended)
    finally:
        running.kill()
    first = Result(running.process.returncode, running.output, "")

    assert EXIT_AWAITING == first.code, first.output
    assert ({}, set(ENDINGS)) == (first.errors, set(first.awaiting))
    for name, (_, happened, todo) in ENDINGS.items():
        call = call_to(sandbox, NUMBERS[name])
        what = f"{international_format(NUMBERS[name])} was not verified: {happened.format(sid=call.sid)}"
        told = f"warning: {what}\n{todo.format(code=call.validation_code)}\n{AWAITING}\nwarning: resource is awaiting"
        assert re.fullmatch(re.escape(told).replace("@", r"( after \d+ s)?"), first.awaiting[name])
    assert "Traceback" not in first.output
    assert f"    {len(ENDINGS)} awaiting\n" in first.stdout
    assert (["lobby"], []) == (list(stack.resources()), stack.pending())
    assert [NUMBERS["lobby"]] == [record.phone_number for record in sandbox.caller_ids]

    # Two of them are verified meanwhile: one in the Console, one by the call that still rings.
    by_hand = sandbox.add_caller_id(NUMBERS["unanswered"]).sid
    still_rings = call_to(sandbox, NUMBERS["too_late"])
    assert sandbox.key_in(still_rings.sid, still_rings.validation_code)
    by_phone = sandbox.caller_ids[-1].sid
    again = ["busy", "canceled", "wrong", "hung_up"]
    for name in again:
        sandbox.set_phone(NUMBERS[name], "keys-code")
    before = len(sandbox.calls)
    stack.program(program("5m"))
    preview = stack.preview().output
    assert f"unanswered create adopt {by_hand}, no call" in preview
    assert f"too_late create adopt {by_phone}, no call" in preview
    for name in again:
        assert f"{name} create `pulumi up` will call {international_format(NUMBERS[name])} (" in preview

    second = stack.up("--parallel", "20").output
    assert f"adopted {by_hand}, no call" in second
    assert f"adopted {by_phone}, no call" in second
    assert sorted(NUMBERS[name] for name in [*again, "user"]) == calls_since(sandbox, before)
    states = stack.resources()
    assert {"lobby", "user", *ENDINGS} == set(states)
    assert (by_hand, by_phone) == (states["unanswered"]["id"], states["too_late"]["id"])
    assert states["busy"]["id"] == states["user"]["outputs"]["friendly_name"]


PROVIDERS = """
import os
patient = Provider("patient", unverified="await")
locked_out = Provider("locked-out", unverified="await", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token="old")
"""
ERRORS: dict[str, tuple[str, dict[str, Any] | None, str | None, str]] = {
    "impatient": ("no-answer", None, None, "+1 415-555-0110 was not verified: nobody answered (call CA"),
    "blocked": ("country-blocked", None, "patient", "was not verified: the call could not be put through (call CA"),
    "refused": ("refused", None, "patient", "Twilio refused to verify +14155550112: "),
    "lost": ("no-answer", {"drop": "after"}, "patient", "nobody knows the code of that call"),
    "unlisted": ("keys-code", None, "locked_out", "(code 20003, HTTP 401, account AC"),
}
"""Resource -> what its phone does, what goes wrong as it is called for, its Provider, and a part of its error."""


def test_what_no_second_call_cures_stays_an_error(stack: Stack, sandbox: Sandbox) -> None:
    """It decides the exit code. Each Provider has its own setting; the stack's default is to fail."""
    numbers = {name: f"+141555501{at}" for at, name in enumerate([*ERRORS, "nobody", "lobby"], start=10)}
    program = PROVIDERS
    for name, (phone, fault, provider, _) in ERRORS.items():
        sandbox.set_phone(numbers[name], phone)
        if fault is not None:
            sandbox.fail("create", about=numbers[name], **fault)
        program += declared(name, numbers[name], provider)
    sandbox.set_phone(numbers["nobody"], "no-answer")
    others = declared("nobody", numbers["nobody"], "patient") + declared("lobby", numbers["lobby"])
    stack.program(program + others)
    mixed = stack.up("--continue-on-error", "--parallel", "20", ok=False)

    assert EXIT_ERROR == mixed.code
    assert (set(ERRORS), {"nobody"}) == (set(mixed.errors), set(mixed.awaiting))
    for name, (_, _, _, told) in ERRORS.items():
        assert told in mixed.errors[name]
        assert AWAITING not in mixed.errors[name]
    assert "Traceback" not in mixed.output
    assert ["lobby"] == list(stack.resources())

    # One of the two is targeted: the other one's error is none of this `up`.
    before = len(sandbox.calls)
    targeted = awaiting(stack, "--target", "**nobody")
    assert {"nobody"} == set(targeted.awaiting)
    assert [numbers["nobody"]] == calls_since(sandbox, before)

    sandbox.set_phone(numbers["nobody"], "keys-code")
    stack.program(PROVIDERS + others)
    stack.up()
    assert {"lobby", "nobody"} == set(stack.resources())


def declared(name: str, number: str, provider: str | None = None) -> str:
    options = f"provider={provider}" if provider else ""
    return f'{name} = OutgoingCallerId("{name}", phone_number="{number}", opts=ResourceOptions({options}))\n'


def test_a_replacement_that_awaits_keeps_the_old_number(stack: Stack, sandbox: Sandbox) -> None:
    """In the state and at Twilio, where nothing is sent about it; what depends on it keeps the old sid."""
    old, new, user = "+14155550101", "+14155550102", "+14155550103"
    sandbox.set_phone(new, "no-answer")

    def program(number: str) -> str:
        return (
            declared("desk", number) + f'OutgoingCallerId("user", phone_number="{user}", friendly_name=desk.sid)\n'
            'pulumi.export("sid", desk.sid)\n'
        )

    stack.configure(AWAIT)
    stack.program(program(old))
    stack.up(settled=False)
    states, records, before = stack.resources(), sandbox.caller_ids, len(sandbox.requests)
    stack.program(program(new))
    assert "nobody answered" in awaiting(stack).awaiting["desk"]
    assert (states, []) == (stack.resources(), stack.pending())
    assert records == sandbox.caller_ids
    written = [(it.endpoint, it.form["PhoneNumber"]) for it in sandbox.requests[before:] if it.method != "GET"]
    assert [("create", new)] == written

    sandbox.set_phone(new, "keys-code")
    assert {"desk": "replace", "user": "update"} == stack.planned()
    stack.up()
    assert {new, user} == {record.phone_number for record in sandbox.caller_ids}
    desk = stack.resources()["desk"]["id"]
    assert desk != states["desk"]["id"]
    assert desk == stack.outputs()["sid"] == stack.resources()["user"]["outputs"]["friendly_name"]


OFFICE = """
class Office(pulumi.ComponentResource):
    def __init__(self, name, numbers):
        super().__init__("my:office:Office", name)
        for number in numbers:
            OutgoingCallerId(f"{name}-{number[-2:]}", phone_number=number, opts=ResourceOptions(parent=self))
        self.register_outputs({})

Office("berlin", [f"+1415555{n:04}" for n in range(20)])
"""


def test_seven_of_twenty_await(stack: Stack, sandbox: Sandbox) -> None:
    """A component deploys its other children. `--json` tells what awaits from what failed."""
    seven = {f"+1415555{n:04}" for n in range(1, 20, 3)}
    for number in seven:
        sandbox.set_phone(number, "no-answer")
    stack.configure(AWAIT)
    stack.program(OFFICE)
    told = [json.loads(line) for line in awaiting(stack, "--json", "--parallel", "20").stdout.splitlines()]

    assert 7 == len(seven)
    failed = [event["resOpFailedEvent"] for event in told if "resOpFailedEvent" in event]
    assert {f"berlin-{number[-2:]}" for number in seven} == {
        event["metadata"]["urn"].rpartition("::")[2] for event in failed
    }
    assert [True] * 7 == [event["awaited"] for event in failed]
    assert 13 == len(stack.resources()) == len(sandbox.caller_ids)
    assert 20 == len(sandbox.calls)

    for number in seven:
        sandbox.set_phone(number, "keys-code")
    stack.up("--parallel", "20")
    assert sorted(seven) == calls_since(sandbox, 20)
    assert 20 == len(stack.resources()) == len(sandbox.caller_ids)
