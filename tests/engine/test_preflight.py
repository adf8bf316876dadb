"""How the engine shows what a preview learns from the account. What it learns: unit/provider/test_preview.py."""

from __future__ import annotations

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import STACK_FILE, Stack

NUMBER = "+14155550101"
DESK = f'OutgoingCallerId("front-desk", phone_number="{NUMBER}")\n'


def ways_out(sid: str) -> str:
    return (
        "To manage it here without a call, use one of these:\n"
        "  once, without edits  pulumi up --config twilio:adopt=true && pulumi config rm twilio:adopt\n"
        f'  in the program       adopt=True, or opts=pulumi.ResourceOptions(import_="{sid}")\n'
        f"  on the command line  python -m pulumi_twilio_caller_id import-file --phone-number {NUMBER}"
        " --name front-desk > import.json\n"
        "                       pulumi import --file import.json --generate-code=false\n"
    )


def unindented(output: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in output.splitlines())


def test_a_verified_number_fails_preview_and_up_and_says_how_to_go_on(stack: Stack, sandbox: Sandbox) -> None:
    """Up looks for itself, before any call."""
    sid = sandbox.add_caller_id(NUMBER).sid
    stack.program(DESK)
    preview = stack.preview(ok=False).output

    assert f"property phone_number value {{{NUMBER}}} has a problem: it is a caller ID of account" in preview
    assert f"{sandbox.account_sid} already: {sid}. No call was placed." in preview
    assert ways_out(sid) in unindented(preview)

    up = stack.up(ok=False).output
    told = f"error: +1 415-555-0101 is a caller ID of account {sandbox.account_sid} already: {sid}. No call was placed."
    assert f"{told}\n{ways_out(sid)}" in unindented(up)
    assert "Traceback" not in preview + up
    assert {"GET"} == {request.method for request in sandbox.requests}
    assert {} == stack.resources()


def test_the_first_way_needs_no_edit_and_is_taken_back_by_one_command(stack: Stack, sandbox: Sandbox) -> None:
    """Also for the resources of an explicit Provider. Pulumi saves what `--config` gives, as the message says."""
    for digit in (1, 2):
        sandbox.add_caller_id(f"+1415555010{digit}")
    arguments = f"account_sid={sandbox.account_sid!r}, auth_token={sandbox.auth_token!r}, api_url={sandbox.url!r}"
    stack.program(
        f'{DESK}OutgoingCallerId("lobby", phone_number="+14155550102",'
        f' opts=ResourceOptions(provider=Provider("branch", {arguments})))\n'
    )
    stack.pulumi("up", "--yes", "--config", "twilio:adopt=true")
    assert {"front-desk", "lobby"} == stack.resources().keys()
    assert [] == sandbox.calls

    config = stack.project / STACK_FILE
    assert "twilio:adopt" in config.read_text()
    stack.pulumi("config", "rm", "twilio:adopt")
    assert "twilio:adopt" not in config.read_text()
    # A Provider has kept the setting among its own: the next `up` takes it out, and asks Twilio nothing.
    assert {"branch": "update"} == stack.planned()


def test_a_preview_goes_on_with_one_warning_where_twilio_does_not_answer(stack: Stack, sandbox: Sandbox) -> None:
    sandbox.fail("list", status=401, code=20003)
    stack.program("".join(f'OutgoingCallerId("desk-{n}", phone_number="+1415555010{n}")\n' for n in range(5)))
    output = stack.preview().output

    diagnostics = output.split("Diagnostics:", 1)[1]
    assert 1 == diagnostics.count("warning: This preview can't tell verified numbers from new ones: ")
    assert "Twilio refused to list the caller IDs of" in diagnostics
    assert "+ 6 to create" in output
    assert sandbox.auth_token not in output
