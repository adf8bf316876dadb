"""A flood of forged callbacks on the real engine: the wait goes on as if there were none."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from pulumi_twilio_caller_id.testing import Delays, PlacedCall, Sandbox
from tests.support.harness import Running, Stack
from tests.support.machine import free_port

PUBLIC = "https://hooks.example.com/twilio"
CALM = "calm"
FLOODED = [f"flooded-{n}" for n in range(4)]
NUMBERS = {name: f"+1415555010{n}" for n, name in enumerate([CALM, *FLOODED])}
PROGRAM = "".join(f'OutgoingCallerId("{name}", phone_number="{number}")\n' for name, number in NUMBERS.items())
FORGED = 1000
AT_ONCE = 50
WORD = "f0r9ed"
"""In each forged request, and nowhere else."""


class Flood:
    """Sends all kinds of forged requests to a port, many at once, until it is told to end. `aim` says to which wait."""

    def __init__(self, port: int, account: str) -> None:
        self.port = port
        self.account = account
        self.kinds, self.sent = [WORD.encode()], 0
        self.statuses: Counter[int] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def aim(self, path: str, call: str) -> None:
        """By somebody who knows everything but the token: paths, sids, and what Twilio would say."""
        true = {"AccountSid": self.account, "CallSid": call, "CallStatus": "completed", "Word": WORD}
        bodies = [
            urlencode(true | more)
            for more in (
                {"VerificationStatus": "failed"},  # first: a success that can't be found would hold the wait open
                {"CallStatus": "busy"},
                {"VerificationStatus": "success", "OutgoingCallerIdSid": "PN" + "6" * 32},
                {"VerificationStatus": "failed", "filler": "x" * 60_000},
                {"VerificationStatus": "failed", "filler": "x" * 70_000},
            )
        ]
        whole = [
            f"{first} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
            for body in bodies
            for first, headers in (
                (f"POST {path}", ""),
                (f"POST {path}", f"X-Twilio-Signature: {WORD}\r\n"),
                (f"POST {path}", "X-Twilio-Signature: L/OH5YylLD5NRKLltdqwSvS0BnU=\r\n"),
                # Its look at once is bounded, and it says so: by a warning of ours.
                (f"POST {path}", f"X-Twilio-Webhooks-Signature-Settings: key={WORD}\r\n"),
                (f"GET {path}?{bodies[0]}", ""),
                (f"POST /{WORD}", ""),
                (f"PUT {path}", ""),
            )
        ]
        forged = [*whole, f"{WORD}\r\n\r\n", f"POST {path} HTTP/1.1\r\n{WORD}: "]
        self.kinds, self.sent = [request.encode() for request in forged], 0

    async def _run(self) -> None:
        async def one_after_the_other() -> None:
            while not self._over.is_set():
                self.sent += 1
                kinds = self.kinds
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

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Once all that was sent has been answered."""
        self._over.set()
        self._thread.join()


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_thousand_forged_requests_change_nothing(make_stack: Callable[..., Stack], port: int) -> None:
    """One number is verified before the flood, others in the midst of it: their own callbacks still get through."""
    phones, there = {"*": "manual"}, {PUBLIC: f"http://127.0.0.1:{port}"}
    with Sandbox(phones=phones, delays=Delays(queued=0, rings=0, talks=0), deliver_to=there) as sandbox:
        stack = make_stack(environment=sandbox.environment)
        stack.program(PROGRAM)
        stack.configure({"twilio:callbackUrl": PUBLIC, "twilio:callbackListen": f"127.0.0.1:{port}"})
        running = stack.start("up", "--yes", "--skip-preview", "--parallel", "16")
        running.until(lambda: running.output.count("(ringing, ") == len(NUMBERS))
        calls = {call.to: call for call in sandbox.calls}
        asked = {r.form["PhoneNumber"]: r.form["StatusCallback"] for r in sandbox.requests if r.endpoint == "create"}
        verify(sandbox, running, CALM, calls[NUMBERS[CALM]])

        flood = Flood(port, sandbox.account_sid)
        with flood:
            for name in FLOODED:
                call = calls[NUMBERS[name]]
                flood.aim(asked[call.to].removeprefix("https://hooks.example.com"), call.sid)
                running.until(lambda: flood.sent > FORGED / len(FLOODED))
                assert not running.ended()
                assert f"{name} created" not in running.output
                verify(sandbox, running, name, call)
        running.until(running.ended)

        assert {400, 403, 404, 405, 413, 204} - flood.statuses.keys() == set()
        assert 0 == running.process.returncode
        assert WORD not in running.output
        assert "PN" + "6" * 32 not in running.output
        assert len(NUMBERS) == len(sandbox.calls)
        sids = {record.phone_number: record.sid for record in sandbox.caller_ids}
        expected = {name: sids[number] for name, number in NUMBERS.items()}
        assert expected == {name: resource["id"] for name, resource in stack.resources().items()}
        answers = [callback.status for callback in sandbox.callbacks]
        assert len(NUMBERS) == len(answers)
        assert set() == set(answers) - {204, 404}  # 404: a look, one in three seconds, came first
        assert [] == [path for path in stack.files() if WORD.encode() in path.read_bytes()]


def verify(sandbox: Sandbox, running: Running, name: str, call: PlacedCall) -> None:
    """Key the code in, and wait until the number is created."""
    assert sandbox.key_in(call.sid, call.validation_code)
    running.until(lambda: any(f" {name} created (" in line for line in running.output.splitlines()))
