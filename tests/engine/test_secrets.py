"""What a program keeps secret, inputs as well as outputs: in the state, in what is printed, after each operation."""

from __future__ import annotations

import json
import re

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import SECRET_MARKER, Stack
from tests.support.stored import occurrences

NUMBER = "+14155550109"
PROGRAM = """
def more():
    return ResourceOptions(additional_secret_outputs=["sid"])

def transformation(args):
    return pulumi.ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, more()))

def transform(args):
    return pulumi.ResourceTransformResult(args.props, ResourceOptions.merge(args.opts, more()))

def component(name, **options):
    return ResourceOptions(parent=pulumi.ComponentResource("my:Office", name, opts=ResourceOptions(**options)))

options = {
    "plain": None,
    "options": more(),
    "merged": ResourceOptions.merge(ResourceOptions(protect=False), more()),
    "transformation": component("old", transformations=[transformation]),
    "transform": component("new", transforms=[transform]),
}
for n, (name, opts) in enumerate(options.items()):
    made = OutgoingCallerId(name, phone_number=f"+1415555010{n}", friendly_name=Output.secret("{name}"), opts=opts)
    pulumi.export(name, made.sid)
pulumi.export("read", OutgoingCallerId.get("read", "{sid}", opts=more()).sid)
number = OutgoingCallerId("number", phone_number=Output.secret("415-555-0109"), friendly_name="{name}")
pulumi.export("number", number.phone_number)
pulumi.export("of number", number.sid)
"""
BY_OPTIONS, BY_TRANSFORMS = ("options", "merged"), ("transformation", "transform")


def test_what_is_secret_stays_secret(stack: Stack, sandbox: Sandbox) -> None:
    """A number may be one, and a sid: by an option, by two options merged, by a transform of the component, and of a
    resource that is only read. Only the preview of a rename shows the sid of a transformed one. Other sids are plain.
    """
    read = sandbox.add_caller_id("+14155550108", "Read").sid
    program = PROGRAM.replace("{sid}", read)
    stack.program(program.replace("{name}", "Desk"))
    created = stack.up().output
    sids = {name: state["id"] for name, state in stack.resources().items()}
    shown = re.sub(" +: ", ": ", created.split("Outputs:")[1])
    for output in (*BY_OPTIONS, *BY_TRANSFORMS, "read", "number"):
        assert f" {output}: [secret]\n" in shown
    assert f' plain: "{sids["plain"]}"\n' in shown
    assert occurrences(sids["plain"], stack)
    assert_kept(stack, sids, created)

    stack.program(program.replace("{name}", "Front desk"))
    preview = stack.preview().output
    assert [] == [name for name in BY_OPTIONS if sids[name] in preview]
    assert_kept(stack, sids, stack.up().output)
    assert_kept(stack, sids, stack.refresh("--expect-no-changes").output)

    of_number = sids.pop("number")
    assert sids | {"read": read, "number": NUMBER, "of number": of_number} == stack.outputs()


def assert_kept(stack: Stack, sids: dict[str, str], output: str) -> None:
    """What an operation has printed, and left in the state."""
    states = stack.resources()
    for name in BY_OPTIONS + BY_TRANSFORMS:
        assert sids[name] not in output
        assert "ciphertext" in states[name]["outputs"]["sid"]
    assert sids["plain"] == states["plain"]["outputs"]["sid"]
    for kept in ("inputs", "outputs"):
        assert SECRET_MARKER in json.dumps(states["number"][kept]["phone_number"])
    assert [] == occurrences(NUMBER, stack)
