"""^C and what comes after, while Twilio is calling: on the real engine. Other ends: the kill matrix."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Running, Stack
from tests.support.plugin_code import Ends

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'
WITHOUT_CANCEL = """
import pulumi_twilio_caller_id.pulumi_sdk as engine
engine.cancel_on_engine_cancel = engine.widen_worker_pool = lambda *_: None
"""
SIX = "".join(f'OutgoingCallerId("n{n}", phone_number="+1415555010{n}")\n' for n in range(6))

Start = Callable[[str], Running]


@pytest.fixture
def start(stack: Stack, sandbox: Sandbox) -> Iterator[Start]:
    """Starts `pulumi up` of a program whose phones ring for ten minutes; comes back once all of them do."""
    started: list[Running] = []

    def up(program: str) -> Running:
        for n in range(6):
            sandbox.set_phone(f"+1415555010{n}", {"behaviour": "manual", "rings": 600})
        stack.program(program)
        running = stack.start("up", "--yes", "--skip-preview")
        started.append(running)
        rows = [f"on +1 415-555-{digits} (ringing, " for digits in re.findall(r"\+1415555(\d+)", program)]
        running.until(lambda: all(row in running.output for row in rows))
        return running

    yield up
    for running in started:
        running.kill()


@pytest.fixture
def without_cancel(stack: Stack) -> Ends:
    """An SDK laid out otherwise: its Cancel does not reach us, and there are four workers."""
    return Ends(stack, WITHOUT_CANCEL)


def interrupt(running: Running) -> None:
    """^C, until the engine has taken it."""
    running.process.send_signal(signal.SIGINT)
    running.until(lambda: "^C received" in running.output)


def verified_in_the_end(stack: Stack, sandbox: Sandbox, calls: int) -> None:
    """The next `up` verifies what is not verified yet, with one more call each."""
    for n in range(6):
        sandbox.set_phone(f"+1415555010{n}", "keys-code")
    stack.up()
    assert calls == len(sandbox.calls)
    assert {record.phone_number for record in sandbox.caller_ids} == {
        resource["outputs"]["phone_number"] for resource in stack.resources().values()
    }


def test_once_ends_six_waits(stack: Stack, sandbox: Sandbox, start: Start) -> None:
    """More waits than the SDK has workers: all numbers ring at once, and Cancel still gets through. A call goes on
    without us: the next run finds a number that was keyed in meanwhile, and says so instead of a call.
    """
    running = start(SIX)
    running.process.send_signal(signal.SIGINT)
    running.until(running.ended)

    diagnostics = running.output.partition("Diagnostics:")[2]
    assert 6 == len(sandbox.calls)
    for call in sandbox.calls:
        number = f"+1 415-555-{call.to[-4:]}"
        assert (
            f"error: {number} was not verified: pulumi was interrupted while Twilio's call to it was ringing"
            f" (call {call.sid})." in diagnostics
        )
    assert 6 == diagnostics.count(
        "`pulumi up --config twilio:adopt=true` takes the number over if it is verified by then"
    )
    assert "Traceback" not in running.output
    assert {} == stack.resources()
    assert [] == stack.pending()
    assert {} == stack.left_behind()

    [first] = [call for call in sandbox.calls if call.to == "+14155550100"]
    sandbox.key_in(first.sid, first.validation_code)
    [verified] = sandbox.caller_ids
    for n in range(1, 6):
        sandbox.set_phone(f"+1415555010{n}", "keys-code")
    again = stack.up("--continue-on-error", ok=False)
    assert {"n0"} == again.errors.keys()
    assert f"already: {verified.sid}. No call was placed." in again.error
    assert {f"n{n}" for n in range(1, 6)} == stack.resources().keys()
    stack.up("--config", "twilio:adopt=true")
    assert verified.sid == stack.resources()["n0"]["id"]
    assert 11 == len(sandbox.calls)


def test_sigterm_ends_the_wait_too(stack: Stack, sandbox: Sandbox, start: Start) -> None:
    """Then a state whose attributes are cut off is brought back. An engine leaves it so if it is killed while it writes
    them. It writes the state itself whole.
    """
    running = start(DESK)
    running.process.send_signal(signal.SIGTERM)
    running.until(running.ended)

    [call] = sandbox.calls
    told = f"pulumi was interrupted while Twilio's call to it was ringing (call {call.sid})."
    assert f"error: +1 415-555-0101 was not verified: {told}" in running.output
    assert "Traceback" not in running.output
    assert {} == stack.resources()
    assert [] == stack.pending()
    assert {} == stack.left_behind()
    verified_in_the_end(stack, sandbox, calls=2)

    [attributes] = stack.folder.rglob("test.json.attrs")
    attributes.write_text("")
    assert "error: failed to load checkpoint: EOF\n" == stack.preview(ok=False).stderr
    stack.drop_cut_off_attributes()
    assert {} == stack.planned()


def test_once_where_cancel_does_not_reach_us(
    stack: Stack, sandbox: Sandbox, without_cancel: Ends, start: Start
) -> None:
    """The engine waits for the number, as it does for any resource; what was verified is kept."""
    running = start(DESK)
    interrupt(running)
    [call] = sandbox.calls
    sandbox.key_in(call.sid, call.validation_code)
    running.until(running.ended)

    assert ["desk"] == list(stack.resources())
    assert [] == stack.pending()
    assert {} == stack.planned()
    assert 1 == len(sandbox.calls)


def test_twice_where_cancel_does_not_reach_us(
    stack: Stack, sandbox: Sandbox, without_cancel: Ends, start: Start
) -> None:
    """The engine need not kill us."""
    running = start(DESK)
    interrupt(running)
    running.process.send_signal(signal.SIGINT)
    running.until(lambda: running.ended() and not stack.processes())
    assert {"by itself"} == without_cancel.told()

    assert ["creating"] == [operation["type"] for operation in stack.pending()]
    assert {} == stack.resources()
    stack.refresh("--clear-pending-creates")
    assert [] == stack.pending()
    verified_in_the_end(stack, sandbox, calls=2)
