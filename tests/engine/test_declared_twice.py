"""One number that a program declares twice: its phone rings once at most, and the error names both resources."""

from __future__ import annotations

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Stack

NUMBER = "+14155550101"
OTHER = "+14155550102"

ACCOUNT = """
import os
{0} = Provider("{0}", account_sid=os.environ["TWILIO_ACCOUNT_SID"], auth_token=os.environ["TWILIO_AUTH_TOKEN"])
"""

# A value that is known late: the output of a resource that this same `up` creates.
LATE = f'early = OutgoingCallerId("early", phone_number="{OTHER}")\nlate = early.sid.apply(lambda _: "{NUMBER}")\n'

PROGRAMS = {
    "two Providers": (
        ACCOUNT.format("eu")
        + ACCOUNT.format("us")
        # The second is registered while the first one's phone rings.
        + f'OutgoingCallerId("desk", phone_number="{NUMBER}", opts=ResourceOptions(provider=eu))\n'
        f'OutgoingCallerId("front", phone_number="{NUMBER}", opts=ResourceOptions(provider=us))\n'
    ),
    "a Provider and the stack's own settings": (
        ACCOUNT.format("eu") + f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
        f'OutgoingCallerId("front", phone_number="{NUMBER}", opts=ResourceOptions(provider=eu))\n'
    ),
    "one address in two spellings": (
        'import os\neu = Provider("eu", account_sid=os.environ["TWILIO_ACCOUNT_SID"], '
        'auth_token=os.environ["TWILIO_AUTH_TOKEN"], api_url=os.environ["TWILIO_API_URL"] + "/")\n'
        f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
        f'OutgoingCallerId("front", phone_number="{NUMBER}", opts=ResourceOptions(provider=eu))\n'
    ),
}
"""One number from two plugin processes; `tests/unit/provider/test_adopt.py` has one process."""

LATE_PROGRAMS = {
    "one process": (
        LATE + 'OutgoingCallerId("desk", phone_number=late)\nOutgoingCallerId("front", phone_number=late)\n'
    ),
    "one of two is known": (
        LATE + f'OutgoingCallerId("desk", phone_number="{NUMBER}")\nOutgoingCallerId("front", phone_number=late)\n'
    ),
    "two Providers": (
        LATE
        + ACCOUNT.format("eu")
        + ACCOUNT.format("us")
        + 'OutgoingCallerId("desk", phone_number=late, opts=ResourceOptions(provider=eu))\n'
        'OutgoingCallerId("front", phone_number=late, opts=ResourceOptions(provider=us))\n'
    ),
}


@pytest.fixture
def twilio_sandbox_options() -> dict[str, Delays]:
    """Phones ring long enough for a second call to be placed meanwhile."""
    return {"delays": Delays(queued=0, rings=0.5, talks=0.3)}


def rung(sandbox: Sandbox) -> list[str]:
    return [call.to for call in sandbox.calls]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_preview_says_so_and_up_places_one_call(stack: Stack, sandbox: Sandbox, program: str) -> None:
    stack.program(PROGRAMS[program])
    preview = stack.preview(ok=False)
    assert preview.code != 0
    assert "declare each number once" in preview.output
    assert "'desk'" in preview.output or "'front'" in preview.output
    assert "Traceback" not in preview.output

    result = stack.up(ok=False)
    assert result.code != 0
    assert "declare each number once" in result.output.lower()
    assert rung(sandbox).count(NUMBER) <= 1
    assert len(stack.resources()) <= 1


@pytest.mark.parametrize("program", LATE_PROGRAMS)
def test_a_number_that_is_known_late_rings_once(stack: Stack, sandbox: Sandbox, program: str) -> None:
    stack.program(LATE_PROGRAMS[program])
    result = stack.up(ok=False)

    assert result.code != 0
    assert "declare each number once" in result.output.lower()
    assert "Traceback" not in result.output
    assert rung(sandbox) in ([NUMBER, OTHER], [OTHER, NUMBER])
    assert len({"desk", "front"} & set(stack.resources())) == 1


@pytest.mark.twilio_sandbox(subaccounts=["AC" + "2" * 32])
def test_one_number_in_several_accounts_is_no_mistake(stack: Stack, sandbox: Sandbox) -> None:
    """Nor at two addresses: two sandboxes have the same account."""
    with Sandbox(delays=Delays(0, 0.1, 0.1)) as other:
        stack.program(
            "import os\n"
            'account_sid, auth_token = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]\n'
            f'there = Provider("there", api_url="{other.url}", account_sid=account_sid, auth_token=auth_token)\n'
            f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
            f'OutgoingCallerId("lab", phone_number="{NUMBER}", account_sid="AC{"2" * 32}")\n'
            f'OutgoingCallerId("far", phone_number="{NUMBER}", opts=ResourceOptions(provider=there))\n'
        )
        stack.preview()
        stack.up()
        assert ([NUMBER, NUMBER], [NUMBER]) == (rung(sandbox), rung(other))
        assert {"desk", "lab", "far"} == set(stack.resources())


@pytest.mark.parametrize("way", ["adopt=True", "import_"])
@pytest.mark.parametrize("provider", ["the same", "another"])
def test_what_is_deleted_first_is_not_taken_over_meanwhile(
    stack: Stack, sandbox: Sandbox, way: str, provider: str
) -> None:
    """`a` is deleted before its replacement is created, while `b` takes over its caller ID. Either one is told."""
    stack.program(f'OutgoingCallerId("a", phone_number="{NUMBER}")\n')
    stack.up(settled=False)
    [record] = sandbox.caller_ids
    sandbox.fail("delete", times=2, status=429, retry_after=1)
    inputs = "adopt=True, " if way == "adopt=True" else ""
    options = [] if way == "adopt=True" else [f'import_="{record.sid}"']
    options += ["provider=eu"] if provider == "another" else []
    stack.program(
        ACCOUNT.format("eu")
        + f'OutgoingCallerId("a", phone_number="{OTHER}", opts=ResourceOptions(delete_before_replace=True))\n'
        f'OutgoingCallerId("b", phone_number="{NUMBER}", {inputs}opts=ResourceOptions({", ".join(options)}))\n'
    )
    result = stack.up(ok=False)

    assert "Traceback" not in result.output
    there = {known.sid for known in sandbox.caller_ids}
    states = stack.resources()
    assert {state["id"] for state in states.values() if not state.get("pendingReplacement")} <= there
    if "b" in states:
        assert record.sid in there
        assert f"{record.sid} stays at Twilio: 'b' has it" in result.output
    else:
        assert f"its caller ID {record.sid} is being deleted by the same command" in result.output
    if way == "adopt=True":
        stack.up()
        assert {OTHER, NUMBER} == {known.phone_number for known in sandbox.caller_ids}


def test_a_swap_that_deletes_first_says_to_run_it_again(stack: Stack, sandbox: Sandbox) -> None:
    """What is being deleted is nothing to import or adopt."""
    program = (
        'OutgoingCallerId("a", phone_number="{}", opts=ResourceOptions(delete_before_replace=True))\n'
        'OutgoingCallerId("b", phone_number="{}", opts=ResourceOptions(delete_before_replace=True))\n'
    )
    stack.program(program.format(NUMBER, OTHER))
    stack.up(settled=False)
    sandbox.fail("delete", times=1, status=429, retry_after=1)
    stack.program(program.format(OTHER, NUMBER))
    result = stack.up(ok=False)
    if result.code:
        assert "is being deleted by the same command.\n" in result.output
        assert "import_" not in result.output
    stack.up()
    assert {NUMBER, OTHER} == {known.phone_number for known in sandbox.caller_ids}


def test_an_error_hook_may_try_the_same_number_again(stack: Stack, sandbox: Sandbox) -> None:
    """The resource that failed to be verified still is the one that declares the number."""
    sandbox.set_phone(NUMBER, "busy")
    stack.program(
        "from pulumi import ErrorHook, ResourceHookBinding\n"
        "attempts = []\n"
        "def again(args):\n"
        "    attempts.append(1)\n"
        "    return len(attempts) < 2\n"
        'hook = ErrorHook("again", again)\n'
        f'OutgoingCallerId("desk", phone_number="{NUMBER}",'
        " opts=ResourceOptions(hooks=ResourceHookBinding(on_error=[hook])))\n"
    )
    assert "the line was busy" in stack.up(ok=False).output
    assert [NUMBER, NUMBER] == rung(sandbox)
