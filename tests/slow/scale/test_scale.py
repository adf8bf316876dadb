"""Many numbers at once on the real engine: who is served meanwhile, how often Twilio is asked, what it refuses."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from pulumi_twilio_caller_id.testing import Delays, RequestRecord, Sandbox
from tests.support.harness import Running, Stack
from tests.support.rest import Clock

COUNT = 32
UP = ("up", "--yes", "--skip-preview", "--parallel", "64")
MANY = f'for n in range({COUNT}): OutgoingCallerId(f"n{{n}}", phone_number=f"+1415555{{n:04}}")\n'
TWELVE = 'for n in range(12): OutgoingCallerId(f"n{n}", phone_number=f"+1415555{n:04}", friendly_name="{name}")\n'
LATE = """
async def later():
    import asyncio, os
    while not os.path.exists("everybody waits"):
        await asyncio.sleep(0.05)
    return "Lobby"
OutgoingCallerId("desk", phone_number="+14155559999", friendly_name=Output.from_input(later()))
"""


def most_at_once(requests: list[RequestRecord]) -> int:
    """Within half a second. Of rounds, which are a second apart, that is one; two where the machine stood still."""
    times = [request.at for request in requests]
    return max(sum(begin <= at < begin + 0.5 for at in times) for begin in times)


@pytest.fixture
def waiting(stack: Stack, sandbox: Sandbox) -> Iterator[Running]:
    """32 phones ring for ten minutes, and nobody answers; a number that exists is renamed once a file is there."""
    stack.program('OutgoingCallerId("desk", phone_number="+14155559999", friendly_name="Desk")\n')
    stack.up()
    for n in range(COUNT):
        sandbox.set_phone(f"+1415555{n:04}", {"behaviour": "manual", "rings": 600})
    stack.program(MANY + LATE)
    running = stack.start(*UP)
    yield running
    running.kill()


def test_while_many_wait_others_are_served_and_interrupts_heard(
    waiting: Running, stack: Stack, sandbox: Sandbox
) -> None:
    """The plugin of the SDK serves four operations at a time: check, diff and Cancel would wait for people."""
    waiting.until(lambda: waiting.output.count("(ringing, ") == COUNT)
    stack.project.joinpath("everybody waits").touch()
    waiting.until(lambda: "desk updated" in waiting.output)
    assert ["Lobby"] == [record.friendly_name for record in sandbox.caller_ids]
    assert [call.status for call in sandbox.calls][1:] == ["ringing"] * COUNT

    waiting.process.send_signal(signal.SIGINT)
    waiting.until(waiting.ended)
    failed = {line for line in waiting.output.splitlines() if "was not verified: pulumi was interrupted" in line}
    assert COUNT == len({line.strip() for line in failed if line.strip().startswith("error: +1 ")})
    assert [1] * (COUNT + 1) == [[c.to for c in sandbox.calls].count(call.to) for call in sandbox.calls]
    assert 2 >= most_at_once([r for r in sandbox.requests if r.endpoint == "list" and "PhoneNumber" not in r.params])


def test_calls_that_twilio_queues_are_shown_as_queued(make_stack: Callable[..., Stack]) -> None:
    """It begins one a second in an account: the others stay queued, and are waited for."""
    clock = Clock()
    with Sandbox(delays=Delays(queued=0, rings=0.1, talks=0.2), calls_per_second=1, clock=clock) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program('for n in range(4): OutgoingCallerId(f"n{n}", phone_number=f"+1415555{n:04}")\n')
        running = stack.start("up", "--yes", "--skip-preview")
        try:
            running.until(lambda: len(queued(running.output)) == 3)
            clock.now += 4
            running.until(running.ended)
        finally:
            running.kill()
    assert 3 == len(queued(running.output))
    assert 4 == len(stack.resources()) == len(sandbox.calls)


def queued(output: str) -> set[str]:
    """The names on whose rows it says so."""
    return {line.split()[2] for line in output.splitlines() if "(queued, " in line}


def test_an_account_that_takes_two_requests_at_a_time(make_stack: Callable[..., Stack]) -> None:
    """What is more it refuses (429), and programs don't know of each other: nothing fails, nobody is called twice."""
    with Sandbox(delays=Delays(queued=0, rings=0.2, talks=0.3), latency=0.01, concurrency=2) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(TWELVE.replace("{name}", "Desk"))
        stack.pulumi(*UP)
        assert 12 == len(stack.resources()) == len(sandbox.calls)
        stack.refresh("--expect-no-changes")
        stack.program(TWELVE.replace("{name}", "Lobby"))
        stack.pulumi(*UP)
        assert {"Lobby"} == {record.friendly_name for record in sandbox.caller_ids}
        stack.destroy("--parallel", "64")
    assert [] == sandbox.caller_ids
    assert 12 == len(sandbox.calls)
    assert 429 in [request.status for request in sandbox.requests]


def test_what_a_refresh_listed_is_not_what_the_up_after_it_goes_by(stack: Stack, sandbox: Sandbox) -> None:
    """Both are one operation, of one process: numbers are renamed and deleted after they were listed."""
    stack.program(TWELVE.replace("{name}", "Desk"))
    stack.up()
    sandbox.rename(sandbox.caller_ids[3].sid, "Changed by hand")
    before = len(sandbox.requests)
    stack.program(TWELVE.replace("12", "11").replace("{name}", "Lobby"))
    stack.up("--refresh", "--run-program")

    asked = [request.endpoint for request in sandbox.requests[before:]]
    assert ["delete", "fetch", "list", *["update"] * 11] == sorted(asked)
    assert ["Lobby"] * 11 == [record.friendly_name for record in sandbox.caller_ids]
    assert {"Lobby"} == {resource["outputs"]["friendly_name"] for resource in stack.resources().values()}
    stack.refresh("--expect-no-changes")
