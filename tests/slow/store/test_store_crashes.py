"""Sandboxes that are killed, and two of them on one state file: what was acknowledged is in the file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

import pulumi_twilio_caller_id
from pulumi_twilio_caller_id.sandbox import StateFileError, file_lock
from pulumi_twilio_caller_id.sandbox.file_lock import FileLock, Taken
from pulumi_twilio_caller_id.sandbox.store import State, Store
from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE, until

NUMBER = "+14155550101"
OTHER = "+14155550102"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pulumi_twilio_caller_id.__path__[0]).parent)}

# Serves, and kills itself the n-th time it comes to a certain point of a save, before or after that.
SERVER = """
import os, signal, sys, tempfile, time
from pathlib import Path
from pulumi_twilio_caller_id.testing import Delays, Sandbox

path, point, when, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
module, name = {"mkstemp": (tempfile, "mkstemp"), "fdopen": (os, "fdopen"), "fsync": (os, "fsync"),
                "replace": (Path, "replace"), "": (os, "getpid")}[point]
original, count = getattr(module, name), 0

def deadly(*args, **options):
    global count
    count += 1
    if point and when == "before" and count == times:
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*args, **options)
    if point and count == times:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

sandbox = Sandbox(state=path, delays=Delays(queued=0, rings=0, talks=0)).start()
setattr(module, name, deadly)
print(sandbox.url, sandbox.account_sid, sandbox.auth_token, flush=True)
while True:
    time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def saved(state: Path) -> State:
    return State.model_validate_json(state.read_bytes())


@contextmanager
def serving(state: Path, point: str = "", when: str = "", times: int = 0) -> Iterator[tuple[Any, list[str]]]:
    """A sandbox in a process of its own, and what it said of itself: URL, account, token."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(state), point, when, str(times)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().split()
        finally:
            process.kill()
        assert process.stderr
        assert "" == process.stderr.read()


class Client:
    """Verifies numbers and renames them, one after the other, and knows what it was answered."""

    def __init__(self) -> None:
        self.placed: list[str] = []  # CallSids
        self.verified: dict[str, str] = {}  # sid -> number
        self.names: dict[str, str] = {}  # sid -> friendly name
        self.removed: set[str] = set()
        self._next = 1000

    def work(self, url: str, account: str, token: str) -> None:
        """Until the sandbox is gone."""
        session, at = requests.Session(), f"{url}/2010-04-01/Accounts/{account}/OutgoingCallerIds"
        session.auth = (account, token)

        def ask(method: str, path: str = ".json", **form: str) -> Any:
            answer = session.request(method, at + path, data=form, timeout=PATIENCE)
            assert answer.ok, answer.text
            return answer.json() if answer.content else None

        with session:
            try:
                while True:
                    self._next += 1
                    number = f"+1415555{self._next}"
                    self.placed.append(ask("POST", PhoneNumber=number)["call_sid"])
                    [record] = ask("GET", f".json?PhoneNumber=%2B{number[1:]}")["outgoing_caller_ids"]
                    sid = record["sid"]
                    self.verified[sid] = number
                    ask("POST", f"/{sid}.json", FriendlyName=f"Desk {number}")
                    self.names[sid] = f"Desk {number}"
                    if self._next % 4 == 0:
                        del self.verified[sid], self.names[sid]  # it may be gone from now on
                        ask("DELETE", f"/{sid}.json")
                        self.removed.add(sid)
            except requests.RequestException:
                return

    def check(self, state: Path) -> None:
        """All that was acknowledged is in the file, which is whole."""
        found = saved(state)
        records = {record.sid: record for record in found.caller_ids}
        assert set() == set(self.placed) - {call.sid for call in found.calls}
        assert self.verified.items() <= {sid: record.phone_number for sid, record in records.items()}.items()
        assert self.names.items() <= {sid: record.friendly_name for sid, record in records.items()}.items()
        assert set() == self.removed & records.keys()


@pytest.mark.parametrize(
    ("point", "when", "left"),
    [
        ("mkstemp", "before", 0), ("mkstemp", "after", 1), ("fdopen", "after", 1), ("fsync", "before", 1),
        ("replace", "before", 1), ("replace", "after", 0),
    ],
)  # fmt: skip
def test_killed_at_any_point_of_a_save_it_keeps_what_it_acknowledged(
    state: Path, point: str, when: str, left: int
) -> None:
    client = Client()
    with serving(state, point, when, times=9) as (process, told):
        client.work(*told)
        assert -signal.SIGKILL == process.wait(PATIENCE)
    assert client.placed
    client.check(state)
    assert [left, 1] == [len(list(state.parent.glob(f".state.json*{end}"))) for end in (".tmp", ".lock")]
    with Sandbox(state=state) as sandbox:
        assert [] == list(state.parent.glob("*.tmp"))
        sandbox.add_caller_id(NUMBER)
    client.check(state)
    assert [state] == list(state.parent.iterdir())


def test_killed_at_any_time_again_and_again_it_keeps_what_it_acknowledged(state: Path) -> None:
    client = Client()
    for numbers in (1, 2, 4, 9):
        with serving(state) as (process, told), ThreadPoolExecutor(1) as threads:
            known = len(client.placed)
            working = threads.submit(client.work, *told)
            until(lambda: len(client.placed) >= known + numbers or working.done())  # noqa: B023
            process.kill()
            working.result(PATIENCE)
        client.check(state)
        assert len(client.placed) >= known + numbers


def test_only_what_is_left_of_this_file_is_cleared_up(state: Path) -> None:
    """Others may have files of like names there, and sandboxes of their own that are about to rename them."""
    others = [
        f".state.json.{name}" for name in ("abcdefg.tmp", "abcd.efg.tmp", "abcdefgh", "lock.tmp", "x.abcdefgh.tmp")
    ]
    for name in (*others, ".state.json.abcdefgh.tmp", ".state_json.abcdefgh.tmp", "notes.tmp"):
        state.with_name(name).write_text("")
    with Sandbox(state=state):
        pass
    assert {*others, ".state_json.abcdefgh.tmp", "notes.tmp"} == {path.name for path in state.parent.iterdir()}


def test_what_somebody_else_wrote_is_left_alone(state: Path) -> None:
    """The folder may be one that others write to, and the names of our files can be guessed."""
    dear = state.with_name("letter")
    for name in ("letter", ".state.json.abcdefgh.tmp"):
        state.with_name(name).write_text("dear to somebody")
    state.with_name(".state.json.abcdefgi.tmp").symlink_to(dear)
    with Sandbox(state=state):
        pass
    assert "dear to somebody" == dear.read_text() == state.with_name(".state.json.abcdefgh.tmp").read_text()
    assert state.with_name(".state.json.abcdefgi.tmp").is_symlink()


@pytest.mark.parametrize("planted", ["a link", "a file"])
def test_a_lock_file_that_is_somebody_elses_is_neither_followed_nor_written_to(state: Path, planted: str) -> None:
    dear, lock = state.with_name("letter"), state.with_name(".state.json.lock")
    dear.write_text("dear to somebody")
    lock.symlink_to(dear) if planted == "a link" else lock.write_text("dear to somebody")
    with pytest.raises(StateFileError, match="no file can be written in its folder"), Sandbox(state=state):
        pass
    assert "dear to somebody" == dear.read_text() == lock.read_text()


# Two at once


def test_the_second_is_refused_until_the_first_is_gone(state: Path) -> None:
    first, second = Sandbox(state=state), Sandbox(state=state)
    with first:
        first.add_caller_id(NUMBER)
        refusal = (
            f"{state} is in use by another sandbox (process {os.getpid()}, {first.url}): "
            "stop that one first, or name another file."
        )
        for refused in (
            second.start,
            lambda: second.add_caller_id(OTHER),
            lambda: Sandbox(state=state, numbers={OTHER: None}),
        ):
            with pytest.raises(StateFileError) as raised:
                refused()
            assert str(raised.value).endswith(refusal)
        assert [] == second.caller_ids
        with pytest.raises(RuntimeError):
            first.start()
        with pytest.raises(StateFileError):  # it has the file still
            second.start()
        assert [NUMBER] == [record.phone_number for record in saved(state).caller_ids]
    with second:
        assert [NUMBER] == [record.phone_number for record in second.caller_ids]
        second.add_caller_id(OTHER)
    with first:
        assert [NUMBER, OTHER] == [record.phone_number for record in first.caller_ids]


def test_a_sandbox_that_does_not_start_lets_go_of_the_file(state: Path) -> None:
    with Sandbox() as other:
        with pytest.raises(OSError, match="Address already in use"):
            Sandbox(state=state, port=int(other.url.rpartition(":")[2])).start()
        state.write_text("{}")
        with pytest.raises(StateFileError):
            Sandbox(state=state).start()
    state.unlink()
    with Sandbox(state=state):
        pass


def test_the_command_says_who_has_the_file(state: Path) -> None:
    """And finds it free as soon as the other is dead, however it died; one after the other they get along."""
    command = [
        sys.executable,
        "-m",
        "pulumi_twilio_caller_id",
        "sandbox",
        "--state",
        str(state),
        "--run",
        "echo",
        "ran",
    ]

    about = "This is a sandbox: a local Twilio with simulated phones. Nobody is called.\n"

    def run() -> tuple[int, str, str]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=ENVIRONMENT)
        return done.returncode, done.stdout, done.stderr

    with serving(state) as (process, told):
        message = (
            f"{state} is in use by another sandbox (process {process.pid}, {told[0]}): "
            "stop that one first, or name another file. Or use that one: --join."
        )
        assert (1, "", f"pulumi-twilio-caller-id: {message}\n") == run()
        assert requests.get(f"{told[0]}/sandbox/state", timeout=PATIENCE).ok
    assert (0, "ran\n", about) == run()
    assert [] == list(state.parent.iterdir())


def test_a_command_does_not_keep_the_file_beyond_its_sandbox(state: Path) -> None:
    """What a sandbox started may live on; it has inherited nothing."""
    with Sandbox(state=state), subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        descriptors = [str(link.readlink()) for link in Path(f"/proc/{child.pid}/fd").iterdir()]
        child.kill()
    assert [] == [name for name in descriptors if "state.json" in name]


def test_a_lock_is_never_had_twice(tmp_path: Path) -> None:
    """Although its file is taken away by one while the next is about to lock it."""
    inside, most, had = [0], [0], [0]
    over = time.monotonic() + 1.0

    def often(_: int) -> None:
        lock = FileLock(tmp_path / "lock")
        while time.monotonic() < over or (had[0] <= 20 and time.monotonic() < over + PATIENCE):
            try:
                lock.acquire()
            except Taken:
                time.sleep(0.0002)
                continue
            had[0] += 1
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            os.sched_yield()
            inside[0] -= 1
            lock.release()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(often, range(4)))
    assert 1 == most[0]
    assert had[0] > 20
    assert [] == list(tmp_path.iterdir())


def no_locks(*_: Any) -> None:
    raise OSError(38, "Function not implemented")


@pytest.mark.parametrize("system", [None, SimpleNamespace(flock=no_locks, LOCK_EX=0, LOCK_NB=0)])
def test_where_there_are_no_locks_whoever_writes_second_notices(
    state: Path, monkeypatch: pytest.MonkeyPatch, system: Any
) -> None:
    monkeypatch.setattr(file_lock, "fcntl", system)
    with Sandbox(state=state) as first, Sandbox(state=state) as second:
        first.add_caller_id(NUMBER)
        content = state.read_bytes()
        for _ in range(2):
            with pytest.raises(StateFileError, match=re.escape(f"{state}: another program has written to it")):
                second.add_caller_id(OTHER)
            assert ([], content) == (second.caller_ids, state.read_bytes())
        first.add_caller_id(OTHER)
    with second:  # started again
        assert 2 == len(second.caller_ids)
    assert [state] == list(state.parent.iterdir())


def test_a_file_that_was_touched_or_taken_away_is_written_again(state: Path) -> None:
    with Sandbox(state=state, numbers={NUMBER: None}) as sandbox:
        os.utime(state, (1, 1))
        sandbox.add_caller_id(OTHER)
        state.unlink()
        sandbox.add_caller_id("+14155550103")
    assert 3 == len(saved(state).caller_ids)


def test_an_interruption_leaves_the_file_to_be_written(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it comes before the new content is there or just after."""
    replace: Callable[..., Path] = Path.replace

    def interrupted(*args: Any) -> None:
        replace(*args)
        raise KeyboardInterrupt

    sandbox = Sandbox(state=state, numbers={NUMBER: None})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sandbox.add_caller_id(OTHER)
    assert [NUMBER] == [record.phone_number for record in sandbox.caller_ids]
    sandbox.add_caller_id("+14155550103")
    assert sandbox.caller_ids == Store(state).load().caller_ids
    assert [state] == list(state.parent.iterdir())
