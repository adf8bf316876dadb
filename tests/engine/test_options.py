"""Pulumi's options for a resource, and transforms, which change them and see what the resource is given."""

from __future__ import annotations

import json

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, occurrences

DESK = 'desk = OutgoingCallerId("desk", phone_number="+14155550101", friendly_name={}, opts={})\n'
SID = 'pulumi.export("sid", desk.sid)\n'
SECRET = 'ResourceOptions(additional_secret_outputs=["sid"])'
MERGED = "ResourceOptions.merge(ResourceOptions(protect=False), " + SECRET + ")"
OLD_TRANSFORM = """
def hide(args):
    more = ResourceOptions(additional_secret_outputs=["sid"])
    return pulumi.ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, more))
office = pulumi.ComponentResource("my:Office", "office", opts=ResourceOptions(transformations=[hide]))
"""
TRANSFORM = """
def hide(args):
    more = ResourceOptions(additional_secret_outputs=["sid"])
    return pulumi.ResourceTransformResult(args.props, ResourceOptions.merge(args.opts, more))
office = pulumi.ComponentResource("my:Office", "office", opts=ResourceOptions(transforms=[hide]))
"""


@pytest.mark.parametrize("opts", [SECRET, MERGED], ids=["plain", "merged"])
def test_the_sid_is_a_secret_where_the_options_say_so(stack: Stack, sandbox: Sandbox, opts: str) -> None:
    stack.program(DESK.format("'Desk'", opts) + SID)
    assert "sid: [secret]" in stack.up().output
    sid = stack.resources()["desk"]["id"]
    for name in ("'Desk'", "'Front desk'"):
        stack.program(DESK.format(name, opts) + SID)
        assert sid not in stack.preview().output + stack.up().output
        assert {"sid": sid} == stack.outputs()
        assert "ciphertext" in stack.resources()["desk"]["outputs"]["sid"]
    assert sid not in stack.refresh("--expect-no-changes").output


@pytest.mark.parametrize("transform", [OLD_TRANSFORM, TRANSFORM], ids=["transformation", "transform"])
def test_so_is_it_where_a_transform_of_the_component_does(stack: Stack, sandbox: Sandbox, transform: str) -> None:
    for name in ("'Desk'", "'Front desk'"):
        stack.program(transform + DESK.format(name, "ResourceOptions(parent=office)") + SID)
        assert 0 == stack.up().output.count(stack.resources()["desk"]["id"])
        assert "ciphertext" in stack.resources()["desk"]["outputs"]["sid"]
        assert stack.resources()["desk"]["id"] not in stack.preview("--expect-no-changes").output


def test_and_of_one_that_is_only_read(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id("+14155550101", "Desk").sid
    stack.pulumi("config", "set", "sid", sid)
    stack.program(f'desk = OutgoingCallerId.get("desk", pulumi.Config().require("sid"), opts={SECRET})\n' + SID)
    assert "sid: [secret]" in stack.preview().output
    assert "sid: [secret]" in stack.up().output
    assert {"sid": sid} == stack.outputs()


def test_the_sid_is_plain_otherwise(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(DESK.format("Output.secret('Desk')", "None") + SID)
    assert "[secret]" not in stack.up().output.split("Outputs:")[1]
    assert stack.resources()["desk"]["outputs"]["sid"] == stack.outputs()["sid"]
    assert occurrences(stack.outputs()["sid"], stack)


SEEN = """
import json, os
seen = open(os.environ["SEEN"], "a")

def see(args):
    if args.name == "desk":
        seen.write(json.dumps([name for name in args.props if not name.startswith("__")]) + "\\n")
        seen.flush()

pulumi.runtime.register_stack_transformation(see)
pulumi.runtime.register_resource_transform(see)
"""


def test_transforms_see_inputs_and_outputs_alone(stack: Stack, sandbox: Sandbox) -> None:
    """What the provider is told beside them has the names of internal properties, as the SDK's __provider."""
    sid = sandbox.add_caller_id("+14155550101", "Desk").sid
    file = stack.folder / "seen"
    stack.environment["SEEN"] = str(file)
    opts = f'ResourceOptions(import_="{sid}", delete_before_replace=True, custom_timeouts=CustomTimeouts(create="1m"))'
    stack.program(SEEN + DESK.format("Output.secret('Desk')", opts))
    stack.preview()
    stack.up()

    outputs = {"phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri", "sid"}
    inputs = {"call_delay", "extension", "status_callback", "status_callback_method", "adopt"}
    seen = [set(json.loads(line)) for line in file.read_text().splitlines()]
    assert 6 == len(seen)
    assert {"phone_number", "friendly_name"} in seen
    assert [] == [names for names in seen if not names <= outputs | inputs]
    inputs_kept = set(stack.resources()["desk"]["inputs"])
    assert {"__provider", "phone_number", "friendly_name"} == inputs_kept
