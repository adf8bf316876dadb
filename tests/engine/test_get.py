"""`OutgoingCallerId.get`: read, not managed."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

GET = """
seen = OutgoingCallerId.get("seen", "%s")
pulumi.export("seen", dict(sid=seen.sid, number=seen.phone_number, name=seen.friendly_name, account=seen.account_sid,
    created=seen.date_created, updated=seen.date_updated, uri=seen.uri))
"""


def test_get_reads_without_managing(stack: Stack, sandbox: Sandbox) -> None:
    """If there is no caller ID of this sid, nothing empty gets into the state."""
    stack.program(GET % ("PN" + "0" * 32))
    missing = stack.up(ok=False)
    told = f"error: There is no OutgoingCallerId PN{'0' * 32} in account {sandbox.account_sid} (20404)."
    assert told in missing.error
    assert "a number bought from Twilio has such a sid too." in missing.error
    assert "Traceback" not in missing.output
    assert {} == stack.resources()

    record = sandbox.add_caller_id("+14155550109", "By hand")
    stack.program(GET % record.sid)
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

    stack.up()
    sandbox.remove(record.sid)
    assert f"warning: +1 415-555-0109 ({record.sid}) is gone at Twilio\n" in stack.refresh().output
    assert {} == stack.resources()
