"""A Pulumi engine in this process: it asks of the provider's real code what the real engine asks of it for a program.

One operation after another, each in a plugin process of its own, on a local Twilio. As the real one (3.274.1) has it:
a new resource is checked without old inputs and created; one in the state is checked, and diffed against its outputs;
one that is replaced is checked once more as if it were new, created, and the old one deleted after all else, or before
it with delete_before_replace; what the program leaves out is deleted at the end, unless anything failed. Unlike it,
resources come one at a time, in the program's order.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_twilio_caller_id import changes, creation, engine, lifecycle, verification
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.twilio_api import TwilioApi
from tests.support.fuzz.network_faults import Clock, Line
from tests.support.new_process import forget_all
from tests.support.stack_runs import Account, Declared, Entry, Event, Method, Program, Run


class Failed(Exception):
    """The engine was given an error instead of an answer, or none at all."""


class _Context:
    """The gRPC context of one call."""

    def add_callback(self, _callback: Callable[[], None]) -> bool:
        return True

    def abort(self, _code: object, details: str) -> None:
        raise Failed(details)


class InProcessEngine:
    """One stack. watch: called with each event, as it has happened, and its run."""

    def __init__(self, sandbox: Sandbox, clock: Clock, line: Line, watch: Callable[[Run, Event], None]) -> None:
        self.state: list[Entry] = []
        self.adopts = False
        """What the stack's config has for `twilio:adopt`."""
        self.pickle = "the provider, pickled"
        """What the SDK puts into `__provider`. Here, nobody reads it."""
        self._sandbox = sandbox
        self._clock = clock
        self._line = line
        self._watch = watch
        self._provider = lifecycle.OutgoingCallerIdProvider()

    def entry(self, name: str) -> Entry | None:
        """What the state has under a name, deletions that are pending aside."""
        return next((entry for entry in self.state if entry.name == name and entry.pending != "delete"), None)

    # Operations

    def up(self, program: Program, *, refresh: bool = False, replaced: frozenset[str] = frozenset()) -> Run:
        """`pulumi up`, with `--refresh`, with `--replace` of those names."""
        with self._operation(Run("up --refresh" if refresh else "up", program, self.account(), replaced)) as run:
            if refresh and not self._refresh(run):
                return run
            if self._register(run) and not run.failed:
                for entry in list(self.state):
                    if entry.pending == "delete" or entry.name not in program:
                        self._attempt(run, partial(self._delete, run, entry))
        return run

    def preview(self, program: Program, *, replaced: frozenset[str] = frozenset()) -> Run:
        """`pulumi preview`; gives in `changes` of the run's events what it would do."""
        with self._operation(Run("preview", program, self.account(), replaced)) as run:
            self._register(run)
        return run

    def refresh(self) -> Run:
        with self._operation(Run("refresh", {}, self.account())) as run:
            self._refresh(run)
        return run

    def destroy(self) -> Run:
        with self._operation(Run("destroy", {}, self.account())) as run:
            for entry in list(self.state):
                self._attempt(run, partial(self._delete, run, entry))
        return run

    def account(self) -> Account:
        return {record.sid: record for record in self._sandbox.caller_ids}

    # Steps

    def _register(self, run: Run) -> bool:
        """The program runs. False where it was stopped: a check that fails ends it."""
        for name, declared in run.program.items():
            try:
                self._resource(run, name, declared)
            except Failed as failed:
                run.failed.append(str(failed))
                if run.killed or run.events[-1].method in ("check", "diff"):
                    return False
        return True

    def _resource(self, run: Run, name: str, declared: Declared) -> None:
        old, given = self.entry(name), declared.properties(self.pickle, preview=run.is_preview)
        recreated = name in run.replaced
        inputs = self._check(run, name, {} if old is None or recreated else old.inputs, given)
        if old is None:
            if not run.is_preview:
                self.state.append(self._create(run, name, inputs))
            return
        diff = SimpleNamespace(changes=True, replaces=["id"]) if recreated else self._diff(run, old, inputs)
        if diff.replaces or old.pending == "create":
            if not recreated:
                inputs = self._check(run, name, {}, given)
            if not run.is_preview:
                self._replace(run, old, inputs, delete_first=declared.delete_first)
        elif not run.is_preview:
            if diff.changes:
                updated = self._call(
                    run, "update", old, inputs, lambda: self._provider.update(old.sid, dict(old.outputs), dict(inputs))
                )
                old.outputs = {**(updated.outs or {}), changes.PROVIDER_KEY: self.pickle}
            old.inputs = inputs

    def _replace(self, run: Run, old: Entry, inputs: dict[str, Any], *, delete_first: bool) -> None:
        if delete_first and old.pending != "create":
            self._delete(run, old, keep=True)
            old.pending = "create"
        new = self._create(run, old.name, inputs)
        if old.pending == "create":
            self.state.remove(old)
        else:
            old.pending = "delete"
        self.state.append(new)

    def _refresh(self, run: Run) -> bool:
        for entry in [entry for entry in self.state if entry.pending != "create"]:
            self._attempt(run, partial(self._read, run, entry))
        return not run.failed

    def _attempt(self, run: Run, step: Callable[[], None]) -> None:
        """One failing does not keep the others, which run beside it, unless the process is gone."""
        if run.killed:
            return
        try:
            step()
        except Failed as failed:
            run.failed.append(str(failed))

    # Calls

    def _check(self, run: Run, name: str, olds: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
        entry = Entry(name, "", olds, {})
        result = self._call(run, "check", entry, news, lambda: self._provider.check(dict(olds), dict(news)))
        if result.failures:
            raise Failed("; ".join(f"{failure.property}: {failure.reason}" for failure in result.failures))
        return {**result.inputs, changes.PROVIDER_KEY: self.pickle}

    def _diff(self, run: Run, old: Entry, news: dict[str, Any]) -> Any:
        return self._call(run, "diff", old, news, lambda: self._provider.diff(old.sid, dict(old.outputs), dict(news)))

    def _create(self, run: Run, name: str, inputs: dict[str, Any]) -> Entry:
        result = self._call(run, "create", Entry(name, "", {}, {}), inputs, lambda: self._provider.create(dict(inputs)))
        return Entry(name, result.id, inputs, {**result.outs, changes.PROVIDER_KEY: self.pickle})

    def _read(self, run: Run, entry: Entry) -> None:
        given = {name: value for name, value in entry.inputs.items() if name != changes.PROVIDER_KEY}
        result = self._call(run, "read", entry, given, lambda: self._provider.read(entry.sid, dict(entry.outputs)))
        if not result.id:
            self.state.remove(entry)
            return
        pickle = {changes.PROVIDER_KEY: entry.outputs[changes.PROVIDER_KEY]}
        entry.outputs = {**result.outs, **pickle}
        if result.inputs is not None:
            entry.inputs = {**result.inputs, **pickle}
        self._diff(run, entry, entry.inputs)  # for what it shows

    def _delete(self, run: Run, entry: Entry, *, keep: bool = False) -> None:
        if entry.pending != "create":
            self._call(run, "delete", entry, {}, lambda: self._provider.delete(entry.sid, dict(entry.outputs)))
        if not keep:
            self.state.remove(entry)

    def _call(self, run: Run, method: Method, entry: Entry, news: dict[str, Any], operation: Callable[[], Any]) -> Any:
        given = Struct()
        given.update(entry.inputs)
        urn = f"urn:pulumi:test::caller-ids::pulumi-python:dynamic/twilio:OutgoingCallerId::{entry.name}"
        before, calls, answers = self.account(), len(self._sandbox.calls), len(self._line.answers)
        told, result, raised, error = len(self._line.told), None, None, ""
        olds = dict(entry.outputs or entry.inputs)
        try:
            result = _served(SimpleNamespace(urn=urn, timeout=0.0, inputs=given), _Context(), operation)
        except Failed as failed:
            raised, error = failed.__cause__, str(failed)
        run.killed = self._line.dead
        event = Event(
            method,
            entry.name,
            entry.sid,
            olds,
            dict(news),
            before,
            self.account(),
            [(call.account_sid, call.to) for call in self._sandbox.calls[calls:]],
            self._line.answers[answers:],
            result,
            raised,
            "" if run.killed else error,
            self._line.told[told:],
        )
        run.events.append(event)
        self._watch(run, event)
        if run.killed:
            raise Failed("error reading from server: EOF")
        if raised is not None:
            raise Failed(error)
        return result

    @contextmanager
    def _operation(self, run: Run) -> Iterator[Run]:
        """A new plugin process, in which nothing waits: time is the clock's."""
        sandbox, settings = self._sandbox, {"adopt": "true"} if self.adopts else {}
        settings |= {"accountSid": sandbox.account_sid, "authToken": self._line.token, "apiUrl": sandbox.url}
        forget_all()
        quick = {"attempts": 4, "timeout": 15.0, "patience": 2.0, "sleep": lambda _: None}
        with ExitStack() as patches:
            for target, name, value in (
                (TwilioApi.__init__, "__kwdefaults__", quick),
                (creation, "TIMEOUT", 15.0),
                (verification, "INTERVAL", 5.0),
                (verification, "SystemClock", lambda: self._clock),
                (engine, "log", lambda _level, text, **_: self._line.told.append(text)),
            ):
                patches.enter_context(patch.object(target, name, value))
            self._provider.configure(
                ConfigureRequest(Config({f"twilio:{name}": value for name, value in settings.items()}, "p"))
            )
            yield run


def _served(request: object, context: _Context, operation: Callable[[], Any]) -> Any:
    """As the SDK's servicer: with `request` and `context` in the frame, and a traceback for what is raised."""
    try:
        return operation()
    except Exception as raised:  # noqa: BLE001 - what is raised, is judged
        try:
            context.abort("UNKNOWN", traceback.format_exc())
        except Failed as failed:
            raise failed from raised
