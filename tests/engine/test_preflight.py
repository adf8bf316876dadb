"""What a preview learns from the account, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack

NUMBER = "+14155550101"
DESK = f'OutgoingCallerId("front-desk", phone_number="{NUMBER}")\n'


def ways_out(sid: str) -> str:
    return (
        "To have this stack manage it, without a call, one of:\n"
        f'  in the program       opts=pulumi.ResourceOptions(import_="{sid}")\n'
        "  in the program       adopt=True\n"
        f"  on the command line  python -m pulumi_twilio_caller_id import-file --phone-number {NUMBER}"
        " --name front-desk > import.json\n"
        "                       pulumi import --file import.json --generate-code=false\n"
    )


def unindented(output: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in output.splitlines())


def test_a_verified_number_fails_the_preview_and_says_how_to_go_on(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER).sid
    stack.program(DESK)
    output = stack.preview(ok=False).output

    assert f"property phone_number value {{{NUMBER}}} has a problem: it is a caller ID of account" in output
    assert f"{sandbox.account_sid} already: {sid}. No call was placed." in output
    assert ways_out(sid) in unindented(output)
    assert "Traceback" not in output
    assert {"GET"} == {request.method for request in sandbox.requests}


def test_without_a_preflight_it_fails_before_the_call(stack: Stack, sandbox: Sandbox) -> None:
    """Up looks for itself in any case."""
    sid = sandbox.add_caller_id(NUMBER).sid
    stack.pulumi("config", "set", "twilio:preflight", "false")
    stack.program(DESK)
    stack.preview()
    assert [] == sandbox.requests
    output = unindented(stack.up(ok=False).output)

    account = sandbox.account_sid
    told = f"error: +1 415-555-0101 is a caller ID of account {account} already: {sid}. No call was placed.\n"
    assert told + ways_out(sid) in output
    assert [] == sandbox.calls
    assert {} == stack.resources()


def test_one_listing_serves_all_resources(stack: Stack, sandbox: Sandbox) -> None:
    stack.program(
        f'for n in range(20):\n    OutgoingCallerId(f"desk-{{n}}", phone_number=f"+1415555{{n:04}}")\n'
        f'OutgoingCallerId("import", phone_number="{NUMBER}",'
        f' opts=ResourceOptions(import_="{sandbox.add_caller_id(NUMBER).sid}"))\n'.replace("{NUMBER}", NUMBER)
    )
    stack.preview()

    assert [("GET", "1000")] == [(request.method, request.params.get("PageSize")) for request in sandbox.requests]


def test_a_large_account_is_read_page_by_page(make_stack: Callable[..., Stack]) -> None:
    numbers = {f"+1415{n:07}": None for n in range(5550000, 5552000)}
    with Sandbox(numbers=numbers) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program('OutgoingCallerId("last", phone_number="+14155551999", adopt=True)\n')
        output = stack.preview().output

        assert f"adopt {sandbox.caller_ids[-1].sid}, no call" in output
        assert 2 == len(sandbox.requests)


def test_each_account_is_listed_once(make_stack: Callable[..., Stack]) -> None:
    subaccount = "AC" + "5" * 32
    with Sandbox(subaccounts=[subaccount]) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        sid = sandbox.add_caller_id(NUMBER, account_sid=subaccount).sid
        stack.program(
            DESK + f'for n in range(3): OutgoingCallerId(f"sub-{{n}}", phone_number=f"+1415555010{{1 + n}}",'
            f' adopt=True, account_sid="{subaccount}")\n'
        )
        output = stack.preview().output

        assert f"sub-0 create adopt {sid}, no call" in output
        assert {f"adopt {sid}, no call"} == set(re.findall(r"adopt .*", output))
        assert {sandbox.account_sid, subaccount} == {request.path.split("/")[3] for request in sandbox.requests}
        assert 2 == len(sandbox.requests)


def test_what_is_in_the_state_is_not_looked_up(stack: Stack, sandbox: Sandbox) -> None:
    """Nor does up list what a preview has listed: it looks its one number up."""
    stack.program(DESK)
    stack.up()
    looked = [request.params for request in sandbox.requests if request.endpoint == "list"]
    assert {NUMBER} == {params.get("PhoneNumber") for params in looked}

    before = len(sandbox.requests)
    stack.preview()
    assert before == len(sandbox.requests)


def test_a_plan_holds_for_an_adoption_and_an_import(stack: Stack, sandbox: Sandbox) -> None:
    """What only the preview is told does not make up another plan."""
    sids = [sandbox.add_caller_id(number).sid for number in (NUMBER, "+14155550102")]
    stack.program(
        f'OutgoingCallerId("adopted", phone_number="{NUMBER}", adopt=True)\n'
        f'OutgoingCallerId("imported", phone_number="+14155550102", opts=ResourceOptions(import_="{sids[1]}"))\n'
    )
    stack.preview("--save-plan", "plan.json")
    stack.up("--plan", "plan.json")

    assert sids == [stack.resources()[name]["id"] for name in ("adopted", "imported")]


def test_without_credentials_nothing_is_said_of_it(make_stack: Callable[..., Stack], sandbox: Sandbox) -> None:
    stack = make_stack()
    stack.program(DESK)
    diagnostics = stack.preview().output.split("Diagnostics:", 1)[1]

    assert "`pulumi up` will call +1 415-555-0101 (" in diagnostics
    assert "warning" not in diagnostics


TROUBLE = {
    "refused": ({"status": 401, "code": 20003}, "Twilio refused to list the caller IDs of"),
    "down": ({"status": 503}, "Twilio failed to list the caller IDs of"),
    "no answer": ({"drop": "before"}, "and gave no usable answer"),
}


@pytest.mark.parametrize(("fault", "told"), TROUBLE.values(), ids=TROUBLE)
def test_a_preview_goes_on_with_one_warning_where_twilio_does_not_answer(
    stack: Stack, sandbox: Sandbox, fault: dict[str, object], told: str
) -> None:
    sandbox.fail("list", **fault)  # type: ignore[arg-type]
    stack.program("".join(f'OutgoingCallerId("desk-{n}", phone_number="+1415555010{n}")\n' for n in range(5)))
    output = stack.preview().output

    diagnostics = output.split("Diagnostics:", 1)[1]
    assert 1 == diagnostics.count("warning: Numbers that are verified already can't be told from new ones now: ")
    assert told in diagnostics
    assert "+ 6 to create" in output
    assert sandbox.auth_token not in output


def test_settings_that_make_no_sense_are_a_warning_too(stack: Stack, sandbox: Sandbox) -> None:
    stack.pulumi("config", "set", "twilio:preflight", "maybe")
    stack.program(DESK + 'OutgoingCallerId("other", phone_number="+14155550102")\n')
    diagnostics = stack.preview().output.split("Diagnostics:", 1)[1]

    told = "warning: twilio:preflight 'maybe' must be true or false.\n    Correct twilio:preflight."
    assert 1 == diagnostics.count(told)
    assert [] == sandbox.requests


def test_a_number_that_is_deleted_first_may_be_verified_again(stack: Stack, sandbox: Sandbox) -> None:
    """Replaced on request, with the option that has the old caller ID deleted before the new one is created."""
    stack.program(f'OutgoingCallerId("d", phone_number="{NUMBER}", opts=ResourceOptions(delete_before_replace=True))\n')
    stack.up()
    old = sandbox.caller_ids[0].sid
    replace = ("--replace", stack.resources()["d"]["urn"])
    assert f"is already verified as {old}: `pulumi up` will fail unless it deletes" in stack.preview(*replace).output
    stack.up(*replace)

    assert 2 == len(sandbox.calls)
    assert [stack.resources()["d"]["id"]] == [record.sid for record in sandbox.caller_ids]
    assert old != sandbox.caller_ids[0].sid


def test_whether_to_adopt_may_be_known_only_at_up(stack: Stack, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER).sid
    stack.program(
        'first = OutgoingCallerId("first", phone_number="+14155550102")\n'
        f'OutgoingCallerId("desk", phone_number="{NUMBER}", adopt=first.date_created.apply(lambda date: bool(date)))\n'
    )
    told = f"+1 415-555-0101 is already verified as {sid}: `pulumi up` will fail unless you set adopt=True or delete it"
    assert f"desk create {told} first" in stack.preview().output
    stack.up()

    assert sid == stack.resources()["desk"]["id"]
