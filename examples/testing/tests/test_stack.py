"""The stack on the real engine: who is phoned, and what comes of it. Some 2 seconds for each run of Pulumi."""

from __future__ import annotations

import pytest
from pulumi import automation as auto

from pulumi_twilio_caller_id.testing import Sandbox

DESK, SUPPORT = "+14155550101", "+14155550102"


def names(sandbox: Sandbox) -> dict[str, str]:
    """The verified numbers, and how they are called."""
    return {caller_id.phone_number: caller_id.friendly_name for caller_id in sandbox.caller_ids}


def test_a_preview_phones_nobody_and_needs_no_credentials(
    stack: auto.Stack, twilio_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in twilio_sandbox.environment:
        monkeypatch.delenv(name)

    assert {auto.OpType.CREATE: 3} == stack.preview().change_summary  # the stack itself is one of them
    assert [] == twilio_sandbox.requests


def test_each_number_is_phoned_once_and_never_again(stack: auto.Stack, twilio_sandbox: Sandbox) -> None:
    outputs = stack.up().outputs
    sids = {caller_id.phone_number: caller_id.sid for caller_id in twilio_sandbox.caller_ids}
    assert {"front-desk": sids[DESK], "support": sids[SUPPORT]} == {name: it.value for name, it in outputs.items()}
    assert {DESK: "Example: front desk", SUPPORT: "Example: support"} == names(twilio_sandbox)

    # Somebody works in the Console, and the company gets another name: both are put right in place.
    twilio_sandbox.rename(sids[DESK], "Reception")
    stack.set_config("company", auto.ConfigValue("Acme"))
    stack.up(refresh=True)
    assert {DESK: "Acme: front desk", SUPPORT: "Acme: support"} == names(twilio_sandbox)
    assert sids == {caller_id.phone_number: caller_id.sid for caller_id in twilio_sandbox.caller_ids}
    assert [DESK, SUPPORT] == sorted(call.to for call in twilio_sandbox.calls)


@pytest.mark.twilio_sandbox(phones={SUPPORT: {"behaviour": "busy", "rings": 1}})
def test_who_is_busy_is_called_again_and_nobody_else(stack: auto.Stack, twilio_sandbox: Sandbox) -> None:
    with pytest.raises(auto.CommandError, match="the line was busy"):
        stack.up()
    assert [DESK] == list(names(twilio_sandbox))

    twilio_sandbox.set_phone(SUPPORT, "keys-code")
    stack.up()
    calls = sorted((call.to, call.status) for call in twilio_sandbox.calls)
    assert [(DESK, "completed"), (SUPPORT, "busy"), (SUPPORT, "completed")] == calls
