"""A resource that is replaced although its number stays the same."""

from __future__ import annotations

import re
import shlex

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

WAYS = ("--replace", "taint", "replacement_trigger")


def desk(options: str = "") -> str:
    return f'OutgoingCallerId("desk", phone_number="+14155550101", opts=ResourceOptions({options}))\n'


def replace(stack: Stack, way: str, options: str = "") -> list[str]:
    """Have the resource replaced by the next operation. Gives the arguments of that."""
    if way == "taint":
        stack.pulumi("state", "taint", stack.resources()["desk"]["urn"])
    if way == "replacement_trigger":
        options += ', replacement_trigger="2"'
    stack.program(desk(options.removeprefix(", ")))
    return ["--replace", stack.resources()["desk"]["urn"]] if way == "--replace" else []


@pytest.fixture
def verified(stack: Stack) -> Stack:
    """A stack whose one number is verified."""
    stack.program(desk('replacement_trigger="1"'))
    stack.up()
    return stack


@pytest.mark.parametrize("way", WAYS)
def test_a_replacement_fails_before_a_call_and_says_how_to_do_without_it(
    verified: Stack, sandbox: Sandbox, way: str
) -> None:
    """The engine doesn't tell a provider that a new resource replaces one: the advice is there for all that are new."""
    args = replace(verified, way, "" if way == "replacement_trigger" else 'replacement_trigger="1"')
    preview, up = verified.preview(*args, ok=False).output, verified.up(*args, ok=False).output
    for output in (preview, up):
        told = " ".join(output.split())
        assert "If this resource has it already, don't have the resource replaced: leave out `--replace` and" in told
        assert "anew: opts=pulumi.ResourceOptions(delete_before_replace=True)." in told
    assert 1 == len(sandbox.calls)

    [untaint] = set(re.findall("undo a taint by `(.*)`", up))
    verified.program(desk())
    if way == "taint":
        verified.pulumi(*shlex.split(untaint)[1:])
    assert {} == verified.planned()


@pytest.mark.parametrize("way", WAYS)
def test_a_replacement_may_verify_the_number_anew(verified: Stack, sandbox: Sandbox, way: str) -> None:
    old = verified.resources()["desk"]["id"]
    args = replace(verified, way, "delete_before_replace=True")
    preview = verified.preview(*args).output
    verified.up(*args)

    assert (
        f"+1 415-555-0101 is already verified as {old}: `pulumi up` will fail unless it deletes that first"
        " (delete_before_replace)"
    ) in preview
    assert 2 == len(sandbox.calls)
    assert [verified.resources()["desk"]["id"]] == [record.sid for record in sandbox.caller_ids]
