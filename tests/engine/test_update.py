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


def test_a_rename_is_an_update_in_place(stack: Stack, sandbox: Sandbox) -> None:
    """The sid stays, dependents are not touched, no call is placed, and the stack's outputs follow."""
    stack.program(declare("+14155550101", "Front desk"))
    stack.up()
    sid = stack.outputs()["sid"]

    stack.program(declare("+14155550101", "Reception"))
    assert {"desk": "update"} == stack.planned()
    stack.up()

    assert {"name": "Reception", "sid": sid} == stack.outputs()
    assert [(sid, "Reception")] == [(record.sid, record.friendly_name) for record in sandbox.caller_ids]
    assert {} == stack.planned()
    assert 1 == len(sandbox.calls)
    outputs = stack.resources()["desk"]["outputs"]
    assert {"sid", "phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri"} == set(
        outputs
    ) - {"__provider"}


def test_a_name_that_is_no_longer_given_is_left_alone(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(declare("+14155550101", "Front desk"))
    stack.up()
    stack.program(declare("+14155550101", None))

    assert {} == stack.planned()
    stack.up()
    assert ["Front desk"] == [record.friendly_name for record in sandbox.caller_ids]
    assert "Front desk" == stack.outputs()["name"]
    assert [] == [r for r in sandbox.requests if r.endpoint == "update"]


def test_another_number_is_verified_before_the_old_one_is_deleted(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(declare("+14155550101", "Front desk"))
    stack.up()
    old = stack.outputs()["sid"]

    stack.program(declare("+14155550102", "Front desk"))
    assert {"desk": "replace", "stamp": "replace"}.items() <= stack.planned().items()
    stack.up()

    assert old != stack.outputs()["sid"]
    assert ["+14155550102"] == [record.phone_number for record in sandbox.caller_ids]
    writes = [r.endpoint for r in sandbox.requests if r.method in ("POST", "DELETE")]
    assert ["create", "create", "delete"] == writes


def test_the_old_number_stays_where_the_new_one_is_not_verified(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(declare("+14155550101", "Front desk"))
    stack.up()
    sandbox.set_phone("+14155550102", "busy")
    stack.program(declare("+14155550102", "Front desk"))
    stack.up(ok=False)

    assert ["+14155550101"] == [record.phone_number for record in sandbox.caller_ids]
    assert "+14155550101" == stack.resources()["desk"]["outputs"]["phone_number"]


def test_renaming_one_that_was_removed_says_what_to_do(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(declare("+14155550101", "Front desk"))
    stack.up()
    sid = stack.outputs()["sid"]
    sandbox.remove(sid)
    stack.program(declare("+14155550101", "Reception"))
    result = stack.up(ok=False)

    assert f"error: +1 415-555-0101 can't be renamed: its caller ID {sid} was removed at Twilio." in result.error
    assert "Run `pulumi refresh`" in result.error
    assert "Traceback" not in result.output
    assert ["desk"] == list(stack.resources())


def test_a_state_with_another_provider_reference_heals_without_a_call(stack: Stack, sandbox: Sandbox) -> None:
    """The engine keeps the old reference where refresh and destroy look, unless there is an update: so there is one."""
    old_home = stack.project / "old_home.py"
    old_home.write_text(
        "from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider as Current\n"
        "class OldProvider(Current): pass\n"
    )
    stack.program(
        "import pulumi_twilio_caller_id.resource as resource, old_home\n"
        "resource.OutgoingCallerIdProvider = old_home.OldProvider\n" + declare("+14155550101", "Front desk")
    )
    stack.up()
    old_home.unlink()
    writes = [r for r in sandbox.requests if r.method != "GET"]

    stack.program(declare("+14155550101", "Front desk"))
    assert {"desk": "update"} == stack.planned()
    stack.up()
    assert {} == stack.planned()
    assert writes == [r for r in sandbox.requests if r.method != "GET"]
    stack.destroy()
    assert [] == sandbox.caller_ids
