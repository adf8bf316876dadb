"""The native provider: each of its figures beside the baseline, and beside the dynamic provider."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import get_args

from baseline import NoOpProvider
from measuring import HERE, Pairs, Timed, in_turns, run
from operations import LATENCY, REFRESH
from plugin import first_check
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import Sandbox
from stacks import MINUTES, NO_DELAY, OURS, Bench, Row, declare, row
from tests.support.harness import Result, Stack
from tests.support.native_stack import NativeStack, as_all_have_it

PLUGIN = (sys.executable, str(Path(sys.prefix) / "bin" / "pulumi-resource-twilio-caller-id"), "127.0.0.1:1")

AIM = "1.00"
"""What the ratio to the baseline should be at most."""


class Untranslated(NativeStack):
    """A stack whose output is not translated: that would be measured too."""

    def pulumi(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        return Stack.pulumi(self, *map(as_all_have_it, args), ok=ok, env=env, stdin=stdin)


def native(bench: Bench) -> Iterator[Row]:
    previewed, refreshed = bench.size.previewed, bench.size.refreshed
    numbers = {f"+1415556{n:04}": None for n in range(bench.size.elsewhere)}
    with Sandbox(delays=NO_DELAY, numbers=numbers) as sandbox:
        stacks = three(bench, "native-new", sandbox, previewed)
        yield from compared(f"preview, {previewed:,} new numbers", bench, stacks, "preview")
    with Sandbox(delays=NO_DELAY) as sandbox:
        stacks = three(bench, "native-unchanged", sandbox, previewed, managed=True)
        yield from compared(f"preview, {previewed:,} unchanged numbers", bench, stacks, "preview")
    with Sandbox(delays=NO_DELAY) as sandbox:
        stacks = three(bench, "native-refresh", sandbox, refreshed, managed=True)
        for endpoint in get_args(Endpoint):
            sandbox.fail(endpoint, delay=LATENCY)
        yield from compared(f"refresh, {refreshed:,} numbers", bench, stacks, *REFRESH)
    yield from start_up(bench)


def three(bench: Bench, name: str, sandbox: Sandbox, count: int, *, managed: bool = False) -> dict[str, Stack]:
    """Stacks of the native provider, of the dynamic one and of the baseline. managed: they have the numbers."""
    dynamic, baseline = (bench.managed if managed else bench.pair)(name, sandbox, count)
    ours = Untranslated(dynamic.folder.parent / "native", {**sandbox.environment, "PYTHONPATH": str(HERE)}, MINUTES)
    declare(ours, OURS, count)
    if managed:
        ours.up("--config", "twilio:adopt=true")
    return {"native": ours, "dynamic": dynamic, "baseline": baseline}


def compared(what: str, bench: Bench, stacks: Mapping[str, Stack], *command: str) -> Iterator[Row]:
    sides = {side: partial(run, stack, *command) for side, stack in stacks.items()}
    yield from rows(what, in_turns(bench.size.pairs, sides))


def start_up(bench: Bench) -> Iterator[Row]:
    inputs = {"phone_number": "+14155550101", "friendly_name": "Desk"}
    sides = {
        "native": partial(
            first_check,
            OutgoingCallerIdProvider(),
            {"phoneNumber": "+14155550101", "friendlyName": "Desk"},
            known=True,
            command=PLUGIN,
        ),
        "dynamic": partial(first_check, OutgoingCallerIdProvider(), inputs, known=True),
        "baseline": partial(first_check, NoOpProvider(), inputs, known=True),
    }
    yield from rows("plugin, start to first Check, a number in the state", in_turns(bench.size.starts, sides))


def rows(what: str, runs: Mapping[str, list[Timed]]) -> Iterator[Row]:
    """Ours to the baseline, and ours to the dynamic provider."""
    yield row(f"native: {what}", Pairs(runs["native"], runs["baseline"]), AIM)
    yield row(f"native: {what}; beside the dynamic provider", Pairs(runs["native"], runs["dynamic"]), "")
