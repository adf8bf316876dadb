from __future__ import annotations

import json
from collections.abc import Callable

from harness import Stack, occurrences
from pulumi_twilio_caller_id.testing import Sandbox

SECRET = "1b47061264138c4ac30d75fd1eb44270"  # how a state file marks an encrypted value

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'


def test_a_secret_phone_number_stays_secret(stack: Stack, sandbox: Sandbox) -> None:
    """In the state, after up as after refresh; the stack's output is masked."""
    stack.program(
        'desk = OutgoingCallerId("desk", phone_number=Output.secret("415-555-0101"), friendly_name="Front desk")\n'
        'pulumi.export("number", desk.phone_number)\npulumi.export("sid", desk.sid)\n'
    )
    output = stack.up().output
    assert "number: [secret]" in output
    for operation in (lambda: None, stack.refresh, stack.up):
        operation()
        desk = stack.resources()["desk"]
        assert SECRET in json.dumps(desk["inputs"]["phone_number"])
        assert SECRET in json.dumps(desk["outputs"]["phone_number"])
        assert [] == occurrences("+14155550101", stack)
    assert {} == stack.planned()
    assert "+14155550101" == stack.outputs()["number"]


def test_the_auth_token_is_nowhere(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    """Neither in what any operation prints nor, as it is, in any file the engine keeps: from the stack's secret config
    and from the environment, with operations that succeed and that fail."""
    token = sandbox.auth_token
    by_config = make_stack("by-config")
    for key, value in (("accountSid", sandbox.account_sid), ("apiUrl", sandbox.url)):
        by_config.pulumi("config", "set", f"twilio:{key}", value)
    by_config.pulumi("config", "set", "--secret", "twilio:authToken", token)
    by_environment = make_stack("by-environment", environment=sandbox.environment)

    for number, stack in (("+14155550101", by_config), ("+14155550102", by_environment)):
        stack.program(DESK.replace("+14155550101", number))
        printed = [
            stack.preview("--diff").output,
            stack.up("--debug").output,
            stack.refresh("--debug").output,
        ]
        sandbox.set_auth_token("d" * 32)
        printed += [stack.refresh(ok=False).output, stack.destroy(ok=False).output]
        sandbox.set_auth_token(token)
        printed += [json.dumps(stack.export()), stack.destroy().output]
        assert [] == [text for text in printed if token in text]
        assert [] == occurrences(token, stack)
    assert [] == sandbox.caller_ids
