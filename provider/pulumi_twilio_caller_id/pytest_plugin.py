"""Gives the tests of a stack a sandbox, by a pytest fixture and a marker. Enable it in your top-level conftest.py:

    pytest_plugins = ["pulumi_twilio_caller_id.pytest_plugin"]

    @pytest.mark.twilio_sandbox(phones={"+14155550102": "busy"})
    def test_busy(twilio_sandbox: Sandbox) -> None: ...

The fixture `twilio_sandbox` takes the arguments of `testing.Sandbox` from the fixture `twilio_sandbox_options` and from
the markers. If a test fails, its report lists the requests, calls and callbacks of its sandbox. This module needs
pytest 8 or newer, which is not a dependency of this package. No other module here imports this one.
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
from .text import MASK, MIN_SECRET_LENGTH, one_line, quote

NAME = "twilio_sandbox"
"""The name of the fixture and of the marker."""

NO_DELAYS = Delays(queued=0, rings=0, talks=0)
"""The delays of calls unless a test gives others: a call is over before its request is answered."""

MAX_ENTRIES = 40
"""How many entries of each kind a report lists: the last ones."""

_running = pytest.StashKey[Sandbox]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, as `--strict-markers` demands."""
    config.addinivalue_line(
        "markers",
        f"{NAME}(**arguments): gives the test a local Twilio with these arguments of "
        "pulumi_twilio_caller_id.testing.Sandbox; where several markers name one argument, the nearest decides",
    )


@pytest.fixture
def twilio_sandbox_options() -> Mapping[str, Any]:
    """Return arguments of `testing.Sandbox`. Override this in a conftest, a module or a class. Markers win over it."""
    return {}


@pytest.fixture
def twilio_sandbox(
    request: pytest.FixtureRequest, twilio_sandbox_options: Mapping[str, Any]
) -> Generator[Sandbox, None, None]:
    """Run a local Twilio until the test ends. The variables TWILIO_* lead to it, and none leads to the real Twilio.

    Without `delays`, calls are over at once. A wrong argument fails the test.
    """
    sandbox = _start(_arguments(request.node, twilio_sandbox_options))
    request.node.stash[_running] = sandbox
    try:
        with _environment_of(sandbox):
            yield sandbox
    finally:
        sandbox.stop()


@pytest.fixture(autouse=True)
def _twilio_sandbox_of_marker(request: pytest.FixtureRequest) -> None:
    """Give a marked test its sandbox, even if the test does not name the fixture: it must not reach the real Twilio."""
    if request.node.get_closest_marker(NAME):
        request.getfixturevalue(NAME)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the sandbox has seen to the report of a test that fails, in setup, call or teardown."""
    report = yield
    sandbox = item.stash.get(_running, None)
    if sandbox and report.failed:
        report.sections.append(("Twilio sandbox", _report(sandbox)))
    if sandbox and call.when == "teardown":
        del item.stash[_running]  # pytest keeps the item until the end of the run
    return report


# Arguments


def _arguments(node: pytest.Item, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments from the fixture and from the test's markers. The innermost marker wins."""
    if not isinstance(options, Mapping):
        _refuse(f"the fixture {NAME}_options gives a dict of Sandbox's arguments, not {quote(options)}")
    _refuse_unknown(options, f"the fixture {NAME}_options")
    arguments = {"delays": NO_DELAYS, **options}
    for marker in reversed(list(node.iter_markers(NAME))):
        if marker.args:
            _refuse(f"the marker {NAME} takes arguments by name alone, as in phones=..., not {quote(marker.args[0])}")
        _refuse_unknown(marker.kwargs, f"the marker {NAME}")
        arguments |= marker.kwargs
    return arguments


def _refuse_unknown(arguments: Iterable[str], where: str) -> None:
    known = sorted(inspect.signature(Sandbox).parameters)
    for name in arguments:
        if name not in known:
            _refuse(f"{where}: Sandbox has no argument {quote(name)}, it has {', '.join(known)}")


def _start(arguments: Mapping[str, Any]) -> Sandbox:
    """Make a sandbox and start it. A mistake in its arguments fails the test."""
    try:
        return Sandbox(**arguments).start()
    except OSError as wrong:
        why = f"Sandbox cannot be started: {wrong.strerror or wrong}"
    except (StateFileError, TwilioError, TypeError, ValueError) as wrong:
        why = f"Sandbox cannot be started: {wrong}"
    return _refuse(why)  # outside of the `except`, or pytest would report the handled error too


def _refuse(why: str) -> NoReturn:
    """Fail the test for a mistake in it. The report has the message alone."""
    pytest.fail(why, pytrace=False)


# The environment


@contextmanager
def _environment_of(sandbox: Sandbox) -> Iterator[None]:
    """Make the test, and each process that it starts, send its requests to this sandbox and not to a proxy."""
    with pytest.MonkeyPatch.context() as environment:  # not the test's fixture, whose changes it may undo
        for name, value in leading_there(sandbox.environment, os.environ).items():
            if value is None:
                environment.delenv(name, raising=False)
            else:
                environment.setenv(name, value)
        yield


# The report


def _report(sandbox: Sandbox) -> str:
    """Return what the sandbox has seen, without secrets: no token, no code, no query of a callback's URL."""
    try:
        text = "\n".join(_lines(sandbox))
        secrets = (sandbox.auth_token, sandbox.api_secret, *sandbox.subaccounts.values())
    except Exception as failure:  # noqa: BLE001 - such as a state file that can't be saved; a report must not end the run
        return f"cannot be read: {one_line(failure)}"
    for secret in secrets:
        text = text.replace(secret, MASK) if len(secret) >= MIN_SECRET_LENGTH else text
    return text


def _lines(sandbox: Sandbox) -> Iterator[str]:
    requests = [
        f"{record.method} {record.path}{'?' + urlencode(record.params) if record.params else ''}"
        f" {record.status or 'no answer'}"
        for record in sandbox.requests
    ]
    callbacks = [
        f"{record.method} {_without_query(record.url)} {record.status or record.error or 'no answer yet'}"
        for record in sandbox.callbacks
    ]
    for title, entries in (
        ("requests", requests),
        ("calls", [f"{call.to} {call.status}" for call in sandbox.calls]),
        ("callbacks", callbacks),
        ("caller IDs", [f"{it.phone_number} {quote(it.friendly_name)} {it.sid}" for it in sandbox.caller_ids]),
    ):
        earlier = f", the last {MAX_ENTRIES}" if len(entries) > MAX_ENTRIES else ""
        yield f"{title} ({len(entries)}{earlier}){':' if entries else ''}"
        yield from (f"  {one_line(entry)}" for entry in entries[-MAX_ENTRIES:])


def _without_query(url: str) -> str:
    """Return the URL without its query and user, where people put tokens."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
