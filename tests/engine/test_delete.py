from __future__ import annotations

from collections.abc import Callable

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack

QUICK = Delays(queued=0, rings=0.1, talks=0.1)

TWO = (
    'OutgoingCallerId("desk", phone_number="+14155550101")\nOutgoingCallerId("support", phone_number="+14155550102")\n'
)


def test_destroy_removes_the_numbers_at_twilio(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    stack.destroy()

    assert [] == sandbox.caller_ids
    assert {} == stack.resources()


def test_leaving_one_out_of_the_program_deletes_just_that(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    stack.program(TWO.splitlines()[0])
    stack.up()

    assert ["+14155550101"] == [record.phone_number for record in sandbox.caller_ids]


def test_one_that_is_gone_already_is_as_good_as_deleted(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    sandbox.remove(sandbox.caller_ids[0].sid)
    stack.destroy()

    assert [] == sandbox.caller_ids
    assert {} == stack.resources()


def test_one_that_twilio_does_not_delete_stays_in_state(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(TWO)
    stack.up()
    sandbox.fail("delete", times=None, status=500, retry_after=0)
    result = stack.destroy(ok=False)

    assert "Twilio failed to delete caller ID PN" in result.error
    assert "Traceback" not in result.output
    assert {"desk", "support"} == set(stack.resources())
    sandbox.heal()
    stack.destroy()
    assert [] == sandbox.caller_ids


def test_one_of_an_account_that_the_config_no_longer_names(make_stack: Callable[..., Stack]) -> None:
    """The default provider has no credentials but those of now: the message says whose it is, and the ways out."""
    old, new = ("AC" + "4" * 32, "old-token"), ("AC" + "5" * 32, "new-token")
    with Sandbox(delays=QUICK, subaccounts=dict([old, new])) as sandbox:
        stack = make_stack(environment={"TWILIO_API_URL": sandbox.url})
        stack.program('OutgoingCallerId("desk", phone_number="+14155550101")\n')
        for account, token in (old, new):
            stack.pulumi("config", "set", "twilio:accountSid", account)
            stack.pulumi("config", "set", "--secret", "twilio:authToken", token)
            result = stack.up(ok=account == old[0])
        assert [old[0], new[0]] == [record.account_sid for record in sandbox.caller_ids]
        urn = stack.resources()["desk"]["urn"]
        assert (
            f"The caller ID is account {old[0]}'s, the credentials are account {new[0]}'s. Without those of\n"
            f"{old[0]}: delete it in that account's Console. Then, in a terminal,\n"
            f"`pulumi state delete '{urn}'`; of two, pick the one that is pending deletion."
        ) in result.error
        assert "of the last `pulumi up`" not in result.error, "which would not help here"
