"""A stack of the dynamic provider goes on with the native one: by an alias in the program, without a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.cli.import_format import NATIVE_TYPE
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import TYPE, Stack
from tests.support.machine import ROOT
from tests.support.native_programs import install_plugin
from tests.support.native_stack import PLUGIN
from tests.support.stored import stored

DESK, SUPPORT, SUBACCOUNT = "+14155550101", "+14155550102", "AC" + "2" * 32

DYNAMIC = f"""
desk = OutgoingCallerId("desk", phone_number="+1 415 555 0101", friendly_name=Output.secret("Name-canary"))
support = OutgoingCallerId("support", phone_number="{SUPPORT}", account_sid="{SUBACCOUNT}")
pulumi.export("sid", desk.sid)
pulumi.export("name", support.friendly_name)
"""

PYTHON = f"""
import sys
sys.path.append({str(ROOT)!r})
import pulumi
from pulumi import Output
from tests.support import native_sdk

def OutgoingCallerId(name, **inputs):
    before = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="{TYPE}")])
    return native_sdk.OutgoingCallerId(name, opts=before, **inputs)
{DYNAMIC}"""

YAML = {
    "name": "caller-ids",
    "runtime": "yaml",
    "resources": {
        "desk": {
            "type": NATIVE_TYPE,
            "properties": {"phoneNumber": "+1 415 555 0101", "friendlyName": {"fn::secret": "Name-canary"}},
            "options": {"aliases": [f"urn:pulumi:test::caller-ids::{TYPE}::desk"]},
        },
        "support": {
            "type": NATIVE_TYPE,
            "properties": {"phoneNumber": SUPPORT, "accountSid": SUBACCOUNT},
            "options": {"aliases": [f"urn:pulumi:test::caller-ids::{TYPE}::support"]},
        },
    },
    "outputs": {"sid": "${desk.sid}", "name": "${support.friendlyName}"},
}


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Any]:
    return {"delays": Delays(queued=0, rings=0.1, talks=0.1), "subaccounts": {SUBACCOUNT: "never-used"}}


def to_python(stack: Stack) -> None:
    (stack.project / "__main__.py").write_text(PYTHON)
    with (stack.project / "Pulumi.yaml").open("a") as settings:
        settings.write(PLUGIN)


def to_yaml(stack: Stack) -> None:
    (stack.project / "__main__.py").unlink()
    (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump(YAML))
    install_plugin(stack)


@pytest.mark.parametrize("rewrite", [to_python, to_yaml])
def test_a_stack_moves_without_a_call(rewrite: Callable[[Stack], None], stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DYNAMIC)
    stack.up(settled=False)
    sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
    before, calls = stack.outputs(), len(sandbox.calls)
    rewrite(stack)

    asked = len(sandbox.requests)
    assert {"desk": "update", "support": "update"} == stack.planned()
    stack.up()
    assert [] == sandbox.requests[asked:]
    assert before == stack.outputs()
    moved = {r["id"]: r for r in stack.deployment()["resources"] if r["type"] == NATIVE_TYPE}
    assert set(sids.values()) == moved.keys()
    assert {"friendlyName", "phoneNumber"} == moved[sids[DESK]]["inputs"].keys()
    names = {"sid", "phoneNumber", "friendlyName", "accountSid", "dateCreated", "dateUpdated", "uri"}
    assert [names, names] == [set(it["outputs"]) for it in moved.values()]
    assert TYPE not in str(stack.deployment())
    assert [] == stored("Name-canary", stack)

    stack.refresh("--expect-no-changes")
    assert {} == stack.planned()
    stack.destroy()
    assert ([], calls) == (sandbox.caller_ids, len(sandbox.calls))
