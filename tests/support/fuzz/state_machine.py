"""Random programs and histories on the provider's real code, for hypothesis to make up.

Each step edits the program, or something at Twilio, and mostly runs an operation (`strategies.py`) on the in-process
engine; `machine_model.py` judges all of it. `tests/slow/fuzz/run.py` runs it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from pulumi_twilio_caller_id.testing import CallerId, Delays, Phone, Sandbox
from tests.support.fuzz.call_model import CODE, must
from tests.support.fuzz.machine_model import Model
from tests.support.fuzz.network_faults import Clock, Kind, Line, Trouble
from tests.support.fuzz.strategies import (
    CALLING,
    ELSEWHERE,
    FRIENDLY,
    LOOK,
    NAMES,
    NEARLY,
    NUMBERS,
    SUBACCOUNT,
    THEN,
    Then,
)
from tests.support.inprocess_engine import InProcessEngine
from tests.support.stack_runs import Declared, Run


class _AllRules:
    """In place of hypothesis's choice of the rules that a history may use at all: ours needs them to meet."""

    def is_enabled(self, _name: str) -> bool:
        return True


class Histories(RuleBasedStateMachine):
    """One stack, from its first `pulumi up` on."""

    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._rules_strategy.enabled_rules_strategy = st.just(cast(Any, _AllRules()))
        clock = Clock()
        self.sandbox = Sandbox(
            phones={number: Phone(validation_code=CODE) for number in NUMBERS},
            delays=Delays(0, 0, 0),
            numbers=dict.fromkeys(ELSEWHERE, "Elsewhere"),
            subaccounts=[SUBACCOUNT],
            clock=clock.now,
        )
        self.sandbox.start()
        self.clock = clock
        self.line = Line(self.sandbox)
        self.model = Model(self.sandbox, self.line, self.tally)
        self.model.foreign = {record.sid for record in self.sandbox.caller_ids}
        self.engine = InProcessEngine(self.sandbox, clock, self.line, self.model.see)
        self.program: dict[str, Declared] = {}

    def teardown(self) -> None:
        try:
            self.recover()
        finally:
            self.sandbox.stop()

    # The program

    @precondition(lambda self: len(self.program) < len(NAMES))
    @rule(
        number=st.sampled_from(NUMBERS),
        friendly_name=st.sampled_from(FRIENDLY),
        adopt=st.sampled_from((True, None, True)),
        account_sid=st.sampled_from((None, None, None, SUBACCOUNT)),
        first=st.booleans(),
        then=THEN,
    )
    def declare(
        self, number: str, friendly_name: str | None, adopt: Any, account_sid: Any, first: bool, then: Then
    ) -> None:
        name = next(name for name in NAMES if name not in self.program)
        new = {name: Declared(number, friendly_name, adopt, account_sid)}
        self.program = {**new, **self.program} if first else {**self.program, **new}
        self.run(then)

    @precondition(lambda self: self.free())
    @rule(
        name=st.sampled_from(NAMES),
        at=st.integers(0, 3),
        adopt=st.sampled_from((True, None)),
        phone=st.sampled_from(("manual", "keys-code")),
        trouble=CALLING,
    )
    def verify_in_trouble(self, name: str, at: int, adopt: bool | None, phone: str, trouble: Trouble) -> None:
        free = self.free()
        self.program[name] = Declared(free[at % len(free)], adopt=adopt)
        self.run(Then("up", phone, trouble))

    @precondition(lambda self: self.sandbox.caller_ids)
    @rule(
        name=st.sampled_from(NAMES),
        record=st.integers(0, 7),
        wrong=st.sampled_from(("", "number", "", "name", "", "number", "sid")),
        named=st.booleans(),
        then=THEN,
    )
    def declare_import(self, name: str, record: int, wrong: str, named: bool, then: Then) -> None:
        found = self.record(record)
        other = next(number for number in NUMBERS if number != found.phone_number)
        before = dict(self.program)
        self.program[name] = Declared(
            other if wrong == "number" else found.phone_number,
            "Wrong" if wrong == "name" else found.friendly_name if named else None,
            account_sid=None if found.account_sid == self.sandbox.account_sid else found.account_sid,
            import_sid="PN" + "0" * 32 if wrong == "sid" else found.sid,
        )
        self.run(then)
        if wrong:
            self.program = before

    @precondition(lambda self: 0 < len(self.program) < len(NAMES))
    @rule(
        at=st.integers(0, 2),
        number=st.sampled_from((None, None, *NUMBERS)),
        names=st.tuples(st.sampled_from(FRIENDLY), st.sampled_from(FRIENDLY)),
        first=st.booleans(),
        then=THEN,
    )
    def hand_over(
        self, at: int, number: str | None, names: tuple[str | None, str | None], first: bool, then: Then
    ) -> None:
        """A new resource takes over the number of one that gets another; with None, both declare it."""
        old = self.pick(at)
        new = next(name for name in NAMES if name not in self.program)
        before = self.program[old]
        entry = {new: replace(before, friendly_name=names[0], adopt=True, import_sid=None)}
        self.program[old] = replace(before, number=number or before.number, friendly_name=names[1], import_sid=None)
        self.program = {**entry, **self.program} if first else {**self.program, **entry}
        self.run(then)
        if number is None:
            del self.program[new]

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), then=THEN)
    def remove(self, at: int, then: Then) -> None:
        del self.program[self.pick(at)]
        self.run(then)

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), number=st.sampled_from(NUMBERS), then=THEN)
    def change_number(self, at: int, number: str, then: Then) -> None:
        self.edit(at, then, number=number, import_sid=None)

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), name=st.integers(0, 2), then=THEN)
    def change_name(self, at: int, name: int, then: Then) -> None:
        others = [friendly for friendly in FRIENDLY if friendly != self.program[self.pick(at)].friendly_name]
        self.edit(at, then, friendly_name=others[name])

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), then=THEN)
    def change_account(self, at: int, then: Then) -> None:
        other = None if self.program[self.pick(at)].account_sid else SUBACCOUNT
        self.edit(at, then, account_sid=other, import_sid=None)

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), adopt=st.sampled_from((True, None, False)), first=st.booleans(), then=THEN)
    def change_options(self, at: int, adopt: bool | None, first: bool, then: Then) -> None:
        self.edit(at, then, adopt=adopt, delete_first=first, import_sid=None)

    @precondition(lambda self: 0 < len(self.program) < len(NAMES))
    @rule(at=st.integers(0, 2), adopt=st.sampled_from((True, True, None)), then=THEN)
    def rename_resource(self, at: int, adopt: bool | None, then: Then) -> None:
        """Without an alias: one that is new, and one that is gone."""
        old = self.pick(at)
        new = next(name for name in NAMES if name not in self.program)
        declared = replace(self.program[old], adopt=adopt, import_sid=None)
        self.program = {
            new if name == old else name: declared if name == old else other for name, other in self.program.items()
        }
        self.run(then)

    @precondition(lambda self: self.program)
    @rule(at=st.integers(0, 2), adopt=st.booleans(), then=THEN)
    def taint(self, at: int, adopt: bool, then: Then) -> None:
        name = self.pick(at)
        if adopt:
            self.program[name] = replace(self.program[name], adopt=True)
        self.run(then, replaced=frozenset({name}))

    @precondition(lambda self: self.program)
    @rule(then=THEN)
    def upgrade(self, then: Then) -> None:
        """Another release of the provider, which has another pickle."""
        self.engine.pickle += "!"
        self.run(then)

    @rule(adopts=st.booleans(), then=THEN)
    def set_adopt(self, adopts: bool, then: Then) -> None:
        """In the stack's config."""
        self.engine.adopts = self.model.rules.adopts = adopts
        self.run(then)

    # At Twilio

    @precondition(lambda self: self.sandbox.caller_ids)
    @rule(record=st.integers(0, 7), friendly_name=st.sampled_from(("Drifted", "Desk")), then=LOOK)
    def console_renames(self, record: int, friendly_name: str, then: Then) -> None:
        sid = self.record(record).sid
        self.sandbox.rename(sid, friendly_name)
        self.model.drifted.add(sid)
        self.run(then)

    @precondition(lambda self: self.sandbox.caller_ids)
    @rule(record=st.integers(0, 7), then=LOOK)
    def console_deletes(self, record: int, then: Then) -> None:
        sid = self.record(record).sid
        self.sandbox.remove(sid)
        self.model.drifted.add(sid)
        self.model.foreign.discard(sid)
        self.run(then)

    @rule(number=st.sampled_from(NUMBERS), account_sid=st.sampled_from((None, None, SUBACCOUNT)), then=THEN)
    def console_verifies(self, number: str, account_sid: str | None, then: Then) -> None:
        account = account_sid or self.sandbox.account_sid
        if not any(
            (record.account_sid, record.phone_number) == (account, number) for record in self.sandbox.caller_ids
        ):
            self.model.foreign.add(self.sandbox.add_caller_id(number, "Elsewhere", account).sid)
        self.run(then)

    @precondition(lambda self: self.ringing())
    @rule(then=THEN)
    def key_in_late(self, then: Then) -> None:
        """On a phone that still rings, although the run that had it called is over."""
        self.sandbox.key_in(self.ringing()[0], CODE)
        self.tally["keyed in late"] += 1
        self.run(then)

    @rule(then=THEN)
    def again(self, then: Then) -> None:
        self.run(then)

    @precondition(lambda self: self.engine.state)
    @rule(then=THEN)
    def destroy(self, then: Then) -> None:
        self.run(Then("destroy"))
        self.run(then)

    @precondition(lambda self: self.engine.state)
    @rule(operation=st.sampled_from(("refresh", "destroy")), kind=st.sampled_from(NEARLY), lasting=st.booleans())
    def nearly_gone(self, operation: str, kind: Kind, lasting: bool) -> None:
        """Answers that are almost the one that takes a caller ID out of the state."""
        self.run(Then(operation, trouble=Trouble(kind, "fetch" if operation == "refresh" else "delete", lasting)))

    # How it is done

    def pick(self, at: int) -> str:
        names = list(self.program)
        return names[at % len(names)]

    def free(self) -> list[str]:
        """Numbers that are not verified in the main account."""
        taken = {record.phone_number for record in self.sandbox.caller_ids if record.account_sid != SUBACCOUNT}
        return [number for number in NUMBERS if number not in taken]

    def record(self, at: int) -> CallerId:
        there = self.sandbox.caller_ids
        return there[at % len(there)]

    def edit(self, at: int, then: Then, **changes: Any) -> None:
        name = self.pick(at)
        self.program[name] = replace(self.program[name], **changes)
        self.run(then)

    def ringing(self) -> list[str]:
        return [call.sid for call in self.sandbox.calls if call.status == "ringing"]

    def run(self, then: Then, replaced: frozenset[str] = frozenset()) -> None:
        for number in NUMBERS:
            rings = (
                {"rings": 1e6} if then.phone == "manual" else {"listed_after": 8} if then.phone == "late-listed" else {}
            )
            self.sandbox.set_phone(number, Phone(behaviour=then.phone, validation_code=CODE, **rings))
        self.model.rules.phone = then.phone
        for operation in then.operation.split(", ") if then.operation else []:
            self.operate(operation, then.trouble, replaced)

    def operate(
        self, operation: str, trouble: Trouble | None = None, replaced: frozenset[str] = frozenset()
    ) -> Run | None:
        engine, program = self.engine, dict(self.program)
        self.model.trouble = trouble
        self.tally[f"run: {operation}{' in trouble' if trouble else ''}"] += 1
        self.tally[f"trouble: {trouble.kind if trouble else 'none'}"] += 1
        with self.line.suffering(trouble):
            match operation:
                case "up" | "up --refresh":
                    run = engine.up(program, refresh=operation != "up", replaced=replaced)
                case "preview":
                    run = engine.preview(program, replaced=replaced)
                case "refresh":
                    run = engine.refresh()
                case "destroy":
                    run = engine.destroy()
                case _:
                    return None
        self.clock.time += 20  # what is to be listed late is listed by then
        self.model.judge(run, engine)
        if operation.startswith("up") and not trouble and not run.failed:
            self.tally["up: well"] += 1
            self.settled()
        return run

    def settled(self) -> None:
        """After an up there is nothing left to do."""
        run = self.operate("preview")
        assert run is not None
        changed = [event for event in run.events if event.method == "diff" and event.result.changes]
        must(not run.failed and not changed, "a preview after an up finds nothing to do", (run.failed, changed))

    def recover(self) -> None:
        """Whatever has happened: with the trouble over and a program that makes sense, an up works, and a destroy."""
        self.engine.adopts = self.model.rules.adopts = True
        sound: dict[tuple[str, str | None], tuple[str, Declared]] = {}
        for name, declared in self.program.items():
            sound[declared.number, declared.account_sid] = name, replace(declared, adopt=True, import_sid=None)
        self.program = dict(sound.values())
        self.run(Then(None))
        for operation in ("up --refresh", "destroy"):
            run = self.operate(operation)
            must(run is not None and not run.failed, f"in the end, {operation} works", run and run.failed)
