"""`make conformance`: provider and sandbox held against descriptions of Twilio's API, by two judges that know nothing
of each other.

By JSON Schema, in tests/support/openapi/, and by prism, which stands between the provider and the sandbox. Against our
extract, and against Twilio's own description where that lies beside the project. Exits with 1 where anything is not as
described or nothing was looked at, with 2 where prism cannot be had.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.sandbox.server import Server
from tests.slow.conformance.scenes import (
    account_for_a_number,
    account_for_a_stack,
    every_operation,
    life_of_a_number,
    life_of_a_stack,
)
from tests.support.machine import heed_interrupts
from tests.support.openapi.official import descriptions, documents
from tests.support.openapi.prism import Prism, PrismMissing, install
from tests.support.openapi.schemas import Document
from tests.support.plugins.conformance import COUNTED, Watch
from tests.support.rest import Clock

LINES = 30
"""Of what is wrong: as many as are shown, of those that differ in more than their sids."""

SID = re.compile(r"\b(AC|CA|PN)[0-9a-fA-F]{32}\b")

Counts = Counter[tuple[str, str, str]]
"""By description, judge and one of COUNTED."""


@contextmanager
def all_running(prisms: list[Prism]) -> Iterator[None]:
    """Started at once, as each takes seconds."""
    with ExitStack() as running:
        for prism in prisms:
            running.callback(prism.end)
            prism.begin()
        for prism in prisms:
            prism.wait()
        yield


class Round:
    """All that is run, and what was counted: `counts`, and `wrong`, one line for each violation or failure."""

    def __init__(self, read: dict[str, Document], folder: Path) -> None:
        self.counts: Counts = Counter()
        self.wrong: list[str] = []
        self._folder = folder
        self._descriptions = descriptions(read)
        self._files = {name: folder / f"{name}.json" for name in read}
        for name, document in read.items():
            self._files[name].write_text(json.dumps(document), encoding="utf-8")

    def run(self) -> None:
        watch = Watch(self._descriptions)
        end = watch.over(Server)
        try:
            self._scenes()
        finally:
            end()
        self.wrong += [f"JSON Schema: {violation}" for violation in watch.take()]
        for (name, kind), number in watch.counts.items():
            self.counts[name, "JSON Schema", kind] += number

    def _scenes(self) -> None:
        clock = Clock()
        with ExitStack() as running:
            lives = {name: running.enter_context(account_for_a_number(clock)) for name in self._files}
            engine = running.enter_context(account_for_a_stack())
            mocks = {name: self._prism(name, "mock") for name in self._files}
            proxies = {name: self._prism(name, "proxy", lives[name].url) for name in self._files}
            row: dict[str, Prism] = {}  # one before the other, all before one sandbox
            entrance = engine.url
            for name in self._files:
                row[name] = self._prism(name, "row", entrance)
                entrance = row[name].url
            prisms = [*mocks.items(), *proxies.items(), *row.items()]
            running.enter_context(all_running([prism for _, prism in prisms]))
            for name in self._files:
                self._try(f"{name}: every operation", partial(every_operation, mocks[name].url))
                number = partial(life_of_a_number, proxies[name].url, lives[name], clock)
                self._try(f"{name}: life of a number", number)
            if self.wrong or any(prism.violations for _, prism in prisms):
                self.wrong.append("life of a stack: not tried, as it would wait long for answers that make sense")
            else:
                self._try("life of a stack", partial(life_of_a_stack, entrance, engine, self._folder / "stack"))
            for name, prism in prisms:
                self._add(name, prism)

    def _prism(self, name: str, purpose: str, upstream: str | None = None) -> Prism:
        return Prism(self._files[name], self._folder / f"{name}-{purpose}.log", upstream)

    def _try(self, what: str, scene: Callable[[], None]) -> None:
        try:
            scene()
        except (CallerIdError, AssertionError, ValueError) as failed:
            self.wrong.append(f"{what}: {type(failed).__name__}: {' '.join(str(failed).split())}")

    def _add(self, name: str, prism: Prism) -> None:
        violations = prism.violations
        for kind, number in zip(COUNTED, (prism.requests, prism.answers, len(violations)), strict=True):
            self.counts[name, "prism", kind] += number
        self.wrong += [f"prism: {name}: {violation}" for violation in violations]


def table(counts: Counts) -> list[str]:
    """A line for each description and judge."""
    rows = dict.fromkeys((name, judge) for name, judge, _ in sorted(counts))
    lines = [f"{'description':12} {'judge':11}" + "".join(f"{kind:>11}" for kind in COUNTED)]
    for name, judge in rows:
        lines.append(f"{name:12} {judge:11}" + "".join(f"{counts[name, judge, kind]:>11}" for kind in COUNTED))
    return lines


def main() -> int:
    heed_interrupts()
    try:
        install()
        read = documents()
        with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
            done = Round(read, Path(folder))
            done.run()
    except PrismMissing as missing:
        sys.stderr.write(f"error: prism is needed: {missing}\n")
        return 2
    sys.stdout.write("\n".join(table(done.counts)) + "\n")
    if "official" not in read:
        sys.stdout.write("Twilio's own description is not here: only the extract was looked at\n")
    found = Counter(SID.sub(r"\1...", line) for line in done.wrong)
    for line, times in list(found.items())[:LINES]:
        sys.stdout.write(f"wrong: {line}" + (f" [{times} times]\n" if times > 1 else "\n"))
    if len(found) > LINES:
        sys.stdout.write(f"wrong: and {len(found) - LINES} things more\n")
    unseen = [
        f"{kind} by {judge} ({name})"
        for name in read
        for judge in ("JSON Schema", "prism")
        for kind in ("requests", "answers")
        if not done.counts[name, judge, kind]
    ]
    if unseen:
        sys.stdout.write(f"wrong: nothing was looked at: {', '.join(unseen)}\n")
    return 1 if done.wrong or unseen else 0


if __name__ == "__main__":
    sys.exit(main())
