"""StatusCallbacks on the real engine: the sandbox signs and delivers them to the receiver in the plugin's process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Running, Stack, free_port
from tests.support.plugin_code import run_in_plugin

PUBLIC = "https://hooks.example.com/twilio"
DESK = 'OutgoingCallerId("desk", phone_number="+14155550101")\n'
NO_LOOKS = """
from pulumi_twilio_caller_id import verification
verification.INTERVAL_WITH_CALLBACK = 3600.0
"""


class Reached:
    """A stack whose callbacks come from a public URL to a port of this machine."""

    def __init__(self, stack: Stack, sandbox: Sandbox, port: int) -> None:
        self.stack = stack
        self.sandbox = sandbox
        self.port = port
        stack.program(DESK)
        stack.pulumi("config", "set", "twilio:callbackUrl", PUBLIC)
        stack.pulumi("config", "set", "twilio:callbackListen", f"127.0.0.1:{port}")


@pytest.fixture
def reached(make_stack: Callable[..., Stack]) -> Iterator[Reached]:
    port = free_port()
    with Sandbox(delays=Delays(queued=0, rings=0.2, talks=1.0), deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}) as it:
        yield Reached(make_stack(environment=it.environment), it, port)


@pytest.fixture
def ringing(reached: Reached) -> Iterator[Running]:
    """A phone that rings, and a wait that does not look again: what ends it then is the callback."""
    reached.sandbox.set_phone("+14155550101", "manual")
    run_in_plugin(reached.stack, NO_LOOKS)
    running = reached.stack.start("up", "--yes", "--skip-preview")
    running.until(lambda: "(ringing, " in running.output)
    yield running
    running.kill()


def test_a_success_ends_the_wait_at_once(reached: Reached, ringing: Running) -> None:
    [call] = reached.sandbox.calls
    assert reached.sandbox.key_in(call.sid, call.validation_code)
    ringing.until(ringing.ended)

    [callback] = reached.sandbox.callbacks
    assert 204 == callback.status
    assert callback.url.startswith(f"{PUBLIC}/")
    assert ["desk"] == list(reached.stack.resources())
    assert 1 == len(reached.sandbox.calls)


@pytest.mark.parametrize("how", ["lost", "badly-signed", "unsigned", "doubled", "early"])
def test_however_callbacks_go_wrong_the_number_is_verified(reached: Reached, how: Any) -> None:
    reached.sandbox.callbacks_go(how)
    reached.stack.up()

    assert ["desk"] == list(reached.stack.resources())
    assert 1 == len(reached.sandbox.calls)
    refused = {"badly-signed": [403], "unsigned": [403], "lost": []}.get(how)
    assert refused is None or refused == [callback.status for callback in reached.sandbox.callbacks]


def test_a_failure_is_told_at_once(reached: Reached, ringing: Running) -> None:
    [call] = reached.sandbox.calls
    for _ in range(3):
        assert not reached.sandbox.key_in(call.sid, "000000")
    ringing.until(ringing.ended)

    assert "+1 415-555-0101 was not verified: the call ended without the right code" in ringing.output


def forge(reached: Reached, running: Running, status: str, token: str) -> int:
    """A callback as an attacker who knows everything but the token would send it."""
    running.until(lambda: reached.sandbox.calls)
    [request] = [r for r in reached.sandbox.requests if r.endpoint == "create"]
    fields = {
        "AccountSid": reached.sandbox.account_sid,
        "CallSid": reached.sandbox.calls[0].sid,
        "CallStatus": "completed",
        "VerificationStatus": status,
        "OutgoingCallerIdSid": "PN" + "6" * 32,
    }
    return reached.sandbox.send_callback(request.form["StatusCallback"], fields, token=token)


def test_forged_callbacks_change_nothing(reached: Reached) -> None:
    reached.sandbox.set_phone("+14155550101", "manual")
    running = reached.stack.start("up", "--yes", "--skip-preview")
    answers = [forge(reached, running, status, token) for status in ("success", "failed") for token in ("", "f" * 32)]
    assert [403] * 4 == answers
    assert not running.ended()

    [call] = reached.sandbox.calls
    reached.sandbox.key_in(call.sid, call.validation_code)
    running.until(running.ended)
    assert [reached.sandbox.caller_ids[0].sid] == [it["id"] for it in reached.stack.resources().values()]


def test_with_an_api_key_alone_a_callback_is_a_reason_to_look(reached: Reached) -> None:
    environment = reached.stack.environment
    environment["TWILIO_API_KEY"] = reached.sandbox.api_key
    environment["TWILIO_API_SECRET"] = reached.sandbox.api_secret
    del environment["TWILIO_AUTH_TOKEN"]
    output = reached.stack.up().output

    assert "twilio:callbackAuthTokens" in output
    assert [204] == [callback.status for callback in reached.sandbox.callbacks]
    assert ["desk"] == list(reached.stack.resources())


def test_a_taken_port_means_looking_instead(reached: Reached) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", reached.port))
        taken.listen()
        output = reached.stack.up().output

    assert f"127.0.0.1:{reached.port}" in output
    assert ["desk"] == list(reached.stack.resources())
    assert [] == [r for r in reached.sandbox.requests if "StatusCallback" in r.form]


def test_a_status_callback_of_ones_own_is_passed_on(reached: Reached) -> None:
    reached.stack.program(DESK.replace(")\n", ', status_callback="https://mine.example.com/x?y=1#rc=5")\n'))
    reached.sandbox.callbacks_go("lost")
    reached.stack.up()

    [request] = [r for r in reached.sandbox.requests if r.endpoint == "create"]
    assert "https://mine.example.com/x?y=1#rc=5" == request.form["StatusCallback"]
    assert ["desk"] == list(reached.stack.resources())


REDIAL = """
from pulumi import ErrorHook, ResourceHookBinding
attempts = []
def again(args):
    attempts.append(args.name)
    return attempts.count(args.name) < 3
OutgoingCallerId("desk", phone_number="+14155550101",
    opts=ResourceOptions(hooks=ResourceHookBinding(on_error=[ErrorHook("again", again)])))
"""


def test_pulumis_error_hook_calls_again(stack: Stack, sandbox: Sandbox) -> None:
    """As in the README: three calls at most, each with a code of its own."""
    sandbox.set_phone("+14155550101", "busy")
    stack.program(REDIAL)
    result = stack.up(ok=False)

    assert 3 == len(sandbox.calls)
    assert "the line was busy" in result.output
    assert {} == stack.resources()
