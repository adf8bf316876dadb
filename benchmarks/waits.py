"""Waiting for people: many at once, and how soon the end of a wait is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from statistics import median

from aims import AIMS
from measuring import Timed, events, in_turn, label, run
from pulumi_twilio_caller_id.testing import Delays, Phone, RequestRecord, Sandbox
from stacks import Bench, Row
from tests.support.harness import TYPE, Stack
from tests.support.machine import free_port

PERSON = Delays(queued=0.5, rings=1.5, talks=3)
PERSON_SECONDS = 5.0
PUBLIC = "https://hooks.example.com/twilio"
UP = ("up", "--yes", "--skip-preview", "--parallel", "64")


def waiting(bench: Bench) -> Iterator[Row]:
    count = bench.size.waiting
    for rate, what, bound in ((None, "", AIMS["waiting"]), (1.0, ", called one a second", "")):
        with Sandbox(delays=PERSON, calls_per_second=rate) as sandbox:
            ours, baseline = bench.pair(f"waiting-{rate}", sandbox, count)
            pairs = in_turn(
                bench.size.pairs if rate is None else 1,
                partial(_from_nothing, ours),
                partial(_from_nothing, baseline),
                sandbox,
                endpoints=("create", "list", "call"),
            )
            pairs.requests["pages in the busiest second"] = _busiest_second(sandbox.requests)
            assert len(sandbox.calls) == count * len(pairs.ours), "a number was called more than once"
        people = PERSON_SECONDS + (0.0 if rate is None else (count - 1) / rate)
        ratio = median(a.seconds / (people + b.seconds) for a, b in zip(pairs.ours, pairs.baseline, strict=True))
        ours_took, baseline_took = pairs.seconds
        yield Row(
            f"up of {count} numbers at once, {PERSON_SECONDS:.0f} s each{what}",
            f"{ours_took:.1f} s",
            f"{people:.0f} s + {baseline_took:.1f} s",
            ratio,
            bound,
            pairs.requests,
            pairs.megabytes,
        )


def _from_nothing(stack: Stack) -> Timed:
    """One up of a stack that has nothing, and has nothing afterwards."""
    timed = run(stack, *UP)
    stack.destroy()
    return timed


def _busiest_second(requests: list[RequestRecord]) -> int:
    pages = [request.at for request in requests if label(request) == "page of a listing"]
    return max((sum(begin <= at < begin + 0.95 for at in pages) for begin in pages), default=0)


def latency(bench: Bench) -> Iterator[Row]:
    """Numbers one after the other; each is created so long after its callback was sent, or after it was listed."""
    count, port = bench.size.answered, free_port()
    rings = 0.2
    talks = {f"+1415555{n:04}": 0.3 + n / count for n in range(count)}  # so that looks come sooner and later after it
    phones = {number: Phone(rings=rings, talks=seconds) for number, seconds in talks.items()}
    delays = Delays(queued=0)
    with Sandbox(phones=phones, delays=delays, deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}) as sandbox:
        ours, _ = bench.pair("callbacks", sandbox, count)
        set_callbacks(ours, port)
        created = _created(ours)
        sent = {callback.call_sid: callback.at for callback in sandbox.callbacks}
        took = [created[call.to] - sent[call.sid] for call in sandbox.calls]
        yield _after(f"callback sent to create done, {count} numbers", took, AIMS["callback"], sandbox)
    with Sandbox(phones=phones, delays=delays) as sandbox:
        ours, _ = bench.pair("polling", sandbox, count)
        created = _created(ours)
        took = [created[call.to] - (call.placed + rings + talks[call.to]) for call in sandbox.calls]
        yield _after(f"listed to create done, no callback, {count} numbers", took, AIMS["listed"], sandbox)


def set_callbacks(stack: Stack, port: int) -> None:
    stack.pulumi("config", "set", "twilio:callbackUrl", PUBLIC)
    stack.pulumi("config", "set", "twilio:callbackListen", f"127.0.0.1:{port}")


def _after(what: str, took: list[float], bound: str, sandbox: Sandbox) -> Row:
    told = f"median {median(took) * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms"
    return Row(what, told, "", None, bound, Counter(map(label, sandbox.requests)))


def _created(stack: Stack) -> dict[str, float]:
    """When the engine reported each number as created, by number."""
    created = {}
    for at, event in events(stack, "up", "--parallel", "1"):
        done = event.get("resOutputsEvent")
        if isinstance(done, dict) and done["metadata"]["op"] == "create" and done["metadata"]["type"] == TYPE:
            created[done["metadata"]["new"]["outputs"]["phone_number"]] = at
    return created
