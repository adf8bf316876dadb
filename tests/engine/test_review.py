"""What a preview shows to somebody who reviews a change, in the forms that a pull request may carry."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

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

UNLESS = " unless another resource or retain_on_delete keeps it"


@pytest.fixture
def changed(stack: Stack, sandbox: Sandbox) -> tuple[Stack, dict[str, str]]:
    """A stack whose program has changed, and what its preview is to say of each resource."""
    stack.program(BEFORE)
    stack.up()
    moved = stack.resources()["moved"]["id"]
    stack.program(AFTER)
    return stack, {
        "renamed": "rename from 'Old name' to 'New name'",
        "moved": "`pulumi up` will call +1 415-555-0104 (someone must key in a 6-digit code within 8 min),"
        f" then delete +1 415-555-0103 ({moved}){UNLESS}",
        "new": "`pulumi up` will call +49 30 90182000 (someone must key in a 6-digit code within 5 min)",
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
    assert (
        "`pulumi up` will call +1 415-555-0101 (someone must key in a 6-digit code within 5 min)"
        in stack.preview().output
    )


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
    assert "`pulumi up` will call the number (someone must key in a 6-digit code within 5 min)" in output


def test_a_replacement_that_adopts(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(BEFORE)
    stack.up()
    old, sid = stack.resources()["moved"]["id"], sandbox.add_caller_id("+14155550104").sid
    stack.program(BEFORE.replace('"+14155550103"', '"+14155550104", adopt=True'))

    told = f"adopt {sid}, no call, then delete +1 415-555-0103 ({old}){UNLESS}"
    assert told in stack.preview().output


def test_two_resources_that_swap_their_numbers_by_adoption(stack: Stack, sandbox: Sandbox) -> None:
    """Nothing is deleted, and the preview doesn't say so: the other resource's turn may come later."""
    numbers = ["+14155550101", "+14155550102"]
    program = "".join(f'OutgoingCallerId("{name}", phone_number="{{}}", adopt=True)\n' for name in ("a", "b"))
    stack.program(program.format(*numbers))
    stack.up()
    [a, b] = [stack.resources()[name]["id"] for name in ("a", "b")]
    stack.program(program.format(*reversed(numbers)))
    preview = stack.preview().output
    stack.up()

    assert f"adopt {b}, no call, then delete +1 415-555-0101 ({a}){UNLESS}\n" in preview
    assert f"adopt {a}, no call, then delete +1 415-555-0102 ({b}){UNLESS}\n" in preview
    assert {"a": b, "b": a} == {name: state["id"] for name, state in stack.resources().items()}
    assert {a, b} == {record.sid for record in sandbox.caller_ids}


def renumber(stack: Stack, options: str) -> tuple[str, str]:
    """Verify a number, then give the resource another one: the old sid, and what the preview said."""
    desk = f'OutgoingCallerId("desk", phone_number="{{}}", opts=ResourceOptions({options}))\n'
    stack.program(desk.format("+14155550101"))
    stack.up()
    old = str(stack.resources()["desk"]["id"])
    stack.program(desk.format("+14155550102"))
    preview = stack.preview().output
    stack.up()
    return old, preview


def test_a_number_that_the_state_retains_is_kept(stack: Stack, sandbox: Sandbox) -> None:
    old, preview = renumber(stack, "retain_on_delete=True")
    assert f", then delete +1 415-555-0101 ({old}){UNLESS}\n" in preview
    assert 2 == len(sandbox.caller_ids)


def test_a_number_that_is_deleted_before_the_other_is_called(stack: Stack, sandbox: Sandbox) -> None:
    old, preview = renumber(stack, "delete_before_replace=True")
    told = "`pulumi up` will call +1 415-555-0102 (someone must key in a 6-digit code within 5 min)"
    assert f"{told}, after deleting +1 415-555-0101 ({old}){UNLESS}\n" in preview
    assert ["POST", "DELETE", "POST"] == [request.method for request in sandbox.requests if request.method != "GET"]


def test_up_says_nothing_of_it_again(changed: tuple[Stack, dict[str, str]]) -> None:
    stack, told = changed
    output = stack.up().output

    assert [] == [text for text in told.values() if text in output]
