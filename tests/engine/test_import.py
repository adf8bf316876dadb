"""`ResourceOptions(import_=...)`: the caller ID of this sid is taken over, without a call and without a write."""

from __future__ import annotations

import json
from collections.abc import Callable

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.stored import comparable

NUMBER = "+14155550101"
NO_SUCH = "PN" + "0" * 32
MADE = "+14155550102"
SURROUNDINGS = f"""
import os
eu = pulumi.ProviderResource("pulumi-python", "eu", {{"twilio:accountSid": os.environ["TWILIO_ACCOUNT_SID"]}})
class Office(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("my:Office", name)
office = Office("office")
made = OutgoingCallerId("made", phone_number="{MADE}", friendly_name="Front desk")
"""
OPTIONS = (
    "parent=office",
    "provider=eu",
    "protect=True",
    "depends_on=[made]",
    "retain_on_delete=True",
    'custom_timeouts=CustomTimeouts(create="8m")',
)


def declared(name: str, number: str, import_: str | None, *options: str, friendly_name: str | None = None) -> str:
    opts = ", ".join([f'import_="{import_}"'] * (import_ is not None) + list(options))
    inputs = f"phone_number={number}, friendly_name={friendly_name!r}"
    return f'{name} = OutgoingCallerId("{name}", {inputs}, opts=ResourceOptions({opts}))\n'


def desk(import_: str | None) -> str:
    return declared("desk", f'"{NUMBER}"', import_, friendly_name="Front desk")


def test_import_takes_over_exactly_that_sid(stack: Stack, sandbox: Sandbox) -> None:
    """The preview says so, and its plan holds. `up` only reads, and the state is what verifying the number would have
    left. Options given with it keep their meaning.
    """
    numbers = {"desk": NUMBER, "bare": "+14155550103", "later": "+14155550104", "optioned": "+14155550105"}
    sids = {name: sandbox.add_caller_id(number, "Front desk").sid for name, number in numbers.items()}
    adopted = sandbox.add_caller_id("+14155550106").sid
    others = (
        declared("bare", f'"{numbers["bare"]}"', sids["bare"])
        + declared("later", f'bare.date_created.apply(lambda _: "{numbers["later"]}")', sids["later"])
        + declared("optioned", f'"{numbers["optioned"]}"', sids["optioned"], *OPTIONS)
        + 'OutgoingCallerId("adopted", phone_number="+14155550106", adopt=True)\n'
    )
    stack.program(SURROUNDINGS + desk(sids["desk"]) + others)
    preview = stack.preview("--save-plan", "plan.json").output
    for name, sid in sids.items():
        assert f"{name} create import {sid}, no call" in preview
    assert ["list"] * 2 == [request.endpoint for request in sandbox.requests], "one listing for each provider"
    up = stack.up("--plan", "plan.json").output
    asked = sandbox.requests[2:]

    for sid in sids.values():
        assert f"imported {sid}, no call" in up
    assert ["create"] == [request.endpoint for request in asked if request.method != "GET"]
    assert [MADE] == [call.to for call in sandbox.calls]
    assert len(sids) == [request.endpoint for request in asked].count("fetch")
    looked = [request.params.get("PhoneNumber") for request in asked if request.endpoint == "list"]
    assert {MADE, "+14155550106"} == set(looked)

    states = stack.resources()
    assert sids | {"adopted": adopted} == {name: state["id"] for name, state in states.items() if name != "made"}
    made = json.dumps(comparable(states["made"])).replace("made", "desk").replace(MADE, NUMBER)
    assert json.loads(made) == comparable(states["desk"])
    assert "Front desk" == states["bare"]["outputs"]["friendly_name"], "what the program leaves out is not managed"
    optioned = states["optioned"]
    assert optioned["parent"].endswith("::my:Office::office")
    assert "pulumi:providers:pulumi-python::eu::" in optioned["provider"]
    assert (True, True, 480) == (optioned["protect"], optioned["retainOnDelete"], optioned["customTimeouts"]["create"])
    assert [states["made"]["urn"]] == optioned["dependencies"]

    stack.refresh("--expect-no-changes")
    stack.program(SURROUNDINGS + desk(None) + others)
    stack.up("--expect-no-changes")
    stack.pulumi("state", "unprotect", "--all", "--yes")
    stack.destroy()
    assert [sids["optioned"]] == [record.sid for record in sandbox.caller_ids], "retained, as the option says"


def test_leaving_it_in_while_the_resource_changes(stack: Stack, sandbox: Sandbox) -> None:
    """Moved by an alias, or given a friendly name: it is imported once. Another sid replaces what is in the state, as
    with the engine's own imports; here, the number was deleted and verified anew in the Console.
    """
    numbers = {"desk": NUMBER, "named": "+14155550102", "anew": "+14155550103"}
    sids = {name: sandbox.add_caller_id(number, "Front desk").sid for name, number in numbers.items()}
    stack.program("".join(declared(name, f'"{numbers[name]}"', sid) for name, sid in sids.items()))
    stack.up()
    sandbox.remove(sids["anew"])
    sids["anew"] = sandbox.add_caller_id(numbers["anew"], "Front desk").sid
    stack.program(
        declared("reception", f'"{NUMBER}"', sids["desk"], 'aliases=[pulumi.Alias(name="desk")]')
        + declared("named", f'"{numbers["named"]}"', sids["named"], friendly_name="Reception")
        + declared("anew", f'"{numbers["anew"]}"', sids["anew"])
    )
    stack.up()

    sids["reception"] = sids.pop("desk")
    assert sids == {name: state["id"] for name, state in stack.resources().items()}
    assert {sids["reception"]: "Front desk", sids["named"]: "Reception", sids["anew"]: "Front desk"} == {
        record.sid: record.friendly_name for record in sandbox.caller_ids
    }
    assert [] == sandbox.calls


def test_left_in_after_the_number_is_gone_it_is_to_be_removed(stack: Stack, sandbox: Sandbox) -> None:
    """By a `destroy`, in the Console, or by another number in the program: the message says so, and then it works."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    stack.program(desk(sid))
    stack.up()
    stack.program(declared("desk", f'"{MADE}"', sid))
    assert "or remove import_ to have the number called" in stack.preview(ok=False).output
    stack.program(desk(sid))
    stack.destroy()
    for told in (stack.preview(ok=False).output, stack.up(ok=False).output):
        assert "If it was deleted, remove import_: `pulumi up` will then call the number." in told
    stack.program(desk(None))
    stack.up()
    sandbox.remove(stack.resources()["desk"]["id"])
    stack.refresh()
    stack.program(desk(sid))
    assert "remove import_" in stack.preview(ok=False).output


def test_what_is_not_the_one_declared_is_an_error(stack: Stack, sandbox: Sandbox) -> None:
    """A preview ends with the first of them. `up` without a preview tells of each. Nothing is changed at Twilio."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    lobby = sandbox.add_caller_id("+14155550109", "Lobby").sid
    named = declared("named", f'"{NUMBER}"', sid, friendly_name="Reception")
    name_differs = (
        f"{sid}, which import_ names, has another friendly name at Twilio, and an import changes nothing: give the same"
        " name or none. `python -m pulumi_twilio_caller_id list` shows Twilio's"
    )
    stack.program(named)
    preview = stack.preview(ok=False).output
    assert f"property friendly_name value {{Reception}} has a problem: {name_differs}\n" in preview
    assert "no call" not in preview
    assert "Traceback" not in preview

    stack.program(
        named
        + declared("moved", '"+14155550102"', sid)
        + declared("bought", '"+14155550103"', NO_SUCH)
        + declared("mistaken", '"+14155550109"', NO_SUCH)
    )
    up = stack.up("--continue-on-error", ok=False)
    not_there = "the account has no such OutgoingCallerId (20404)"
    removal = (
        "If it was deleted, remove import_: `pulumi up` will then call the number. A number bought from Twilio has such"
        " a sid too, but is not an OutgoingCallerId."
    )
    assert {
        "named": f"error: friendly_name: {name_differs}.\nNothing was changed at Twilio.",
        "moved": f"error: phone_number is '+14155550102': {sid}, which import_ names, is {NUMBER} at Twilio: correct"
        " the number or the sid, or remove import_ to have the number called.\nNothing was changed at Twilio.",
        "bought": f"error: import_ of +1 415-555-0103 is {NO_SUCH}: {not_there}. {removal}\nNothing was"
        " changed at Twilio.",
        "mistaken": f"error: import_ of +1 415-555-0109 is {NO_SUCH}: {not_there}; the caller ID of"
        f" +14155550109 is {lobby}: give that sid.\nNothing was changed at Twilio.",
    } == up.errors
    assert "Traceback" not in up.output
    assert {"GET"} == {request.method for request in sandbox.requests}
    assert {} == stack.resources()


def test_a_preview_without_credentials(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    stack = make_stack()
    stack.program(desk(sid) + declared("other", '"+14155550102"', "../Calls", "depends_on=[desk]"))
    output = stack.preview(ok=False).output

    assert f"desk create import {sid}, no call" in output
    assert "resource 'other' has a problem: import_ is '../Calls': it is not the sid of an OutgoingCallerId" in output
    assert 1 == output.partition("Diagnostics:")[2].count("no call")
    assert [] == sandbox.requests
