"""The sandbox's clock, moved forward by a test or a script."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from pulumi_twilio_caller_id.sandbox.callback_plan import How
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.rest import START, place
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
FAR = 10 * PATIENCE  # what the clock is moved by: nothing here waits for so long


@pytest.fixture
def receiver() -> Iterator[str]:
    """The URL of a server that takes every callback."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/done"
    server.shutdown()
    thread.join()
    server.server_close()


def test_calls_go_on_as_if_the_time_had_passed() -> None:
    with Sandbox(clock=lambda: START, delays=Delays(queued=10, rings=20, talks=30)) as sandbox:
        place(sandbox)
        seen = []
        for seconds in (0, 9.5, 0.5, 20, 29.5, 0.5):
            sandbox.advance(seconds)
            seen.append((sandbox.calls[0].status, len(sandbox.caller_ids)))
        assert [
            ("queued", 0),
            ("queued", 0),
            ("ringing", 0),
            ("in-progress", 0),
            ("in-progress", 0),
            ("completed", 1),
        ] == seen
        assert START + 60 == sandbox.caller_ids[0].created


def test_the_time_of_later_requests_is_that_of_the_clock() -> None:
    with Sandbox(clock=lambda: START) as sandbox:
        sandbox.advance(3600)
        place(sandbox)
        assert [START + 3600] == [record.at for record in sandbox.requests]
        assert START + 3600 == sandbox.calls[0].placed


def test_it_is_moved_on_top_of_the_clock_that_was_given() -> None:
    now = [START]
    with Sandbox(clock=lambda: now[0], delays=Delays(60, 0, 0)) as sandbox:
        place(sandbox)
        sandbox.advance(30)
        now[0] += 30
        assert "completed" == sandbox.calls[0].status


@pytest.mark.parametrize("how", ["normally", "late"])
def test_callbacks_that_are_due_go_out(receiver: str, how: How) -> None:
    """Late ones as well: what they wait for is the sandbox's time. A second call's callback comes before."""

    def told(count: int) -> list[str]:
        until(lambda: len([record for record in sandbox.callbacks if record.status]) >= count)
        return [record.call_sid for record in sandbox.callbacks]

    with Sandbox(delays=Delays(FAR, 0, 0)) as sandbox:
        sandbox.callbacks_go(how, delay=2 * FAR if how == "late" else None)
        calls = [place(sandbox, StatusCallback=receiver).json()["call_sid"]]
        sandbox.advance(FAR)
        if how == "late":
            sandbox.callbacks_go("normally")
            calls.insert(0, place(sandbox, "+14155550102", StatusCallback=receiver).json()["call_sid"])
            sandbox.advance(FAR)
            assert calls[:1] == told(1)
            sandbox.advance(FAR)
        assert calls == told(len(calls))


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf")])
def test_it_is_not_moved_back_nor_for_ever(seconds: float) -> None:
    sandbox = Sandbox(clock=lambda: START)
    with pytest.raises(ValueError, match=r"^the clock moves forward by a number of seconds, 0 or more, not by "):
        sandbox.advance(seconds)


def test_it_is_not_moved_beyond_the_dates_that_can_be_written() -> None:
    with Sandbox(clock=lambda: START, numbers={NUMBER: None}) as sandbox:
        sandbox.advance(200_000_000_000)
        with pytest.raises(ValueError, match=r"^the clock does not go beyond the year 9998"):
            sandbox.advance(60_000_000_000)
        assert START + 200_000_000_000 == sandbox.add_caller_id("+14155550102").created
        assert requests.get(f"{sandbox.url}/sandbox/state", timeout=PATIENCE).ok


def test_a_later_sandbox_with_the_same_file_places_calls_at_once(tmp_path: Path) -> None:
    """Its clock has not been moved, so that what is in the file is still to come; nothing waits for that."""
    options = {"state": tmp_path / "state.json", "delays": Delays(0, 0, 0), "calls_per_second": 1.0}
    with Sandbox(**options) as sandbox:  # type: ignore[arg-type]
        sandbox.advance(3600)
        place(sandbox)
    with Sandbox(**options) as sandbox:  # type: ignore[arg-type]
        place(sandbox, "+14155550102")
        assert ["completed"] == [call.status for call in sandbox.calls if call.to == "+14155550102"]
