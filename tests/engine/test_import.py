"""`ResourceOptions(import_=...)`: the caller ID of this sid is taken over, without a call and without a write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, comparable

NUMBER = "+14155550101"
NO_SUCH = "PN" + "0" * 32
PROVIDER = """
import os
eu = pulumi.ProviderResource("pulumi-python", "eu", {"twilio:accountSid": os.environ["TWILIO_ACCOUNT_SID"]})
class Office(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("my:Office", name)
office = Office("office")
"""


def desk(import_: str | None, *options: str, name: str = "desk", inputs: str = 'friendly_name="Front desk"') -> str:
    given = [f'import_="{import_}"'] * (import_ is not None) + list(options)
    inputs = ", ".join(filter(None, [f'phone_number="{NUMBER}"', inputs]))
    return f'OutgoingCallerId("{name}", {inputs}, opts=ResourceOptions({", ".join(given)}))\n'


@pytest.fixture
def sid(sandbox: Sandbox) -> str:
    return sandbox.add_caller_id(NUMBER, "Front desk").sid


def test_import_takes_over_exactly_that_sid(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """The preview says so, up asks nothing but to read, and the state is what verifying the number would have left."""
    stack.program(desk(sid))
    assert f"desk create import {sid}, no call" in stack.preview().output
    previewed = len(sandbox.requests)
    up = stack.up().output

    assert f"imported {sid}, no call" in up
    assert [] == sandbox.calls
    assert {"GET"} == {request.method for request in sandbox.requests}
    assert ["list", "fetch"] == [request.endpoint for request in sandbox.requests]
    assert 1 == previewed
    imported = stack.resources()["desk"]
    assert sid == imported["id"]

    assert {} == stack.planned()
    stack.refresh("--expect-no-changes")
    stack.program(desk(None))
    assert {} == stack.planned()
    stack.up("--expect-no-changes")
    stack.destroy()
    assert [] == sandbox.caller_ids

    stack.up()
    assert 1 == len(sandbox.calls)
    assert comparable(stack.resources()["desk"]) == comparable(imported)


def test_what_the_program_leaves_out_is_not_managed(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(desk(sid, inputs=""))
    stack.up()

    assert "Front desk" == stack.resources()["desk"]["outputs"]["friendly_name"]
    assert {} == stack.planned()


def test_a_preview_without_credentials(make_stack: Callable[..., Stack], sandbox: Sandbox, sid: str) -> None:
    stack = make_stack()
    stack.program(desk(sid))
    assert f"desk create import {sid}, no call" in stack.preview().output

    stack.program(desk("../Calls"))
    output = stack.preview(ok=False).output
    assert "resource 'desk' has a problem: import_ is '../Calls': it is not the sid of an OutgoingCallerId" in output
    assert "no call" not in output
    assert [] == sandbox.requests


NOT_THERE = "the account has no such OutgoingCallerId (20404); "
ANOTHER = NOT_THERE + f"the one of {NUMBER} is {{sid}}"
BOUGHT = NOT_THERE + "a number bought from Twilio has such a sid too, but is not an OutgoingCallerId"
NUMBER_DIFFERS = f"{{sid}}, which import_ names, is {NUMBER} at Twilio: correct the number or the sid"
NAME_DIFFERS = (
    "{sid}, which import_ names, is 'Front desk' at Twilio, where an import changes nothing: give that name or none,"
    " and rename it once it is imported"
)
UNVERIFIED = "+14155550107"

# program, the property with its value, what is told of it, how that begins where no preview looked
MISMATCHES = {
    "no such sid": (
        desk(NO_SUCH, inputs=""),
        f"import_ is '{NO_SUCH}'",
        ANOTHER,
        f"import_ of +1 415-555-0101 is {NO_SUCH}",
    ),
    "a bought number's sid": (
        desk(NO_SUCH, inputs="").replace(NUMBER, UNVERIFIED),
        f"import_ is '{NO_SUCH}'",
        BOUGHT,
        f"import_ of +1 415-555-0107 is {NO_SUCH}",
    ),
    "another number": (
        desk("{sid}", inputs="").replace(NUMBER, UNVERIFIED),
        f"property phone_number value {{{UNVERIFIED}}} has a problem",
        NUMBER_DIFFERS,
        f"phone_number is '{UNVERIFIED}'",
    ),
    "another friendly name": (
        desk("{sid}", inputs='friendly_name="Reception"'),
        "property friendly_name value {Reception} has a problem",
        NAME_DIFFERS,
        "friendly_name is 'Reception'",
    ),
}


@pytest.mark.parametrize(("program", "value", "told", "begins"), MISMATCHES.values(), ids=MISMATCHES)
def test_what_is_not_the_one_declared_is_an_error_that_names_both(
    stack: Stack, sandbox: Sandbox, sid: str, program: str, value: str, told: str, begins: str
) -> None:
    """In the preview, where there are credentials, and else when it is to be taken over. Nothing is changed."""
    stack.program(program.replace("{sid}", sid))
    preview = stack.preview(ok=False).output
    up = stack.up(ok=False)

    reason = told.replace("{sid}", sid)
    assert f"{value}: {reason}\n" in preview
    assert "no call" not in preview
    assert f"error: {begins}: {reason}.\nNothing was changed at Twilio." in up.error
    assert "Traceback" not in preview + up.output
    assert [] == sandbox.calls
    assert {"GET"} == {request.method for request in sandbox.requests}
    assert {} == stack.resources()


def test_options_given_with_it_keep_their_meaning(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    options = (
        "parent=office",
        "provider=eu",
        "protect=True",
        "depends_on=[other]",
        "retain_on_delete=True",
        'custom_timeouts=CustomTimeouts(create="8m")',
    )
    other = 'other = OutgoingCallerId("other", phone_number="+14155550102")\n'
    stack.program(PROVIDER + other + desk(sid, *options))
    stack.up()

    state = stack.resources()["desk"]
    assert sid == state["id"]
    assert state["parent"].endswith("::my:Office::office")
    assert "pulumi:providers:pulumi-python::eu::" in state["provider"]
    assert state["protect"] is True
    assert state["retainOnDelete"] is True
    assert 480 == state["customTimeouts"]["create"]
    assert [stack.resources()["other"]["urn"]] == state["dependencies"]
    assert ["+14155550102"] == [call.to for call in sandbox.calls]
    assert {} == stack.planned()

    stack.destroy(ok=False)
    stack.pulumi("state", "unprotect", "--all", "--yes")
    stack.destroy()
    assert [sid] == [record.sid for record in sandbox.caller_ids], "retained, as the option says"


def test_leaving_it_in_while_the_resource_moves(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """Renamed in the program with an alias, given a friendly name, or other options: it is imported once."""
    stack.program(desk(sid))
    stack.up()
    stack.program(desk(sid, 'aliases=[pulumi.Alias(name="desk")]', name="reception"))
    stack.up()
    stack.program(desk(sid, name="reception", inputs='friendly_name="Reception"'))
    stack.up()

    assert {"reception": sid} == {name: state["id"] for name, state in stack.resources().items()}
    assert [(sid, "Reception")] == [(record.sid, record.friendly_name) for record in sandbox.caller_ids]


def test_another_sid_replaces_what_is_in_the_state(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    """As with the engine's own imports. Here the number was deleted and verified anew, in the Console."""
    stack.program(desk(sid))
    stack.up()
    sandbox.remove(sid)
    anew = sandbox.add_caller_id(NUMBER, "Front desk").sid
    stack.program(desk(anew))
    stack.up()

    assert anew == stack.resources()["desk"]["id"]
    assert [anew] == [record.sid for record in sandbox.caller_ids]
    assert [] == sandbox.calls


def test_a_number_that_is_not_known_before_up(stack: Stack, sandbox: Sandbox, sid: str) -> None:
    stack.program(
        'first = OutgoingCallerId("first", phone_number="+14155550102", friendly_name="x")\n'
        f'number = first.date_created.apply(lambda _: "{NUMBER}")\n'
        f'OutgoingCallerId("desk", phone_number=number, opts=ResourceOptions(import_="{sid}"))\n'
    )
    assert f"desk create import {sid}, no call" in stack.preview().output
    stack.up()

    assert sid == stack.resources()["desk"]["id"]
