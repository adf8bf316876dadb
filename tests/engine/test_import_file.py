"""`import-file`, `pulumi import` of what it wrote, and the program beside it: as if the stack had made the numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import ROOT, Stack, comparable

NUMBERS = {"+14155550101": "Front desk", "+14155550102": None}
BASE = """\
from pulumi_twilio_caller_id import Provider
office = pulumi.ComponentResource("my:Office", "office")
branch = Provider("branch", account_sid="{account_sid}", auth_token=pulumi.Config().require_secret("branchToken"))
"""


@pytest.fixture
def verified(sandbox: Sandbox) -> Sandbox:
    """The sandbox, with numbers that no stack knows of."""
    for number, friendly_name in NUMBERS.items():
        sandbox.add_caller_id(number, friendly_name)
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


def assert_as_created(stack: Stack, sandbox: Sandbox, make_stack: Callable[..., Stack]) -> None:
    """The stack has what its program makes where it has the numbers verified: same properties, Twilio's own values."""
    imported = stack.resources()
    with Sandbox(delays=Delays(queued=0, rings=0, talks=0)) as empty:
        other = make_stack("created", environment=empty.environment)
        other.pulumi("config", "set", "--secret", "branchToken", empty.auth_token)
        (other.project / "__main__.py").write_text((stack.project / "__main__.py").read_text())
        other.up()
        assert {name: comparable(state) for name, state in other.resources().items()} == {
            name: comparable(state) for name, state in imported.items()
        }
    records = {record.sid: record for record in sandbox.caller_ids}
    assert set(records) == {state["id"] for state in imported.values()}
    for state in imported.values():
        record = records[state["id"]]
        assert [record.sid, record.phone_number, record.friendly_name, record.account_sid] == [
            state["outputs"][name] for name in ("sid", "phone_number", "friendly_name", "account_sid")
        ]


def assert_nothing_to_do(stack: Stack) -> None:
    assert {} == stack.planned()
    stack.refresh("--expect-no-changes")


def test_numbers_are_imported_protected(stack: Stack, verified: Sandbox, make_stack: Callable[..., Stack]) -> None:
    """As Pulumi does where nobody says otherwise: a destroy fails, and deletes nothing."""
    stack.program(import_all(stack, verified, "--program"))

    assert_nothing_to_do(stack)
    assert_as_created(stack, verified, make_stack)
    assert {True} == {state["protect"] for state in stack.resources().values()}
    refused = stack.destroy(ok=False)
    assert 0 != refused.code
    assert "it is protected" in refused.output
    assert len(NUMBERS) == len(verified.caller_ids)


def test_with_a_new_component_and_provider_unprotected(
    stack: Stack, verified: Sandbox, make_stack: Callable[..., Stack]
) -> None:
    """The provider gets the credentials that the program gives it; the numbers stay as they are, until a destroy."""
    stack.pulumi("config", "set", "--secret", "branchToken", verified.auth_token)
    options = ["--no-protect", "--parent", "my:Office::office", "--provider", "branch"]
    stack.program(import_all(stack, verified, *options, "--program"))

    assert {"branch": "update"} == stack.planned()
    stack.up()
    assert_nothing_to_do(stack)
    assert_as_created(stack, verified, make_stack)
    stack.destroy()
    assert [] == verified.caller_ids


def test_with_a_component_and_provider_of_the_stack(
    stack: Stack, verified: Sandbox, make_stack: Callable[..., Stack]
) -> None:
    """By the names they have in the export."""
    base = BASE.format(account_sid=verified.account_sid)
    stack.pulumi("config", "set", "--secret", "branchToken", verified.auth_token)
    stack.program(base)
    stack.up()
    (stack.project / "stack.json").write_text(json.dumps(stack.export()))
    options = ["--skip-managed", "stack.json", "--parent", "office", "--provider", "branch"]
    stack.program(base + import_all(stack, verified, *options, "--program"))

    assert_nothing_to_do(stack)
    assert_as_created(stack, verified, make_stack)


DERIVED = """
class Desk(OutgoingCallerId):
    pass

class Line(OutgoingCallerId, module="office", name="Line"):
    pass

class Other(pulumi.dynamic.Resource):
    pass

Desk("desk", phone_number="+14155550101", adopt=True)
Line("line", phone_number="+14155550103", adopt=True)
Other(pulumi.dynamic.ResourceProvider(), "other", {}, ResourceOptions(id="PN" + "2" * 32))
"""


def test_a_class_derived_from_ours_is_managed_too(stack: Stack, verified: Sandbox) -> None:
    """Its type is another one. What tells is the provider in the state."""
    verified.add_caller_id("+14155550103")
    stack.program(DERIVED)
    stack.up()
    (stack.project / "stack.json").write_text(json.dumps(stack.export()))
    file = json.loads(run(stack, "import-file", "--all", "--skip-managed", "stack.json").stdout)
    assert ["+14155550102"] == [resource["inputs"]["phone_number"] for resource in file["resources"]]


def test_as_config_of_this_project(stack: Stack, verified: Sandbox) -> None:
    (stack.project / "__main__.py").write_text((ROOT / "__main__.py").read_text())
    text = import_all(stack, verified, "--config")
    with (stack.project / "Pulumi.test.yaml").open("a") as config:
        config.write(text)

    stack.up()  # the stack has the sids as outputs from now on
    assert_nothing_to_do(stack)
    assert {name: state["id"] for name, state in stack.resources().items()} == stack.outputs()
    assert {True} == {state["protect"] for state in stack.resources().values()}


def test_protection_in_the_config_is_true_or_false(stack: Stack, sandbox: Sandbox) -> None:
    (stack.project / "__main__.py").write_text((ROOT / "__main__.py").read_text())
    stack.pulumi("config", "set", "--path", "callerIds.desk.phoneNumber", "--type", "string", "+14155550101")
    stack.pulumi("config", "set", "--path", "callerIds.desk.protect", "yes")

    output = stack.preview(ok=False).output
    assert "callerIds.desk.protect is 'yes': it takes true or false" in output
    assert "Traceback" not in output


def test_two_hundred_numbers(stack: Stack, sandbox: Sandbox) -> None:
    """Many of the same name."""
    for at in range(200):
        sandbox.add_caller_id(f"+1415555{at:04d}", f"Line {at % 50}")
    stack.program(import_all(stack, sandbox, "--program"))

    assert 200 == len(stack.resources())
    assert {} == stack.planned()


def test_the_account_is_that_of_the_stacks_config(stack: Stack, verified: Sandbox) -> None:
    """Secrets included, which Pulumi alone can decrypt; where it can't, its reason is told."""
    for key, value in (("accountSid", verified.account_sid), ("apiUrl", verified.url)):
        stack.pulumi("config", "set", f"twilio:{key}", value)
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
