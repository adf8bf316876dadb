"""`adopt`: a number that is verified already is taken over without a call, any other is verified.

`tests/unit/provider/test_adopt.py` has what asks nothing of the engine.
"""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.stored import comparable

NUMBER = "+14155550101"
OTHER = 'OutgoingCallerId("other", phone_number="+14155550102", adopt=True)\n'


def desk(name: str = "desk", inputs: str = "adopt=True", options: str = "") -> str:
    inputs = ", ".join(filter(None, [f'phone_number="{NUMBER}", friendly_name="Front desk"', inputs]))
    return f'OutgoingCallerId("{name}", {inputs}, opts=ResourceOptions({options}))\n'


def held(stack: Stack) -> dict[str, str]:
    return {name: state["id"] for name, state in stack.resources().items()}


def listed(sandbox: Sandbox) -> list[str]:
    return [record.sid for record in sandbox.caller_ids]


def test_a_verified_number_is_taken_over_and_any_other_verified(stack: Stack, sandbox: Sandbox) -> None:
    """One setting for both, rows and log say which; the state is what verifying the number would have left."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    old = sandbox.add_caller_id("+14155550103", "Old name").sid
    renamed = 'OutgoingCallerId("renamed", phone_number="+14155550103", friendly_name="Lobby", adopt=True)\n'
    stack.program(desk() + OTHER + renamed)
    preview = stack.preview().output
    assert f"desk create adopt {sid}, no call" in preview
    assert f"renamed create adopt {old}, no call, and rename it" in preview
    log = stack.up().output.split("Diagnostics:", 1)[1]

    assert f"adopted {sid}, no call" in log
    assert f"adopted {old}, no call" in log
    assert "Old name" not in preview + log
    assert ["+14155550102"] == [call.to for call in sandbox.calls]
    assert ["create", "update"] == sorted(r.endpoint for r in sandbox.requests if r.method != "GET")
    assert ["Front desk", "Lobby"] == [record.friendly_name for record in sandbox.caller_ids[:2]]
    adopted = stack.resources()["desk"]
    assert (sid, old) == (adopted["id"], held(stack)["renamed"])
    stack.refresh("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids

    stack.up(settled=False)
    assert comparable(stack.resources()["desk"]) == comparable(adopted)


ACCOUNT = """
import os
{0} = Provider("{0}", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"])
"""


def test_moving_between_providers_of_one_account_keeps_the_number(stack: Stack, sandbox: Sandbox) -> None:
    """Each provider has a process of its own: under another name, what one adopts, the other deletes."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    stack.program(desk())
    stack.up(settled=False)
    for name, program in (
        ("reception", ACCOUNT.format("eu") + desk("reception", options="provider=eu")),
        ("desk", desk()),
    ):
        stack.program(program)
        output = stack.up().output
        assert f"{sid} stays at Twilio: {name!r} has it" in output
        assert ([sid], {name: sid}) == (listed(sandbox), held(stack))

    sent = [request for request in sandbox.requests if request.method != "GET"]
    for name in ("eu", "us"):
        stack.program(ACCOUNT.format(name) + desk(options=f"provider={name}"))
        stack.up()
        assert f"::{name}::" in stack.resources()["desk"]["provider"]
    assert ([sid], {"desk": sid}) == (listed(sandbox), held(stack))
    assert sent == [request for request in sandbox.requests if request.method != "GET"]
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_what_nothing_holds_any_more_is_deleted(stack: Stack, sandbox: Sandbox) -> None:
    """The other side: a refresh in the same operation, or a program that runs for a destroy, holds nothing."""
    both = desk() + OTHER
    for options in (["--refresh"], ["--refresh", "--run-program"]):
        stack.program(both)
        stack.up(settled=False)
        gone = held(stack)["desk"]
        stack.program(OTHER)
        stack.up(*options, settled=False)
        assert gone not in listed(sandbox)
        assert ["other"] == list(stack.resources())
        assert listed(sandbox) == list(held(stack).values())

    stack.program(both)
    for options in (["--refresh"], ["--run-program"], ["--refresh", "--run-program"]):
        stack.up(settled=False)
        stack.destroy(*options)
        assert ([], {}) == (sandbox.caller_ids, stack.resources())
