"""A Pulumi engine in this process: it asks of the provider's real code what the real engine asks of it for a program.

Each operation first resets the provider, as if new plugin processes had started. It does as the real engine (3.274.1)
does; `tests/engine/test_parity.py` compares the two:

- A new resource: check without old inputs, create.
- A resource in the state: check, then diff against its outputs.
- A replaced one: check again as new, create, delete the old one last; first, with delete_before_replace.
- One that the program leaves out: delete it at the end, unless anything failed. What awaits has not failed.

Unlike the real engine, it takes one resource at a time, in the program's order. The processes of several Providers
don't tell each other which resource owns what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_twilio_caller_id import lifecycle, pulumi_sdk
from pulumi_twilio_caller_id.cancellation import CancelToken
from pulumi_twilio_caller_id.context import Plugin
from pulumi_twilio_caller_id.operations import create as creation
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.verification.waiter import PollingPolicy, wait_until_verified
from tests.support.fuzz.network_faults import Clock, Line
from tests.support.harness import TYPE
from tests.support.new_process import forget_all
from tests.support.stack_runs import (
    Account,
    Awaits,
    Context,
    Declared,
    Entry,
    Event,
    Failed,
    Method,
    Program,
    Run,
    problem,
    served,
)


class InProcessEngine:
    """One stack. watch: is called with the run and each of its events."""

    def __init__(self, sandbox: Sandbox, clock: Clock, line: Line, watch: Callable[[Run, Event], None]) -> None:
        self.state: list[Entry] = []
        self.adopts = False
        """What the stack's config has for `twilio:adopt`."""
        self.config: dict[str, str] = {}
        """Other `twilio:` config, key -> value. It overrides the sandbox's credentials."""
        self.providers: dict[str, dict[str, str]] = {}
        """The program's Providers: name -> settings, which override the stack's config."""
        self.pickle = "the provider, pickled"
        """What the SDK puts into `__provider`. Here, nobody reads it."""
        self._sandbox = sandbox
        self._clock = clock
        self._line = line
        self._watch = watch
        self._provider = lifecycle.OutgoingCallerIdProvider()
        self._processes: dict[str | None, Plugin] = {}
        self._stored: dict[str, str] = {}
        """`config` as the last `up` of a program left it in the state."""

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
                for entry in self.state[::-1]:
                    if entry.pending == "delete" or entry.name not in program:
                        self._attempt(run, partial(self._delete, run, entry))
        return run

    def preview(self, program: Program, *, replaced: frozenset[str] = frozenset()) -> Run:
        """`pulumi preview`; gives in `planned` of the run what it would do."""
        with self._operation(Run("preview", program, self.account(), replaced)) as run:
            if self._register(run):
                run.planned |= {entry.name: "delete" for entry in self.state if entry.name not in program}
        return run

    def refresh(self) -> Run:
        with self._operation(Run("refresh", {}, self.account())) as run:
            self._refresh(run)
        return run

    def destroy(self) -> Run:
        with self._operation(Run("destroy", {}, self.account())) as run:
            for entry in self.state[::-1]:
                self._attempt(run, partial(self._delete, run, entry))
        return run

    def account(self) -> Account:
        return {record.sid: record for record in self._sandbox.caller_ids}

    # Steps

    def _register(self, run: Run) -> bool:
        """Run the program. Return False if a failed check or diff, or a killed plugin, stopped it."""
        missing: set[str | None] = set()
        for name, declared in run.program.items():
            try:
                if declared.after in missing:
                    missing.add(name)
                else:
                    self._resource(run, name, declared)
            except Failed as failed:
                (run.awaiting if isinstance(failed, Awaits) else run.failed).append(str(failed))
                missing.add(name)
                if run.killed or run.events[-1].method in ("check", "diff"):
                    return False
        return True

    def _resource(self, run: Run, name: str, declared: Declared) -> None:
        old, recreated = self.entry(name), name in run.replaced
        unknown = run.is_preview and declared.late and run.planned.get(str(declared.after)) in ("create", "replace")
        given = declared.properties(self.pickle, preview=run.is_preview, known=not unknown)
        inputs = self._check(run, name, declared, {} if old is None or recreated else old.inputs, given)
        if old is None:
            run.planned[name] = "create"
            if not run.is_preview:
                self.state.append(self._create(run, name, declared, inputs))
            return
        diff = SimpleNamespace(changes=True, replaces=["id"]) if recreated else self._diff(run, old, declared, inputs)
        if diff.replaces or old.pending == "create":
            run.planned[name] = "replace"
            if not recreated:
                inputs = self._check(run, name, declared, {}, given)
            if not run.is_preview:
                self._replace(run, old, declared, inputs)
            return
        if diff.changes:
            run.planned[name] = "update"
        if not run.is_preview:
            if diff.changes:
                new = replace(old, declared=declared)
                updated = self._call(
                    run, "update", new, inputs, lambda: self._provider.update(old.sid, dict(old.outputs), dict(inputs))
                )
                old.outputs = {**(updated.outs or {}), pulumi_sdk.PICKLED_PROVIDER: self.pickle}
            old.inputs, old.declared = inputs, declared

    def _replace(self, run: Run, old: Entry, declared: Declared, inputs: dict[str, Any]) -> None:
        if declared.delete_first and old.pending != "create":
            self._delete(run, old, keep=True)
            old.pending = "create"
        new = self._create(run, old.name, declared, inputs)
        self.state.insert(self.state.index(old), new)  # what depends on it comes after it
        if old.pending == "create":
            self.state.remove(old)
        else:
            old.pending = "delete"

    def _refresh(self, run: Run) -> bool:
        for entry in [entry for entry in self.state if entry.pending != "create"]:
            self._attempt(run, partial(self._read, run, entry))
        return not run.failed

    def _attempt(self, run: Run, step: Callable[[], None]) -> None:
        """Try a step. If it fails, the others still run, unless the plugin was killed."""
        if run.killed:
            return
        try:
            step()
        except Failed as failed:
            run.failed.append(str(failed))

    # Calls

    def _check(
        self, run: Run, name: str, declared: Declared, olds: dict[str, Any], news: dict[str, Any]
    ) -> dict[str, Any]:
        entry = Entry(name, "", olds, {}, declared)
        result = self._call(run, "check", entry, news, lambda: self._provider.check(dict(olds), dict(news)))
        if result.failures:
            raise Failed("\nerror: ".join(problem(name, failure, news) for failure in result.failures))
        return {**result.inputs, pulumi_sdk.PICKLED_PROVIDER: self.pickle}

    def _diff(self, run: Run, old: Entry, declared: Declared, news: dict[str, Any]) -> Any:
        new = replace(old, declared=declared)
        return self._call(run, "diff", new, news, lambda: self._provider.diff(old.sid, dict(old.outputs), dict(news)))

    def _create(self, run: Run, name: str, declared: Declared, inputs: dict[str, Any]) -> Entry:
        new = Entry(name, "", {}, {}, declared)
        result = self._call(run, "create", new, inputs, lambda: self._provider.create(dict(inputs)))
        outputs = {**result.outs, pulumi_sdk.PICKLED_PROVIDER: self.pickle}
        return replace(new, sid=result.id, inputs=inputs, outputs=outputs)

    def _read(self, run: Run, entry: Entry) -> None:
        given = {name: value for name, value in entry.inputs.items() if name != pulumi_sdk.PICKLED_PROVIDER}
        result = self._call(run, "read", entry, given, lambda: self._provider.read(entry.sid, dict(entry.outputs)))
        if not result.id:
            self.state.remove(entry)
            return
        pickle = {pulumi_sdk.PICKLED_PROVIDER: entry.outputs[pulumi_sdk.PICKLED_PROVIDER]}
        entry.outputs = {**result.outs, **pickle}
        if result.inputs is not None:
            entry.inputs = {**result.inputs, **pickle}
        self._diff(run, entry, entry.declared, entry.inputs)  # only for its messages

    def _delete(self, run: Run, entry: Entry, *, keep: bool = False) -> None:
        if entry.pending != "create":
            self._call(run, "delete", entry, {}, lambda: self._provider.delete(entry.sid, dict(entry.outputs)))
        if not keep:
            self.state.remove(entry)

    def _call(self, run: Run, method: Method, entry: Entry, news: dict[str, Any], operation: Callable[[], Any]) -> Any:
        self._enter_process(run, entry.declared.provider)
        given = Struct()
        given.update(entry.inputs)
        urn = f"urn:pulumi:test::caller-ids::{TYPE}::{entry.name}"
        before, calls, answers = self.account(), len(self._sandbox.calls), len(self._line.answers)
        told, result, raised, error, kind = len(self._line.told), None, None, "", Failed
        olds = dict(entry.outputs or entry.inputs)
        try:
            result = served(SimpleNamespace(urn=urn, timeout=0.0, inputs=given), Context(), operation)
        except Failed as failed:
            raised, error, kind = failed.__cause__, str(failed), type(failed)
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
            raise kind(error)
        return result

    @contextmanager
    def _operation(self, run: Run) -> Iterator[Run]:
        """Start new plugin processes. Nothing sleeps: the test's clock gives the time."""
        self._processes.clear()
        if run.operation.startswith("up") and run.program:
            self._stored = dict(self.config)
        forget_all()
        waiting = {
            **(wait_until_verified.__kwdefaults__ or {}),
            "polling": PollingPolicy(interval=5.0),
            "clock": self._clock.now,
        }
        with ExitStack() as patches:
            for target, name, value in (
                (CancelToken, "wait", lambda _token, _seconds: None),
                (creation, "DEFAULT_TIMEOUT_SECONDS", 15.0),
                (creation, "CallbackInbox", self._clock.inbox),
                (wait_until_verified, "__kwdefaults__", waiting),
                (pulumi_sdk, "log", lambda _level, text, **_: self._line.told.append(text)),
            ):
                patches.enter_context(patch.object(target, name, value))
            yield run

    def _enter_process(self, run: Run, provider: str | None) -> None:
        """Switch to the plugin process of a Provider (None: the default one); start it if needed.

        `lifecycle` keeps the Plugin of its process in a global, so that is swapped. If the program declares nothing,
        the config is what the last `up` stored.
        """
        if provider not in self._processes:
            sandbox, settings = self._sandbox, {"adopt": "true"} if self.adopts else {}
            settings |= {"accountSid": sandbox.account_sid, "authToken": self._line.token, "apiUrl": sandbox.url}
            settings |= self.config if run.program else self._stored
            if provider is not None:
                settings |= {"provider": provider, **self.providers[provider]}
            named = {f"twilio:{name}": value for name, value in settings.items()}
            lifecycle.reset()
            self._provider.configure(ConfigureRequest(Config(named, "p")))
            self._processes[provider] = lifecycle._plugin
        lifecycle._plugin = self._processes[provider]
