"""`adopt`: a number that is verified already is taken over without a call, any other is verified."""

from __future__ import annotations

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, comparable

NUMBER = "+14155550101"


def desk(name: str = "desk", inputs: str = "adopt=True", options: str = "") -> str:
    inputs = ", ".join(filter(None, [f'phone_number="{NUMBER}", friendly_name="Front desk"', inputs]))
    return f'OutgoingCallerId("{name}", {inputs}, opts=ResourceOptions({options}))\n'


@pytest.fixture
def sid(sandbox: Sandbox) -> str:
    return sandbox.add_caller_id(NUMBER, "Front desk").sid


def held(stack: Stack) -> dict[str, str]:
    return {name: state["id"] for name, state in stack.resources().items()}


def listed(sandbox: Sandbox) -> list[str]:
    return [record.sid for record in sandbox.caller_ids]


def test_a_verified_number_is_taken_over_and_any_other_verified(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """One setting for both, rows and log say which; the state is what verifying the number would have left."""
    other = 'OutgoingCallerId("other", phone_number="+14155550102", adopt=True)\n'
    stack.program(desk() + other)
    assert f"desk create adopt {sid}, no call" in stack.preview().output
    up = stack.up().output

    assert f"adopted {sid}, no call" in up.split("Diagnostics:", 1)[1]
    assert ["+14155550102"] == [call.to for call in sandbox.calls]
    assert ["create"] == [r.endpoint for r in sandbox.requests if r.method != "GET"]
    adopted = stack.resources()["desk"]
    assert sid == adopted["id"]
    assert {} == stack.planned()
    stack.refresh("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids

    stack.up()
    assert comparable(stack.resources()["desk"]) == comparable(adopted)


def test_the_stacks_config_says_it_for_all(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """What a resource says itself goes before it. Changing either later changes nothing."""
    stack.pulumi("config", "set", "twilio:adopt", "true")
    stack.program(desk(inputs="adopt=False"))
    assert f"it is a caller ID of account {sandbox.account_sid} already: {sid}." in stack.preview(ok=False).output

    stack.program(desk(inputs=""))
    stack.up()
    assert {"desk": sid} == held(stack)
    assert "adopt" not in stack.resources()["desk"]["inputs"]
    stack.program(desk(inputs="adopt=False"))
    stack.pulumi("config", "rm", "twilio:adopt")
    assert {} == stack.planned()


def test_the_programs_friendly_name_is_set_as_it_is_adopted(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Old name").sid
    stack.program(desk())
    assert f"adopt {sid}, no call, and rename from 'Old name' to 'Front desk'" in stack.preview().output
    assert f"adopted {sid}, no call, to be renamed from 'Old name' to 'Front desk'" in stack.up().output

    assert ["Front desk"] == [record.friendly_name for record in sandbox.caller_ids]
    assert {} == stack.planned()
    assert [] == sandbox.calls


def test_a_friendly_name_that_can_not_be_set_is_left_to_the_next_up(stack: Stack, sandbox: Sandbox) -> None:
    """As where the number was verified by a call: it is in the state."""
    sid = sandbox.add_caller_id(NUMBER, "Old name").sid
    sandbox.fail("update", status=400, message="Bad name")
    stack.program(desk())
    output = stack.up(settled=False).output

    assert "is verified, under the friendly name 'Old name' instead of 'Front desk': Twilio refused" in output
    assert {"desk": sid} == held(stack)
    sandbox.heal()
    stack.up()
    assert ["Front desk"] == [record.friendly_name for record in sandbox.caller_ids]
    assert {} == stack.planned()


# The engine creates what replaces a resource before it deletes the old one, and both are the same caller ID.


def test_replace_on_request_keeps_the_number(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(desk())
    stack.up()
    output = stack.up("--replace", stack.resources()["desk"]["urn"]).output

    assert f"{sid} stays at Twilio: 'desk' has it" in output
    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))
    assert {} == stack.planned()


def test_a_tainted_resource_keeps_the_number(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(desk())
    stack.up()
    stack.pulumi("state", "taint", stack.resources()["desk"]["urn"])
    stack.up()

    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))
    assert {} == stack.planned()


def test_imported_and_replaced_on_request(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """With `import_` left in the program it is imported again."""
    stack.program(desk(inputs="", options=f'import_="{sid}"'))
    stack.up()
    stack.up("--replace", stack.resources()["desk"]["urn"])

    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))


def test_another_name_in_the_program_without_an_alias_keeps_the_number(
    stack: Stack, sandbox: Sandbox, sid: str
) -> None:
    stack.program(desk())
    stack.up()
    stack.program(desk("reception"))
    stack.up()

    assert ([sid], {"reception": sid}) == (listed(sandbox), held(stack))
    assert {} == stack.planned()
    assert [] == sandbox.calls


@pytest.mark.parametrize("old", ["renamed", "replaced"])
def test_a_deletion_that_a_later_run_catches_up_on_keeps_the_number(
    stack: Stack, sandbox: Sandbox, sid: str, old: str
) -> None:
    """Where anything else fails, the engine leaves deletions to the next run."""
    sandbox.set_phone("+14155550102", "busy")
    stack.program(desk())
    stack.up()
    # The failing one depends on the adopted one, so that it is tried after it.
    failing = 'OutgoingCallerId("other", phone_number="+14155550102", opts=ResourceOptions(depends_on=[desk]))\n'
    if old == "renamed":
        stack.program("desk = " + desk("reception") + failing)
        stack.up(ok=False)
    else:
        stack.program("desk = " + desk() + failing)
        stack.up("--replace", stack.resources()["desk"]["urn"], ok=False)
    assert 2 == [r.get("id") for r in stack.deployment()["resources"]].count(sid)

    sandbox.set_phone("+14155550102", "keys-code")
    stack.up()
    assert sid in listed(sandbox)
    assert sid in held(stack).values()
    assert 1 == [r.get("id") for r in stack.deployment()["resources"]].count(sid)
    assert {} == stack.planned()


ACCOUNT = """
import os
{0} = Provider("{0}", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"])
"""


@pytest.mark.parametrize("way", ["to an explicit provider", "back to the default one"])
def test_another_name_and_provider_at_once_keep_the_number(stack: Stack, sandbox: Sandbox, sid: str, way: str) -> None:
    """Each provider has a process of its own: what one adopts, the other deletes."""
    programs = [desk(), ACCOUNT.format("eu") + desk("reception", options="provider=eu")]
    before, after = programs if way == "to an explicit provider" else reversed(programs)
    stack.program(before)
    stack.up()
    stack.program(after)
    [name] = {"desk", "reception"} - set(held(stack))
    output = stack.up().output

    assert f"{sid} stays at Twilio: {name!r} has it" in output
    assert ([sid], {name: sid}) == (listed(sandbox), held(stack))
    assert {} == stack.planned()
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_moving_between_providers_of_one_account_changes_nothing(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(desk())
    stack.up()
    for name in ("eu", "us"):
        stack.program(ACCOUNT.format(name) + desk(options=f"provider={name}"))
        stack.up()
        assert {} == stack.planned()
    stack.program(desk())
    stack.up()
    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))


def test_two_resources_on_one_number_are_refused(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(desk())
    stack.up()
    stack.program("first = " + desk() + desk("second", options="depends_on=[first]"))

    said = "declares it too, in the same account: declare each number once"
    assert said in stack.preview(ok=False).output
    assert said in stack.up(ok=False).output
    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("up", "--yes", "--skip-preview", "--refresh"), id="up --refresh"),
        pytest.param(("up", "--yes", "--skip-preview", "--refresh", "--run-program"), id="up --refresh --run-program"),
        pytest.param(("destroy", "--yes", "--skip-preview", "--refresh"), id="destroy --refresh"),
        pytest.param(("destroy", "--yes", "--skip-preview", "--run-program"), id="destroy --run-program"),
        pytest.param(
            ("destroy", "--yes", "--skip-preview", "--refresh", "--run-program"), id="destroy --refresh --run-program"
        ),
    ],
)
def test_what_nothing_holds_any_more_is_deleted(
    stack: Stack, sandbox: Sandbox, sid: str, command: tuple[str, ...]
) -> None:
    """The other side: a refresh in the same operation, or a program that runs for a destroy, holds nothing."""
    stack.program(desk() + 'OutgoingCallerId("other", phone_number="+14155550102")\n')
    stack.up()
    if command[0] == "up":
        stack.program('OutgoingCallerId("other", phone_number="+14155550102")\n')
    stack.pulumi(*command)

    assert sid not in listed(sandbox)
    assert (1 if command[0] == "up" else 0) == len(sandbox.caller_ids) == len(held(stack))
