"""A resource that is replaced although its number stays the same: on request, tainted, or by its trigger."""

from __future__ import annotations

import re
import shlex

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Result, Stack

NUMBERS = {"asked": "+14155550101", "tainted": "+14155550102", "triggered": "+14155550103"}


def program(trigger: str, options: str = "") -> str:
    """All three. trigger: of the last one."""
    own = {"triggered": f', replacement_trigger="{trigger}"'}
    return "".join(
        f'OutgoingCallerId("{name}", phone_number="{number}", opts=ResourceOptions({options}{own.get(name, "")}))\n'
        for name, number in NUMBERS.items()
    ).replace("(, ", "(")


def test_a_number_that_is_replaced_by_itself(stack: Stack, sandbox: Sandbox) -> None:
    """A replacement fails before a call, and says how to do without it, or how to verify the number anew.

    The engine doesn't tell a provider that a new resource replaces one: the advice is there for all that are new.
    """
    stack.program(program("1"))
    stack.up(settled=False)
    urns = {name: state["urn"] for name, state in stack.resources().items()}

    def refused(result: Result, name: str) -> str:
        told = " ".join(result.output.split())
        assert "If this resource has it already, remove what replaces it: `--replace`," in told
        assert "opts=pulumi.ResourceOptions(delete_before_replace=True), then `pulumi up --skip-preview` (its" in told
        assert urns[name] in told
        assert len(NUMBERS) == len(sandbox.calls)
        return result.output

    for operation in (stack.preview, stack.up):
        refused(operation("--replace", urns["asked"], ok=False), "asked")
    stack.program(program("2"))
    for operation in (stack.preview, stack.up):
        refused(operation(ok=False), "triggered")
    stack.program(program("1"))
    stack.pulumi("state", "taint", urns["tainted"])
    refused(stack.preview(ok=False), "tainted")
    [untaint] = set(re.findall(r"a taint\s+\(`(.*)`\)", refused(stack.up(ok=False), "tainted")))
    stack.pulumi(*shlex.split(untaint)[1:])
    assert {} == stack.planned()

    old = {name: state["id"] for name, state in stack.resources().items()}
    stack.pulumi("state", "taint", urns["tainted"])
    stack.program(program("2", "delete_before_replace=True"))
    stack.up("--replace", urns["asked"])
    assert 2 * len(NUMBERS) == len(sandbox.calls)
    new = {state["id"] for state in stack.resources().values()}
    assert new == {record.sid for record in sandbox.caller_ids}
    assert new.isdisjoint(old.values())


def test_a_number_that_is_adopted_is_kept(stack: Stack, sandbox: Sandbox) -> None:
    """Tainted or asked to be replaced: what it has, it adopts or imports."""
    sids = {name: sandbox.add_caller_id(number, "Desk").sid for name, number in NUMBERS.items()}
    stack.program(
        f'OutgoingCallerId("asked", phone_number="{NUMBERS["asked"]}", adopt=True)\n'
        f'OutgoingCallerId("tainted", phone_number="{NUMBERS["tainted"]}", adopt=True)\n'
        f'OutgoingCallerId("triggered", phone_number="{NUMBERS["triggered"]}",'
        f' opts=ResourceOptions(import_="{sids["triggered"]}"))\n'
    )
    stack.up(settled=False)
    urns = {name: state["urn"] for name, state in stack.resources().items()}
    stack.pulumi("state", "taint", urns["tainted"])
    output = stack.up("--replace", urns["asked"], "--replace", urns["triggered"]).output

    for name, sid in sids.items():
        assert f"{sid} stays at Twilio: '{name}' has it" in output
    assert sids == {name: state["id"] for name, state in stack.resources().items()}
    assert set(sids.values()) == {record.sid for record in sandbox.caller_ids}
    assert [] == sandbox.calls
