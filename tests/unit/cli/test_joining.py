"""`sandbox --join`: a command that uses the sandbox which has the state file already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_twilio_caller_id.cli import joining, main
from pulumi_twilio_caller_id.cli.sandbox import NOBODY_IS_CALLED
from pulumi_twilio_caller_id.sandbox.file_lock import FileLock
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.machine import free_port
from tests.support.rest import place
from tests.support.waiting import PATIENCE

NUMBER, OTHER = "+14155550101", "+14155550102"
NAME = "pulumi-twilio-caller-id: "
WHERE = """
import os, base64, urllib.request as u
e = os.environ
r = u.Request(f"{e['TWILIO_API_URL']}/2010-04-01/Accounts/{e['TWILIO_ACCOUNT_SID']}/OutgoingCallerIds.json")
pair = f"{e['TWILIO_ACCOUNT_SID']}:{e['TWILIO_AUTH_TOKEN']}".encode()
r.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
print(e["TWILIO_API_URL"], "Front desk" in u.urlopen(r).read().decode())
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "PATIENCE", 0.0)


def join(state: Path, *options: str) -> int:
    return main(["sandbox", "--state", str(state), "--join", *options, "--run", sys.executable, "-c", WHERE])


def lock(state: Path) -> FileLock:
    return FileLock(state.with_name(f".{state.name}.lock"))


def test_the_command_runs_against_the_sandbox_that_has_the_file(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(state=state, numbers={NUMBER: "Front desk"}) as sandbox:
        assert 0 == join(state, "--number", "+14155550102", "--page")
        out, err = capfd.readouterr()
        assert f"{sandbox.url} True\n" == out
        assert err.splitlines() == [
            NOBODY_IS_CALLED,
            f"Using the sandbox at {sandbox.url}, which keeps running afterwards",
            f"Phone: {sandbox.url}/",
        ]
        assert [NUMBER] == [record.phone_number for record in sandbox.caller_ids]  # it has what it had
        assert [200] == [record.status for record in sandbox.requests]


def test_with_page_numbers_ring_in_a_sandbox_that_was_started_without(
    state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(state=state, phones={NUMBER: "busy"}) as sandbox:
        assert 0 == join(state, "--page")
        assert f"Phone: {sandbox.url}/" == capfd.readouterr().err.splitlines()[-1]
        for number in (NUMBER, OTHER):
            place(sandbox, number)
        sandbox.advance(50)
        assert [(NUMBER, "busy"), (OTHER, "ringing")] == [(call.to, call.status) for call in sandbox.calls]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ("manual", ""),
        ("no-answer", ' (only phones that are manual ring there: its "*" is no-answer)'),
        ({"rings": 3}, ' (only phones that are manual ring there: its "*" is keys-code)'),
    ],
)
def test_with_page_it_is_said_where_the_numbers_do_something_else_already(
    state: Path, capfd: pytest.CaptureFixture[str], others: Any, told: str
) -> None:
    with Sandbox(state=state, phones={"*": others}) as sandbox:
        assert 0 == join(state, "--page")
        assert f"Phone: {sandbox.url}/{told}" == capfd.readouterr().err.splitlines()[-1]
        described = requests.get(f"{sandbox.url}/sandbox/state", timeout=PATIENCE).json()["phones"]["*"]
        assert {"behaviour": "keys-code", **({"behaviour": others} if isinstance(others, str) else others)} == {
            "behaviour": "keys-code",
            **described,
        }


@pytest.mark.parametrize("others", ["no-answer", "manual"])
def test_where_the_numbers_ring_is_said_without_page_too(
    state: Path, capfd: pytest.CaptureFixture[str], others: str
) -> None:
    """Whoever started that sandbox with --page may be waiting for the calls of this command."""
    with Sandbox(state=state, phones={"*": others}) as sandbox:
        assert 0 == join(state)
        assert (others == "manual") == (f"Phone: {sandbox.url}/" in capfd.readouterr().err.splitlines())


def test_without_page_the_phones_there_stay_as_they_are(state: Path) -> None:
    with Sandbox(state=state) as sandbox:
        assert 0 == join(state)
        assert {} == requests.get(f"{sandbox.url}/sandbox/state", timeout=PATIENCE).json()["phones"]


@pytest.mark.parametrize("options", [[], ["--page"]])
def test_a_sandbox_that_ends_before_its_phones_are_known(
    state: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    with Sandbox(state=state) as sandbox:
        monkeypatch.setattr("pulumi_twilio_caller_id.cli.sandbox.start_or_join", lambda _: sandbox.url)
    assert 1 == join(state, *options)
    out, err = capfd.readouterr()
    assert "" == out
    assert f"{NAME}the sandbox at {sandbox.url} cannot be reached any more: try again" == err.splitlines()[-1]


def test_without_another_sandbox_there_is_one_of_its_own(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(state=state, numbers={NUMBER: "Front desk"}) as sandbox:
        url = sandbox.url
    assert 0 == join(state)
    out, err = capfd.readouterr()
    assert (True, False, f"{NOBODY_IS_CALLED}\n") == (out.endswith(" True\n"), out.startswith(url), err)
    assert [state] == list(state.parent.iterdir())


def test_a_sandbox_of_another_process_is_joined(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "pulumi_twilio_caller_id", "sandbox", "--state", str(state), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(joining.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[2]
            assert 0 == join(state)
            assert f"{url} False\n" == capfd.readouterr().out
            assert process.poll() is None
        finally:
            process.terminate()


@pytest.mark.parametrize("joined", [False, True], ids=["its own sandbox", "one that is joined"])
def test_the_command_asks_the_sandbox_by_no_proxy(
    state: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    """Whatever proxies are set for the rest of the world."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with Sandbox(state=state, numbers={NUMBER: "Front desk"}) if joined else nullcontext():
        assert 0 == join(state)
    assert capfd.readouterr().out.endswith(f" {joined}\n")


def test_a_sandbox_that_is_just_starting_is_waited_for(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It has the file before it has its port."""
    holding = lock(state)
    holding.acquire()
    with Sandbox(numbers={NUMBER: "Front desk"}) as other:
        began = time.monotonic()
        threading.Timer(0.3, holding.announce, (other.url,)).start()
        assert 0 == join(state)
        assert time.monotonic() - began >= 0.3
        assert f"{other.url} True\n" == capfd.readouterr().out
    holding.release()


def test_a_sandbox_that_is_about_to_end_is_replaced(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    holding = lock(state)
    holding.acquire()
    threading.Timer(0.3, holding.release).start()
    assert 0 == join(state)
    out, err = capfd.readouterr()
    assert (True, f"{NOBODY_IS_CALLED}\n") == (out.endswith(" False\n"), err)


@pytest.mark.usefixtures("impatient")
def test_one_that_cannot_be_reached(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    holding = lock(state)
    holding.acquire()
    me = f"process {os.getpid()}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for announced, owner in ((None, me), (url, f"{me}, {url}")):
            if announced:
                holding.announce(announced)
            assert 1 == join(state)
            message = (
                f"the sandbox that has the state file ({owner}) cannot be reached: stop it first, or name another file"
            )
            assert ("", f"{NAME}{message}\n") == capfd.readouterr()
    holding.release()


@pytest.mark.usefixtures("impatient")
def test_a_program_that_is_no_sandbox_is_not_joined(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The port may be somebody else's by now."""
    holding = lock(state)
    holding.acquire()
    with Sandbox() as other:
        other._credentials.account_sid = "AC" + "1" * 32
        holding.announce(other.url)
        assert 1 == join(state)
        assert "cannot be reached" in capfd.readouterr().err
    holding.release()


def test_without_join_the_message_says_who_has_the_file_and_where(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(state=state) as sandbox:
        assert 1 == main(["sandbox", "--state", str(state), "--run", "echo", "ran"])
        owner = f"process {os.getpid()}, {sandbox.url}"
        told = f"{state} is in use by another sandbox ({owner}): stop that one first, or name another file."
        assert f"{NAME}{told} Or use that one: --join.\n" == capsys.readouterr().err


def test_the_lock_holds_the_process_and_the_url_and_no_secret(state: Path) -> None:
    with Sandbox(state=state) as sandbox:
        content = state.with_name(f".{state.name}.lock").read_text()
        assert f"{os.getpid()} {sandbox.url}" == content
