"""StatusCallbacks on the real engine: the sandbox signs and delivers them to the receiver in the plugin's process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.harness import Running, Stack
from tests.support.machine import free_port
from tests.support.plugin_code import run_in_plugin
from tests.support.waiting import until

PUBLIC = "https://hooks.example.com/twilio"
NO_LOOKS = """
from pulumi_twilio_caller_id.verification.waiter import PollingPolicy, wait_until_verified
wait_until_verified.__kwdefaults__["polling"] = PollingPolicy(interval_with_callback=3600.0)
"""


NAMES = ("desk", "own", "verified", "doubled", "failed", "early", "forged", "lost", "badly-signed", "unsigned")
NUMBERS = {name: f"+141555501{at:02}" for at, name in enumerate(NAMES)}


def declared(*names: str) -> str:
    return "".join(f'OutgoingCallerId({name!r}, phone_number="{NUMBERS[name]}")\n' for name in names)


class Reached:
    """A stack whose callbacks come from a public URL to a port of this machine."""

    def __init__(self, stack: Stack, sandbox: Sandbox, port: int) -> None:
        self.stack = stack
        self.sandbox = sandbox
        self.port = port
        self.running: list[Running] = []
        stack.configure({"twilio:callbackUrl": PUBLIC, "twilio:callbackListen": f"127.0.0.1:{port}"})

    def ring(self, *names: str) -> Running:
        """Starts `up`, and waits until the phones of these names ring."""
        for name in names:
            self.sandbox.set_phone(NUMBERS[name], {"behaviour": "manual", "rings": 600})
        running = self.stack.start("up", "--yes", "--skip-preview", "--continue-on-error")
        self.running.append(running)
        rows = [f"on +1 415-555-{NUMBERS[name][-4:]} (ringing, " for name in names]
        running.until(lambda: all(row in running.output for row in rows))
        return running

    def call_to(self, name: str) -> Any:
        [call] = [call for call in self.sandbox.calls if call.to == NUMBERS[name]]
        return call

    def key_in(self, name: str, callbacks: Any = "normally") -> None:
        """Key the code in, and wait for the end of the call; its callbacks go as said."""
        call = self.call_to(name)
        self.sandbox.callbacks_go(callbacks)
        assert self.sandbox.key_in(call.sid, call.validation_code)
        until(lambda: self.call_to(name).status == "completed")

    def statuses(self, name: str) -> list[int | None]:
        """How the receiver answered the callbacks of the call."""
        return [it.status for it in self.sandbox.callbacks if it.call_sid == self.call_to(name).sid]

    def status_callback(self, name: str) -> str | None:
        """Where Twilio was told to send callbacks about the number."""
        created = [request.form for request in self.sandbox.requests if request.endpoint == "create"]
        [url] = [form.get("StatusCallback") for form in created if form["PhoneNumber"] == NUMBERS[name]]
        return url

    def forge(self, name: str, status: str, token: str) -> int:
        """A callback as an attacker who knows everything but the token would send it; how it was answered."""
        fields = {
            "AccountSid": self.sandbox.account_sid,
            "CallSid": self.call_to(name).sid,
            "CallStatus": "completed",
            "VerificationStatus": status,
            "OutgoingCallerIdSid": "PN" + "6" * 32,
        }
        return self.sandbox.send_callback(str(self.status_callback(name)), fields, token=token)


@pytest.fixture
def reached(make_stack: Callable[..., Stack]) -> Iterator[Reached]:
    port = free_port()
    with Sandbox(delays=Delays(queued=0, rings=0.2, talks=0.2), deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}) as it:
        reached = Reached(make_stack(environment=it.environment), it, port)
        yield reached
        for running in reached.running:
            running.kill()


def test_a_callback_ends_the_wait_at_once(reached: Reached) -> None:
    """Which does not look again here: what ends it is the callback, for a success as for a failure."""
    run_in_plugin(reached.stack, NO_LOOKS)
    reached.stack.program(declared("verified", "doubled", "failed"))
    running = reached.ring("verified", "doubled", "failed")
    reached.key_in("verified")
    reached.key_in("doubled", "doubled")
    for _ in range(3):
        assert not reached.sandbox.key_in(reached.call_to("failed").sid, "000000")
    running.until(running.ended)

    assert {"verified", "doubled"} == reached.stack.resources().keys()
    assert " was not verified: no correct code was entered" in running.output
    assert 3 == len(reached.sandbox.calls)
    assert [204] == reached.statuses("verified")
    assert all(callback.url.startswith(f"{PUBLIC}/") for callback in reached.sandbox.callbacks)


def test_however_callbacks_go_wrong_the_number_is_verified(reached: Reached) -> None:
    """A forged one changes nothing. A status_callback of one's own is passed on, and no callback comes here."""
    hows: tuple[Any, ...] = ("lost", "badly-signed", "unsigned")
    own = "https://mine.example.com/x?y=1#rc=5"
    reached.sandbox.callbacks_go("early")
    with_own = declared("own").replace(")\n", f", status_callback={own!r})\n")
    reached.stack.program(declared("early", "forged", *hows) + with_own)
    running = reached.ring("forged", "own", *hows)
    running.until(lambda: reached.statuses("early"))
    answers = [reached.forge("forged", status, token) for status in ("success", "failed") for token in ("", "f" * 32)]
    assert [403] * 4 == answers
    for name, how in (*zip(hows, hows, strict=True), ("own", "lost")):
        reached.key_in(name, how)
    running.until(lambda: all(f"{name} created (" in running.output for name in ("early", "own", *hows)))
    assert not running.ended()
    assert {NUMBERS["forged"]} == {c.to for c in reached.sandbox.calls} - {
        known.phone_number for known in reached.sandbox.caller_ids
    }
    reached.key_in("forged")
    running.until(running.ended)

    assert {known.sid for known in reached.sandbox.caller_ids} == {
        state["id"] for state in reached.stack.resources().values()
    }
    assert 6 == len(reached.sandbox.calls) == len(reached.stack.resources())
    assert ([], [], [403], [403]) == tuple(reached.statuses(name) for name in ("own", *hows))
    assert own == reached.status_callback("own")


def test_with_an_api_key_alone_a_callback_is_a_reason_to_look(reached: Reached) -> None:
    environment = reached.stack.environment
    environment["TWILIO_API_KEY"] = reached.sandbox.api_key
    environment["TWILIO_API_SECRET"] = reached.sandbox.api_secret
    del environment["TWILIO_AUTH_TOKEN"]
    reached.stack.program(declared("desk"))
    output = reached.stack.up().output

    assert "twilio:callbackAuthTokens" in output
    assert [204] == reached.statuses("desk")
    assert ["desk"] == list(reached.stack.resources())


def test_a_taken_port_means_looking_instead(reached: Reached) -> None:
    reached.stack.program(declared("desk"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", reached.port))
        taken.listen()
        output = reached.stack.up().output

    assert f"127.0.0.1:{reached.port}" in output
    assert ["desk"] == list(reached.stack.resources())
    assert reached.status_callback("desk") is None


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
