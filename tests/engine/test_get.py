from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

GET = """
seen = OutgoingCallerId.get("seen", "%s")
pulumi.export("seen", dict(sid=seen.sid, number=seen.phone_number, name=seen.friendly_name, account=seen.account_sid,
    created=seen.date_created, updated=seen.date_updated, uri=seen.uri))
"""


def test_get_reads_without_managing(stack: Stack, sandbox: Sandbox) -> None:
    record = sandbox.add_caller_id("+14155550109", "By hand")
    stack.program(GET % record.sid)
    stack.preview()
    stack.up()

    seen = stack.outputs()["seen"]
    assert (record.sid, "+14155550109", "By hand", sandbox.account_sid) == (
        seen["sid"],
        seen["number"],
        seen["name"],
        seen["account"],
    )
    assert all(seen[key] for key in ("created", "updated", "uri"))
    stack.refresh()
    stack.destroy()
    assert [record.sid] == [kept.sid for kept in sandbox.caller_ids]
    assert {"GET"} == {r.method for r in sandbox.requests}


def test_get_of_one_that_is_not_there(stack: Stack, sandbox: Sandbox) -> None:
    """Nothing empty gets into the state."""
    stack.program(GET % ("PN" + "0" * 32))
    result = stack.up(ok=False)

    assert f"error: There is no OutgoingCallerId PN{'0' * 32} in account {sandbox.account_sid} (20404)." in result.error
    assert "a number bought from Twilio has such a sid too." in result.error
    assert "Traceback" not in result.output
    assert {} == stack.resources()


def test_get_with_credentials_that_are_refused(stack: Stack, sandbox: Sandbox) -> None:
    """The program reads it, with those of now: there is nothing to run first, and nothing to delete."""
    record = sandbox.add_caller_id("+14155550109", "By hand")
    sandbox.set_auth_token("e" * 32)
    stack.program(GET % record.sid)
    error = stack.up(ok=False).error

    assert "(code 20003, HTTP 401, account AC" in error
    assert error.endswith(f"Check that they are current and belong to account {sandbox.account_sid}.")


def test_get_of_what_is_not_a_sid(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(GET % "../Calls/CA1")
    result = stack.preview(ok=False)

    assert "'../Calls/CA1' is not the sid of an OutgoingCallerId" in result.error
    assert [] == sandbox.requests
