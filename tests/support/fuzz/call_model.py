"""What must be true of each call of the engine; and what happened, counted.

Written from the rules (CONTRIBUTING.md, docs), not from the provider's code. `Broken` says which of them does not hold.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER
from pulumi_twilio_caller_id.testing import CallerId, Sandbox
from tests.support.fuzz.network_faults import Line, Trouble
from tests.support.fuzz.twilio_rules import Place, Rules, at, place_of
from tests.support.stack_runs import Event, Run

CODE = "739264"
"""The validation code of all phones."""


class Broken(AssertionError):
    """A statement that does not hold, in words, and for what."""

    def __init__(self, statement: str, shown: object) -> None:
        super().__init__(f"{statement}: {shown}")


def must(holds: object, statement: str, shown: object) -> None:
    if not holds:
        raise Broken(statement, shown)


def is_as(record: CallerId | None, outputs: dict[str, Any]) -> bool:
    """Whether outputs are what Twilio has."""
    names = ("sid", "account_sid", "phone_number", "friendly_name")
    return record is not None and all(getattr(record, name) == outputs.get(name) for name in names)


class CallModel:
    """Of one stack. tally: situations, counted. drifted: caller IDs that changed without the provider's learning it."""

    def __init__(self, sandbox: Sandbox, line: Line, tally: Counter[str]) -> None:
        self.rules = Rules(sandbox.account_sid)
        self.trouble: Trouble | None = None
        self.drifted: set[str] = set()
        self.secret = sandbox.auth_token
        self.line = line
        self.tally = tally
        self.removed: set[str] = set()
        """By the operation that is under way; so are the following."""
        self._run: Run | None = None
        self._checked: set[str] = set()
        self._called: set[Place] = set()
        self._declared: dict[Place, str] = {}
        self._overtaken: set[Place] = set()

    def begin(self, run: Run) -> None:
        """Forget what is one operation's alone, if this is another."""
        if run is not self._run:
            self._run, self.rules.held, self.removed, self._checked, self._called = run, {}, set(), set(), set()
            self._declared = {}

    def see(self, run: Run, event: Event) -> None:
        """Judge one call of the engine."""
        self.begin(run)
        self._called.update(event.new_calls)
        self._overtaken = {place_of(event.after[sid]) for sid in self.line.overtaken if sid in event.after}
        self._frame(run, event)
        self._message(run, event)
        getattr(self, f"_{event.method}")(run, event, event.raised is None and not run.killed)

    def count(self, situation: str, *, when: object = True) -> None:
        self.tally[situation] += bool(when)

    # Of all of them

    def _frame(self, run: Run, event: Event) -> None:
        """Nothing at Twilio changes but what the call is about."""
        create = event.method == "create"
        must(len(event.new_calls) <= int(create), "one call at most, of create alone", event)
        for sid in event.before.keys() | event.after.keys():
            old, new = event.before.get(sid), event.after.get(sid)
            if old != new and (event.raised is not None or run.killed):
                self.drifted.add(sid)  # nobody was told
            if old is None:
                known = place_of(new) in self._called | self._overtaken
                must(known, "nothing becomes a caller ID but what was called", event)
            elif new is None:
                must(event.method == "delete" and sid == event.sid, "delete alone removes, and its own", event)
                self.removed.add(sid)
            elif old.friendly_name != new.friendly_name:
                must(new.friendly_name == event.news.get("friendly_name"), "a name is what the program says", event)
                own = event.method == "update" and sid == event.sid
                adopted = create and self.rules.may_rename(run.program[event.name], old)
                must(own or adopted, "only update and adoption rename, and their own", event)

    def _message(self, run: Run, event: Event) -> None:
        """Errors are clear, and nothing tells a secret."""
        texts = [event.error, *event.told]
        must(not any(self.secret in text for text in texts), "no secret is told", texts)
        if event.raised is None or run.killed:
            return
        must(isinstance(event.raised, CallerIdError), "every error is a CallerIdError", event)
        must(event.error == str(event.raised), "an error is its message alone", event)
        must(2 <= len(event.error.splitlines()) <= 10, "an error says what to do on a line of its own", event.error)
        may_go_on = f"If {CODE} is keyed in after all" in event.error
        must(
            CODE not in event.error or may_go_on, "the code is only in the error of a call that may go on", event.error
        )
        number = str(event.news.get("phone_number") or event.olds.get("phone_number"))
        declared = run.program.get(event.name)
        there = at(event.before, self.rules.place(declared)) if declared else None
        words = (number, international_format(number), event.sid, declared and declared.import_sid, there and there.sid)
        must(any(word and word in event.error for word in words), "an error names the number or the sid", event.error)

    # Of each

    def _check(self, run: Run, event: Event, answered: bool) -> None:
        self._checked.add(event.name)
        must(answered or run.killed, "check always answers", event)
        failures = [str(failure.property) for failure in event.result.failures] if answered else []
        if answered and self._declared.setdefault(self.rules.place(run.program[event.name]), event.name) != event.name:
            must(failures == ["phone_number"], "a number is declared once", event)
            self.count("check: number declared twice")
            return
        if not run.is_preview or event.olds:
            must(not failures, "check finds nothing wrong with what is right", (event, failures))
            return
        against, outlook = self.rules.outlook(run.program[event.name], event.name, event.before)
        for taken in re.findall(r"^(?:adopt|import) (\w+), no call", "\n".join(event.told), re.MULTILINE):
            self.rules.held.setdefault(taken, event.name)
        if failures:
            must(against, "a preview refuses only what up would", (event, failures))
            self.count("preview: refused")
        elif self.trouble is None:
            must(not against, "a preview refuses what up would", event)
            must(any(outlook in text for text in event.told), f"a preview says '{outlook}'", event)

    def _diff(self, run: Run, event: Event, answered: bool) -> None:
        must(not event.answers, "diff asks nobody", event)
        declared, replaces = run.program.get(event.name), []
        if event.news["phone_number"] != event.olds["phone_number"]:
            replaces.append("phone_number")
        if event.news.get("account_sid", self.rules.main) != event.olds["account_sid"]:
            replaces.append("account_sid")
        registered = event.name in self._checked  # else it is a refresh that calls
        if registered and declared and declared.import_sid not in (None, event.sid):
            replaces.append("import_")
        if registered and not replaces and self.rules.has_other(event.sid, event.name):
            must(type(event.raised).__name__ == "AlreadyVerified", "a number is declared once", event)
            self.drifted.add(event.sid)  # the one that has taken it over may have renamed it
            self.count("diff: number declared twice")
            return
        must(answered, "diff always answers", event)
        must(replaces == event.result.replaces, "diff replaces for another number, account or import", event)
        renamed = event.news.get("friendly_name") not in (None, event.olds["friendly_name"])
        released = event.news[PICKLED_PROVIDER] != event.olds[PICKLED_PROVIDER]
        changes = bool(replaces or renamed or released)
        must(changes == event.result.changes, "diff changes for another name or provider", event)
        if registered and not replaces:
            self.rules.held.setdefault(event.sid, event.name)
        self.count(f"diff: {'+'.join(replaces)}", when=replaces and not run.is_preview)

    def _create(self, run: Run, event: Event, answered: bool) -> None:
        declared = run.program[event.name]
        place = self.rules.place(declared)
        there, ended = at(event.before, place), type(event.raised).__name__
        asked = any((answer.method, answer.sid) == ("POST", "OutgoingCallerIds") for answer in event.answers)
        must(not (asked and there), "no call is asked for, to a number that is verified", event)
        must(not (event.new_calls and declared.import_sid), "no call for an import", event)
        must(not (declared.import_sid and event.before != event.after), "an import changes nothing", event)
        expected = self.rules.expected(declared, event.name, event.before)
        if there is None and place in self._overtaken:
            there = at(event.after, place)
            expected = "adopt" if self.rules.wants(declared) else "AlreadyVerified"
            must(expected == ("adopt" if answered else ended), f"overtaken, create ends as {expected}", event)
            self.count(f"create: overtaken, {expected}")
        if not answered:
            if self.trouble is None:
                must(expected == ended, f"create ends as {expected}", event)
                must(not there or event.before == event.after, "what is refused changes nothing", event)
            self.count(f"create: {'killed' if run.killed else ended}")
            other = ended == "ImportMismatch" and declared.import_sid in event.before
            self.count("create: import of another number or name", when=other)
            self.count("create: killed after the call", when=run.killed and event.new_calls)
            self.count("create: trouble after the call", when=self.trouble and event.new_calls)
            return
        must(expected in ("import", "adopt", "call"), f"create ends as {expected}", event)
        sid, outputs = event.result.id, event.result.outs
        record = event.after.get(sid)
        must(is_as(record, outputs), "create's outputs are what Twilio has", event)
        must(place == place_of(record), "create gives the number's caller ID", event)
        named = declared.friendly_name in (None, outputs["friendly_name"])
        warned = self.trouble is not None and any("The next `pulumi up` renames it." in text for text in event.told)
        must(named or warned, "create gives the name, or warns", event)
        must(there is None or there.sid == sid, "create takes the caller ID that is there", event)
        must(declared.import_sid in (None, sid), "an import takes that very sid", event)
        self.rules.held[sid] = event.name
        self.count(f"create: {expected}")
        self.count("create: in a subaccount", when=declared.account_sid)
        self.count("create: adopt and rename", when=there and there.friendly_name != outputs["friendly_name"])
        self.count("create: call in spite of trouble", when=self.trouble and event.new_calls)

    def _read(self, run: Run, event: Event, answered: bool) -> None:
        if not answered:
            must(self.trouble is not None, "read fails only in trouble", event)
            self.count("read: failed")
            return
        if not event.result.id:
            must(self._was_told_gone(event, "GET"), "only an exact 404 takes a sid out of the state", event)
            must(self._was_listed(run), "only with a listing is a sid taken out of the state", event)
            self.count("read: gone")
        else:
            outputs = event.result.outs
            must(is_as(event.before.get(event.sid), outputs), "read gives what Twilio has", event)
            must(event.sid == event.result.id, "read gives the sid it was asked for", event)
            named = event.news.get("friendly_name") not in (None, outputs["friendly_name"])
            live = {**event.news, "friendly_name": outputs["friendly_name"]} if named else None
            must(live == event.result.inputs, "read gives the inputs as Twilio has them, where that differs", event)
            self.count("read: another name", when=named)

    def _update(self, _run: Run, event: Event, answered: bool) -> None:
        wanted = event.news.get("friendly_name")
        renamed = wanted not in (None, event.olds["friendly_name"])
        must(renamed or not event.answers, "update asks Twilio for a rename alone", event)
        if not answered:
            gone = event.sid not in event.before
            must(self.trouble or (gone and type(event.raised).__name__ == "Gone"), "update fails if it is gone", event)
            self.count("update: gone", when=gone)
            return
        missing = event.olds.keys() - event.result.outs.keys() - {PICKLED_PROVIDER}
        must(not missing, "update gives all outputs", missing)
        self.count("update: renamed" if renamed else "update: of the provider alone")
        if renamed:
            must(is_as(event.after.get(event.sid), event.result.outs), "update's outputs are what Twilio has", event)
            must(wanted == event.result.outs["friendly_name"], "update renames", event)

    def _delete(self, run: Run, event: Event, answered: bool) -> None:
        held = event.sid in self.rules.held
        must(not held or event.before == event.after, "what a resource has by now is not deleted", event)
        if not answered:
            must(self.trouble is not None, "delete fails only in trouble", event)
            self.count("delete: failed")
            return
        must(held or event.sid not in event.after, "what was deleted is gone", event)
        must(held or self._was_told_gone(event, "DELETE"), "only Twilio's word takes a sid out of the state", event)
        listed = event.sid in event.before or self._was_listed(run)
        must(held or listed, "only with a listing is a deletion of what is gone done", event)
        self.count("delete: stays, as another has it" if held else "delete: done")
        self.count("delete: was gone", when=not held and event.sid not in event.before)

    def _was_listed(self, run: Run) -> bool:
        """Whether Twilio has listed the account in this operation."""
        answers = [answer for event in run.events for answer in event.answers]
        return any(
            (answer.method, answer.sid, answer.status) == ("GET", "OutgoingCallerIds", 200) for answer in answers
        )

    def _was_told_gone(self, event: Event, method: str) -> bool:
        """Whether Twilio said that this very sid is not there (any more)."""
        gone = {(404, 20404)} | ({(204, 0)} if method == "DELETE" else set())
        told = [
            (answer.status, answer.code)
            for answer in event.answers
            if (answer.method, answer.sid) == (method, event.sid)
        ]
        return any(answer in gone for answer in told)
