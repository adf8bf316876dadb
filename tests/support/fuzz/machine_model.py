"""What must be true of an operation that is over, and of a stack's whole history; `call_model.py` has single calls."""

from __future__ import annotations

import json
import re
from collections import Counter

from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.fuzz.call_model import CODE, CallModel, is_as, must
from tests.support.fuzz.network_faults import Line
from tests.support.fuzz.twilio_rules import place_of
from tests.support.inprocess_engine import InProcessEngine
from tests.support.stack_runs import Account, Entry, Run


class Model(CallModel):
    """Of one stack. foreign: caller IDs that were verified in the Console, and were never in the state."""

    def __init__(self, sandbox: Sandbox, line: Line, tally: Counter[str]) -> None:
        super().__init__(sandbox, line, tally)
        self.foreign: set[str] = set()

    def judge(self, run: Run, engine: InProcessEngine) -> None:
        """Judge an operation that is over."""
        self.begin(run)
        account, state = engine.account(), engine.state
        self.foreign |= set(self.line.overtaken) & (account.keys() - run.begin.keys())
        self.foreign -= {entry.sid for entry in state}
        must(self.foreign <= account.keys(), "what was verified elsewhere is not touched", self.foreign)
        stale = {entry.sid for entry in state if not is_as(account.get(entry.sid), entry.outputs)}
        self.drifted -= {entry.sid for entry in state} - stale
        self._state(run, state)
        self._spoken_of(run, account, state)
        must(not run.is_preview or run.begin == account, "a preview changes nothing", run)
        if run.failed or self.trouble:
            return
        if run.operation.startswith("up"):
            self._up(run, account, state)
        for entry in state if run.operation == "refresh" else []:
            fits = entry.pending == "create" or is_as(account.get(entry.sid), entry.outputs)
            must(fits, "after a refresh the state is what Twilio has", entry)
        must(run.operation != "destroy" or not state, "a destroy leaves nothing in the state", state)

    def _state(self, run: Run, state: list[Entry]) -> None:
        text = json.dumps([[entry.sid, entry.inputs, entry.outputs] for entry in state])
        must(not re.search(rf"\b{CODE}\b|{self.secret}", text), "no code and no secret is in the state", text)
        lost = [entry for entry in state if entry.sid in self.removed and not entry.pending]
        must(run.killed or run.failed or not lost, "nothing in the state was deleted by the same run", lost)
        self.count("state: pending deletion", when=any(entry.pending == "delete" for entry in state))
        self.count("state: pending creation", when=any(entry.pending == "create" for entry in state))

    def _spoken_of(self, run: Run, account: Account, state: list[Entry]) -> None:
        """Nothing gets verified without anybody's being told: unless the process was killed."""
        for sid in account.keys() - run.begin.keys() - {entry.sid for entry in state}:
            number = account[sid].phone_number
            told = any(word in run.said for word in (number, international_format(number), sid))
            must(run.killed or told, "what was verified is in the state or spoken of", account[sid])
            self.count("verified, but not in the state")

    def _up(self, run: Run, account: Account, state: list[Entry]) -> None:
        must(sorted(entry.name for entry in state) == sorted(run.program), "the state is what is declared", state)
        must(len({entry.sid for entry in state}) == len(state), "each caller ID is in the state once", state)
        for entry in state:
            declared, record = run.program[entry.name], account.get(entry.sid)
            must(not entry.pending, "nothing is pending after an up", entry)
            if entry.sid not in self.drifted:
                must(self.rules.place(declared) == place_of(record), "what is declared is at Twilio", entry)
                named = record is not None and declared.friendly_name in (None, record.friendly_name)
                must(named, "it has its name", entry)
