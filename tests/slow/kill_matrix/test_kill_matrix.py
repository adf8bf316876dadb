"""The kill matrix: engine or plugin is ended while every kind of operation is in every phase of it, and then what the
docs say is to be done is done: afterwards state and Twilio agree, and no number was phoned more than needed.

One operation has a number in each phase, so that an end costs a few operations rather than a few for each cell.
The native provider has the ends that it could take in another way: a signal reaches it as it reaches the dynamic one.
`make kills` prints the table.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Running, Stack
from tests.support.native_stack import NativeStack
from tests.support.plugin_code import Ends

HELD = 60.0
"""Seconds, unless healed before."""

LOOK_UP, NOT_TAKEN, PLACED, RINGING, KEYED_IN = (f"+1415555010{n}" for n in range(1, 6))
CREATED = {
    LOOK_UP: "create: look-up on its way",
    NOT_TAKEN: "create: call not taken yet",
    PLACED: "create: call placed, answer on its way",
    RINGING: "create: ringing",
    KEYED_IN: "create: keyed in, not seen yet",
}
OLD_NOT_TAKEN, OLD_TAKEN, OLD_DONE = (f"+1415555011{n}" for n in range(1, 4))
KEPT = {OLD_NOT_TAKEN: "request not taken yet", OLD_TAKEN: "done, answer on its way", OLD_DONE: "done"}

End = Callable[[Stack, Running, Sandbox], None]


def pressed(number: signal.Signals, times: int) -> End:
    """^C or SIGTERM for the engine. After the first, it waits for what is under way, which Twilio answers then."""

    def end(_stack: Stack, running: Running, sandbox: Sandbox) -> None:
        running.process.send_signal(number)
        running.until(lambda: "received; cancelling" in running.output)
        if times == 2:
            running.process.send_signal(number)
        else:
            sandbox.heal()

    return end


def killed_engine(_stack: Stack, running: Running, _sandbox: Sandbox) -> None:
    os.kill(running.process.pid, signal.SIGKILL)


def killed_plugin(number: signal.Signals) -> End:
    def end(stack: Stack, _running: Running, _sandbox: Sandbox) -> None:
        for plugin in stack.plugins():
            with suppress(ProcessLookupError):  # of the shell and what it runs, one may end with the other
                os.kill(plugin, number)

    return end


ENDS: dict[str, End] = {
    "^C": pressed(signal.SIGINT, 1),
    "^C twice": pressed(signal.SIGINT, 2),
    "SIGTERM": pressed(signal.SIGTERM, 1),
    "SIGTERM twice": pressed(signal.SIGTERM, 2),
    "engine SIGKILL": killed_engine,
    "plugin SIGTERM": killed_plugin(signal.SIGTERM),
    "plugin SIGKILL": killed_plugin(signal.SIGKILL),
}
CLEARED = ("^C twice", "SIGTERM twice", "engine SIGKILL")
"""Ends after which the docs have `pulumi refresh --clear-pending-creates` before `pulumi up`."""

ON_NATIVE = ("^C", "^C twice", "engine SIGKILL", "plugin SIGKILL")
RUNS = [("dynamic", how) for how in ENDS] + [("native", how) for how in ON_NATIVE]


@dataclass(frozen=True)
class Cell:
    """What is in the state right after the end, and at Twilio; and the calls placed before it and by the recovery."""

    provider: str
    end: str
    phase: str
    in_state: bool
    at_twilio: bool
    calls: tuple[int, int]


@pytest.fixture(scope="module")
def table() -> Iterator[list[Cell]]:
    """The cells of which everything held."""
    cells: list[Cell] = []
    yield cells
    lines = [f"{'provider':<10}{'end':<16}{'phase':<42}{'left in state':<15}{'at Twilio':<11}calls"]
    for cell in cells:
        left, there = ("yes" if held else "-" for held in (cell.in_state, cell.at_twilio))
        named = f"{cell.provider:<10}{cell.end:<16}{cell.phase:<42}"
        lines.append(f"{named}{left:<15}{there:<11}{' + '.join(map(str, cell.calls))}")
    print(*lines, f"{len(cells)} of {len(RUNS) * (len(CREATED) + 2 * len(KEPT))} cells", sep="\n")  # noqa: T201


def declared(numbers: dict[str, str]) -> str:
    return "".join(
        f'OutgoingCallerId("n{number[-3:]}", phone_number="{number}", friendly_name="{name}")\n'
        for number, name in numbers.items()
    )


def in_state(stack: Stack) -> dict[str, tuple[str, str]]:
    """By number, sid and name."""
    outputs = [(resource["id"], resource["outputs"]) for resource in stack.resources().values()]
    return {told["phone_number"]: (sid, told["friendly_name"]) for sid, told in outputs}


def at_twilio(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    records = {record.phone_number: (record.sid, record.friendly_name) for record in sandbox.caller_ids}
    assert len(records) == len(sandbox.caller_ids), "a number was verified twice"
    return records


def calls(sandbox: Sandbox, number: str) -> int:
    return [call.to for call in sandbox.calls].count(number)


def asked(sandbox: Sandbox, endpoint: Endpoint, about: str, *, answered: bool = False) -> bool:
    """Whether a request about this number or sid has come, and has been answered."""
    for request in sandbox.requests:
        named = (request.params.get("PhoneNumber"), request.form.get("PhoneNumber"))
        if request.endpoint == endpoint and (about in named or f"/{about}." in request.path):
            return not answered or request.status is not None
    return False


@contextmanager
def running(stack: Stack, *args: str) -> Iterator[Running]:
    started = stack.start(*args, "--yes", "--skip-preview", "--parallel", "32")
    try:
        yield started
    finally:
        started.kill()


@contextmanager
def an_up(stack: Stack, sandbox: Sandbox, sids: dict[str, str]) -> Iterator[Running]:
    """An `up` that has a number in each phase of creating and renaming."""
    for number in (PLACED, RINGING, KEYED_IN):
        sandbox.set_phone(number, "manual")
    sandbox.fail("list", about=LOOK_UP, delay=HELD)
    sandbox.fail("create", about=NOT_TAKEN, delay=HELD, drop="before")
    sandbox.fail("create", about=PLACED, delay=HELD)
    hold(sandbox, "update", sids)
    with running(stack, "up") as up:
        up.until(
            lambda: (
                asked(sandbox, "list", LOOK_UP)
                and asked(sandbox, "create", NOT_TAKEN)
                and {PLACED, RINGING, KEYED_IN} == {call.to for call in sandbox.calls} & CREATED.keys()
                and 2 == up.output.count("(ringing, ")
                and reached(sandbox, "update", sids)
            )
        )
        sandbox.fail("list", delay=HELD)
        [ringing] = [call for call in sandbox.calls if call.to == KEYED_IN]
        assert sandbox.key_in(ringing.sid, ringing.validation_code)
        yield up


@contextmanager
def a_destroy(stack: Stack, sandbox: Sandbox, sids: dict[str, str]) -> Iterator[Running]:
    """A `destroy` that has a number in each phase of deleting."""
    hold(sandbox, "delete", sids)
    with running(stack, "destroy") as destroy:
        destroy.until(lambda: reached(sandbox, "delete", sids))
        yield destroy


def hold(sandbox: Sandbox, endpoint: Endpoint, sids: dict[str, str]) -> None:
    sandbox.fail(endpoint, about=sids[OLD_NOT_TAKEN], delay=HELD, drop="before")
    sandbox.fail(endpoint, about=sids[OLD_TAKEN], delay=HELD)


def reached(sandbox: Sandbox, endpoint: Endpoint, sids: dict[str, str]) -> bool:
    return (
        asked(sandbox, endpoint, sids[OLD_NOT_TAKEN])
        and asked(sandbox, endpoint, sids[OLD_TAKEN])
        and asked(sandbox, endpoint, sids[OLD_DONE], answered=True)
    )


def ended(how: str, stack: Stack, operation: Running, sandbox: Sandbox, ends: Ends) -> None:
    """Ends the operation; comes back once none of its processes is left, but for what is not the provider's."""
    ENDS[how](stack, operation, sandbox)
    operation.until(lambda: operation.ended() and not stack.of_the_provider())
    assert {"" if "plugin" in how else "by itself"} == ends.told()
    assert {} == stack.left_behind()
    if "plugin" not in how:  # of a plugin that is gone, the SDK tells the program by a traceback of its own
        assert "Traceback" not in operation.output
    assert sandbox.auth_token not in operation.output
    sandbox.heal()
    if how == "engine SIGKILL":
        stack.drop_cut_off_attributes()
        assert "the stack is currently locked" in stack.up(ok=False).output
        stack.pulumi("cancel", "--yes")


@pytest.fixture
def stack_class(provider: str) -> type[Stack]:
    return {"dynamic": Stack, "native": NativeStack}[provider]


@pytest.mark.parametrize(("provider", "how"), RUNS)
def test_after_every_end_in_every_phase_the_documented_recovery_leads_back(
    stack: Stack, sandbox: Sandbox, provider: str, how: str, table: list[Cell]
) -> None:
    ends = Ends(stack)
    old = dict.fromkeys(KEPT, "Old")
    stack.program(declared(old))
    stack.up()
    sids = {record.phone_number: record.sid for record in sandbox.caller_ids}

    wanted = dict.fromkeys([*CREATED, *KEPT], "New")
    stack.program(declared(wanted))
    ends.told()
    with an_up(stack, sandbox, sids) as up:
        ended(how, stack, up, sandbox, ends)
    left, there = in_state(stack), at_twilio(sandbox)
    assert (how in CLEARED) == ("creating" in [operation["type"] for operation in stack.pending()])
    before = {number: calls(sandbox, number) for number in wanted}
    assert 1 == max(before.values())
    assert there.keys() - left.keys() <= {KEYED_IN}, "left at Twilio, and neither state nor docs know of it"

    for number in CREATED:
        sandbox.set_phone(number, "keys-code")
    if how in CLEARED:
        stack.refresh("--clear-pending-creates")
    stack.up("--config", "twilio:adopt=true")
    agreed = in_state(stack)
    assert agreed == at_twilio(sandbox)
    assert wanted == {number: name for number, (_, name) in agreed.items()}
    assert sids == {number: agreed[number][0] for number in KEPT}
    assert 1 == calls(sandbox, KEYED_IN)
    for number, phase in (CREATED | {number: f"rename: {phase}" for number, phase in KEPT.items()}).items():
        placed = (before[number], calls(sandbox, number) - before[number])
        table.append(Cell(provider, how, phase, number in left, number in there, placed))

    placed_before = len(sandbox.calls)
    ends.told()
    with a_destroy(stack, sandbox, sids) as destroy:
        ended(how, stack, destroy, sandbox, ends)
    left, there = in_state(stack), at_twilio(sandbox)
    assert there.keys() <= left.keys(), "left at Twilio, and not in the state"
    stack.destroy()
    assert [] == [*stack.deployment().get("resources", []), *stack.pending()]
    assert {} == at_twilio(sandbox)
    assert placed_before == len(sandbox.calls)
    for number, phase in KEPT.items():
        table.append(Cell(provider, how, f"delete: {phase}", number in left, number in there, (0, 0)))
