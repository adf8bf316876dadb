"""Run random histories: `make fuzz`. test_state_machine.py has the same few each time.

A history that breaks a statement is made as short as it gets, and printed as a program: the steps of `Histories`, in
their order. Put into a test, they are replayed.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.fuzz.state_machine import Histories

STEPS = 20
BATCH = 50


def fuzz(examples: int, *, seed: int | None = None, shrink: bool = True) -> Counter[str]:
    """Run so many histories; what happened in them, counted. Fails with a wrong one, the shortest that is found.

    seed: None for the same histories each time.
    """
    Histories.tally.clear()
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]

    class Run(Histories):
        """A class of its own: a seed is kept on it."""

    Run.__name__ = Run.__qualname__ = Histories.__name__
    if seed is not None:
        hypothesis.seed(seed)(Run)
    run_state_machine_as_test(
        Run,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=seed is None,
            database=None,
            deadline=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Histories.tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long to go on (default: 10)")
    parser.add_argument("--examples", type=int, help="how many histories, rather than how long")
    parser.add_argument("--seed", type=int, help="that of a batch which was printed, to run that one again")
    arguments = parser.parse_args()
    begin, seen, done = time.monotonic(), Counter[str](), 0
    while True:
        left = BATCH if arguments.examples is None else min(BATCH, arguments.examples - done)
        over = time.monotonic() - begin > arguments.minutes * 60 if arguments.examples is None else left <= 0
        if over or (done and arguments.seed is not None):
            break
        seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
        print(f"{done} histories; the next {left} are those of --seed {seed}", flush=True)  # noqa: T201
        seen.update(fuzz(left, seed=seed))
        done += left
    print(f"{done} histories in {time.monotonic() - begin:.0f} s, in which happened")  # noqa: T201
    for situation, times in sorted(seen.items()):
        print(f"{times:8} {situation}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
