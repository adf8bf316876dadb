"""What a preview shows to somebody who reviews a change, in the forms that a pull request may carry."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness import Stack
from pulumi_twilio_caller_id.testing import Sandbox

BEFORE = """
OutgoingCallerId("same", phone_number="+14155550101", friendly_name="Same")
OutgoingCallerId("renamed", phone_number="+14155550102", friendly_name="Old name")
OutgoingCallerId("moved", phone_number="+14155550103")
"""
AFTER = """
OutgoingCallerId("same", phone_number="(415) 555-0101", friendly_name="Same")
OutgoingCallerId("renamed", phone_number="+14155550102", friendly_name="New name")
OutgoingCallerId("moved", phone_number="+14155550104",
    opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m")))
OutgoingCallerId("new", phone_number="+49 30 90182000")
"""


@pytest.fixture
def changed(stack: Stack, sandbox: Sandbox) -> tuple[Stack, dict[str, str]]:
    """A stack whose program has changed, and what its preview is to say of each resource."""
    stack.program(BEFORE)
    stack.up()
    moved = stack.resources()["moved"]["id"]
    stack.program(AFTER)
    return stack, {
        "renamed": "rename from 'Old name' to 'New name'",
        "moved": "up will phone +1 415-555-0104 and wait up to 8m for a 6-digit code;"
        f" then give up +1 415-555-0103 ({moved})",
        "new": "up will phone +49 30 90182000 and wait up to 5 min for a 6-digit code",
    }


def test_each_change_has_one_line_and_what_stays_has_none(changed: tuple[Stack, dict[str, str]]) -> None:
    stack, told = changed
    diagnostics = stack.preview().output.split("Diagnostics:", 1)[1]

    for name, text in told.items():
        assert f"OutgoingCallerId ({name}):\n    {text}\n" in diagnostics
    assert len(told) == diagnostics.count("OutgoingCallerId (")


def test_with_diff(changed: tuple[Stack, dict[str, str]]) -> None:
    stack, told = changed
    output = stack.preview("--diff").output

    for text in told.values():
        assert 1 == output.count(text)


def test_with_json(changed: tuple[Stack, dict[str, str]]) -> None:
    """Beside the steps, as diagnostics of their own resource; what else the provider is told is in no inputs."""
    stack, told = changed
    preview = json.loads(stack.preview("--json").stdout)

    said = [(d["urn"].rsplit("::", 1)[1], d["message"].strip()) for d in preview["diagnostics"] if d.get("urn")]
    assert sorted(told.items()) == sorted(said)
    assert {"phone_number", "friendly_name", "__provider"} == {
        name for step in preview["steps"] if "OutgoingCallerId" in step["urn"] for name in step["newState"]["inputs"]
    }


def test_without_credentials(make_stack: Callable[..., Stack]) -> None:
    """Whether a number is verified already can't be told then; that it may ring can."""
    stack = make_stack()
    stack.program('OutgoingCallerId("new", phone_number="+14155550101")\n')
    assert "up will phone +1 415-555-0101 and wait up to 5 min for a 6-digit code" in stack.preview().output


def test_what_is_known_only_at_up(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(BEFORE)
    stack.up()
    stack.program(
        'first = OutgoingCallerId("first", phone_number="+14155550109")\n'
        + BEFORE.replace('"Old name"', "first.date_created")
        + 'OutgoingCallerId("new", phone_number=first.date_created.apply(lambda _: "+14155550108"))\n'
    )
    output = stack.preview().output

    assert "rename from 'Old name', to a name that is not known yet" in output
    assert "up will phone the number and wait up to 5 min for a 6-digit code" in output


def test_a_replacement_that_adopts(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(BEFORE)
    stack.up()
    old, sid = stack.resources()["moved"]["id"], sandbox.add_caller_id("+14155550104").sid
    stack.program(BEFORE.replace('"+14155550103"', '"+14155550104", adopt=True'))

    assert f"adopt {sid}, no call; then give up +1 415-555-0103 ({old})" in stack.preview().output


def test_up_says_nothing_of_it_again(changed: tuple[Stack, dict[str, str]]) -> None:
    stack, told = changed
    output = stack.up().output

    assert [] == [text for text in told.values() if text in output]
