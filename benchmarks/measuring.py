"""Runs of `pulumi`, timed: ours and the baseline's in turn, and the memory of the process that runs the provider."""

from __future__ import annotations

import json
import statistics
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pulumi_twilio_caller_id.sandbox.faults import Endpoint
from pulumi_twilio_caller_id.testing import RequestRecord, Sandbox
from tests.support.harness import Stack

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Timed:
    """One run: seconds of wall time, and MB that the plugin's process took at most."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Pairs:
    """Runs of ours and of the baseline, each pair one after the other so that a drift of the machine hits both."""

    ours: list[Timed]
    baseline: list[Timed]
    requests: Counter[str] = field(default_factory=Counter)
    """Of the last run of ours, by endpoint."""

    def ratio(self, of: Callable[[Timed], float] = lambda run: run.seconds) -> float:
        return statistics.median(of(a) / of(b) for a, b in zip(self.ours, self.baseline, strict=True))

    @property
    def seconds(self) -> tuple[float, float]:
        return _median(self.ours), _median(self.baseline)

    @property
    def megabytes(self) -> tuple[float, float]:
        return max(run.megabytes for run in self.ours), max(run.megabytes for run in self.baseline)


def _median(runs: Sequence[Timed]) -> float:
    return statistics.median(run.seconds for run in runs)


def in_turn(
    pairs: int,
    ours: Callable[[], Timed],
    baseline: Callable[[], Timed],
    sandbox: Sandbox | None = None,
    *,
    endpoints: Sequence[str] = get_args(Endpoint),
) -> Pairs:
    """Measures `pairs` of them, every other pair the other way round. Requests are counted by the sandbox."""
    result = Pairs([], [])
    for number in range(pairs):
        for side in ("ours", "baseline") if number % 2 == 0 else ("baseline", "ours"):
            before = len(_asked(sandbox, endpoints)) if sandbox else 0
            run = ours() if side == "ours" else baseline()
            getattr(result, side).append(run)
            if sandbox and side == "ours":
                result.requests.clear()
                result.requests.update(_asked(sandbox, endpoints)[before:])
    return result


def in_turns(count: int, sides: Mapping[str, Callable[[], Timed]]) -> dict[str, list[Timed]]:
    """Measure `count` runs of each side, every other round the other way round."""
    runs: dict[str, list[Timed]] = {side: [] for side in sides}
    for number in range(count):
        for side in sorted(sides, reverse=number % 2 == 1):
            runs[side].append(sides[side]())
    return runs


def _asked(sandbox: Sandbox, endpoints: Sequence[str]) -> list[str]:
    return [label(request) for request in sandbox.requests if request.endpoint in endpoints]


def label(request: RequestRecord) -> str:
    """What was asked for: a listing filtered by a number is a look-up, any other one page."""
    name = {"list": "look-up" if "PhoneNumber" in request.params else "page of a listing", "create": "call placed"}
    kind = name.get(request.endpoint, request.endpoint)
    return f"{kind} refused (429)" if request.status == 429 else kind


def run(stack: Stack, *args: str) -> Timed:
    """One run of `pulumi`; what fails ends the benchmark, with what was printed."""
    with _watched(stack) as peak:
        begin = time.perf_counter()
        stack.pulumi(*args)
        seconds = time.perf_counter() - begin
    return Timed(seconds, peak[0] / 1024)


@contextmanager
def _watched(stack: Stack) -> Iterator[list[int]]:
    """The most KB that a plugin process of this stack had in memory, as the kernel keeps it."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        plugins: list[int] = []
        while not ended.wait(0.1):
            plugins = plugins or stack.plugins()
            for pid in plugins:
                peak[0] = max(peak[0], peak_kilobytes(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def peak_kilobytes(pid: int) -> int:
    """The kernel's figure for the most memory a process had; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def events(stack: Stack, *args: str) -> Iterator[tuple[float, dict[str, object]]]:
    """What the engine reports while it runs, each with the time when it was read, in seconds since the epoch."""
    process = subprocess.Popen(
        ["pulumi", *args, "--yes", "--skip-preview", "--json", "--non-interactive"],
        cwd=stack.project,
        env=stack.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout as lines:
        for line in lines:
            now = time.time()
            if line.startswith("{"):
                yield now, json.loads(line)
    if process.returncode:
        raise RuntimeError(f"pulumi {' '.join(args)} exited with {process.returncode}")
