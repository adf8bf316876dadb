"""What the plugin's process imports on the real engine: each operation starts it anew, and most need little."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.native_stack import NativeStack
from tests.support.plugin_code import run_in_plugin

HEAVY = ("twilio.rest", "aiohttp", "phonenumbers", "pydantic", "requests")

# At its end a plugin is killed, so it tells of each module as it is imported.
NOTES = """
from importlib.abc import MetaPathFinder


class Notes(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {heavy!r}:
            with open({file!r}, "a") as notes:
                notes.write(name + "\\n")

sys.meta_path.insert(0, Notes())
"""


@pytest.fixture(params=[Stack, NativeStack], ids=["dynamic", "native"])
def stack_class(request: pytest.FixtureRequest) -> type[Stack]:
    """Stacks of either provider."""
    chosen: type[Stack] = request.param
    return chosen


@pytest.fixture
def imported(stack: Stack, tmp_path: Path) -> Path:
    """The file that gets the names of what plugins import of the above."""
    file = tmp_path / "imported"
    run_in_plugin(stack, NOTES.format(heavy=HEAVY, file=str(file)))
    file.touch()
    return file


def test_the_plugin_imports_what_an_operation_needs(stack: Stack, sandbox: Sandbox, imported: Path) -> None:
    stack.configure({"twilio:defaultRegion": "US"})
    stack.program('OutgoingCallerId("desk", phone_number="(415) 555-0101", friendly_name="Front desk")\n')
    credentials = stack.environment.pop("TWILIO_AUTH_TOKEN")
    assert "`pulumi up` will call +1 415-555-0101 (" in stack.preview().output
    assert {"phonenumbers", "pydantic"} == set(imported.read_text().split())

    stack.environment["TWILIO_AUTH_TOKEN"] = credentials
    stack.up()
    assert {"twilio.rest", "phonenumbers", "pydantic", "requests"} == set(imported.read_text().split())

    imported.write_text("")
    stack.program('OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n')
    assert {} == stack.planned()
    assert "" == imported.read_text()
    assert 1 == len(sandbox.calls)
