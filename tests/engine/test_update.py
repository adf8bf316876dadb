"""Changes of a number, and what they do to that which depends on it; `test_parity.py` has the rest of changes."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

# `stamp` depends on the caller ID's outputs: replaced in a preview, it would be what a user calls a scare.
DEPENDENT = """
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

class Stamps(ResourceProvider):
    def diff(self, _id, olds, news):
        changed = [k for k in ("sid", "number") if olds.get(k) != news.get(k)]
        return DiffResult(changes=bool(changed), replaces=changed)
    def create(self, props):
        return CreateResult("1", {"sid": props["sid"], "number": props["number"]})

class Stamp(Resource):
    def __init__(self, name, sid, number):
        super().__init__(Stamps(), name, {"sid": sid, "number": number})

desk = OutgoingCallerId("desk", phone_number="%s", friendly_name=%r)
Stamp("stamp", desk.sid, desk.phone_number)
pulumi.export("name", desk.friendly_name)
pulumi.export("sid", desk.sid)
"""


def declare(number: str, name: str | None) -> str:
    return DEPENDENT % (number, name)


def test_a_number_and_its_name_change(stack: Stack, sandbox: Sandbox) -> None:
    """A rename is an update in place: the sid stays, dependents are not touched, no call is placed, and the stack's
    outputs follow. A name that is no longer given stays. Another number replaces what depends on it, too.
    """
    stack.program(declare("+14155550101", "Front desk"))
    stack.up(settled=False)
    sid = stack.resources()["desk"]["id"]

    stack.program(declare("+14155550101", "Reception"))
    assert {"desk": "update"} == stack.planned()
    stack.up()
    assert {"name": "Reception", "sid": sid} == stack.outputs()
    assert [(sid, "Reception")] == [(record.sid, record.friendly_name) for record in sandbox.caller_ids]
    assert 1 == len(sandbox.calls)
    stack.program(declare("+14155550101", None))
    stack.up()
    assert "Reception" == stack.outputs()["name"]

    sandbox.set_phone("+14155550102", "busy")
    stack.program(declare("+14155550102", "Front desk"))
    assert {"desk": "replace", "stamp": "replace"}.items() <= stack.planned().items()
    stack.up(ok=False)
    assert ["+14155550101"] == [record.phone_number for record in sandbox.caller_ids]
    assert "+14155550101" == stack.resources()["desk"]["outputs"]["phone_number"]
    sandbox.set_phone("+14155550102", "keys-code")
    stack.up()
    assert sid != stack.outputs()["sid"]
    assert ["+14155550102"] == [record.phone_number for record in sandbox.caller_ids]
    assert ["create", "update", "create", "create", "delete"] == [
        request.endpoint for request in sandbox.requests if request.method in ("POST", "DELETE")
    ]


def test_a_state_with_another_provider_reference_heals_without_a_call(stack: Stack, sandbox: Sandbox) -> None:
    """The engine keeps the old reference for refresh and destroy, unless there is an update: so there is one."""
    old_home = stack.project / "old_home.py"
    old_home.write_text(
        "from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider as Current\n"
        "class OldProvider(Current): pass\n"
    )
    stack.program(
        "import pulumi_twilio_caller_id.resource as resource, old_home\n"
        "resource.OutgoingCallerIdProvider = old_home.OldProvider\n" + declare("+14155550101", "Front desk")
    )
    stack.up(settled=False)
    old_home.unlink()
    writes = [r for r in sandbox.requests if r.method != "GET"]

    stack.program(declare("+14155550101", "Front desk"))
    assert {"desk": "update"} == stack.planned()
    stack.up()
    assert writes == [r for r in sandbox.requests if r.method != "GET"]
    stack.destroy()
    assert [] == sandbox.caller_ids
