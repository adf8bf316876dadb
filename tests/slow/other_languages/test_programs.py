"""The examples in YAML, TypeScript and Go, each on the real engine, from the first preview to the destroy."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from pulumi_twilio_caller_id.cli.import_format import NATIVE_TYPE
from pulumi_twilio_caller_id.native.rewording import PACKAGE
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.examples import change, copy
from tests.support.harness import Stack
from tests.support.native_programs import PLUGIN, install_packages, install_plugin

DESK, LOBBY = "+14155550101", "+14155550103"
FILES = {"yaml": "Pulumi.yaml", "typescript": "index.ts", "go": "main.go"}
LOBBY_IN = {
    "yaml": f"""\
  lobby:
    type: twilio-caller-id:OutgoingCallerId
    properties: {{phoneNumber: "{LOBBY}", friendlyName: Lobby}}
""",
    "typescript": f"""\
new twilio.OutgoingCallerId("lobby", {{ phoneNumber: "{LOBBY}", friendlyName: "Lobby" }});
""",
    "go": f"""\
		lobby := &twilio.OutgoingCallerIdArgs{{PhoneNumber: pulumi.String("{LOBBY}")}}
		lobby.FriendlyName = pulumi.String("Lobby")
		if _, err := twilio.NewOutgoingCallerId(ctx, "lobby", lobby); err != nil {{
			return err
		}}
""",
}
"""A second number for each program, to be put in front of the place that NEXT names."""

MISSPELLED = {
    "yaml": ("friendlyName", "friendly_name", "Property friendly_name does not exist on"),
    "typescript": ("friendlyName", "friendly_name", "'friendly_name' does not exist in type 'OutgoingCallerIdArgs'"),
    "go": ("FriendlyName", "Friendlyname", "unknown field Friendlyname in struct literal"),
}
"""A property's name, the same misspelled, and what is said of it. A YAML program is checked by the schema."""

NEXT = {"yaml": "\noutputs:\n", "typescript": "\n// Known once", "go": "\t\t// Known once"}


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"delays": Delays(queued=0, rings=0.1, talks=0.1), "numbers": {LOBBY: "Lobby"}}


@pytest.fixture
def make_program(stack: Stack) -> Callable[[str], Stack]:
    """Makes the stack that of an example, with the plugin and the packages that it needs."""

    def make(language: str) -> Stack:
        copy(language, stack)
        install_plugin(stack)
        install_packages(language, stack)
        stack.pulumi("stack", "init", "test")
        return stack

    return make


@pytest.mark.parametrize("language", FILES)
def test_the_life_of_a_number(language: str, make_program: Callable[[str], Stack], sandbox: Sandbox) -> None:
    stack = make_program(language)
    program = stack.project / FILES[language]
    right, wrong, refused = MISSPELLED[language]
    change(program, right, wrong)
    assert refused in stack.preview(ok=False).output
    change(program, wrong, right)
    assert {"front-desk": "create"} == stack.planned()
    assert [] == sandbox.calls

    first = stack.up(settled=False)
    [desk] = [record for record in sandbox.caller_ids if record.phone_number == DESK]
    assert "warning" not in first.output
    assert {"softphone": {"callerId": DESK, "sid": desk.sid}} == stack.outputs()
    stack.up("--expect-no-changes")

    change(program, "Front desk", "Reception")
    assert "[diff: ~friendlyName]" in stack.up(settled=False).output
    names = {record.sid: record.friendly_name for record in sandbox.caller_ids}
    assert "Reception" == names[desk.sid]
    stack.refresh("--expect-no-changes")

    [lobby] = [record for record in sandbox.caller_ids if record.phone_number == LOBBY]
    code = () if language == "yaml" else ("--generate-code=false",)  # a Node.js or Go host built here writes none
    imported = stack.pulumi("import", NATIVE_TYPE, "lobby", lobby.sid, "--yes", "--protect=false", *code)
    assert code or f"      friendlyName: Lobby\n      phoneNumber: '{LOBBY}'\n" in imported.stdout
    change(program, NEXT[language], LOBBY_IN[language] + NEXT[language])
    stack.up("--expect-no-changes")

    stack.destroy()
    assert ([], [DESK]) == (sandbox.caller_ids, [call.to for call in sandbox.calls])


def test_the_schema_has_the_version_of_the_package(stack: Stack) -> None:
    """`pulumi package add` refuses a schema without one."""
    schema = json.loads(stack.pulumi("package", "get-schema", str(PLUGIN)).stdout)
    assert (PACKAGE, version("pulumi-twilio-caller-id")) == (schema["name"], schema["version"])
