"""What a preview needs, says and never does; and the same program then run."""

from __future__ import annotations

from collections.abc import Callable

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

UNKNOWN = """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Known(ResourceProvider):
    def create(self, props):
        return CreateResult("1", {"number": "+1 415-555-0107", "name": "Lobby", "adopt": True})

class Later(Resource):
    number: Output[str]
    name: Output[str]
    adopt: Output[bool]
    def __init__(self, name):
        super().__init__(Known(), name, {"number": None, "name": None, "adopt": None})

later = Later("later")
OutgoingCallerId("lobby", phone_number=later.number, friendly_name=later.name, call_delay=0)
OutgoingCallerId("adopted", phone_number="+14155550108", adopt=later.adopt)
"""


def berlin(number: str, more: str = "") -> str:
    return f'OutgoingCallerId("berlin", phone_number="{number}", friendly_name="Front desk"{more})\n'


def test_a_preview_needs_no_credentials_and_places_no_call(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    """The one thing a preview in a pull request must never do, with and without an account within reach. Outputs of
    another resource are unknown at preview: nothing to refuse yet. A number is the same however it is written, and
    `twilio:defaultRegion` says whose numbers may be written without a country code.
    """
    sid = sandbox.add_caller_id("+14155550108").sid
    stack = make_stack()
    stack.configure({"twilio:defaultRegion": "DE", "twilio:acountSid": "AC" + "1" * 32, "twilio:retryAttempts": "3"})
    stack.program(UNKNOWN + berlin("030 90182000"))
    output = stack.preview().output
    diagnostics = output.split("Diagnostics:", 1)[1]
    assert (
        "`pulumi up` will call +49 30 90182000 (someone must key in a 6-digit code within 5 min);"
        " DE is assumed, as the number does not begin with + (twilio:defaultRegion)\n" in diagnostics
    )
    assert 1 == diagnostics.count("could not check which numbers are verified already: no credentials;")
    told = "The stack's config has twilio:acountSid, which means nothing here: did you mean twilio:accountSid?"
    assert 1 == diagnostics.count(f"warning: {told}")
    assert 1 == diagnostics.count("warning: ")
    assert "+ 5 to create" in output

    stack.environment.update(sandbox.environment)
    output = stack.preview().output
    told = f"+1 415-555-0108 is already verified as {sid}: `pulumi up` will fail unless adopt, not known"
    assert f"adopted create {told} yet, turns out true" in output
    assert "+ 5 to create" in output
    assert [] == sandbox.calls
    assert {"GET"} == {request.method for request in sandbox.requests}

    stack.up()
    assert ["+14155550107", "+493090182000"] == sorted(call.to for call in sandbox.calls)
    states = stack.resources()
    assert ("+14155550107", "Lobby") == tuple(
        states["lobby"]["outputs"][name] for name in ("phone_number", "friendly_name")
    )
    assert sid == states["adopted"]["id"]

    before = len(sandbox.requests)
    stack.program(UNKNOWN + berlin("(030) 9018-2000", ", call_delay=7"))
    stack.up("--expect-no-changes")
    assert before == len(sandbox.requests), "what is in the state is not looked up"
    assert "+493090182000" == stack.resources()["berlin"]["inputs"]["phone_number"]


def test_all_mistakes_are_reported_together_and_each_on_its_property(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(
        "OutgoingCallerId('desk', phone_number='555-0101', friendly_name='x' * 65, call_delay=61, extension='1a',\n"
        "    status_callback='http://localhost:5001/x', status_callback_method='PUT', account_sid='SK' + '0' * 32)\n"
    )
    output = stack.preview(ok=False).output

    assert "Traceback" not in output
    for name, value, reason in (
        ("phone_number", "555-0101", "it lacks its area code"),
        ("friendly_name", "x" * 65, "it is 65 characters long: Twilio keeps at most 64"),
        ("call_delay", "61", "it must be a whole number of seconds from 0 to 60"),
        ("extension", "1a", "it must be 1 to 32 of the digits 0-9, * and #, and w for a pause of half a second"),
        ("status_callback", "http://localhost:5001/x", "it names this machine (localhost): Twilio can't reach it"),
        ("status_callback_method", "PUT", "it must be GET or POST"),
        ("account_sid", "SK" + "0" * 32, "it is an API key: give the sid of the account, which begins with AC"),
    ):
        assert f"property {name} value {{{value}}} has a problem: {reason}" in output
    assert [] == sandbox.requests
