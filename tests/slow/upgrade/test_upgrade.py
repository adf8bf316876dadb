"""States of every release so far, with the code as it is now: nothing to do, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.slow.upgrade.record_states import SANDBOX, SEEN, STATES, sandbox_at
from tests.support.harness import TYPE, Stack

VERSIONS = sorted(path.name for path in STATES.iterdir())


@dataclass(frozen=True)
class Upgraded:
    """A stack that an earlier release left, not imported yet, and the Twilio it belongs to."""

    stack: Stack
    sandbox: Sandbox
    deployment: dict[str, Any]

    def caller_ids(self) -> dict[str, dict[str, Any]]:
        """Those in the recorded state, by name."""
        found = (r for r in self.deployment["deployment"]["resources"] if r["type"] == TYPE)
        return {r["urn"].rsplit("::", 1)[1]: r for r in found}

    def load(self) -> None:
        self.stack.pulumi("stack", "import", stdin=json.dumps(self.deployment))

    @property
    def left(self) -> list[str]:
        return [record.sid for record in self.sandbox.caller_ids]

    def asked(self) -> set[str]:
        return {request.method for request in self.sandbox.requests}


@pytest.fixture(params=VERSIONS)
def upgraded(request: pytest.FixtureRequest, make_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[Upgraded]:
    recorded = {path.name: path.read_text(encoding="utf-8") for path in (STATES / request.param).iterdir()}
    account = tmp_path / "twilio.json"
    account.write_text(recorded["twilio.json"], encoding="utf-8")
    with sandbox_at(account) as sandbox:
        # The credentials are in the stack's config, hence in its state.
        variables = {"TWILIO_API_URL": sandbox.url, "TWILIO_ACCOUNT_SID": sandbox.account_sid}
        stack = make_stack(environment=variables)
        (stack.project / "Pulumi.test.yaml").write_text(recorded["Pulumi.test.yaml"], encoding="utf-8")
        stack.program(recorded["program.py"])
        yield Upgraded(stack, sandbox, json.loads(recorded["stack.json"].replace(SANDBOX, sandbox.url)))


def test_an_upgrade_changes_nothing(upgraded: Upgraded) -> None:
    """In a preview and a refresh. Refresh and destroy need nothing but the state: the program is gone by then."""
    stack = upgraded.stack
    upgraded.load()
    assert {} == stack.planned()
    stack.program("raise AssertionError('this is not needed')\n")
    stack.refresh("--expect-no-changes")
    assert {"GET"} == upgraded.asked()

    stack.destroy()
    assert [SEEN] == upgraded.left, "which the stack only reads"
    assert [] == upgraded.sandbox.calls


def test_outputs_that_an_upgrade_adds_or_drops(upgraded: Upgraded) -> None:
    """An `up` leaves the caller IDs alone, a refresh brings their outputs up to date, and a destroy works as ever."""
    stack = upgraded.stack
    resources = upgraded.caller_ids()
    whole = {name: set(resource["outputs"]) for name, resource in resources.items()}
    for resource in resources.values():
        for name in ("uri", "date_updated"):
            del resource["outputs"][name]
        resource["outputs"]["carrier"] = "an output that this version does not have"
    upgraded.load()
    stack.up("--expect-no-changes")
    assert {"GET"} >= upgraded.asked()
    told = stack.outputs()
    assert resources["plain"]["id"] == told["sid"]

    stack.refresh()
    now = stack.resources()
    assert whole == {name: set(resource["outputs"]) for name, resource in now.items()}
    assert {name: resource["id"] for name, resource in resources.items()} == {
        name: resource["id"] for name, resource in now.items()
    }
    stack.destroy("--run-program")
    assert [SEEN] == upgraded.left
    assert [] == upgraded.sandbox.calls
