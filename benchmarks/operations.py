"""Operations on many numbers that nobody is phoned for, and everything at an account that refuses (429)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import get_args

from aims import AIMS
from measuring import Timed, in_turn, label, run
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Sandbox
from stacks import NO_DELAY, Bench, Row, row
from tests.support.harness import Stack
from tests.support.machine import free_port
from waits import PERSON, PUBLIC, UP, set_callbacks

LATENCY = 0.08
REFRESH = ("refresh", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")


def preview_unchanged(bench: Bench) -> Iterator[Row]:
    count = bench.size.previewed
    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, baseline = bench.managed("unchanged", sandbox, count)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, "preview"), lambda: run(baseline, "preview"), sandbox)
    yield row(f"preview, {count:,} unchanged numbers", pairs, AIMS["unchanged"])


def preview_new(bench: Bench) -> Iterator[Row]:
    count, elsewhere = bench.size.previewed, bench.size.elsewhere
    numbers = {f"+1415556{n:04}": None for n in range(elsewhere)}
    with Sandbox(delays=NO_DELAY, numbers=numbers) as sandbox:
        ours, baseline = bench.pair("new", sandbox, count)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, "preview"), lambda: run(baseline, "preview"), sandbox)
    yield row(f"preview, {count:,} new numbers, {elsewhere:,} others in the account", pairs, AIMS["new"])


def refresh(bench: Bench) -> Iterator[Row]:
    count = bench.size.refreshed
    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, baseline = bench.managed("refresh", sandbox, count)
        for endpoint in get_args(Endpoint):
            sandbox.fail(endpoint, delay=LATENCY)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, *REFRESH), lambda: run(baseline, *REFRESH), sandbox)
    yield row(f"refresh, {count:,} numbers, {LATENCY * 1000:.0f} ms a request", pairs, AIMS["refresh"])


def destroy(bench: Bench) -> Iterator[Row]:
    count = bench.size.destroyed
    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, baseline = bench.pair("destroy", sandbox, count)

        def one(stack: Stack) -> Timed:
            if stack is ours:
                for n in range(count):
                    sandbox.add_caller_id(f"+1415555{n:04}", "Desk")
            stack.up("--config", "twilio:adopt=true")
            return run(stack, *DESTROY)

        pairs = in_turn(
            min(bench.size.pairs, 3), partial(one, ours), partial(one, baseline), sandbox, endpoints=("delete",)
        )
        assert sandbox.caller_ids == [], "not all were deleted"
    yield row(f"destroy, {count:,} numbers", pairs, AIMS["destroy"])


def storm(bench: Bench) -> Iterator[Row]:
    """Everything once more, at an account that takes two requests at a time and refuses more (429)."""
    count, waiting = bench.size.destroyed, bench.size.waiting
    with Sandbox(delays=NO_DELAY, latency=0.01, concurrency=2) as sandbox:
        ours, _ = bench.pair("storm", sandbox, count)
        for what, args in (
            ("preview of new numbers", ("preview",)),
            ("up", UP),
            ("preview of unchanged numbers", ("preview",)),
            ("refresh", REFRESH),
            ("destroy", (*DESTROY, "--parallel", "64")),
        ):
            yield _in_storm(f"{what}, {count:,} numbers", sandbox, partial(run, ours, *args))
        assert len(sandbox.calls) == count, "a number was called more than once"
        assert sandbox.caller_ids == [], "not all were deleted"
    for what, port in (("", None), (", with callbacks", free_port())):
        deliver_to = {PUBLIC: f"http://127.0.0.1:{port}"} if port else {}
        with Sandbox(delays=PERSON, latency=0.01, concurrency=2, deliver_to=deliver_to) as sandbox:
            ours, _ = bench.pair(f"storm-{port}", sandbox, waiting)
            if port:
                set_callbacks(ours, port)
            yield _in_storm(f"up of {waiting} numbers at once, 5 s each{what}", sandbox, partial(run, ours, *UP))
            assert len(sandbox.calls) == waiting, "a number was called more than once"


def _in_storm(what: str, sandbox: Sandbox, ours: Callable[[], Timed]) -> Row:
    before = len(sandbox.requests)
    seconds = ours().seconds
    requests = Counter(map(label, sandbox.requests[before:]))
    return Row(f"429 above 2 requests: {what}", f"{seconds:.1f} s", "", None, "no error", requests)
