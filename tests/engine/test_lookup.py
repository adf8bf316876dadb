"""Reading caller IDs from a program, on the real engine: values, Outputs, and how errors are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.stored import occurrences

SUB = "AC" + "5" * 32
TOKEN = "sub-token-canary-2b9c"
NUMBERS = {"+14155550101": "Desk", "+14155550102": "Desk", "+14155550103": "Lobby"}

HEAD = """
import os
from pulumi_twilio_caller_id import *
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Made(ResourceProvider):
    def create(self, props):
        return CreateResult("1", {"value": props["then"]})

class Later(Resource):
    value: Output[str]
    def __init__(self, name, then):
        super().__init__(Made(), name, {"value": None, "then": then})
"""
VALUES = """
one = get_outgoing_caller_id(friendly_name="Lobby")
one_later = get_outgoing_caller_id_output(friendly_name=Output.from_input("Lobby"))
desks_later = get_outgoing_caller_ids_output(friendly_name="Desk", phone_number=Output.from_input(None))
pulumi.export("one", one)
pulumi.export("one later", one_later)
pulumi.export("sids", [one.sid, one_later.sid, one_later.apply(lambda record: record.sid)])
pulumi.export("desks", [record.phone_number for record in get_outgoing_caller_ids(friendly_name="Desk")])
pulumi.export("first", desks_later[0].phone_number)
pulumi.export("count", desks_later.apply(len))
pulumi.export("none", get_outgoing_caller_ids("+14155550109"))
OutgoingCallerId("new", phone_number="+14155550108", friendly_name=Output.concat(one_later.friendly_name, " 2"))
"""
UNKNOWN = """
number, token = (Later(name, text).value for name, text in (("n", "415-555-0103"), ("t", os.environ["TOKEN"])))
by_provider = get_outgoing_caller_id_output("+14155550103", provider=Provider("p", auth_token=token))
pulumi.export("by filter", get_outgoing_caller_id_output(number).sid)
pulumi.export("by provider", by_provider.sid)
"""


@pytest.fixture
def numbers(sandbox: Sandbox) -> dict[str, str]:
    """Three numbers in the account, verified elsewhere: number -> sid."""
    return {number: sandbox.add_caller_id(number, name).sid for number, name in NUMBERS.items()}


def test_values_and_outputs_that_a_program_can_use(stack: Stack, sandbox: Sandbox, numbers: dict[str, str]) -> None:
    """Records can be exported whole, and their fields used as inputs. Nothing of them is managed. If a filter or a
    provider is not known before `up`, a preview asks nothing, and does not know the result.
    """
    stack.environment["TOKEN"] = sandbox.auth_token
    stack.program(HEAD + UNKNOWN)
    preview = stack.preview().output
    assert 2 == preview.split("Outputs:")[1].count(": [unknown]")
    assert [] == sandbox.requests
    stack.program(HEAD + UNKNOWN + VALUES)
    stack.up()
    told = stack.outputs()

    lobby = numbers["+14155550103"]
    assert ("+14155550103", "Lobby", lobby) == tuple(
        told["one"][name] for name in ("phone_number", "friendly_name", "sid")
    )
    assert told["one"] == told["one later"]
    assert [lobby] * 5 == [*told["sids"], told["by filter"], told["by provider"]]
    assert ["+14155550101", "+14155550102"] == sorted(told["desks"])
    assert told["first"] in told["desks"]
    assert (2, []) == (told["count"], told["none"])
    assert "Lobby 2" == stack.resources()["new"]["outputs"]["friendly_name"]

    stack.destroy()
    assert set(numbers.values()) == {record.sid for record in sandbox.caller_ids}


def test_the_account_of_a_provider(make_stack: Callable[..., Stack]) -> None:
    """Plain values are enough for the plain form. The token is a secret, what was read with it is none."""
    with Sandbox(subaccounts={SUB: TOKEN}) as sandbox:
        record = sandbox.add_caller_id("+14155550104", "Sub", SUB)
        stack = make_stack(environment={"TOKEN": TOKEN, "URL": sandbox.url, "NUMBER": "+14155550104"})
        stack.program(
            HEAD
            + f'told = dict(account_sid="{SUB}", api_url=os.environ["URL"])\n'
            + 'plain = Provider("plain", auth_token=os.environ["TOKEN"], **told)\n'
            + 'secret = Provider("secret", auth_token=Output.secret(os.environ["TOKEN"]), **told)\n'
            + 'pulumi.export("plain", get_outgoing_caller_id(provider=plain).sid)\n'
            + 'pulumi.export("later", get_outgoing_caller_ids_output(provider=secret)[0].sid)\n'
            + 'number = Output.secret(os.environ["NUMBER"])\n'
            + 'pulumi.export("number", get_outgoing_caller_id_output(number, provider=secret))\n'
        )
        output = stack.up().output
        told = stack.outputs()
        assert {"plain": record.sid, "later": record.sid} == {k: told[k] for k in ("plain", "later")}
        assert 2 == output.count(record.sid)
        assert "number: [secret]" in output
        assert [] == occurrences("+14155550104", stack)
        assert [] == occurrences(TOKEN, stack)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        pytest.param(
            'get_outgoing_caller_id("+14155550109")',
            "error: get_outgoing_caller_id: there is no caller ID with phone_number '+14155550109' in account AC",
            id="while the program runs",
        ),
        pytest.param(
            'pulumi.export("sid", get_outgoing_caller_id_output(friendly_name=Output.secret("canary")).sid)',
            "error: get_outgoing_caller_id_output: there is no caller ID with the given friendly_name in account AC",
            id="later, by a secret",
        ),
    ],
)
def test_what_goes_wrong_is_one_message_at_preview(
    program: str, told: str, stack: Stack, numbers: dict[str, str]
) -> None:
    stack.program(HEAD + program + "\n")
    output = stack.preview(ok=False).output

    assert told in output
    assert "Traceback" not in output
    assert "canary" not in output


def test_previews_need_credentials_too(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    stack.program(HEAD + "get_outgoing_caller_ids_output()\n")
    output = stack.preview(ok=False).output

    missing = "Twilio credentials are missing: no account sid and no auth token (or API key)."
    assert f"error: get_outgoing_caller_ids_output: {missing}\n" in output
    assert "Traceback" not in output
