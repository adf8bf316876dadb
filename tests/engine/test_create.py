from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack, occurrences

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'
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
    stack.up()

    assert ["+14155550101", "+14155550102", "+493090182000"] == sorted(call.to for call in sandbox.calls)
    listed = {record.phone_number: record for record in sandbox.caller_ids}
    for number, output in zip(("+14155550101", "+14155550102", "+493090182000"), _in_order(stack), strict=True):
        record = listed[number]
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

    assert {} == stack.planned()
    stack.up("--expect-no-changes")
    assert 3 == len(sandbox.calls)


def _in_order(stack: Stack) -> list[dict[str, str]]:
    outputs = stack.outputs()
    return [outputs[name] for name in ("desk", "support", "berlin")]


def keyed_in_once_it_is_told(stack: Stack, sandbox: Sandbox) -> str:
    """The output of an `up` in which somebody keys in the code of the desk as soon as the row has it."""
    running = stack.start("up", "--yes", "--skip-preview")
    try:
        running.until(lambda: sandbox.calls)
        [call] = sandbox.calls
        row = rf"desk creating \(\d+s\) {call.validation_code} <- key in on \+1 415-555-0101 \("
        running.until(lambda: re.search(row, running.output))
        assert sandbox.key_in(call.sid, call.validation_code)
        running.until(running.ended)
    finally:
        running.kill()
    output = running.output
    running.file.unlink()  # it is no file of the engine's
    assert 0 == running.process.returncode, output
    return output


def test_the_code_is_on_the_row_and_once_in_the_log_and_never_in_state(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.set_phone("+14155550101", "manual")
    stack.program(DESK)
    output = keyed_in_once_it_is_told(stack, sandbox)
    code = sandbox.calls[0].validation_code

    diagnostics = output.split("Diagnostics:", 1)[1]
    log = f"{code} is the code for +1 415-555-0101: Twilio calls it now from +1 415-723-4000; key it in there."
    assert 1 == diagnostics.count(log)
    assert 1 == diagnostics.count(code)
    assert "created (" in output
    assert [] == occurrences(code, stack)


def test_a_code_that_begins_with_zeros_keeps_them(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.set_phone("+14155550101", {"behaviour": "manual", "validation_code": "000420"})
    stack.program(DESK)
    assert " 000420 <- key in on" in keyed_in_once_it_is_told(stack, sandbox)


ENDINGS = {
    "busy": (
        "+1 415-555-0101 was not verified: the line was busy (call {sid}, busy{after}).",
        "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English.",
    ),
    "no-answer": (
        "+1 415-555-0101 was not verified: nobody answered (call {sid}, no-answer{after}).",
        "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English.",
    ),
    "country-blocked": (
        "+1 415-555-0101 was not verified: the call could not be put through (call {sid}, failed{after}).",
        "Check the number, and whether the account may call this country (Console, Voice, Geo permissions);",
    ),
    "wrong-code": (
        "+1 415-555-0101 was not verified: the call ended without the right code (call {sid}, completed).",
        "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English.",
    ),
    "hangs-up": (
        "+1 415-555-0101 was not verified: the call ended without the right code (call {sid}, completed).",
        "Run `pulumi up` again with somebody at the phone; Twilio calls from +1 415-723-4000, in English.",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_call_that_ends_without_verifying(stack: Stack, sandbox: Sandbox, ending: str) -> None:
    """One clear message, one call, nothing in state; the next run starts afresh."""
    sandbox.set_phone("+14155550101", ending)
    stack.program(DESK)
    result = stack.up(ok=False)

    [call] = sandbox.calls
    what, todo = ENDINGS[ending]
    expected = re.escape(f"error: {what.format(sid=call.sid, after='@')}\n{todo}").replace("@", r"( after \d+ s)?")
    assert re.match(expected, result.error), result.error
    assert_failed_cleanly(stack, sandbox, result.output)

    sandbox.set_phone("+14155550101", "keys-code")
    stack.up()
    assert 2 == len(sandbox.calls)
    assert ["desk"] == list(stack.resources())


def assert_failed_cleanly(stack: Stack, sandbox: Sandbox, output: str, calls: int = 1) -> None:
    assert "Traceback" not in output
    assert calls == len(sandbox.calls)
    assert {} == stack.resources()
    assert [] == stack.pending()


def test_nobody_keys_the_code_in_before_the_deadline(stack: Stack, sandbox: Sandbox) -> None:
    """`custom_timeouts` for create is the deadline."""
    sandbox.set_phone("+14155550101", {"behaviour": "manual", "rings": 60})
    stack.program(DESK.replace(")\n", ", opts=ResourceOptions(custom_timeouts=CustomTimeouts(create='3s')))\n"))
    result = stack.up(ok=False)

    [call] = sandbox.calls
    what = f"+1 415-555-0101 was not verified: the code was not keyed in within 3 s (call {call.sid}, ringing)."
    assert f"error: {what}\nRun `pulumi up` again" in result.error
    assert re.search(r"0:0[0-3] left\)", result.output)
    assert_failed_cleanly(stack, sandbox, result.output)


def test_a_number_that_is_listed_only_after_the_call(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.set_phone("+14155550101", {"behaviour": "late-listed", "listed_after": 1.5})
    stack.program(DESK)
    stack.up()

    assert ["desk"] == list(stack.resources())
    assert 1 == len(sandbox.calls)


def test_a_number_that_is_verified_already_is_not_called(stack: Stack, sandbox: Sandbox) -> None:
    existing = sandbox.add_caller_id("+14155550101", "By hand")
    stack.program(DESK)
    result = stack.up(ok=False)

    assert (
        f"error: +1 415-555-0101 is a caller ID of account {sandbox.account_sid} already: {existing.sid}."
        " No call was placed."
    ) in result.error
    assert_failed_cleanly(stack, sandbox, result.output, calls=0)


REFUSALS = {
    "own-number": ("(code 21449, HTTP 400, account AC", "Remove the resource from the program."),
    "refused": ("(code 13224, HTTP 400, account AC", "Check the number: country code and all digits"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_number_that_twilio_refuses(stack: Stack, sandbox: Sandbox, refusal: str) -> None:
    sandbox.set_phone("+14155550101", refusal)
    stack.program(DESK)
    result = stack.up(ok=False)

    told, todo = REFUSALS[refusal]
    assert result.error.startswith("error: Twilio refused to verify +14155550101: ")
    assert told in result.error
    assert todo in result.error
    assert_failed_cleanly(stack, sandbox, result.output, calls=0)


def test_no_credentials(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    stack = make_stack()
    stack.program(DESK)
    result = stack.up(ok=False)

    assert "error: Twilio credentials are missing: no account sid and no auth token (or API key)." in result.error
    assert "pulumi config set --secret twilio:authToken" in result.error
    assert_failed_cleanly(stack, sandbox, result.output, calls=0)


def test_wrong_credentials(stack: Stack, sandbox: Sandbox) -> None:
    token = sandbox.auth_token
    sandbox.set_auth_token("f" * 32)
    stack.program(DESK)
    result = stack.up(ok=False)

    assert (
        "error: Twilio refused to look up +14155550101: Authenticate (code 20003, HTTP 401, account AC" in result.error
    )
    assert token not in result.output
    assert_failed_cleanly(stack, sandbox, result.output, calls=0)


def test_an_api_key_will_do(stack: Stack, sandbox: Sandbox) -> None:
    stack.environment["TWILIO_API_KEY"] = sandbox.api_key
    stack.environment["TWILIO_API_SECRET"] = sandbox.api_secret
    del stack.environment["TWILIO_AUTH_TOKEN"]
    stack.program(DESK)
    stack.up()

    assert ["desk"] == list(stack.resources())


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 500, "processed": True}, {"status": 200, "body": ""}])
def test_an_answer_that_is_lost_never_leads_to_a_second_call(
    stack: Stack, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    """The phone may ring, but nobody knows the code: say so, and place no other call in this run."""
    sandbox.set_phone("+14155550101", "no-answer")
    sandbox.fail("create", times=None, **fault)
    stack.program(DESK)
    result = stack.up(ok=False)

    assert 1 == len([r for r in sandbox.requests if r.endpoint == "create"])
    assert result.error.startswith("error: +1 415-555-0101 was not verified: Twilio ")
    assert "Its phone may ring all the same; nobody knows the code of that call" in result.error
    assert_failed_cleanly(stack, sandbox, result.output, calls=len(sandbox.calls))
    assert len(sandbox.calls) <= 1


def test_too_many_requests_are_waited_out_with_one_call(stack: Stack, sandbox: Sandbox) -> None:
    for endpoint in ("list", "create", "call"):
        sandbox.fail(endpoint, status=429, times=2, retry_after=0)
    stack.program(DESK)
    stack.up()

    assert 1 == len(sandbox.calls)
    assert ["desk"] == list(stack.resources())


def test_numbers_that_are_verified_at_once_share_their_look_ups(make_stack: Callable[..., Stack]) -> None:
    """More than the four that the SDK serves at a time; together they list the account about once a second."""
    with Sandbox(delays=Delays(queued=0, rings=0.2, talks=2)) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program('for n in range(8):\n    OutgoingCallerId(f"desk-{n}", phone_number=f"+1415555010{n}")\n')
        began = time.monotonic()
        stack.up("--parallel", "16")
        seconds = time.monotonic() - began

        assert 8 == len(sandbox.calls)
        assert 8 == len(stack.resources())
        listings = [r for r in sandbox.requests if r.endpoint == "list" and "PhoneNumber" not in r.params]
        assert 1 <= len(listings) <= seconds
