"""^C and what comes after, while Twilio is calling: on the real engine. Other ends: the kill matrix."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Running, Stack
from tests.support.plugin_code import Ends

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'
WITHOUT_CANCEL = """
import pulumi_twilio_caller_id.engine as engine
engine.hear_cancel = engine.expect_waiting = lambda: None
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
        running.until(lambda: running.output.count("(ringing, ") == program.count("OutgoingCallerId("))
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
    assert {} == stack.planned()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_once_ends_the_wait_at_once(stack: Stack, sandbox: Sandbox, start: Start, number: signal.Signals) -> None:
    running = start(DESK)
    running.process.send_signal(number)
    running.until(running.ended)

    [call] = sandbox.calls
    assert (
        "error: +1 415-555-0101 was not verified: pulumi was interrupted while Twilio's call to it was ringing"
        f" (call {call.sid})." in running.output
    )
    assert "Traceback" not in running.output
    assert {} == stack.resources()
    assert [] == stack.pending()
    assert [] == stack.left_behind()
    verified_in_the_end(stack, sandbox, calls=2)


def test_once_ends_six_waits(stack: Stack, sandbox: Sandbox, start: Start) -> None:
    """More waits than the SDK has workers: all numbers ring at once, and Cancel still gets through."""
    running = start(SIX)
    running.process.send_signal(signal.SIGINT)
    running.until(running.ended)

    assert 6 == running.output.partition("Diagnostics:")[2].count("error: +1 415-555-010")
    assert 6 == len(sandbox.calls)
    assert [] == stack.pending()
    verified_in_the_end(stack, sandbox, calls=12)


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
    verified_in_the_end(stack, sandbox, calls=1)


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


def test_a_number_keyed_in_after_the_interrupt_is_not_called_again(
    stack: Stack, sandbox: Sandbox, start: Start
) -> None:
    """The call goes on without us; the next run finds what came of it, and says so."""
    running = start(DESK)
    running.process.send_signal(signal.SIGINT)
    running.until(running.ended)
    [call] = sandbox.calls
    sandbox.key_in(call.sid, call.validation_code)
    error = stack.up(ok=False).error

    assert f"already: {sandbox.caller_ids[0].sid}. No call was placed." in error
    assert 1 == len(sandbox.calls)


def test_a_state_whose_attributes_are_cut_off_is_brought_back(stack: Stack, sandbox: Sandbox) -> None:
    """As an engine leaves it that is killed in the middle of writing them. The engine writes the state itself whole."""
    stack.program(DESK)
    stack.up()
    [attributes] = stack.folder.rglob("test.json.attrs")
    attributes.write_text("")

    assert "error: failed to load checkpoint: EOF\n" == stack.preview(ok=False).stderr
    stack.drop_cut_off_attributes()
    assert {} == stack.planned()
