"""Measures the provider against the baseline: a no-op dynamic resource on the same engine and machine.

Prints a table: medians of several pairs of runs and the median of their ratios, the requests that the local Twilio
counted in a run, and the most memory that a plugin process took. It judges nothing: machines differ.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from native import native
from operations import destroy, preview_new, preview_unchanged, refresh, storm
from plugin import start_up
from stacks import FULL, SMALL, Bench, Row
from tests.support.machine import heed_interrupts
from waits import latency, waiting

SCENARIOS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "unchanged": preview_unchanged,
    "new": preview_new,
    "refresh": refresh,
    "start": start_up,
    "waiting": waiting,
    "latency": latency,
    "destroy": destroy,
    "storm": storm,
    "native": native,
}
HEADINGS = ("what", "ours", "baseline", "ratio", "at most", "requests", "plugin, MB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", choices=("full", "small"), default="full", help="small: to see that it works")
    parser.add_argument("--pairs", type=int, metavar="N", help="runs of each, where the size's are too many or too few")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help=", ".join(SCENARIOS))
    arguments = parser.parse_args()
    heed_interrupts()
    size = FULL if arguments.size == "full" else SMALL
    if arguments.pairs:
        size = replace(size, pairs=arguments.pairs)
    print(f"{len(os.sched_getaffinity(0))} processors, Python {sys.version.split()[0]}, {size}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        print(line(HEADINGS))
        print(line("---" for _ in HEADINGS), flush=True)
        for name in arguments.scenarios or SCENARIOS:
            for row in SCENARIOS[name](Bench(Path(folder), size)):
                print(line(cells(row)), flush=True)


def cells(row: Row) -> tuple[str, ...]:
    requests = ", ".join(f"{count:,} {endpoint}" for endpoint, count in row.requests.most_common())
    memory = f"{row.memory[0]:.0f}, baseline {row.memory[1]:.0f}" if row.memory and row.baseline else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.what, row.ours, row.baseline, ratio, row.bound, requests, memory


def line(parts: Iterable[str]) -> str:
    return f"| {' | '.join(parts)} |"


if __name__ == "__main__":
    main()
