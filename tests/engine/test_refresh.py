from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Result, Stack

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk", call_delay=0)\n'
UNNAMED = 'OutgoingCallerId("desk", phone_number="+14155550101")\n'


def test_drift_of_the_name_is_shown_and_corrected(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK)
    stack.up()
    [record] = sandbox.caller_ids
    sandbox.rename(record.sid, "Changed by hand")

    output = stack.refresh("--diff").output
    assert '~ friendly_name: "Front desk" => "Changed by hand"' in output
    refreshed = stack.resources()["desk"]
    assert "Changed by hand" == refreshed["outputs"]["friendly_name"]
    assert {"phone_number": "+14155550101", "friendly_name": "Changed by hand", "call_delay": 0} == {
        k: v for k, v in refreshed["inputs"].items() if k != "__provider"
    }
    assert {"desk": "update"} == stack.planned()
    assert '~ friendly_name: "Changed by hand" => "Front desk"' in stack.preview("--diff").output
    stack.up()
    assert ["Front desk"] == [record.friendly_name for record in sandbox.caller_ids]
    assert {} == stack.planned()


def test_a_name_that_is_not_managed_may_drift(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(UNNAMED)
    stack.up()
    [record] = sandbox.caller_ids
    sandbox.rename(record.sid, "Changed by hand")
    stack.refresh()

    assert {} == stack.planned()
    refreshed = stack.resources()["desk"]
    assert "Changed by hand" == refreshed["outputs"]["friendly_name"]
    assert "friendly_name" not in refreshed["inputs"]


def test_a_refresh_without_drift_changes_nothing(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK)
    stack.up()
    before = kept(stack)
    stack.refresh("--expect-no-changes")

    assert before == kept(stack)


def test_one_removed_at_twilio_is_dropped_and_verified_anew(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK)
    stack.up()
    [record] = sandbox.caller_ids
    sandbox.remove(record.sid)
    stack.refresh()
    assert {} == stack.resources()

    stack.up()
    assert 2 == len(sandbox.calls)
    assert ["desk"] == list(stack.resources())


def kept(stack: Stack) -> dict[str, tuple[Any, ...]]:
    """What the state says of the caller IDs, less what the engine notes about the program."""
    return {name: (it["id"], it["inputs"], it["outputs"]) for name, it in stack.resources().items()}


FAULTS = {
    "401": ({"status": 401, "code": 20003}, "(code 20003, HTTP 401, account AC"),
    "403": ({"status": 403, "code": 70051}, "(code 70051, HTTP 403, account AC"),
    "429": ({"status": 429, "code": 20429, "retry_after": 0}, "(code 20429, HTTP 429, account AC"),
    "500": ({"status": 500, "retry_after": 0}, "HTTP 500, account AC"),
    "404 of a proxy": ({"status": 404, "body": "<html>not here</html>"}, "(HTTP 404, account AC"),
    "404 with another code": ({"status": 404, "code": 20003}, "HTTP 404, account AC"),
    "empty": ({"status": 200, "body": ""}, "gave no usable answer"),
    "another form": ({"status": 200, "body": "{}"}, "gave no usable answer"),
    "reset": ({"drop": "before"}, "gave no usable answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_only_twilios_own_404_drops_a_number(stack: Stack, sandbox: Sandbox, fault: str) -> None:
    """Whatever else goes wrong fails the refresh and leaves the state alone."""
    stack.program(DESK)
    stack.up()
    before = kept(stack)
    how, told = FAULTS[fault]
    sandbox.fail("fetch", times=None, **how)  # type: ignore[arg-type]
    result = stack.refresh(ok=False)

    assert 0 != result.code
    assert told in result.error
    assert "Traceback" not in result.output
    assert before == kept(stack)
    sandbox.heal()
    stack.refresh("--expect-no-changes")


@pytest.fixture
def rotated(make_stack: Callable[..., Stack], sandbox: Sandbox) -> Stack:
    """A stack with a number, whose config has the account's token anew since the last up."""
    stack = make_stack(environment={"TWILIO_API_URL": sandbox.url})
    stack.pulumi("config", "set", "twilio:accountSid", sandbox.account_sid)
    stack.pulumi("config", "set", "--secret", "twilio:authToken", sandbox.auth_token)
    stack.program(DESK)
    stack.up()
    sandbox.set_auth_token("e" * 32)
    stack.pulumi("config", "set", "--secret", "twilio:authToken", "e" * 32)
    return stack


@pytest.mark.parametrize("operation", [Stack.refresh, Stack.destroy])
def test_refused_credentials_name_the_two_ways_out(rotated: Stack, operation: Callable[..., Result]) -> None:
    """Both use what the last up stored, not the config of now."""
    error = operation(rotated, ok=False).error

    assert "(code 20003, HTTP 401, account AC" in error
    assert "`refresh` and `destroy` use the credentials of the last `pulumi up`: run that first," in error
    assert "--run-program (or PULUMI_RUN_PROGRAM=true)" in error
    assert ["desk"] == list(rotated.resources())


@pytest.mark.parametrize("operation", [Stack.refresh, Stack.destroy])
def test_refused_variables_are_not_said_to_be_stored(
    stack: Stack, sandbox: Sandbox, operation: Callable[..., Result]
) -> None:
    stack.program(DESK)
    stack.up()
    sandbox.set_auth_token("e" * 32)
    error = operation(stack, ok=False).error

    assert "The credentials come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)." in error
    assert "the last `pulumi up`" not in error


SUBACCOUNT = "AC" + "2" * 32


def test_refused_credentials_of_a_subaccounts_number(make_stack: Callable[..., Stack]) -> None:
    """They are the parent's, and may have been rotated: a refresh never says how to remove the number."""
    with Sandbox(delays=Delays(queued=0, rings=0.1, talks=0.1), subaccounts=[SUBACCOUNT]) as sandbox:
        stack = make_stack(environment={"TWILIO_API_URL": sandbox.url})
        stack.pulumi("config", "set", "twilio:accountSid", sandbox.account_sid)
        stack.pulumi("config", "set", "--secret", "twilio:authToken", sandbox.auth_token)
        stack.program(f'OutgoingCallerId("lab", phone_number="+14155550101", account_sid="{SUBACCOUNT}")\n')
        stack.up()
        sandbox.set_auth_token("e" * 32)
        first = "\n`refresh` and `destroy` use the credentials of the last `pulumi up`: run that first,"

        refused = stack.refresh(ok=False).error
        assert first in refused
        assert "delete" not in refused
        before, _, after = stack.destroy(ok=False).error.partition(first)
        assert "pulumi state" not in before
        assert f"If {SUBACCOUNT} is no subaccount of {sandbox.account_sid}, whose credentials these are," in after
        assert ["lab"] == list(stack.resources())


def test_a_rotated_token_by_running_the_program(rotated: Stack, sandbox: Sandbox) -> None:
    rotated.refresh("--run-program")
    rotated.refresh(env={"PULUMI_RUN_PROGRAM": "true"})
    rotated.destroy("--run-program")

    assert [] == sandbox.caller_ids


def test_a_rotated_token_by_an_up_before(rotated: Stack, sandbox: Sandbox) -> None:
    rotated.up()
    rotated.refresh()
    rotated.destroy()

    assert [] == sandbox.caller_ids
    assert 1 == len(sandbox.calls)


def test_a_rotated_token_in_the_environment_is_used_as_it_is_now(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK)
    stack.up()
    sandbox.set_auth_token("e" * 32)
    stack.refresh(env={"TWILIO_AUTH_TOKEN": "e" * 32})


def test_a_refresh_of_many_takes_few_requests_and_misses_nothing(stack: Stack, sandbox: Sandbox) -> None:
    """One caller ID on its own, the others from one listing; the one that the listing lacks by its sid."""
    numbers = [f"+141555502{n:02}" for n in range(20)]
    for number in numbers:
        sandbox.add_caller_id(number, "Desk")
    stack.program(
        f"for number in {numbers}:\n"
        '    OutgoingCallerId(number, phone_number=number, friendly_name="Desk", adopt=True)\n'
    )
    stack.up()
    before = len(sandbox.requests)
    stack.refresh("--expect-no-changes")
    assert ["fetch", "list"] == sorted(request.endpoint for request in sandbox.requests[before:])

    sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
    sandbox.remove(sids[numbers[3]])
    sandbox.rename(sids[numbers[7]], "Lobby")
    before = len(sandbox.requests)
    stack.refresh()
    state = stack.resources()
    assert set(numbers) - {numbers[3]} == set(state)
    assert "Lobby" == state[numbers[7]]["outputs"]["friendly_name"]
    assert len(sandbox.requests) - before <= 3
