"""Reading caller IDs from a program, on the real engine: values, Outputs, and how errors are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack, occurrences

SUB = "AC" + "5" * 32
TOKEN = "sub-token-canary-2b9c"
NUMBERS = {"+14155550101": "Desk", "+14155550102": "Desk", "+14155550103": "Lobby"}

HEAD = """
from pulumi_twilio_caller_id import *
"""


@pytest.fixture
def numbers(sandbox: Sandbox) -> dict[str, str]:
    """Three numbers in the account, verified elsewhere: number -> sid."""
    return {number: sandbox.add_caller_id(number, name).sid for number, name in NUMBERS.items()}


def test_values_and_outputs_that_a_program_can_use(stack: Stack, sandbox: Sandbox, numbers: dict[str, str]) -> None:
    """Records can be exported whole, their fields used as inputs; nothing of them is managed."""
    stack.program(
        HEAD
        + """
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
OutgoingCallerId("new", phone_number="+14155550108", friendly_name=one_later.friendly_name)
"""
    )
    assert {"new": "create"} == stack.planned()
    assert {"GET"} == {request.method for request in sandbox.requests}
    stack.up(settled=False)  # two are named Lobby now
    told = stack.outputs()

    assert ("+14155550103", "Lobby", numbers["+14155550103"]) == tuple(
        told["one"][name] for name in ("phone_number", "friendly_name", "sid")
    )
    assert told["one"] == told["one later"]
    assert [numbers["+14155550103"]] * 3 == told["sids"]
    assert ["+14155550101", "+14155550102"] == sorted(told["desks"])
    assert told["first"] in told["desks"]
    assert (2, []) == (told["count"], told["none"])
    assert "Lobby" == stack.resources()["new"]["outputs"]["friendly_name"]

    stack.destroy()
    assert set(numbers.values()) == {record.sid for record in sandbox.caller_ids}


def test_the_account_of_a_provider(make_stack: Callable[..., Stack]) -> None:
    """Plain values are enough for the plain form. The token is a secret, what was read with it is none."""
    with Sandbox(subaccounts={SUB: TOKEN}) as sandbox:
        record = sandbox.add_caller_id("+14155550104", "Sub", SUB)
        stack = make_stack(environment={"TOKEN": TOKEN, "URL": sandbox.url, "NUMBER": "+14155550104"})
        stack.program(
            HEAD
            + "import os\n"
            + f'told = dict(account_sid="{SUB}", api_url=os.environ["URL"])\n'
            + 'plain = Provider("plain", auth_token=os.environ["TOKEN"], **told)\n'
            + 'secret = Provider("secret", auth_token=Output.secret(os.environ["TOKEN"]), **told)\n'
            + 'pulumi.export("plain", get_outgoing_caller_id(provider=plain).sid)\n'
            + 'pulumi.export("later", get_outgoing_caller_ids_output(provider=secret)[0].sid)\n'
            + 'number = Output.secret(os.environ["NUMBER"])\n'
            + 'pulumi.export("number", get_outgoing_caller_id_output(number, provider=secret))\n'
        )
        output = stack.up().output
        assert {"plain": record.sid, "later": record.sid} == {k: stack.outputs()[k] for k in ("plain", "later")}
        assert 2 == output.count(record.sid)
        assert "number: [secret]" in output
        assert [] == occurrences("+14155550104", stack)
        assert [] == occurrences(TOKEN, stack)


LATER = (
    HEAD
    + """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Made(ResourceProvider):
    def create(self, props):
        return CreateResult("1", {"value": props["then"]})

class Later(Resource):
    value: Output[str]
    def __init__(self, name, then):
        super().__init__(Made(), name, {"value": None, "then": then})
"""
)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param('later("415-555-0103")', id="filter"),
        pytest.param('"+14155550103", provider=Provider("p", auth_token=later(os.environ["TOKEN"]))', id="provider"),
    ],
)
def test_what_is_not_known_before_up(arguments: str, stack: Stack, sandbox: Sandbox, numbers: dict[str, str]) -> None:
    """Twilio is not asked in a preview, and the result is not known there."""
    stack.environment["TOKEN"] = sandbox.auth_token
    stack.program(
        LATER
        + "import os\n"
        + 'later = lambda text: Later("later", text).value\n'
        + f'pulumi.export("sid", get_outgoing_caller_id_output({arguments}).sid)\n'
    )
    assert "sid: [unknown]" in stack.preview().output
    assert [] == sandbox.requests

    stack.up()
    assert {"sid": numbers["+14155550103"]} == stack.outputs()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        pytest.param(
            'get_outgoing_caller_id("+14155550109")',
            "error: get_outgoing_caller_id: there is no caller ID with phone_number '+14155550109' in account AC",
            id="none",
        ),
        pytest.param(
            'get_outgoing_caller_id_output(friendly_name=Output.from_input("Desk"))',
            "error: get_outgoing_caller_id_output: there are 2 caller IDs with friendly_name 'Desk' in account AC",
            id="several, by an Output",
        ),
        pytest.param(
            'pulumi.export("sid", get_outgoing_caller_id_output(friendly_name=Output.secret("canary")).sid)',
            "error: get_outgoing_caller_id_output: there is no caller ID with friendly_name [secret] in account AC",
            id="none, by a secret",
        ),
        pytest.param(
            'get_outgoing_caller_id_output(Output.secret("canary"))',
            "error: get_outgoing_caller_id_output: phone_number can't be looked up: it is not a phone number.",
            id="a secret that makes no sense",
        ),
        pytest.param(
            'get_outgoing_caller_ids(Output.from_input("+14155550101"))',
            "error: get_outgoing_caller_ids: phone_number is an Output, whose value is not there while the program",
            id="an Output where none can be",
        ),
        pytest.param(
            'get_outgoing_caller_id(provider=Provider("eu", auth_token=Output.secret("canary")))',
            "error: get_outgoing_caller_id: the provider's auth_token is an Output, whose value is not there while the",
            id="a provider of Outputs",
        ),
        pytest.param(
            'get_outgoing_caller_ids(provider=pulumi.ProviderResource("pulumi-python", "eu", {}))',
            "error: get_outgoing_caller_ids: provider is a ProviderResource, which has no Twilio account.",
            id="another kind of provider",
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


@pytest.mark.parametrize("program", ["get_outgoing_caller_ids()", "get_outgoing_caller_ids_output()"])
def test_previews_need_credentials_too(program: str, make_stack: Callable[..., Stack]) -> None:
    stack = make_stack()
    stack.program(HEAD + program + "\n")
    output = stack.preview(ok=False).output

    function = program.rstrip("()")
    assert (
        f"error: {function}: Twilio credentials are missing: no account sid and no auth token (or API key).\n"
    ) in output
    assert "Traceback" not in output
