"""A stack on the in-process engine, for unit tests."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.both_engines import InProcess
from tests.support.stack_runs import Program


class LocalStack(InProcess):
    """A stack whose operations run in this process. `test_parity.py` checks that the real engine does the same."""

    def up(
        self,
        program: Program,
        *,
        refresh: bool = False,
        replaced: Iterable[str] = (),
        fails: str = "",
        settled: bool = True,
    ) -> None:
        """`pulumi up`. If it succeeds, a preview right after it must plan nothing, unless `settled` is False."""
        super().up(program, refresh=refresh, replaced=replaced, fails=fails)
        run = self.run
        if not fails and settled:
            assert self.preview(program) == {}, "`up` has left something to do"
        self.run = run

    @property
    def error(self) -> str:
        """The first failure of the last operation."""
        return self.run.failed[0]

    def held(self) -> dict[str, str]:
        """The caller IDs in the state, by resource."""
        return {entry.name: entry.sid for entry in self.engine.state if not entry.pending}

    def asked(self, endpoint: str) -> int:
        """How many requests an endpoint has had."""
        return len([request for request in self.sandbox.requests if request.endpoint == endpoint])

    def numbers(self) -> list[str]:
        """What is verified at Twilio."""
        return [record.phone_number for record in self.sandbox.caller_ids]
