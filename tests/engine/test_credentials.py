"""Whose credentials requests are made with: one source's, whole, whatever the others have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack
from tests.support.machine import free_port
from tests.support.plugin_code import run_in_plugin

QUICK = Delays(queued=0, rings=0.1, talks=0.1)
SUBACCOUNT = "AC" + "5" * 32
SUB_TOKEN = "subaccount-token-canary"
DESK = 'OutgoingCallerId("desk", phone_number="+14155550101")\n'
LAB = f'OutgoingCallerId("lab", phone_number="+14155550102", account_sid="{SUBACCOUNT}")\n'
PUBLIC = "https://hooks.example.com/twilio"
NO_LOOKS = """
from pulumi_twilio_caller_id.verification.waiter import PollingPolicy, wait_until_verified
wait_until_verified.__kwdefaults__["polling"] = PollingPolicy(interval_with_callback=3600.0)
"""


@pytest.fixture
def parent() -> Iterator[Sandbox]:
    """An account with a subaccount."""
    with Sandbox(delays=QUICK, subaccounts={SUBACCOUNT: SUB_TOKEN}) as running:
        yield running


def test_stray_variables_change_nothing_for_a_stack_with_credentials(
    make_stack: Callable[..., Stack], parent: Sandbox
) -> None:
    """Nor does a key of the config for a subaccount's numbers: `tests/unit/provider` has the other combinations."""
    strays = {
        "TWILIO_API_KEY": "SK" + "9" * 32,
        "TWILIO_API_SECRET": "stray",
        "TWILIO_ACCOUNT_SID": "AC" + "9" * 32,
        "TWILIO_AUTH_TOKEN": "stray",
    }
    stack = make_stack(environment={"TWILIO_API_URL": parent.url, **strays})
    stack.configure(
        {
            "twilio:accountSid": parent.account_sid,
            "twilio:authToken": parent.auth_token,
            "twilio:apiKey": parent.api_key,
            "twilio:apiSecret": parent.api_secret,
        }
    )
    stack.program(DESK + LAB)
    stack.up(settled=False)
    stack.refresh()
    stack.destroy()

    names: dict[str, set[str]] = {}
    for request in parent.requests:
        names.setdefault(request.path.split("/")[3].removesuffix(".json"), set()).add(request.username)
    assert {parent.account_sid: {parent.api_key}, SUBACCOUNT: {parent.account_sid}} == names


# A subaccount's callbacks


@pytest.fixture
def called_back(make_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, Sandbox]]:
    port = free_port()
    delays = Delays(queued=0, rings=0.2, talks=1.0)
    with Sandbox(
        delays=delays, subaccounts={SUBACCOUNT: SUB_TOKEN}, deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}
    ) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(LAB)
        stack.configure({"twilio:callbackUrl": PUBLIC, "twilio:callbackListen": f"127.0.0.1:{port}"})
        yield stack, sandbox


def test_a_subaccounts_callback_ends_the_wait(called_back: tuple[Stack, Sandbox]) -> None:
    """It is signed with the subaccount's token, which is read from Twilio, and shown nowhere."""
    stack, sandbox = called_back
    run_in_plugin(stack, NO_LOOKS)
    output = stack.up("--debug", settled=False).output

    assert [204] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert "warning" not in output
    assert SUB_TOKEN not in output
    assert [] == [path for path in stack.files() if SUB_TOKEN.encode() in path.read_bytes()]


def test_where_the_subaccounts_token_cannot_be_read_a_callback_is_a_reason_to_look(
    called_back: tuple[Stack, Sandbox],
) -> None:
    stack, sandbox = called_back
    sandbox.fail("account", status=403, code=20003)
    run_in_plugin(stack, NO_LOOKS)
    output = stack.up(settled=False).output

    assert [204] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert 1 == output.partition("Diagnostics:")[2].count("set twilio:callbackAuthTokens")


def test_a_callback_that_no_known_token_signed_is_a_warning(called_back: tuple[Stack, Sandbox]) -> None:
    stack, sandbox = called_back
    sandbox.callbacks_go("badly-signed")
    output = stack.up(settled=False).output

    assert [403] == [callback.status for callback in sandbox.callbacks]
    assert ["lab"] == list(stack.resources())
    assert 1 == output.partition("Diagnostics:")[2].count("set twilio:callbackAuthTokens")
