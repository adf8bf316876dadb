"""Transforms of a program, which change Pulumi's options for a resource and see what the resource is given."""

from __future__ import annotations

import json

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

SEEN = """
import json, os
seen = open(os.environ["SEEN"], "a")

def see(args):
    if args.name == "desk":
        seen.write(json.dumps([name for name in args.props if not name.startswith("__")]) + "\\n")
        seen.flush()

pulumi.runtime.register_stack_transformation(see)
pulumi.runtime.register_resource_transform(see)
OutgoingCallerId("desk", phone_number="+14155550101", friendly_name=Output.secret("Desk"), opts=ResourceOptions(
    import_="{sid}", delete_before_replace=True, custom_timeouts=CustomTimeouts(create="1m")))
"""


def test_transforms_see_inputs_and_outputs_alone(stack: Stack, sandbox: Sandbox) -> None:
    """What the provider is told beside them has the names of internal properties, as the SDK's __provider."""
    sid = sandbox.add_caller_id("+14155550101", "Desk").sid
    file = stack.folder / "seen"
    stack.environment["SEEN"] = str(file)
    stack.program(SEEN.replace("{sid}", sid))
    stack.up()

    outputs = {"phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri", "sid"}
    inputs = {"call_delay", "extension", "status_callback", "status_callback_method", "adopt"}
    seen = [set(json.loads(line)) for line in file.read_text().splitlines()]
    assert 4 == len(seen), "both transforms, in up and in the preview after it"
    assert {"phone_number", "friendly_name"} in seen
    assert [] == [names for names in seen if not names <= outputs | inputs]
    inputs_kept = set(stack.resources()["desk"]["inputs"])
    assert {"__provider", "phone_number", "friendly_name"} == inputs_kept
