"""A plugin of pytest: whatever a sandbox in this process answers, and whatever the provider asks it for, is as Twilio's
API is described. A test during which something is not has failed.

Not looked at: answers that a fault has been told to give, as they are wrong on purpose, and requests of others than the
provider, such as a test's own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest
from aiohttp import web

from pulumi_twilio_caller_id.sandbox.recording import RequestRecord
from pulumi_twilio_caller_id.sandbox.server import FaultResponse, Server
from tests.support.openapi.official import Answered, Asked, Description, descriptions, documents

OUTPUT = "conformance"
COUNTED = ("requests", "answers", "violations")
TOLD = 40
"""Violations that are told at once: a field that is wrong in each record of a page makes a thousand."""

OURS = ("twilio-python/", " pulumi-twilio-caller-id")
"""What the user agent of the provider's requests has in it."""


class Watch:
    """What went by so far: `counts` has, by description and one of COUNTED, how much."""

    def __init__(self, held_against: Mapping[str, Description]) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._descriptions = held_against
        self._violations: list[str] = []
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """The descriptions."""
        return list(self._descriptions)

    def over(self, server: type[Server]) -> Callable[[], None]:
        """Begins to look at what all these servers answer; gives what ends it."""
        original = server._answered

        def answered(self: Server, request: web.Request, record: RequestRecord, response: web.StreamResponse) -> None:
            watch.look(request, record, response)
            original(self, request, record, response)

        def end() -> None:
            server._answered = original  # type: ignore[method-assign]

        watch = self
        server._answered = answered  # type: ignore[method-assign]
        return end

    def look(self, request: web.Request, record: RequestRecord, response: web.StreamResponse) -> None:
        """One request, and its answer before it goes out."""
        asked = Asked(
            record.method, record.path, list(request.query.items()), list(record.form.items()), request.headers
        )
        ours = all(part in request.headers.get("User-Agent", "") for part in OURS)
        answered = None
        if not isinstance(response, FaultResponse) and isinstance(response, web.Response) and asked.method != "HEAD":
            body = response.body
            answered = Answered(response.status, response.headers, body if isinstance(body, bytes) else b"")
        for name, description in self._descriptions.items():
            wrong = description.violations_of_request(asked) if ours else []
            wrong += description.violations_of_answer(asked, answered) if answered else []
            with self._lock:
                self.counts[name, "requests"] += ours
                self.counts[name, "answers"] += answered is not None
                self.counts[name, "violations"] += len(wrong)
                told = [f"{name}: {asked.method} {asked.path}: {violation}" for violation in wrong]
                self._violations += told[: max(0, TOLD - len(self._violations))]

    def take(self) -> list[str]:
        """The violations since the last time, or the first TOLD of them."""
        with self._lock:
            taken, self._violations = self._violations, []
        return taken


_WATCH = pytest.StashKey[Watch]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_WATCH] = watch = Watch(descriptions(documents()))
    config.add_cleanup(watch.over(Server))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    yield
    _judge(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    yield
    _judge(item)  # also where the test had failed already, or something was answered since


def _judge(item: pytest.Item) -> None:
    violations = item.config.stash[_WATCH].take()
    if violations:
        pytest.fail("not as Twilio's API is described:\n" + "\n".join(violations), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker of xdist: hands over what was counted."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        counts = session.config.stash[_WATCH].counts
        output[OUTPUT] = [[name, kind, number] for (name, kind), number in counts.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for name, kind, number in getattr(node, "workeroutput", {}).get(OUTPUT, ()):
        node.config.stash[_WATCH].counts[name, kind] += number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    watch = config.stash[_WATCH]
    for name in watch.names:
        told = ", ".join(f"{watch.counts[name, kind]} {kind}" for kind in COUNTED)
        terminalreporter.write_line(f"conformance with Twilio's API ({name}): {told}")
