"""What the program declares, with mocks in the engine's place: no Pulumi, no Twilio, no time."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

PROGRAM = Path(__file__).parents[1] / "__main__.py"


class Engine(pulumi.runtime.Mocks):
    """Makes every resource at once, and notes what it was given."""

    def __init__(self) -> None:
        self.declared: dict[str, Mapping[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.declared[args.name] = args.inputs
        return f"id-of-{args.name}", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, []  # the program looks nothing up


@pytest.fixture
def declared() -> dict[str, Mapping[str, Any]]:
    """Resource name -> its inputs."""
    engine = Engine()
    pulumi.runtime.set_mocks(engine, project="caller-ids-with-tests", stack="test")
    pulumi.runtime.set_all_config({"caller-ids-with-tests:company": "Example"})

    @pulumi.runtime.test  # type: ignore[untyped-decorator]  # Pulumi's has no types
    def run() -> None:
        runpy.run_path(str(PROGRAM))

    run()
    return engine.declared


def test_each_number_has_a_name_that_says_whose_it_is(declared: Mapping[str, Mapping[str, Any]]) -> None:
    names = {inputs["phone_number"]: inputs["friendly_name"] for inputs in declared.values()}
    assert {"+14155550101": "Example: front desk", "+14155550102": "Example: support"} == names
