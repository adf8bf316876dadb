"""What a preview shows to somebody who reviews a change, in the forms that a pull request may carry."""

from __future__ import annotations

import json

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

BEFORE = """
OutgoingCallerId("same", phone_number="+14155550101", friendly_name="Same")
OutgoingCallerId("renamed", phone_number="+14155550102", friendly_name="Old name")
OutgoingCallerId("later", phone_number="+14155550103", friendly_name="Old name")
OutgoingCallerId("moved", phone_number="+14155550104")
OutgoingCallerId("adopting", phone_number="+14155550105")
OutgoingCallerId("retained", phone_number="+14155550106", opts=ResourceOptions(retain_on_delete=True))
OutgoingCallerId("before", phone_number="+14155550107", opts=ResourceOptions(delete_before_replace=True))
OutgoingCallerId("a", phone_number="+14155550108", adopt=True)
OutgoingCallerId("b", phone_number="+14155550109", adopt=True)
"""
AFTER = """
new = OutgoingCallerId("new", phone_number="+49 30 90182000")
OutgoingCallerId("same", phone_number="(415) 555-0101", friendly_name="Same")
OutgoingCallerId("renamed", phone_number="+14155550102", friendly_name="New name")
OutgoingCallerId("later", phone_number="+14155550103", friendly_name=new.date_created)
OutgoingCallerId("moved", phone_number="+14155550114",
    opts=ResourceOptions(custom_timeouts=CustomTimeouts(create="8m")))
OutgoingCallerId("adopting", phone_number="+14155550115", adopt=True)
OutgoingCallerId("retained", phone_number="+14155550116", opts=ResourceOptions(retain_on_delete=True))
OutgoingCallerId("before", phone_number="+14155550117", opts=ResourceOptions(delete_before_replace=True))
OutgoingCallerId("a", phone_number="+14155550109", adopt=True)
OutgoingCallerId("b", phone_number="+14155550108", adopt=True)
OutgoingCallerId("unknown", phone_number=new.date_created.apply(lambda _: "+14155550118"))
"""

WITHIN = "(someone must key in a 6-digit code within {} min)"


def told(sids: dict[str, str], adopted: str) -> dict[str, str]:
    """What the preview says of each resource, given the sids in the state and the one that is adopted."""

    def deleted(last_digits: str, name: str) -> str:
        number = f"+1 415-555-01{last_digits}"
        return f", then delete {number} ({sids[name]}) unless another resource or retain_on_delete keeps it"

    call = "`pulumi up` will call {} " + WITHIN.format(5)
    return {
        "new": call.format("+49 30 90182000"),
        "moved": f"`pulumi up` will call +1 415-555-0114 {WITHIN.format(8)}" + deleted("04", "moved"),
        "adopting": f"adopt {adopted}, no call" + deleted("05", "adopting"),
        "retained": call.format("+1 415-555-0116") + deleted("06", "retained"),
        "before": call.format("+1 415-555-0117") + deleted("07", "before"),
        "a": f"adopt {sids['b']}, no call" + deleted("08", "a"),
        "b": f"adopt {sids['a']}, no call" + deleted("09", "b"),
        "unknown": call.format("the number"),
    }


def test_each_new_or_replaced_number_has_one_line_and_the_others_have_none(stack: Stack, sandbox: Sandbox) -> None:
    """Two resources swap their numbers by adoption: nothing is deleted, and the preview doesn't say so, as the other
    resource's turn may come later. Nor does it know of what is retained.
    """
    stack.program(BEFORE)
    stack.up()
    old = {name: state["id"] for name, state in stack.resources().items()}
    adopted = sandbox.add_caller_id("+14155550115").sid
    texts = told(old, adopted)
    stack.program(AFTER)

    diagnostics = stack.preview().output.split("Diagnostics:", 1)[1]
    for name, text in texts.items():
        assert f"OutgoingCallerId ({name}):\n    {text}\n" in diagnostics
    assert len(texts) == diagnostics.count("OutgoingCallerId (")

    diff = stack.preview("--diff").output
    assert dict.fromkeys(texts, 1) == {name: diff.count(text) for name, text in texts.items()}

    # As diagnostics of their own resource, beside the steps; what else the provider is told is in no inputs.
    preview = json.loads(stack.preview("--json").stdout)
    said = [(d["urn"].rsplit("::", 1)[1], d["message"].strip()) for d in preview["diagnostics"] if d.get("urn")]
    assert sorted(texts.items()) == sorted(said)
    assert {"phone_number", "friendly_name", "adopt", "__provider"} == {
        name for step in preview["steps"] if "OutgoingCallerId" in step["urn"] for name in step["newState"]["inputs"]
    }

    begin = len(sandbox.requests)
    up = stack.up().output
    assert [] == [text for text in texts.values() if text in up], "up says nothing of it again"
    sids = {name: state["id"] for name, state in stack.resources().items()}
    assert (old["b"], old["a"], adopted) == (sids["a"], sids["b"], sids["adopting"])
    assert {*sids.values(), old["retained"]} == {record.sid for record in sandbox.caller_ids}
    asked = [request.form.get("PhoneNumber") or request.path[-39:-5] for request in sandbox.requests[begin:]]
    assert asked.index(old["before"]) < asked.index("+14155550117")
    assert asked.index("+14155550114") < asked.index(old["moved"])

    replace = ("--replace", stack.resources()["before"]["urn"])
    refused = f"it is a caller ID of account {sandbox.account_sid} already: {sids['before']}."
    assert refused in stack.preview(*replace, ok=False).output
    calls = len(sandbox.calls)
    stack.up(*replace)
    assert ["+14155550117"] == [call.to for call in sandbox.calls[calls:]]
    again = stack.resources()["before"]["id"]
    assert sids["before"] != again
    assert {again, *sids.values(), old["retained"]} - {sids["before"]} == {record.sid for record in sandbox.caller_ids}
