"""The state file of a sandbox: whatever it is like, and whatever becomes of it, nothing is lost without a word."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.sandbox import StateFileError
from pulumi_twilio_caller_id.sandbox.store import LARGEST, State, Store
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
OTHER = "+14155550102"
AT_ONCE = Delays(queued=0, rings=0, talks=0)
START = '{"format": "pulumi-twilio-caller-id/sandbox", "version": 1, '
NAME = "pulumi-twilio-caller-id: "
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pulumi_twilio_caller_id.__path__[0]).parent)}
COMMAND = [sys.executable, "-W", "error", "-m", "pulumi_twilio_caller_id", "sandbox", "--state"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def saved(state: Path) -> State:
    return State.model_validate_json(state.read_bytes())


def command(state: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """What a command that is to be run with this file comes to: status, stdout, stderr."""
    status = main(["sandbox", "--state", str(state), "--run", "echo", "ran"])
    return status, *capfd.readouterr()


# What is in the file

CALLER_ID = {"account_sid": "AC1", "phone_number": NUMBER, "friendly_name": "Desk", "created": 1.5, "updated": 1.5}
ONCE, TWICE = (json.dumps([{"sid": "PN" + "1" * 32, **CALLER_ID}] * times) for times in (1, 2))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is damaged"),
        (b"\n", "it is damaged"),
        (bytes(4096), "it is damaged"),
        (START.encode() + b'"accounts": []}' + bytes(100), "it is damaged"),
        (START.encode() + b'"accounts": ["\xff\xfe"]}', "it is damaged"),
        ((START + '"accounts": []}').encode("utf-16"), "it is damaged"),
        ((START + '"accounts": ' + "[" * 100_000).encode(), "it is damaged"),
        ((START + '"accounts": ' + "[" * 300 + "]" * 300 + "}").encode(), "accounts.0 is wrong"),
        ((START + '"caller_ids": ' + TWICE + "}").encode(), "it has a sid twice"),
        ((START + '"caller_ids": ' + TWICE.replace("1.5", "NaN") + "}").encode(), "it is damaged"),
        ((START + '"caller_ids": ' + TWICE.replace("1.5", "1e999") + "}").encode(), "it is damaged"),
        ((START + '"caller_ids": ' + TWICE.replace("1.5", "1" * 5000) + "}").encode(), "it is damaged"),
        ((START + '"caller_ids": ' + TWICE.replace("1.5", "1" * 400) + "}").encode(), "caller_ids.0.created is wrong"),
        ((START + '"caller_ids": ' + ONCE.replace("Desk", r"\ud800") + "}").encode(), "a text in it is not Unicode"),
        ((START + r'"\u001b[2J\n\u202e": 1}').encode(), "[2J is wrong: Extra inputs are not permitted"),
        (START.replace("1", json.dumps("2\x1b" * 5000)).encode() + b'"accounts": []}', "it has version '2\\x1b2"),
    ],
)
def test_a_damaged_file_is_explained_in_a_line_and_left_alone(state: Path, content: bytes, reason: str) -> None:
    state.write_bytes(content)
    with pytest.raises(StateFileError) as refusal:
        Sandbox(state=state)
    message = str(refusal.value)
    assert reason in message
    assert message.startswith(f"{state} cannot be used as the sandbox's state: ")
    assert (message.isprintable(), len(message) < 500 + len(str(state))) == (True, True)
    assert content == state.read_bytes()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "cannot be used as the sandbox's state: it is not a file"),
        (os.mkfifo, "cannot be used as the sandbox's state: it is not a file"),
        (lambda path: path.symlink_to("/dev/full"), "cannot be used as the sandbox's state: it is not a file"),
        (lambda path: path.symlink_to(path), "cannot be read (Too many levels of symbolic links): make it readable"),
        (huge, f"cannot be used as the sandbox's state: it is larger than {LARGEST} bytes"),
    ],
)
def test_what_is_no_file_is_refused_at_once(
    state: Path, make: Callable[[Path], None], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make(state)
    before = state.lstat()
    status, stdout, stderr = command(state, capfd)
    assert (2, "") == (status, stdout)
    assert stderr.startswith(f"{NAME}{state} {reason}")
    assert 1 == stderr.count("\n")
    assert (before.st_ino, before.st_mtime_ns) == (state.lstat().st_ino, state.lstat().st_mtime_ns)
    assert [state] == list(state.parent.iterdir())


def test_a_file_that_may_not_be_read(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patched, since nothing is forbidden to root."""
    state.write_text("{}")

    def denied(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(StateFileError) as refusal:
        Sandbox(state=state)
    assert f"{state} cannot be read (Permission denied): make it readable, or name another file." == str(refusal.value)


def test_a_link_stays_a_link(state: Path) -> None:
    link = state.with_name("link.json")
    link.symlink_to("state.json")
    with Sandbox(state=link) as sandbox:
        sandbox.add_caller_id(NUMBER)
        with pytest.raises(StateFileError, match=f"{state} is in use by another sandbox"):
            Sandbox(state=state).start()
    assert link.is_symlink()
    assert [NUMBER] == [record.phone_number for record in saved(state).caller_ids]


# What cannot be saved


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def read_only(*_: Any, **__: Any) -> Any:
    raise OSError(errno.EROFS, "Read-only file system")


def onto_a_full_device(descriptor: int, mode: str) -> Any:
    os.close(descriptor)
    return Path("/dev/full").open(mode)


FAILURES = [
    (os, "fsync", no_space),
    (os, "fdopen", onto_a_full_device),
    (tempfile, "mkstemp", read_only),
    (Path, "replace", read_only),
]


class Api:
    """A running sandbox as a client sees it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = f"{sandbox.url}/2010-04-01/Accounts/{sandbox.account_sid}/OutgoingCallerIds"
        self.sandbox = sandbox
        self.auth = (sandbox.account_sid, sandbox.auth_token)

    def ask(self, method: str, path: str = ".json", **form: str) -> requests.Response:
        return requests.request(method, self.url + path, data=form, auth=self.auth, timeout=PATIENCE)

    def by_hand(self, what: str, sid: str, **form: str) -> requests.Response:
        return requests.post(f"{self.sandbox.url}/sandbox/calls/{sid}/{what}", data=form, timeout=PATIENCE)

    def seen(self) -> Any:
        state = requests.get(f"{self.sandbox.url}/sandbox/state", timeout=PATIENCE).json()
        del state["now"]  # it goes on, whatever happens
        return state


@pytest.fixture
def api(state: Path) -> Iterator[Api]:
    phones: dict[str, Any] = {OTHER: "manual", "+14155550103": "manual"}
    with Sandbox(state=state, numbers={NUMBER: "Desk"}, phones=phones, delays=AT_ONCE) as sandbox:
        yield Api(sandbox)


@pytest.mark.parametrize(("module", "name", "failing"), FAILURES)
def test_what_cannot_be_saved_has_not_happened(
    api: Api, state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, module: Any, name: str,
    failing: Any,
) -> None:  # fmt: skip
    """Whatever was asked for; said once to whoever runs the sandbox. Later it works again."""
    sid = api.sandbox.caller_ids[0].sid
    call = api.ask("POST", PhoneNumber=OTHER).json()
    right = {"Digits": call["validation_code"]}
    changes: list[Callable[[], requests.Response]] = [
        lambda: api.by_hand("digits", call["call_sid"], Digits="1"),
        lambda: api.by_hand("digits", call["call_sid"], **right),
        lambda: api.ask("POST", PhoneNumber="+14155550103"),
        lambda: api.by_hand("hangup", api.sandbox.calls[-1].sid),
        lambda: api.ask("POST", f"/{sid}.json", FriendlyName="Lobby"),
        lambda: api.ask("DELETE", f"/{sid}.json"),
    ]
    for change in changes:
        before, content = api.seen(), state.read_bytes()
        with monkeypatch.context() as full:
            full.setattr(module, name, failing)
            answers = [change(), change()]
            assert (before, content) == (api.seen(), state.read_bytes())
        for answer in answers:
            assert (500, 500) == (answer.status_code, answer.json()["status"])
            assert answer.json().get("code", 20500) == 20500
            assert answer.json()["message"].startswith(f"The sandbox's state could not be saved in {state}: ")
        assert change().ok
        assert before != api.seen()
    again = Store(state).load()
    assert api.sandbox.caller_ids == again.caller_ids
    assert [call.sid for call in api.sandbox.calls] == [call.sid for call in again.calls]
    lines = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert len(changes) == len(lines)
    assert {None} == {record.exc_info for record in lines}
    assert [state] == [path for path in state.parent.iterdir() if path.suffix != ".lock"]


def test_a_look_that_finds_something_new_tells_it_once_it_is_saved(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sid of a number that has just been verified would otherwise be another after a crash."""
    api.ask("POST", PhoneNumber="+14155550104")
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        assert 500 == api.ask("GET").status_code
        assert 500 == requests.get(f"{api.sandbox.url}/sandbox/state", timeout=PATIENCE).status_code
    told = api.ask("GET").json()["outgoing_caller_ids"]
    assert [NUMBER, "+14155550104"] == [record["phone_number"] for record in told]


def test_a_callback_that_cannot_be_noted_is_sent_later(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Or it might be sent twice. Meanwhile nobody is bothered with it more than once."""
    now, tries = [1_795_514_400.0], []

    def full(file: int) -> None:
        tries.append(file)
        no_space()

    with Sandbox(state=state, clock=lambda: now[0]) as sandbox:
        call = Api(sandbox).ask("POST", PhoneNumber=OTHER, StatusCallback="http://127.0.0.1:9/").json()["call_sid"]
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            now[0] += 100
            until(lambda: len(tries) > 1)
            assert [] == sandbox.callbacks
        until(lambda: sandbox.callbacks)
        assert call == sandbox.callbacks[0].call_sid
    assert [None] == [record.exc_info for record in caplog.records if record.levelno > logging.DEBUG]


def test_a_folder_that_goes_away_and_comes_back(api: Api, state: Path) -> None:
    shutil.rmtree(state.parent)
    answer = api.ask("POST", PhoneNumber=OTHER)
    assert 500 == answer.status_code
    assert "No such file or directory" in answer.json()["message"]
    state.parent.mkdir()
    assert 200 == api.ask("POST", PhoneNumber=OTHER).status_code
    assert ([NUMBER], [OTHER]) == (
        [r.phone_number for r in saved(state).caller_ids],
        [c.to for c in saved(state).calls],
    )


def test_a_disk_that_is_full_for_a_while(state: Path) -> None:
    """A real one: no file of the process may grow beyond what it has."""
    Sandbox(state=state, numbers={NUMBER: "Desk"})
    process = subprocess.Popen(
        [*COMMAND, str(state), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout
            url, account, token = re.findall(r"http://[\w.:]+|\bAC\w+|(?<=AUTH_TOKEN=)\w+", process.stdout.readline())[
                :3
            ]
            at = f"{url}/2010-04-01/Accounts/{account}/OutgoingCallerIds.json"

            def ask(method: str, **form: str) -> requests.Response:
                return requests.request(method, at, data=form, auth=(account, token), timeout=PATIENCE)

            whole, room = state.read_bytes(), resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (len(whole) + 50, room[1]))
            answers = [ask("POST", PhoneNumber=OTHER) for _ in range(3)]
            assert [500] * 3 == [answer.status_code for answer in answers]
            message = answers[0].json()["message"]
            assert (
                f"The sandbox's state could not be saved in {state}: File too large. Nothing was changed; see that"
                in message
            )
            assert [NUMBER] == [it["phone_number"] for it in ask("GET").json()["outgoing_caller_ids"]]
            assert whole == state.read_bytes()
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, room)
            assert 200 == ask("POST", PhoneNumber=OTHER).status_code
        finally:
            process.terminate()
        _, stderr = process.communicate(timeout=PATIENCE)
    assert [OTHER] == [call.to for call in saved(state).calls]
    assert [message] == [line for line in stderr.splitlines() if not re.match(r"\d\d:\d\d:\d\d ", line)]
    assert [state] == list(state.parent.iterdir())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/sys/state.json", "/sys/state.json: no file can be written in its folder ("),
        ("/nonexistent/state.json", "/nonexistent/state.json: there is no folder /nonexistent; make it first"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_told_at_the_start(
    path: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status, stdout, stderr = command(Path(path), capfd)
    assert (True, "", 1) == (status in (1, 2), stdout, stderr.count("\n"))
    assert stderr.startswith(NAME + message)


def test_a_state_that_could_not_be_read_again_is_not_written(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(state=state, numbers={NUMBER: None})
    before = state.read_bytes()
    with pytest.raises(StateFileError, match="a text in it is not Unicode"):
        sandbox.add_caller_id(OTHER, "\ud800")
    monkeypatch.setattr("pulumi_twilio_caller_id.sandbox.store.LARGEST", len(before) + 10)
    with pytest.raises(StateFileError, match="it would be larger than"):
        sandbox.add_caller_id(OTHER)
    assert (before, 1) == (state.read_bytes(), len(sandbox.caller_ids))
