"""The sandbox in the tests of a stack, as a fixture of pytest. Nobody gets it unasked; in a conftest.py:

    pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin"]

    @pytest.mark.twilio_sandbox(phones={"+14155550102": "busy"})
    def test_busy(twilio_sandbox: Sandbox) -> None: ...

`twilio_sandbox` takes the arguments of `testing.Sandbox` from the fixture `twilio_sandbox_options` and the markers
`twilio_sandbox`. What it saw is in the report of a test that fails. Needs pytest 8 or newer, which is no dependency of
this package: nothing else here imports this module.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import pytest

from .sandbox.access import leading_there
from .sandbox.store import StateFileError
from .testing import Delays, Sandbox, TwilioError
from .text import MASK, SHORTEST, one_line, quote

NAME = "twilio_sandbox"
"""Of the fixture and of the marker."""

AT_ONCE = Delays(queued=0, rings=0, talks=0)
"""How long calls take unless a test says otherwise: they are over before their request is answered."""

LONGEST = 40
"""Entries of each kind that a report shows: the last ones."""

_running = pytest.StashKey[Sandbox]()


def pytest_configure(config: pytest.Config) -> None:
    """Has `--strict-markers` know the marker."""
    config.addinivalue_line(
        "markers",
        f"{NAME}(**arguments): gives the test a local Twilio with these arguments of "
        "pulumi_twilio_caller_id.testing.Sandbox; where several markers name one argument, the nearest decides",
    )


@pytest.fixture
def twilio_sandbox_options() -> Mapping[str, Any]:
    """Arguments of `testing.Sandbox`, to be overridden in a conftest, a module or a class. Markers go before them."""
    return {}


@pytest.fixture
def twilio_sandbox(
    request: pytest.FixtureRequest, twilio_sandbox_options: Mapping[str, Any]
) -> Generator[Sandbox, None, None]:
    """A local Twilio, serving until the end of the test. TWILIO_* leads there, and nothing to the real one.

    Where no `delays` are given, calls are over at once. An argument that makes no sense fails the test.
    """
    sandbox = _make(_arguments(request.node, twilio_sandbox_options))
    request.node.stash[_running] = sandbox
    try:
        with _led_to(sandbox):
            yield sandbox
    finally:
        sandbox.stop()


@pytest.fixture(autouse=True)
def _twilio_sandbox_of_marker(request: pytest.FixtureRequest) -> None:
    """A test that is marked is not left to the real Twilio because it does not name the fixture."""
    if request.node.get_closest_marker(NAME):
        request.getfixturevalue(NAME)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells of the sandbox in the report of a test that fails, in whichever phase."""
    report = yield
    sandbox = item.stash.get(_running, None)
    if sandbox and report.failed:
        report.sections.append(("Twilio sandbox", _told(sandbox)))
    if sandbox and call.when == "teardown":
        del item.stash[_running]  # the test is kept to the end of the run
    return report


# Arguments


def _arguments(node: pytest.Item, options: Mapping[str, Any]) -> dict[str, Any]:
    """Of the fixture, and of all markers of the test, the outermost first."""
    if not isinstance(options, Mapping):
        _refuse(f"the fixture {NAME}_options gives a dict of Sandbox's arguments, not {quote(options)}")
    _check(options, f"the fixture {NAME}_options")
    arguments = {"delays": AT_ONCE, **options}
    for marker in reversed(list(node.iter_markers(NAME))):
        if marker.args:
            _refuse(f"the marker {NAME} takes arguments by name alone, as in phones=..., not {quote(marker.args[0])}")
        _check(marker.kwargs, f"the marker {NAME}")
        arguments |= marker.kwargs
    return arguments


def _check(arguments: Iterable[str], where: str) -> None:
    known = sorted(inspect.signature(Sandbox).parameters)
    for name in arguments:
        if name not in known:
            _refuse(f"{where}: Sandbox has no argument {quote(name)}, it has {', '.join(known)}")


def _make(arguments: Mapping[str, Any]) -> Sandbox:
    """Made and started."""
    try:
        return Sandbox(**arguments).start()
    except OSError as wrong:
        why = f"Sandbox cannot be started: {wrong.strerror or wrong}"
    except (StateFileError, TwilioError, TypeError, ValueError) as wrong:
        why = f"Sandbox cannot be started: {wrong}"
    return _refuse(why)  # out here, or what was handled there would be reported along with it


def _refuse(why: str) -> NoReturn:
    """A mistake in a test: the message is all that is reported."""
    pytest.fail(why, pytrace=False)


# The environment


@contextmanager
def _led_to(sandbox: Sandbox) -> Iterator[None]:
    """Whatever the test runs or starts asks this sandbox, as itself, and by no proxy."""
    with pytest.MonkeyPatch.context() as environment:  # one of its own: a test may undo its `monkeypatch`
        for name, value in leading_there(sandbox.environment, os.environ).items():
            if value is None:
                environment.delenv(name, raising=False)
            else:
                environment.setenv(name, value)
        yield


# The report


def _told(sandbox: Sandbox) -> str:
    """What happened, without any secret: no token, no code, nothing that a callback's URL may carry."""
    try:
        text = "\n".join(_lines(sandbox))
        secrets = (sandbox.auth_token, sandbox.api_secret, *sandbox.subaccounts.values())
    except Exception as failure:  # noqa: BLE001 - a state that cannot be saved, say; the run goes on all the same
        return f"cannot be read: {one_line(failure)}"
    for secret in secrets:
        text = text.replace(secret, MASK) if len(secret) >= SHORTEST else text
    return text


def _lines(sandbox: Sandbox) -> Iterator[str]:
    asked = [
        f"{record.method} {record.path}{'?' + urlencode(record.params) if record.params else ''}"
        f" {record.status or 'no answer'}"
        for record in sandbox.requests
    ]
    called_back = [
        f"{record.method} {_bare(record.url)} {record.status or record.error or 'no answer yet'}"
        for record in sandbox.callbacks
    ]
    for title, entries in (
        ("requests", asked),
        ("calls", [f"{call.to} {call.status}" for call in sandbox.calls]),
        ("callbacks", called_back),
        ("caller IDs", [f"{it.phone_number} {quote(it.friendly_name)} {it.sid}" for it in sandbox.caller_ids]),
    ):
        earlier = f", the last {LONGEST}" if len(entries) > LONGEST else ""
        yield f"{title} ({len(entries)}{earlier}){':' if entries else ''}"
        yield from (f"  {one_line(entry)}" for entry in entries[-LONGEST:])


def _bare(url: str) -> str:
    """Without its query: that is where people put tokens."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
