"""`import-file`, `pulumi import` of what it wrote, and the program beside it: as if the stack had made the numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.machine import PROGRAM
from tests.support.stored import comparable

NAMED, UNNAMED = "+14155550101", "+14155550102"
MADE, MADE_UNNAMED = "+14155550111", "+14155550112"


@pytest.fixture
def verified(sandbox: Sandbox) -> Sandbox:
    """The sandbox, with numbers that no stack knows of."""
    sandbox.add_caller_id(NAMED, "Front desk")
    sandbox.add_caller_id(UNNAMED)
    return sandbox


def run(
    stack: Stack, *arguments: str, env: Mapping[str, str] | None = None, ok: bool = True
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id", *arguments],
        cwd=stack.project,
        env=stack.variables(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ok or done.returncode == 0, done.stderr
    return done


def import_all(stack: Stack, sandbox: Sandbox, *options: str) -> str:
    """Runs import-file, then the command that it tells. Gives the text beside the file."""
    done = run(stack, "import-file", "--all", *options, "caller_ids.text")
    text = (stack.project / "caller_ids.text").read_text()
    assert [] == [what for what in (text, done.stdout, done.stderr) if sandbox.auth_token in what]

    (stack.project / "FILE").write_text(done.stdout)
    [command] = re.findall("^To import: pulumi (.*)$", done.stderr, re.MULTILINE)
    before = len(sandbox.requests)
    stack.pulumi(*command.split(), "--yes", "--skip-preview")
    assert [] == sandbox.requests[before:], "an import asks Twilio nothing"
    return text


def assert_as_created(states: Mapping[str, Mapping[str, Any]], imported: str, created: str) -> None:
    """Assert that the state has both alike, but for their names and numbers."""
    names = {imported: "NAME", created: "NAME"}
    for number in (states[it]["outputs"]["phone_number"] for it in (imported, created)):
        names |= {number: "NUMBER", f"({number[2:5]}) {number[5:8]}-{number[8:]}": "FRIENDLY"}
    pattern = re.compile("|".join(map(re.escape, names)))
    one, other = (
        json.loads(pattern.sub(lambda found: names[found[0]], json.dumps(comparable(states[it]))))
        for it in (imported, created)
    )
    assert one == other


def assert_as_at_twilio(states: Mapping[str, Mapping[str, Any]], sandbox: Sandbox) -> None:
    kept = ("sid", "phone_number", "friendly_name", "account_sid")
    assert {tuple(getattr(record, name) for name in kept) for record in sandbox.caller_ids} == {
        tuple(state["outputs"][name] for name in kept) for state in states.values()
    }
    assert all(state["id"] == state["outputs"]["sid"] for state in states.values())


BASE = """
office = pulumi.ComponentResource("my:Office", "office")
branch = Provider("branch", account_sid="{account_sid}", auth_token=pulumi.Config().require_secret("branchToken"))

class Desk(OutgoingCallerId):
    pass

class Line(OutgoingCallerId, module="office", name="Line"):
    pass

class Other(pulumi.dynamic.Resource):
    pass

Desk("derived-desk", phone_number="+14155550103", adopt=True)
Line("line", phone_number="+14155550104", adopt=True)
Other(pulumi.dynamic.ResourceProvider(), "other", {{}}, ResourceOptions(id="PN" + "2" * 32))
opts = ResourceOptions(parent=office, provider=branch, protect=True)
OutgoingCallerId("made", phone_number="{MADE}", friendly_name="Front desk", opts=opts)
OutgoingCallerId("made-unnamed", phone_number="{MADE_UNNAMED}", friendly_name="(415) 555-0112", opts=opts)
"""


def test_with_a_component_and_provider_of_the_stack(stack: Stack, verified: Sandbox) -> None:
    """By the names they have in the export. Numbers that the stack manages are left out. A derived class has a type of
    its own: its provider in the state tells that it is one of ours.
    """
    base = BASE.format(account_sid=verified.account_sid, MADE=MADE, MADE_UNNAMED=MADE_UNNAMED)
    verified.add_caller_id("+14155550103")
    verified.add_caller_id("+14155550104")
    stack.pulumi("config", "set", "--secret", "branchToken", verified.auth_token)
    stack.program(base)
    stack.up()
    (stack.project / "stack.json").write_text(json.dumps(stack.export()))
    options = ["--skip-managed", "stack.json", "--parent", "office", "--provider", "branch"]
    stack.program(base + import_all(stack, verified, *options, "--program"))

    states = stack.resources()
    assert {"made", "made-unnamed", "front-desk", "number-14155550102"} == states.keys()
    assert_as_created(states, "front-desk", "made")
    assert_as_created(states, "number-14155550102", "made-unnamed")
    assert {True} == {state["protect"] for state in states.values()}
    assert {} == stack.planned()
    stack.refresh("--expect-no-changes")


def test_many_with_a_new_component_and_provider_unprotected(stack: Stack, sandbox: Sandbox) -> None:
    """The provider gets the credentials that the program gives it; the numbers stay as they are, until a destroy. Many
    have the same name.
    """
    for at in range(30):
        sandbox.add_caller_id(f"+1415555{at:04d}", f"Line {at % 10}")
    stack.pulumi("config", "set", "--secret", "branchToken", sandbox.auth_token)
    options = ["--no-protect", "--parent", "my:Office::office", "--provider", "branch"]
    stack.program(import_all(stack, sandbox, *options, "--program"))

    assert {"branch": "update"} == stack.planned()
    stack.up()
    assert 30 == len(stack.resources())
    assert_as_at_twilio(stack.resources(), sandbox)
    stack.refresh("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_as_config_of_this_project_protected(stack: Stack, verified: Sandbox) -> None:
    """Protected, as Pulumi does unless it is told not to: a destroy fails, and deletes nothing."""
    (stack.project / "__main__.py").write_text(PROGRAM.read_text())
    [(key, imported)] = yaml.safe_load(import_all(stack, verified, "--config"))["config"].items()
    made = {"phoneNumber": MADE, "friendlyName": "Front desk", "protect": True}
    unnamed = {"phoneNumber": MADE_UNNAMED, "friendlyName": "(415) 555-0112", "protect": True}
    stack.configure({key: imported | {"made": made, "made-unnamed": unnamed}})
    stack.up()  # the stack has the sids as outputs from now on

    states = stack.resources()
    assert {name: state["id"] for name, state in states.items()} == stack.outputs()
    assert_as_at_twilio(states, verified)
    assert_as_created(states, "front-desk", "made")
    assert_as_created(states, "number-14155550102", "made-unnamed")
    assert [MADE, MADE_UNNAMED] == sorted(call.to for call in verified.calls)
    stack.refresh("--expect-no-changes")
    refused = stack.destroy(ok=False)
    assert 0 != refused.code
    assert "it is protected" in refused.output
    assert 4 == len(verified.caller_ids)


def test_the_account_is_that_of_the_stacks_config(stack: Stack, verified: Sandbox) -> None:
    """Secrets included, which Pulumi alone can decrypt; where it can't, its reason is told."""
    stack.configure({"twilio:accountSid": verified.account_sid, "twilio:apiUrl": verified.url})
    stack.pulumi("config", "set", "--secret", "twilio:authToken", verified.auth_token)
    stack.environment.clear()

    for options in ([], ["--stack", "test"]):
        listed = json.loads(run(stack, "list", "--json", *options).stdout)
        assert {record.sid for record in verified.caller_ids} == {record["sid"] for record in listed}

    refused = run(stack, "list", env={"PULUMI_CONFIG_PASSPHRASE": "another"}, ok=False)
    assert (1, "") == (refused.returncode, refused.stdout)
    assert "The stack's config could not be read: " in refused.stderr
    assert "incorrect passphrase" in refused.stderr
    missing = run(stack, "list", "--stack", "no-such", ok=False)
    told = "pulumi-twilio-caller-id: the config of stack no-such could not be read: no stack named 'no-such' found\n"
    assert (1, "", told) == (missing.returncode, missing.stdout, missing.stderr)
