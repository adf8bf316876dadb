"""Run one history on either engine, the real or the in-process one, and record what each step did.

A history is a function of an `Operator`: it edits programs, has operations run, and changes things at Twilio.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from pulumi_twilio_caller_id.operations.create import AWAITING_TEXT
from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER
from pulumi_twilio_caller_id.testing import Delays, RequestRecord, Sandbox
from tests.support.fuzz.network_faults import Clock, Line
from tests.support.harness import SECRET_MARKER, STACK_FILE, TYPE, Stack
from tests.support.inprocess_engine import InProcessEngine
from tests.support.stack_runs import Declared, Program, Run

CODE = "739264"
"""The validation code of all phones."""

SUBACCOUNT, SUB_TOKEN = "AC" + "5" * 32, "token of the subaccount"
SECRET = "[secret]"


def sandbox_of_history(**options: Any) -> Sandbox:
    """A local Twilio whose calls are over at once."""
    return Sandbox(
        delays=Delays(0, 0, 0), phones={"*": {"validation_code": CODE}}, subaccounts={SUBACCOUNT: SUB_TOKEN}, **options
    )


class Operator(ABC):
    """Runs operations on one stack, and records each as a step.

    providers: the Providers of its programs. config: stack config that overrides the account's settings.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.providers: dict[str, dict[str, str]] = {}
        self.config: dict[str, str] = {}
        self.steps: list[dict[str, Any]] = []
        self._asked = 0

    def up(self, program: Program, *, refresh: bool = False, replaced: Iterable[str] = (), fails: str = "") -> None:
        """`pulumi up`. fails: a part of the error that it must end with, "" if it must succeed.

        If a number awaits the next `up`, "awaiting: " and its warning count as the error.
        """
        self._see("up", fails, *self._up(program, refresh=refresh, replaced=frozenset(replaced)))

    def preview(self, program: Program, *, fails: str = "") -> dict[str, str]:
        """`pulumi preview`; gives what it would do: name -> operation."""
        error, planned = self._preview(program)
        self._see("preview", fails, error, {} if error else planned)
        return planned

    def refresh(self, *, fails: str = "") -> None:
        """`pulumi refresh`."""
        self._see("refresh", fails, self._refresh())

    def destroy(self, *, fails: str = "") -> None:
        """`pulumi destroy`."""
        self._see("destroy", fails, self._destroy())

    def comparable_steps(self) -> list[Any]:
        """All steps without sids, dates and durations: these differ between two runs of one history."""
        text = (
            json.dumps(self.steps, indent=1, sort_keys=True)
            .replace(self.sandbox.account_sid, "AC-main")
            .replace(self.sandbox.url, "http://sandbox")
        )
        seen: dict[str, str] = {}
        text = re.sub(r"\b(PN|CA)[0-9a-f]{32}", lambda sid: seen.setdefault(sid[0], f"{sid[1]}-{len(seen)}"), text)
        text = re.sub(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000", "<date>", text)
        told: list[Any] = json.loads(re.sub(r" after \d+ s\b", "", text))
        return told

    def _see(self, operation: str, fails: str, error: str, planned: dict[str, str] | None = None) -> None:
        assert bool(error) == bool(fails), f"{operation} ends otherwise than the history says: {error!r}"
        assert fails in error, f"{operation} fails otherwise than the history says: {error!r}"
        requests = self.sandbox.requests
        new, self._asked = requests[self._asked :], len(requests)
        self.steps.append(
            {
                "operation": operation,
                # Not indented, as in `Result.errors`. Sorted: the engine reports check failures in any order.
                "error": sorted(re.sub(r"\n *", "\n", error).removeprefix("error: ").split("\nerror: ")),
                "planned": planned,
                "state": sorted(self._state(), key=lambda entry: (entry["name"], entry["pending"])),
                "requests": _without_repeated_looks(new),
                "calls": [[call.account_sid, call.to, call.status] for call in self.sandbox.calls],
                "Twilio": [
                    [it.sid, it.account_sid, it.phone_number, it.friendly_name] for it in self.sandbox.caller_ids
                ],
            }
        )

    @abstractmethod
    def _up(self, program: Program, *, refresh: bool, replaced: frozenset[str]) -> tuple[str, dict[str, str] | None]:
        """Return the error ("" if it succeeds) and None: `up` has no plan to compare."""

    @abstractmethod
    def _preview(self, program: Program) -> tuple[str, dict[str, str]]: ...

    @abstractmethod
    def _refresh(self) -> str: ...

    @abstractmethod
    def _destroy(self) -> str: ...

    @abstractmethod
    def _state(self) -> list[dict[str, Any]]: ...


def _without_repeated_looks(requests: Iterable[RequestRecord]) -> list[str]:
    """Drop repeated GETs: how often a wait polls depends on time."""
    told = [f"{it.method} {it.path} {it.params or ''} {it.form or ''} as {it.username}" for it in requests]
    return [it for at, it in enumerate(told) if not (it.startswith("GET") and told[at - 1 : at] == [it])]


class InProcess(Operator):
    """The in-process engine. run: the last operation."""

    run: Run

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        super().__init__(sandbox)
        self._line = Line(sandbox)
        self.engine = InProcessEngine(sandbox, clock, self._line, lambda _run, _event: None)
        self.engine.providers, self.engine.config = self.providers, self.config

    def _up(self, program: Program, *, refresh: bool, replaced: frozenset[str]) -> tuple[str, None]:
        return self._ended(self.engine.up(program, refresh=refresh, replaced=replaced)), None

    def _preview(self, program: Program) -> tuple[str, dict[str, str]]:
        return self._ended(self.engine.preview(program)), self.run.planned

    def _refresh(self) -> str:
        return self._ended(self.engine.refresh())

    def _destroy(self) -> str:
        return self._ended(self.engine.destroy())

    def _ended(self, run: Run) -> str:
        self.run = run
        awaiting = [f"awaiting: {told}" for told in run.awaiting]
        return next(iter(run.failed + awaiting), "")

    def _state(self) -> list[dict[str, Any]]:
        return [
            {
                "name": it.name,
                "sid": it.sid,
                "pending": it.pending,
                "inputs": _shown(it.inputs, it.declared),
                "outputs": _shown(it.outputs, it.declared),
            }
            for it in self.engine.state
        ]


def _shown(properties: dict[str, Any], declared: Declared) -> dict[str, Any]:
    """The properties as the state has them. A property that is secret in the inputs is secret in the outputs too."""
    secret = {"phone_number"} if declared.secret else set()
    return {name: SECRET if name in secret else it for name, it in properties.items() if name != PICKLED_PROVIDER}


class Real(Operator):
    """The real engine: each operation is a `pulumi` command."""

    def __init__(self, sandbox: Sandbox, stack: Stack) -> None:
        super().__init__(sandbox)
        self._stack = stack
        self._stack_file = (stack.project / STACK_FILE).read_text()
        account = {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token, "apiUrl": sandbox.url}
        self._account = account
        # A native provider of the program's does not read the stack's config.
        stack.environment["TWILIO_API_URL"] = sandbox.url

    def _prepare(self, program: Program) -> None:
        """Write the program and the stack's config."""
        self._stack.program(source(program, self.providers))
        config = "".join(
            f'  {self._stack.namespace}:{key}: "{value}"\n' for key, value in (self._account | self.config).items()
        )
        (self._stack.project / STACK_FILE).write_text(f"{self._stack_file}config:\n{config}")

    def _up(self, program: Program, *, refresh: bool, replaced: frozenset[str]) -> tuple[str, None]:
        self._prepare(program)
        urns = [self._stack.resources()[name]["urn"] for name in replaced]
        options = [*(["--refresh"] if refresh else []), *(f"--replace={urn}" for urn in urns)]
        return self._error("up", "--yes", "--skip-preview", *options), None

    def _preview(self, program: Program) -> tuple[str, dict[str, str]]:
        self._prepare(program)
        told = json.loads(self._stack.preview("--json", ok=False).stdout)
        errors = [it for it in told.get("diagnostics", []) if it["severity"] == "error"]
        failed = [it["message"] for it in errors if TYPE in it.get("urn", "")]
        planned = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in told["steps"] if TYPE in step["urn"]}
        return "".join(failed).strip(), {name: op for name, op in planned.items() if op != "same"}

    def _refresh(self) -> str:
        return self._error("refresh", "--yes", "--skip-preview")

    def _destroy(self) -> str:
        return self._error("destroy", "--yes", "--skip-preview")

    def _error(self, *command: str) -> str:
        result = self._stack.pulumi(*command, ok=False)
        awaiting = [f"awaiting: {told.removeprefix('warning: ')}" for told in result.awaiting.values()]
        error = next(iter([*result.errors.values(), *awaiting]), "").partition(f"\n{AWAITING_TEXT}")[0]
        assert bool(result.code) == bool(error), result.output
        assert "Traceback" not in result.output
        return error

    def _state(self) -> list[dict[str, Any]]:
        def plain(properties: dict[str, Any]) -> dict[str, Any]:
            return {
                name: SECRET if isinstance(it, dict) and SECRET_MARKER in it.values() else it
                for name, it in properties.items()
                if name != PICKLED_PROVIDER
            }

        return [
            {
                "name": it["urn"].rsplit("::", 1)[1],
                "sid": it["id"],
                "pending": "delete" if it.get("delete") else "create" if it.get("pendingReplacement") else "",
                "inputs": plain(it["inputs"]),
                "outputs": plain(it["outputs"]),
            }
            for it in self._stack.deployment().get("resources", [])
            if it["type"] == TYPE
        ]


def source(program: Program, providers: dict[str, dict[str, str]]) -> str:
    """What a user writes for a program."""
    used = {declared.provider for declared in program.values()} - {None}
    lines = [
        f'{name} = Provider("{name}", account_sid="{it["accountSid"]}", auth_token="{it["authToken"]}")'
        for name, it in providers.items()
        if name in used
    ]
    for name, it in program.items():
        number = f'"{it.number}"'
        if it.late:
            number = f"{it.after}.sid.apply(lambda _: {number})"
        if it.secret:
            number = f"Output.secret({number})"
        inputs = {"friendly_name": it.friendly_name, "adopt": it.adopt, "account_sid": it.account_sid}
        options = {
            "import_": repr(it.import_sid) if it.import_sid else None,
            "delete_before_replace": it.delete_first or None,
            "depends_on": it.after if not it.late else None,
            "provider": it.provider,
        }
        given = [f"phone_number={number}", *(f"{key}={value!r}" for key, value in inputs.items() if value is not None)]
        given.append(f"opts=ResourceOptions({', '.join(f'{k}={v}' for k, v in options.items() if v is not None)})")
        lines.append(f'{name} = OutgoingCallerId("{name}", {", ".join(given)})')
    return "\n".join(lines) + "\n"
