"""What stands between us and Twilio, or the engine: proxies, and variables that name them or certificates to trust."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.broken_servers import Proxy
from tests.support.fixtures.engine import QUICK
from tests.support.harness import Stack, free_port

NUMBER = "+14155550101"
DESK = f'OutgoingCallerId("desk", phone_number="{NUMBER}")\n'
ACCOUNT = "AC" + "1" * 32
REAL = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "abcd" * 8, "TWILIO_API_URL": "https://127.0.0.1:1"}
"""An account behind TLS, which nothing is ever sent to."""


@pytest.fixture
def proxied(sandbox: Sandbox, make_stack: Callable[..., Stack]) -> Stack:
    """A stack of the sandbox, which is reached through a proxy where one is set: `Pulumi` itself never is."""
    port = sandbox.url.rpartition(":")[2]
    environment = {**sandbox.environment, "TWILIO_API_URL": f"http://localhost:{port}"}
    return make_stack(environment={**environment, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})


UNUSABLE = {
    "no file": ({"REQUESTS_CA_BUNDLE": "{folder}/missing.pem"}, "REQUESTS_CA_BUNDLE is '{folder}/missing.pem', "),
    "not PEM": ({"REQUESTS_CA_BUNDLE": __file__}, f"REQUESTS_CA_BUNDLE is '{__file__}', "),
    "SOCKS": ({"HTTPS_PROXY": "socks5://user:canary-pw@127.0.0.1:1"}, "HTTPS_PROXY names a SOCKS proxy, "),
    "no host": ({"HTTPS_PROXY": "http://user:canary-pw@"}, "HTTPS_PROXY is not the URL of a proxy that can be used."),
}


@pytest.mark.parametrize(("variables", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_variable_that_keeps_every_request_from_being_sent(
    make_stack: Callable[..., Stack], tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    """One message, with the variable, wherever Twilio would be asked; a preview goes on. No password is shown."""
    unset = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "ALL_PROXY"), "")
    bypass = {"NO_PROXY": "localhost", "no_proxy": ""}
    given = {name: value.format(folder=tmp_path) for name, value in variables.items()}
    stack = make_stack(environment={**REAL, **unset, **bypass, **given})
    told = told.format(folder=tmp_path)
    stack.program(DESK)
    preview = stack.preview().output
    up = stack.up(ok=False)
    stack.program('OutgoingCallerId.get("other", "PN" + "2" * 32)\n')
    get = stack.preview(ok=False)
    listed = subprocess.run(
        [sys.executable, "-m", "pulumi_twilio_caller_id", "list"],
        env=stack.variables(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    warning = "warning: Numbers that are verified already can't be told from new ones now: Could not reach Twilio to"
    assert f"{warning} list the caller IDs of {ACCOUNT}: {told}" in preview
    assert "+ 2 to create" in preview
    assert up.error.startswith(f"error: Could not reach Twilio to look up {NUMBER}: {told}")
    assert 2 == up.error.count("\n") + 1
    assert f"Could not reach Twilio to read caller ID PN{'2' * 32}: {told}" in get.output
    assert f"Could not reach Twilio to list the caller IDs of {ACCOUNT}: {told}" in listed.stderr
    assert 1 == listed.returncode
    said = preview + up.output + get.output + listed.stderr
    assert "Traceback" not in said
    assert "canary" not in said


def test_a_proxy_that_wants_a_password(proxied: Stack, sandbox: Sandbox) -> None:
    """It answers in Twilio's place: HTTP 407 never comes from there."""
    proxy = Proxy(0, refusal="407 Proxy Authentication Required")
    try:
        proxied.environment["HTTP_PROXY"] = proxy.url
        proxied.program(DESK)
        error = proxied.up(ok=False).error
    finally:
        proxy.stop()

    assert error.startswith(
        f"error: Could not reach Twilio to look up {NUMBER}: the proxy wants a user and password, or refuses those"
        " that it was given (HTTP 407).\nCorrect HTTP_PROXY"
    )
    assert 1 == len(proxy.requests)
    assert [] == sandbox.requests


@pytest.mark.parametrize("joined", [False, True], ids=["its own sandbox", "one that is joined"])
def test_what_a_sandbox_runs_asks_it_by_no_proxy(
    make_stack: Callable[..., Stack], tmp_path: Path, joined: bool
) -> None:
    """Whatever proxies are set for the rest of the world."""
    proxy = f"http://127.0.0.1:{free_port()}"
    stack = make_stack()
    stack.program(DESK)
    state = tmp_path / "account.json"
    options = ["--state", str(state), "--join", "--rings", "0.1", "--talks", "0.1"]
    with Sandbox(delays=QUICK, state=state) if joined else nullcontext():
        command = [sys.executable, "-m", "pulumi_twilio_caller_id", "sandbox", *options]
        done = subprocess.run(
            [*command, "--run", "pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
            env=stack.variables(dict.fromkeys(("HTTP_PROXY", "ALL_PROXY"), proxy)),
            cwd=stack.project,
            capture_output=True,
            text=True,
            check=False,
            timeout=stack.seconds,
        )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["desk"] == list(stack.resources())


def test_what_is_said_reaches_the_engine_where_a_proxy_is_set(stack: Stack, sandbox: Sandbox) -> None:
    """Not through that, as the engine is on this machine. Pulumi's own SDK would ask it: destroy runs no program."""
    stack.pulumi("config", "set", "twilio:acountSid", "AC" + "1" * 32)
    stack.program(DESK)
    stack.up()
    proxy = f"http://127.0.0.1:{free_port()}"
    output = stack.destroy(env={"https_proxy": proxy, "no_proxy": "", "NO_PROXY": ""}).output

    assert "warning: The stack's config has twilio:acountSid, which means nothing here" in output
    assert [] == sandbox.caller_ids
