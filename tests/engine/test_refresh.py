"""What a refresh shows, whose credentials it uses, and how few requests it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

THREE = (
    'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk", call_delay=0)\n'
    'OutgoingCallerId("unnamed", phone_number="+14155550102")\n'
    'OutgoingCallerId("gone", phone_number="+14155550103")\n'
)
DESK = THREE.splitlines()[0]
ROTATED = "e" * 32


def kept(stack: Stack) -> dict[str, tuple[Any, ...]]:
    """What the state says of the caller IDs, less what the engine notes about the program."""
    return {name: (it["id"], it["inputs"], it["outputs"]) for name, it in stack.resources().items()}


def test_drift_is_shown_and_corrected(stack: Stack, sandbox: Sandbox) -> None:
    """A name that is managed is corrected, another one may drift, and a number that is gone is verified anew."""
    stack.program(THREE)
    stack.up()
    before = kept(stack)
    stack.refresh("--expect-no-changes")
    assert before == kept(stack)

    for name in ("desk", "unnamed"):
        sandbox.rename(before[name][0], "Changed by hand")
    sandbox.remove(before["gone"][0])
    output = stack.refresh("--diff").output
    assert '~ friendly_name: "Front desk" => "Changed by hand"' in output
    gone = f"+1 415-555-0103 ({before['gone'][0]}) is gone at Twilio; the next `pulumi up` will call it"
    assert 1 == output.count(f"warning: {gone}")
    state = stack.resources()
    assert {"desk", "unnamed"} == set(state)
    assert {"Changed by hand"} == {it["outputs"]["friendly_name"] for it in state.values()}
    assert {"phone_number": "+14155550101", "friendly_name": "Changed by hand", "call_delay": 0} == {
        k: v for k, v in state["desk"]["inputs"].items() if k != "__provider"
    }
    assert "friendly_name" not in state["unnamed"]["inputs"]

    assert {"desk": "update", "gone": "create"} == stack.planned()
    assert '~ friendly_name: "Changed by hand" => "Front desk"' in stack.preview("--diff").output
    stack.up()
    assert {"desk", "unnamed", "gone"} == set(stack.resources())
    named = {record.phone_number: record.friendly_name for record in sandbox.caller_ids}
    assert "Front desk" == named["+14155550101"]
    assert "Changed by hand" == named["+14155550102"]
    assert 4 == len(sandbox.calls)


def test_a_refresh_that_twilio_does_not_answer_leaves_the_state_alone(stack: Stack, sandbox: Sandbox) -> None:
    """Nor is a token that is rotated in the environment stored: the one of now is used."""
    stack.program(DESK)
    stack.up(settled=False)
    before = kept(stack)
    for how, told in (
        ({"status": 500, "retry_after": 0}, "HTTP 500, account AC"),
        ({"status": 404, "body": "<html>not here</html>"}, "(HTTP 404, account AC"),
        ({"drop": "before"}, "gave no usable answer"),
    ):
        sandbox.fail("fetch", times=None, **how)
        result = stack.refresh(ok=False)
        assert told in result.error
        assert "Traceback" not in result.output
        assert before == kept(stack)
        sandbox.heal()

    sandbox.set_auth_token(ROTATED)
    error = stack.refresh(ok=False).error
    assert "The credentials come from the environment (TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN)." in error
    assert "the latest `pulumi up`" not in error
    assert before == kept(stack)
    stack.refresh("--expect-no-changes", env={"TWILIO_AUTH_TOKEN": ROTATED})


def test_a_token_that_is_rotated_in_the_config(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    """A refresh and a destroy use what the last `up` stored, unless the program runs: the error names both ways out.

    `test_parity.py` has the way by `up`.
    """
    stack = make_stack(environment={"TWILIO_API_URL": sandbox.url})
    stack.configure({"twilio:accountSid": sandbox.account_sid})
    stack.pulumi("config", "set", "--secret", "twilio:authToken", sandbox.auth_token)
    stack.program(DESK)
    stack.up(settled=False)
    sandbox.set_auth_token(ROTATED)
    stack.pulumi("config", "set", "--secret", "twilio:authToken", ROTATED)

    for operation in (stack.refresh, stack.destroy):
        error = operation(ok=False).error
        assert "(code 20003, HTTP 401, account AC" in error
        assert "To use new ones, run `pulumi up`, or add\n--run-program (" in error
        assert "--run-program (or PULUMI_RUN_PROGRAM=true)" in error
        assert ["desk"] == list(stack.resources())
    stack.refresh("--run-program")
    stack.refresh(env={"PULUMI_RUN_PROGRAM": "true"})
    stack.destroy("--run-program")
    assert [] == sandbox.caller_ids


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
