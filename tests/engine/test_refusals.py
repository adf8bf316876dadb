"""What is said where Twilio refuses."""

from __future__ import annotations

from collections.abc import Callable

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

NUMBER = "+14155550101"
LAB = "AC" + "5" * 32


def test_a_refusal_names_the_account(make_stack: Callable[..., Stack]) -> None:
    """A stack may have several, and each its own credentials."""
    with Sandbox(subaccounts=[LAB]) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(
            f'lab = Provider("lab", account_sid="{LAB}", auth_token="{sandbox.subaccounts[LAB]}")\n'
            f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
            f'OutgoingCallerId("bench", phone_number="{NUMBER}", opts=ResourceOptions(provider=lab))\n'
        )
        stack.up()
        sandbox.set_auth_token("rotated", LAB)
        output = stack.refresh(ok=False).output

    assert f"Authenticate (code 20003, HTTP 401, account {LAB})." in output
    assert f"account {sandbox.account_sid}" not in output


def test_a_number_that_the_list_does_not_show_yet(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.fail("create", status=400, code=21450, message="Phone number is already verified.")
    stack.program(f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n')

    assert stack.up(ok=False).error == (
        f"error: Account {sandbox.account_sid} has verified +1 415-555-0101 already, but its list does not show it yet"
        " (code 21450).\nWait a minute and run `pulumi up` again."
    )
    assert [] == sandbox.calls
