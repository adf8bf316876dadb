"""What is measured: each scenario runs ours and the floor in turn, and gives rows of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import get_args

from floor import NoOpProvider
from measuring import HERE, Pairs, Timed, events, in_turn, run
from plugin import first_check

from harness import TYPE, Stack, free_port
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Delays, Sandbox

NO_DELAY = Delays(queued=0, rings=0, talks=0)
LATENCY = 0.08
PERSON = Delays(queued=0.5, rings=1.5, talks=3)
PERSON_SECONDS = 5.0
MINUTES = 900.0  # seconds that a command may take
PUBLIC = "https://hooks.example.com/twilio"

OURS = (
    'for n in range({count}): OutgoingCallerId(f"desk-{{n}}", phone_number=f"+1415555{{n:04}}", friendly_name="Desk")\n'
)
FLOOR = "from floor import NoOp\n" + OURS.replace("OutgoingCallerId(", "NoOp(")


@dataclass(frozen=True)
class Size:
    """How much of everything. pairs: of runs, of which medians are taken."""

    previewed: int
    refreshed: int
    waiting: int
    destroyed: int
    answered: int
    pairs: int
    starts: int
    elsewhere: int
    """Numbers that the account has beside those of the stack."""


FULL = Size(previewed=500, refreshed=1000, waiting=32, destroyed=500, answered=10, pairs=5, starts=15, elsewhere=1200)
SMALL = Size(previewed=20, refreshed=20, waiting=6, destroyed=10, answered=3, pairs=1, starts=3, elsewhere=1001)


@dataclass(frozen=True)
class Row:
    """One line of the table. ratio: of ours to the floor (or to what `what` says), at most `bound`."""

    what: str
    ours: str
    floor: str
    ratio: float | None
    bound: str
    requests: Counter[str] = field(default_factory=Counter)
    memory: tuple[float, float] | None = None


class Bench:
    """Makes stacks in a folder: one of ours, whose account is a sandbox's, and one of the floor."""

    def __init__(self, folder: Path, size: Size) -> None:
        self._folder = folder
        self.size = size

    def pair(self, name: str, sandbox: Sandbox, count: int) -> tuple[Stack, Stack]:
        """Both with `count` resources declared, none created."""
        ours = Stack(self._folder / name / "ours", {**sandbox.environment, "PYTHONPATH": str(HERE)}, MINUTES)
        floor = Stack(self._folder / name / "floor", {"PYTHONPATH": str(HERE)}, MINUTES)
        declare(ours, OURS, count)
        declare(floor, FLOOR, count)
        return ours, floor

    def managed(self, name: str, sandbox: Sandbox, count: int) -> tuple[Stack, Stack]:
        """Both with `count` resources in the state; ours has taken over what was verified at the account before."""
        ours, floor = self.pair(name, sandbox, count)
        for n in range(count):
            sandbox.add_caller_id(f"+1415555{n:04}", "Desk")
        ours.up("--config", "twilio:adopt=true")
        floor.up()
        return ours, floor


def declare(stack: Stack, text: str, count: int) -> None:
    stack.program(text.format(count=count))


def row(what: str, pairs: Pairs, bound: str, *, ratio: float | None = None) -> Row:
    ours, floor = pairs.seconds
    return Row(
        what,
        f"{ours:.2f} s",
        f"{floor:.2f} s",
        pairs.ratio() if ratio is None else ratio,
        bound,
        pairs.requests,
        pairs.megabytes,
    )


def preview_unchanged(bench: Bench) -> Iterator[Row]:
    count = bench.size.previewed
    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, floor = bench.managed("unchanged", sandbox, count)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, "preview"), lambda: run(floor, "preview"), sandbox)
    yield row(f"preview, {count:,} unchanged numbers", pairs, "1.10")


def preview_new(bench: Bench) -> Iterator[Row]:
    count, elsewhere = bench.size.previewed, bench.size.elsewhere
    numbers = {f"+1415556{n:04}": None for n in range(elsewhere)}
    with Sandbox(delays=NO_DELAY, numbers=numbers) as sandbox:
        ours, floor = bench.pair("new", sandbox, count)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, "preview"), lambda: run(floor, "preview"), sandbox)
    yield row(f"preview, {count:,} new numbers, {elsewhere:,} others in the account", pairs, "1.15")


def refresh(bench: Bench) -> Iterator[Row]:
    count = bench.size.refreshed
    args = ("refresh", "--yes", "--skip-preview")
    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, floor = bench.managed("refresh", sandbox, count)
        for endpoint in get_args(Endpoint):
            sandbox.fail(endpoint, delay=LATENCY)
        pairs = in_turn(bench.size.pairs, lambda: run(ours, *args), lambda: run(floor, *args), sandbox)
    yield row(f"refresh, {count:,} numbers, {LATENCY * 1000:.0f} ms a request", pairs, "1.30")


def start_up(bench: Bench) -> Iterator[Row]:
    inputs = {"phone_number": "+14155550101", "friendly_name": "Desk"}
    for known, what in ((True, "a number in the state"), (False, "a new number")):
        pairs = in_turn(
            bench.size.starts,
            partial(first_check, OutgoingCallerIdProvider(), inputs, known=known),
            partial(first_check, NoOpProvider(), inputs, known=known),
        )
        ours, floor = pairs.seconds
        bound = "1.15" if known else ""
        yield Row(
            f"plugin, start to first Check, {what}",
            f"{ours * 1000:.0f} ms",
            f"{floor * 1000:.0f} ms",
            pairs.ratio(),
            bound,
            memory=pairs.megabytes,
        )
        yield Row(
            f"plugin, resident memory by then, {what}",
            f"{pairs.ours[0].megabytes:.1f} MB",
            f"{pairs.floor[0].megabytes:.1f} MB",
            pairs.ratio(lambda run: run.megabytes),
            bound,
        )


def waiting(bench: Bench) -> Iterator[Row]:
    count = bench.size.waiting
    up = ("up", "--yes", "--skip-preview", "--parallel", "64")
    for rate, what, bound in ((None, "", "1.60"), (1.0, ", called one a second", "")):
        with Sandbox(delays=PERSON, calls_per_second=rate) as sandbox:
            ours, floor = bench.pair(f"waiting-{rate}", sandbox, count)
            pairs = in_turn(
                bench.size.pairs if rate is None else 1,
                partial(_from_nothing, ours, up),
                partial(_from_nothing, floor, up),
                sandbox,
            )
            pairs.requests["list in the busiest second"] = max(
                Counter(int(r.at) for r in sandbox.requests if r.endpoint == "list").values()
            )
            assert len(sandbox.calls) == count * len(pairs.ours), "a number was called more than once"
        queue = 0.0 if rate is None else (count - 1) / rate
        ratio = median(
            a.seconds / (queue + PERSON_SECONDS + b.seconds) for a, b in zip(pairs.ours, pairs.floor, strict=True)
        )
        yield Row(
            f"up of {count} numbers at once, {PERSON_SECONDS:.0f} s each{what}",
            f"{pairs.seconds[0]:.1f} s",
            f"{queue + PERSON_SECONDS:.0f} s + {pairs.seconds[1]:.1f} s",
            ratio,
            bound,
            pairs.requests,
            pairs.megabytes,
        )


def _from_nothing(stack: Stack, up: tuple[str, ...]) -> Timed:
    """One up of a stack that has nothing, which it is left with."""
    timed = run(stack, *up)
    stack.destroy()
    return timed


def latency(bench: Bench) -> Iterator[Row]:
    """Numbers one after the other; each is created so long after its callback was sent, or after it was listed."""
    count = bench.size.answered
    port = free_port()
    quick = Delays(queued=0, rings=0.2, talks=0.3)
    with Sandbox(delays=quick, deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}) as sandbox:
        ours, _ = bench.pair("callbacks", sandbox, count)
        ours.pulumi("config", "set", "twilio:callbackUrl", PUBLIC)
        ours.pulumi("config", "set", "twilio:callbackListen", f"127.0.0.1:{port}")
        created = _created(ours)
        waits = [
            created[call.to] - sent.at
            for call in sandbox.calls
            for sent in sandbox.callbacks
            if sent.call_sid == call.sid
        ]
        requests = Counter(request.endpoint for request in sandbox.requests)
    yield Row(
        f"callback sent to create done, {count} numbers", _milliseconds(waits), "", None, "median 60 ms", requests
    )
    with Sandbox(delays=quick) as sandbox:
        ours, _ = bench.pair("polling", sandbox, count)
        created = _created(ours)
        waits = [created[call.to] - call.placed - 0.5 for call in sandbox.calls]
        requests = Counter(request.endpoint for request in sandbox.requests)
    yield Row(
        f"listed to create done, without callback, {count} numbers",
        _milliseconds(waits),
        "",
        None,
        "longest: one interval",
        requests,
    )


def _created(stack: Stack) -> dict[str, float]:
    """When the engine reported each number as created, by number."""
    created = {}
    for at, event in events(stack, "up", "--parallel", "1"):
        done = event.get("resOutputsEvent")
        if isinstance(done, dict) and done["metadata"]["op"] == "create" and done["metadata"]["type"] == TYPE:
            created[done["metadata"]["new"]["outputs"]["phone_number"]] = at
    return created


def _milliseconds(seconds: list[float]) -> str:
    return f"median {median(seconds) * 1000:.0f} ms, longest {max(seconds) * 1000:.0f} ms"


def destroy(bench: Bench) -> Iterator[Row]:
    count = bench.size.destroyed

    with Sandbox(delays=NO_DELAY) as sandbox:
        ours, floor = bench.pair("destroy", sandbox, count)

        def one(stack: Stack) -> Timed:
            if stack is ours:
                for n in range(count):
                    sandbox.add_caller_id(f"+1415555{n:04}", "Desk")
            stack.up("--config", "twilio:adopt=true")
            return run(stack, "destroy", "--yes", "--skip-preview")

        pairs = in_turn(
            min(bench.size.pairs, 3),
            partial(one, ours),
            partial(one, floor),
            sandbox,
            endpoints=("delete", "list", "fetch"),
        )
        assert sandbox.caller_ids == [], "not all were deleted"
    yield row(f"destroy, {count:,} numbers", pairs, "1.30")


def storm(bench: Bench) -> Iterator[Row]:
    """Everything once more, at an account that takes two requests at a time and refuses more (429)."""
    count, waiting = bench.size.destroyed, bench.size.waiting
    with Sandbox(delays=NO_DELAY, latency=0.01, concurrency=2) as sandbox:
        ours, _ = bench.pair("storm", sandbox, count)
        for what, args in (
            ("preview of new numbers", ("preview",)),
            ("up", ("up", "--yes", "--skip-preview", "--parallel", "64")),
            ("preview of unchanged numbers", ("preview",)),
            ("refresh", ("refresh", "--yes", "--skip-preview")),
            ("destroy", ("destroy", "--yes", "--skip-preview", "--parallel", "64")),
        ):
            pairs = in_turn(1, partial(run, ours, *args), lambda: Timed(1, 1, ""), sandbox)
            yield Row(
                f"429 above 2 requests: {what}, {count:,} numbers",
                f"{pairs.seconds[0]:.1f} s",
                "",
                None,
                "no error",
                pairs.requests,
            )
        assert len(sandbox.calls) == count, "a number was called more than once"
        assert sandbox.caller_ids == [], "not all were deleted"
    with Sandbox(delays=PERSON, latency=0.01, concurrency=2) as sandbox:
        ours, _ = bench.pair("storm-waiting", sandbox, waiting)
        pairs = in_turn(
            1, partial(run, ours, "up", "--yes", "--skip-preview", "--parallel", "64"), lambda: Timed(1, 1, ""), sandbox
        )
        assert len(sandbox.calls) == waiting, "a number was called more than once"
    yield Row(
        f"429 above 2 requests: up of {waiting} numbers at once, 5 s each",
        f"{pairs.seconds[0]:.1f} s",
        "",
        None,
        "no error",
        pairs.requests,
    )


SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "unchanged": preview_unchanged,
    "new": preview_new,
    "refresh": refresh,
    "start": start_up,
    "waiting": waiting,
    "latency": latency,
    "destroy": destroy,
    "storm": storm,
}
