from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack
from tests.support.stored import occurrences

THREE = (
    'desk = OutgoingCallerId("desk", phone_number="(415) 555-0101", friendly_name="Front desk")\n'
    'support = OutgoingCallerId("support", phone_number="+14155550102", extension="12w3#", call_delay=0)\n'
    'berlin = OutgoingCallerId("berlin", phone_number="+49 30 90182000", friendly_name="Berlin")\n'
    "for name, it in (('desk', desk), ('support', support), ('berlin', berlin)):\n"
    "    pulumi.export(name, dict(sid=it.sid, id=it.id, phone_number=it.phone_number, account_sid=it.account_sid,\n"
    "        friendly_name=it.friendly_name, date_created=it.date_created, date_updated=it.date_updated, uri=it.uri))\n"
)


def test_three_numbers_are_verified_with_one_call_each(stack: Stack, sandbox: Sandbox) -> None:
    """All seven outputs are what Twilio has, and a second run has nothing to do."""
    stack.program(THREE)
    stack.up(settled=False)

    assert ["+14155550101", "+14155550102", "+493090182000"] == sorted(call.to for call in sandbox.calls)
    outputs = stack.outputs()
    listed = {record.phone_number: record for record in sandbox.caller_ids}
    numbers = {"desk": "+14155550101", "support": "+14155550102", "berlin": "+493090182000"}
    for name, number in numbers.items():
        record, output = listed[number], outputs[name]
        assert {
            "sid": record.sid,
            "id": record.sid,
            "phone_number": number,
            "friendly_name": record.friendly_name,
            "account_sid": sandbox.account_sid,
        } == {k: v for k, v in output.items() if not k.startswith("date") and k != "uri"}
        assert f"/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds/{record.sid}.json" == output["uri"]
        assert output["date_created"].endswith(" +0000")
        assert output["date_updated"].endswith(" +0000")
    assert "(415) 555-0102" == listed["+14155550102"].friendly_name, "Twilio's own name, as the program gave none"

    stack.up("--expect-no-changes")
    assert 3 == len(sandbox.calls)


def test_the_code_is_on_the_row_and_once_in_the_log_and_never_in_state(stack: Stack, sandbox: Sandbox) -> None:
    """Somebody keys it in as soon as the row has it, with the zeros that it begins with."""
    code = "000420"
    sandbox.set_phone("+14155550101", {"behaviour": "manual", "validation_code": code})
    stack.program('OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n')
    running = stack.start("up", "--yes", "--skip-preview")
    try:
        row = rf"desk creating \(\d+s\) {code}: enter on \+1 415-555-0101 \("
        running.until(lambda: re.search(row, running.output))
        [call] = sandbox.calls
        assert sandbox.key_in(call.sid, code)
        running.until(running.ended)
    finally:
        running.kill()
    output = running.output
    running.file.unlink()  # it is no file of the engine's
    assert 0 == running.process.returncode, output

    diagnostics = output.split("Diagnostics:", 1)[1]
    log = f"{code}: enter this code when Twilio (+1 415-723-4000) calls +1 415-555-0101"
    assert 1 == diagnostics.count(log)
    assert 1 == diagnostics.count(code)
    assert "created (" in output
    assert [] == occurrences(code, stack)


AGAIN = "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English."
ANOTHER_CODE = "Run `pulumi up` again: Twilio calls from +1 415-723-4000, in English, with a new code."
WRONG = "was not verified: no correct code was entered (call {sid}, completed)."
NO_CODE = "Its phone may ring all the same; nobody knows the code of that call"
Ending = tuple[Any, dict[str, Any] | None, str, str]

ENDINGS: dict[str, Ending] = {
    "busy": ("busy", None, "was not verified: the line was busy (call {sid}, busy{after}).", AGAIN),
    "unanswered": ("no-answer", None, "was not verified: nobody answered (call {sid}, no-answer{after}).", AGAIN),
    "blocked": (
        "country-blocked",
        None,
        "was not verified: the call could not be put through (call {sid}, failed{after}).",
        "Check the number, and whether the account may call this country (Console, Voice, Geo permissions).",
    ),
    "wrong": ("wrong-code", None, WRONG, ANOTHER_CODE),
    "hung_up": ("hangs-up", None, WRONG, ANOTHER_CODE),
    "too_late": (
        {"behaviour": "manual", "rings": 60},
        None,
        "was not verified: the code was not keyed in within 3 s (call {sid}, ringing).",
        "Have somebody at the phone; Twilio calls from +1 415-723-4000, in English.",
    ),
    "lost": ("no-answer", {"drop": "after"}, "was not verified: Twilio ", NO_CODE),
    "failed": ("no-answer", {"status": 500, "processed": True}, "was not verified: Twilio ", NO_CODE),
    "empty": ("no-answer", {"status": 200, "body": ""}, "was not verified: Twilio ", NO_CODE),
    "verified": ("keys-code", None, "is a caller ID of account {account} already: {existing}. No call was placed.", ""),
    "own": ("own-number", None, "(code 21449, HTTP 400, account AC", "Remove the resource from the program."),
    "refused": ("refused", None, "(code 13224, HTTP 400, account AC", "Check the number: country code and all digits"),
}
"""Resource -> what its phone does, what goes wrong as it is called for, and two parts of what is said in the end."""

NUMBERS = {name: f"+141555501{at}" for at, name in enumerate(ENDINGS, start=10)}


def test_every_way_a_call_ends(stack: Stack, sandbox: Sandbox) -> None:
    """One clear message and one call at most for each, and nothing in state; the next run starts afresh."""
    existing = sandbox.add_caller_id(NUMBERS["verified"], "By hand")
    for name, (phone, fault, _, _) in ENDINGS.items():
        sandbox.set_phone(NUMBERS[name], phone)
        if fault is not None:
            sandbox.fail("create", about=NUMBERS[name], times=None, **fault)
    sandbox.set_phone("+14155550101", {"behaviour": "late-listed", "listed_after": 1.5})
    late = 'OutgoingCallerId("late", phone_number="+14155550101")\n'
    stack.program(late + "".join(declare(name) for name in ENDINGS))
    result = stack.up("--continue-on-error", "--parallel", "20", ok=False)

    calls = {call.to: call for call in sandbox.calls}
    asked = Counter(request.form["PhoneNumber"] for request in sandbox.requests if request.endpoint == "create")
    for name, (_, _, what, todo) in ENDINGS.items():
        call = calls.get(NUMBERS[name])
        told = what.format(sid=call and call.sid, after="@", account=sandbox.account_sid, existing=existing.sid)
        error = result.errors[name]
        begin = f"error: {international_format(NUMBERS[name])} ", f"error: Twilio refused to verify {NUMBERS[name]}: "
        assert error.startswith(begin)
        assert re.search(re.escape(told).replace("@", r"( after \d+ s)?"), error), error
        assert todo in error
        assert (0 if name == "verified" else 1) == asked[NUMBERS[name]], "one request for a call, whatever fails"
    assert len(calls) == len(sandbox.calls)
    assert {NUMBERS[it] for it in ("own", "refused", "verified")}.isdisjoint(calls)
    assert (1, {}) == (result.code, result.awaiting)
    assert "Traceback" not in result.output
    assert re.search(r"0:0[0-3] left\)", result.output)
    assert (["late"], []) == (list(stack.resources()), stack.pending())

    sandbox.heal()
    again = [name for name in ENDINGS if name not in ("verified", "own", "refused")]
    for name in again:
        sandbox.set_phone(NUMBERS[name], "keys-code")
    stack.program(late + "".join(declare(name, deadline="5m") for name in again))
    before = len(sandbox.calls)
    stack.up("--parallel", "20")
    assert {"late", *again} == set(stack.resources())
    assert len(again) == len(sandbox.calls) - before


def declare(name: str, *, deadline: str = "3s") -> str:
    options = f"custom_timeouts=CustomTimeouts(create='{deadline}')" if name == "too_late" else ""
    return f'OutgoingCallerId("{name}", phone_number="{NUMBERS[name]}", opts=ResourceOptions({options}))\n'


def test_numbers_that_are_verified_at_once_share_their_look_ups(make_stack: Callable[..., Stack]) -> None:
    """They are more than the four that the SDK serves at a time. All that wait share one listing at each look."""
    with Sandbox(delays=Delays(queued=0, rings=0.2, talks=2)) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program('for n in range(8):\n    OutgoingCallerId(f"desk-{n}", phone_number=f"+1415555010{n}")\n')
        stack.up("--parallel", "16", settled=False)

        assert 8 == len(sandbox.calls)
        assert 8 == len(stack.resources())
        listings = [r for r in sandbox.requests if r.endpoint == "list" and "PhoneNumber" not in r.params]
        looks = [r for r in sandbox.requests if r.endpoint == "call"]  # each number reads its own call
        assert 4 <= 4 * len(listings) <= len(looks)
