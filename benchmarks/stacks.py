"""What all scenarios share: how much of everything, the stacks that are compared, and the rows of the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from measuring import HERE, Pairs
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack

NO_DELAY = Delays(queued=0, rings=0, talks=0)
MINUTES = 900.0
"""Seconds that a command may take."""

OURS = (
    'for n in range({count}): OutgoingCallerId(f"desk-{{n}}", phone_number=f"+1415555{{n:04}}", friendly_name="Desk")\n'
)
BASELINE = "from baseline import NoOp\n" + OURS.replace("OutgoingCallerId(", "NoOp(")


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
    """One line of the table. ratio: of ours to the baseline (or to what `what` says), at most `bound`."""

    what: str
    ours: str
    baseline: str
    ratio: float | None
    bound: str
    requests: Counter[str] = field(default_factory=Counter)
    memory: tuple[float, float] | None = None


class Bench:
    """Makes the stacks in a folder: one of ours, whose account is a sandbox's, and one of the baseline."""

    def __init__(self, folder: Path, size: Size) -> None:
        self._folder = folder
        self.size = size

    def pair(self, name: str, sandbox: Sandbox, count: int) -> tuple[Stack, Stack]:
        """Both with `count` resources declared, none created."""
        ours = Stack(self._folder / name / "ours", {**sandbox.environment, "PYTHONPATH": str(HERE)}, MINUTES)
        baseline = Stack(self._folder / name / "baseline", {"PYTHONPATH": str(HERE)}, MINUTES)
        declare(ours, OURS, count)
        declare(baseline, BASELINE, count)
        return ours, baseline

    def managed(self, name: str, sandbox: Sandbox, count: int) -> tuple[Stack, Stack]:
        """Both with `count` resources in the state; ours has taken over what was verified at the account before."""
        ours, baseline = self.pair(name, sandbox, count)
        for n in range(count):
            sandbox.add_caller_id(f"+1415555{n:04}", "Desk")
        ours.up("--config", "twilio:adopt=true")
        baseline.up()
        return ours, baseline


def declare(stack: Stack, text: str, count: int) -> None:
    stack.program(text.format(count=count))


def row(what: str, pairs: Pairs, bound: str) -> Row:
    ours, baseline = pairs.seconds
    return Row(what, f"{ours:.2f} s", f"{baseline:.2f} s", pairs.ratio(), bound, pairs.requests, pairs.megabytes)
