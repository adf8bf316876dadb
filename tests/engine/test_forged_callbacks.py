"""A flood of forged callbacks on the real engine: the wait goes on as if there were none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from harness import Running, Stack, free_port
from pulumi_twilio_caller_id.testing import Delays, Sandbox

PUBLIC = "https://hooks.example.com/twilio"
CALM, FLOODED = "+14155550101", "+14155550102"
PROGRAM = f"""
OutgoingCallerId("calm", phone_number="{CALM}")
OutgoingCallerId("flooded", phone_number="{FLOODED}")
"""
FORGED = 1000
AT_ONCE = 50
WORD = "f0r9ed"
"""In each forged request, and nowhere else."""


class Flood:
    """Sends all kinds of forged requests to a port, many at once, until it has sent FORGED and is told to end."""

    def __init__(self, port: int, path: str, account: str, call: str) -> None:
        self.port = port
        self.path = path
        self.account = account
        self.call = call
        self.statuses: Counter[int] = Counter()
        self.sent = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def kinds(self) -> list[bytes]:
        """By somebody who knows everything but the token: paths, sids, and what Twilio would say."""
        true = {"AccountSid": self.account, "CallSid": self.call, "CallStatus": "completed", "Word": WORD}
        bodies = [
            urlencode(true | more)
            for more in (
                {"VerificationStatus": "failed"},  # first: a success that can't be found would hold the wait open
                {"CallStatus": "busy"},
                {"VerificationStatus": "success", "OutgoingCallerIdSid": "PN" + "6" * 32},
                {"VerificationStatus": "failed", "filler": "x" * 60_000},
                {f"{WORD}{number}": "" for number in range(4000)},
            )
        ]
        whole = [
            f"{first} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
            for body in bodies
            for first, headers in (
                (f"POST {self.path}", ""),
                (f"POST {self.path}", f"X-Twilio-Signature: {WORD}\r\n"),
                (f"POST {self.path}", "X-Twilio-Signature: L/OH5YylLD5NRKLltdqwSvS0BnU=\r\n"),
                # Its look at once is bounded, and it says so: by a warning of ours.
                (f"POST {self.path}", f"X-Twilio-Webhooks-Signature-Settings: key={WORD}\r\n"),
                (f"GET {self.path}?{bodies[0]}", ""),
                (f"POST /{WORD}", ""),
                (f"PUT {self.path}", ""),
            )
        ]
        return [request.encode() for request in [*whole, f"{WORD}\r\n\r\n", f"POST {self.path} HTTP/1.1\r\n{WORD}: "]]

    async def _run(self) -> None:
        kinds = self.kinds()

        async def one_after_the_other() -> None:
            while not (self._over.is_set() and self.sent >= FORGED):
                self.sent += 1
                request = kinds[self.sent % len(kinds)]
                with suppress(ConnectionError):
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.write(request)
                    if request is kinds[-1]:  # never ends
                        writer.transport.abort()
                        continue
                    answer = await reader.read()
                    self.statuses[int(answer.split(b" ")[1]) if answer else 0] += 1
                    writer.close()

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Returns once the last of FORGED has been answered, which the wait need not see."""
        self._over.set()
        self._thread.join()


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_thousand_forged_requests_change_nothing(make_stack: Callable[..., Stack], port: int) -> None:
    """Two numbers wait; one is verified before the flood, the other in the midst of it, less than a second slower."""
    phones = {CALM: "manual", FLOODED: "manual"}
    delays = Delays(queued=0, rings=0, talks=0)
    with Sandbox(phones=phones, delays=delays, deliver_to={PUBLIC: f"http://127.0.0.1:{port}"}) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(PROGRAM)
        stack.pulumi("config", "set", "twilio:callbackUrl", PUBLIC)
        stack.pulumi("config", "set", "twilio:callbackListen", f"127.0.0.1:{port}")
        running = stack.start("up", "--yes", "--skip-preview")
        running.until(lambda: len(sandbox.calls) == 2)
        calls = {call.to: call for call in sandbox.calls}
        asked = {r.form["PhoneNumber"]: r.form["StatusCallback"] for r in sandbox.requests if r.endpoint == "create"}
        calm = verified(sandbox, running, "calm", calls[CALM].sid, calls[CALM].validation_code)

        path = asked[FLOODED].removeprefix("https://hooks.example.com")
        flood = Flood(port, path, sandbox.account_sid, calls[FLOODED].sid)
        flood.start()
        try:
            running.until(lambda: flood.sent > FORGED)
            assert not running.ended()
            assert "flooded created" not in running.output
            flooded = verified(sandbox, running, "flooded", calls[FLOODED].sid, calls[FLOODED].validation_code)
        finally:
            flood.end()
        running.until(running.ended)

        assert flooded < calm + 1, f"{flood.sent} sent: {dict(flood.statuses)}"
        assert {400, 403, 404, 405, 413, 204} - flood.statuses.keys() == set()
        assert 0 == running.process.returncode
        assert WORD not in running.output
        assert "PN" + "6" * 32 not in running.output
        assert 2 == len(sandbox.calls)
        sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
        assert {"calm": sids[CALM], "flooded": sids[FLOODED]} == {n: r["id"] for n, r in stack.resources().items()}
        answers = [callback.status for callback in sandbox.callbacks]
        assert (2, set()) == (len(answers), set(answers) - {204, 404})  # 404: a look, one in three seconds, came first
        assert [] == [path for path in stack.files() if WORD.encode() in path.read_bytes()]


def verified(sandbox: Sandbox, running: Running, name: str, call_sid: str, code: str) -> float:
    """Somebody keys the code in; the seconds until the number is created."""
    begin = time.monotonic()
    assert sandbox.key_in(call_sid, code)
    running.until(lambda: any(f" {name} created (" in line for line in running.output.splitlines()))
    return time.monotonic() - begin
