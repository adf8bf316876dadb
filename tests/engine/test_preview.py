from __future__ import annotations

from collections.abc import Callable

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

DESK = 'OutgoingCallerId("desk", phone_number="+14155550101", friendly_name="Front desk")\n'


def test_a_new_stack_needs_no_credentials_and_places_no_call(
    make_stack: Callable[..., Stack], sandbox: Sandbox
) -> None:
    """The one thing a preview in a pull request must never do, with and without an account within reach."""
    stack = make_stack()
    stack.program(DESK)

    assert {"desk": "create"} == stack.planned()
    assert {"desk": "create"} == make_reachable(stack, sandbox).planned()
    assert [] == sandbox.calls
    assert [] == [r for r in sandbox.requests if r.method != "GET"]


def make_reachable(stack: Stack, sandbox: Sandbox) -> Stack:
    stack.environment.update(sandbox.environment)
    return stack


def test_formatting_is_not_a_change(stack: Stack, sandbox: Sandbox) -> None:
    """However a number is written, it is the same number; the inputs of the call alone change nothing either."""
    stack.program(DESK)
    stack.up()
    for number in ("(415) 555-0101", "415.555.0101", "+1 415 555 0101"):
        stack.program(f'OutgoingCallerId("desk", phone_number="{number}", friendly_name="Front desk", call_delay=7)\n')
        assert {} == stack.planned()
    stack.up("--expect-no-changes")

    assert 1 == len(sandbox.calls)
    assert "+14155550101" == stack.resources()["desk"]["inputs"]["phone_number"]


def test_another_default_region(stack: Stack, sandbox: Sandbox) -> None:
    """`twilio:defaultRegion` says whose numbers may be written without a country code."""
    stack.pulumi("config", "set", "twilio:defaultRegion", "DE")
    stack.program('OutgoingCallerId("berlin", phone_number="030 90182000")\n')
    stack.up()

    assert ["+493090182000"] == [call.to for call in sandbox.calls]


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


UNKNOWN = """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Known(ResourceProvider):
    def create(self, props):
        return CreateResult("1", {"number": "415-555-0107", "name": "Lobby"})

class Later(Resource):
    number: Output[str]
    name: Output[str]
    def __init__(self, name):
        super().__init__(Known(), name, {"number": None, "name": None})

later = Later("later")
OutgoingCallerId("lobby", phone_number=later.number, friendly_name=later.name, call_delay=0)
"""


def test_inputs_that_are_not_known_before_up(stack: Stack, sandbox: Sandbox) -> None:
    """Outputs of another resource are unknown at preview: nothing to refuse yet, and the rest is checked as ever."""
    stack.program(UNKNOWN)
    assert {"later": "create", "lobby": "create"} == stack.planned()

    stack.program(UNKNOWN.replace("call_delay=0", "call_delay=99"))
    assert "property call_delay value {99} has a problem: it must be" in stack.preview(ok=False).output

    stack.program(UNKNOWN)
    stack.up()
    assert {"lobby": "+14155550107"} == {n: r["outputs"]["phone_number"] for n, r in stack.resources().items()}
    assert {} == stack.planned()
    assert 1 == len(sandbox.calls)


def test_a_misspelled_key_of_the_config_is_a_warning(make_stack: Callable[..., Stack]) -> None:
    """It names the right one. Previews and ups would go on without the setting, and fail later or not at all."""
    stack = make_stack()
    stack.pulumi("config", "set", "twilio:acountSid", "AC" + "1" * 32)
    stack.pulumi("config", "set", "twilio:retryAttempts", "3")
    stack.program(DESK)
    diagnostics = stack.preview().output.split("Diagnostics:", 1)[1]

    told = "The stack's config has twilio:acountSid, which means nothing here: did you mean twilio:accountSid?"
    assert 1 == diagnostics.count(f"warning: {told}")
    assert "retryAttempts" not in diagnostics
