"""What stands between us and Twilio, or the engine: proxies, and variables that name them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.harness import Stack
from tests.support.machine import free_port

NUMBER = "+14155550101"
DESK = f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
GET = 'OutgoingCallerId.get("other", "PN" + "2" * 32)\n'
ACCOUNT = "AC" + "1" * 32
REAL = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "abcd" * 8, "TWILIO_API_URL": "https://127.0.0.1:1"}
"""An account behind TLS, which nothing is ever sent to."""


def test_a_variable_that_keeps_every_request_from_being_sent(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """Whatever asks Twilio tells of it in one message, with the variable and without the password. A preview continues.
    Other variables: unit/provider/test_transport_connecting.py.
    """
    unset = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "ALL_PROXY"), "")
    given = {"NO_PROXY": "localhost", "no_proxy": "", "HTTPS_PROXY": "socks5://user:canary-pw@127.0.0.1:1"}
    stack = make_stack(environment={**REAL, **unset, **given})
    told = "HTTPS_PROXY names a SOCKS proxy, "
    stack.program(DESK)
    preview = stack.preview().output
    stack.program(DESK + GET)
    up = stack.up("--continue-on-error", ok=False)
    listed = subprocess.run(
        [sys.executable, "-m", "pulumi_twilio_caller_id", "list"],
        env=stack.variables(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    warning = "warning: This preview can't tell verified numbers from new ones: Could not reach Twilio to"
    assert f"{warning} list the caller IDs of {ACCOUNT}: {told}" in preview
    assert "+ 2 to create" in preview
    assert up.errors["desk"].startswith(f"error: Could not reach Twilio to look up {NUMBER}: {told}")
    assert 2 == len(up.errors["desk"].splitlines())
    assert f"Could not reach Twilio to read caller ID PN{'2' * 32}: {told}" in up.errors["other"]
    assert f"Could not reach Twilio to list the caller IDs of {ACCOUNT}: {told}" in listed.stderr
    assert 1 == listed.returncode
    said = preview + up.output + listed.stderr
    assert "Traceback" not in said
    assert "canary" not in said


def test_what_is_said_reaches_the_engine_where_a_proxy_is_set(stack: Stack, sandbox: Sandbox) -> None:
    """Not through that, as the engine is on this machine. Pulumi's own SDK would ask it: destroy runs no program."""
    stack.configure({"twilio:acountSid": "AC" + "1" * 32})
    stack.program(DESK)
    stack.up()
    proxy = f"http://127.0.0.1:{free_port()}"
    output = stack.destroy(env={"https_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}).output

    assert "warning: The stack's config has twilio:acountSid, which means nothing here" in output
    assert [] == sandbox.caller_ids
