from __future__ import annotations

import errno
import fcntl
import json
import os
import pwd
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_twilio_caller_id.errors import Gone, OwnershipUnknown
from pulumi_twilio_caller_id.ownership import DELETING_PREFIX, Ownership
from pulumi_twilio_caller_id.ownership_notes import HEADER, Note, OwnershipNotes, default_folder

ENGINE = "127.0.0.1:40123"
SID = "PN" + "1" * 32
DESK = "urn:pulumi:test::project::type::front desk"
LOBBY = "urn:pulumi:test::project::type::lobby"

OTHER_PROCESS = """
import json, os, sys, threading
from pathlib import Path
from pulumi_twilio_caller_id.ownership import Ownership
from pulumi_twilio_caller_id.ownership_notes import OwnershipNotes

class Process(Ownership):
    def write_half_a_note(self, key, urn):
        write, half, self.resume = os.write, threading.Event(), threading.Event()

        def in_halves(file, content):
            write(file, content[:10])
            half.set()
            self.resume.wait()
            return 10 + write(file, content[10:])

        os.write = in_halves
        threading.Thread(target=self.acquire, args=(key, urn)).start()
        half.wait()

    def write_the_other_half(self):
        self.resume.set()

process = Process(OwnershipNotes(sys.argv[1], folder=Path(sys.argv[2])))
for line in sys.stdin:
    method, *arguments = json.loads(line)
    print(json.dumps(getattr(process, method)(*arguments)), flush=True)
"""


class Other:
    """Another plugin process of an engine."""

    def __init__(self, folder: Path, engine: str = ENGINE) -> None:
        command = [sys.executable, "-c", OTHER_PROCESS, engine, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, method: str, *arguments: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps([method, *arguments])}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def own_process(folder: Path, engine: str = ENGINE) -> Ownership:
    """What this process knows, as the plugin process of an engine."""
    return Ownership(OwnershipNotes(engine, folder=folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "notes"


@pytest.fixture
def another(folder: Path) -> Iterator[Callable[..., Other]]:
    """Starts other plugin processes."""
    started: list[Other] = []

    def start(engine: str = ENGINE) -> Other:
        started.append(Other(folder, engine))
        return started[-1]

    start.started = started  # type: ignore[attr-defined]
    yield start
    for other in started:
        other.kill()


def test_a_process_knows_what_another_of_its_engine_owns(another: Callable[..., Other], folder: Path) -> None:
    assert another()("acquire", SID, DESK) is None
    ownership = own_process(folder)
    assert DESK == ownership.owner(SID) == ownership.acquire(SID, LOBBY)
    assert ownership.owner("PN" + "2" * 32) is None
    assert own_process(folder, "127.0.0.1:40124").owner(SID) is None
    assert Ownership(OwnershipNotes(None, folder=folder)).acquire(SID, LOBBY) is None


def test_the_first_to_acquire_it_owns_it(another: Callable[..., Other]) -> None:
    """Of two processes that ask at once, one is told of the other, whatever each knew before."""
    first, second = another(), another()
    assert [None, None] == [first("owner", SID), second("owner", SID)]
    assert [None, DESK, None] == [
        first("acquire", SID, DESK),
        second("acquire", SID, LOBBY),
        first("acquire", SID, DESK),
    ]


def test_many_processes_at_once_agree_on_each_owner(another: Callable[..., Other]) -> None:
    """No note is lost, and none is cut, while all of them write."""
    processes = [another() for _ in range(4)]
    keys = [f"PN{number:032}" for number in range(100)]
    for other in processes:
        other("owner", SID)
    threads = [
        threading.Thread(target=lambda o=other, i=index: [o("acquire", key, f"{DESK}{i}") for key in keys])
        for index, other in enumerate(processes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owners = [[other("owner", key) for key in keys] for other in processes]
    assert None not in owners[0]
    assert [owners[0]] * 4 == owners


def test_a_process_waits_while_another_one_writes(
    another: Callable[..., Other], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ownership, other, lock = own_process(folder), another(), fcntl.lockf
    ownership.owner(SID)
    other("write_half_a_note", SID, DESK)

    def locked(file: int, kind: int, *place: int) -> None:
        if kind == fcntl.LOCK_EX:
            other("write_the_other_half")
        lock(file, kind, *place)

    monkeypatch.setattr(fcntl, "lockf", locked)
    assert DESK == ownership.owner(SID)


def test_what_is_released_is_free(another: Callable[..., Other]) -> None:
    first, second = another(), another()
    first("acquire", SID, DESK)
    second("release", SID, LOBBY)
    assert DESK == second("owner", SID), "it was not the other one's to release"
    first("release", SID, DESK)
    assert [None, LOBBY] == [second("acquire", SID, LOBBY), first("owner", SID)]


def test_a_note_that_came_second_counts_for_nothing_later(another: Callable[..., Other]) -> None:
    first, second = another(), another()
    assert [None, DESK] == [first("acquire", SID, DESK), second("acquire", SID, LOBBY)]
    first("release", SID, DESK)
    assert [None, None] == [first("owner", SID), second("owner", SID)]


def test_a_note_outlives_its_process_but_not_the_operation(another: Callable[..., Other], folder: Path) -> None:
    """What a process that has ended took over must not be deleted. The next engine may have the same address."""
    first, second = another(), another()
    first("acquire", SID, DESK)
    assert DESK == second("owner", SID)
    first.kill()
    assert [DESK, DESK] == [second("acquire", SID, LOBBY), another()("owner", SID)]
    for other in another.started:  # type: ignore[attr-defined]
        other.kill()
    assert own_process(folder).owner(SID) is None


def test_files_of_ended_operations_are_removed(another: Callable[..., Other], folder: Path) -> None:
    ended, running = another("127.0.0.1:40001"), another("127.0.0.1:40002")
    ended("acquire", SID, DESK)
    running("acquire", SID, DESK)
    ended.kill()
    own_process(folder).owner(SID)
    assert {"127.0.0.1_40002.notes", "127.0.0.1_40123.notes"} == {path.name for path in folder.iterdir()}
    assert DESK == another("127.0.0.1:40002")("owner", SID)


@pytest.mark.parametrize("content", ["somebody's own", "", "1 2 3\n", HEADER.decode()[:-1], f"\n{HEADER.decode()}"])
def test_a_file_that_is_not_ours_is_left_alone(folder: Path, content: str) -> None:
    folder.mkdir(mode=0o700, parents=True)
    victim = folder.parent / "letter"
    victim.write_text("dear")
    for name in ("mine.notes", "99999999", "sub/old.notes"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "link.notes").symlink_to(victim)
    os.mkfifo(folder / "pipe.notes")
    own_process(folder).acquire(SID, DESK)

    kept = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    expected = {"99999999", "sub", "sub/old.notes", "link.notes", "pipe.notes", "127.0.0.1_40123.notes"}
    assert expected | {"mine.notes"} == kept
    assert "dear" == victim.read_text()


@pytest.mark.parametrize(
    ("plant", "why"),
    [
        (lambda folder: folder.touch(), "it is not a folder"),
        (lambda folder: folder.symlink_to(folder.parent), "it is a symbolic link"),
        (lambda folder: folder.symlink_to(folder.parent / "nowhere"), "it is a symbolic link"),
        (lambda folder: (folder / "127.0.0.1_40123.notes").mkdir(parents=True), "Is a directory"),
        (lambda folder: _write(folder / "127.0.0.1_40123.notes", "dear"), "damaged, or was not written by this"),
        (lambda folder: _link(folder / "127.0.0.1_40123.notes"), "Too many levels of symbolic links"),
    ],
)
def test_what_is_in_the_way_is_named(folder: Path, plant: Callable[[Path], None], why: str) -> None:
    folder.parent.mkdir()
    plant(folder)
    with pytest.raises(OwnershipUnknown, match=why) as raised:
        own_process(folder).acquire(SID, DESK)
    assert str(folder) in str(raised.value)
    with pytest.raises(OwnershipUnknown, match=why):
        own_process(folder).owner(SID)


def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OwnershipUnknown, match="it belongs to another user"):
        own_process(folder).acquire(SID, DESK)


def test_a_full_disk_is_named(another: Callable[..., Other], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ownership, other = own_process(folder), another()
    ownership.owner(SID)

    def write(_file: int, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OwnershipUnknown, match=os.strerror(errno.ENOSPC)):
        ownership.acquire(SID, DESK)
    monkeypatch.undo()
    assert other("owner", SID) is None
    assert ownership.acquire(SID, DESK) is None


@pytest.mark.parametrize("length", range(1, 20))
def test_half_a_note_is_not_guessed_at(folder: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """The disk may be full in the middle of a note."""
    ownership = own_process(folder)
    ownership.owner(SID)
    written = os.write
    monkeypatch.setattr(os, "write", lambda file, content: written(file, content[:length]))
    with pytest.raises(OwnershipUnknown, match="is damaged, or was not written by this package"):
        ownership.acquire(SID, DESK)
    monkeypatch.undo()
    with pytest.raises(OwnershipUnknown, match="is damaged, or was not written by this package"):
        ownership.acquire(SID, LOBBY)


def test_a_preview_goes_on_without_notes(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()
    ownership = own_process(folder)
    ownership.is_preview = True
    assert ownership.acquire(SID, DESK) is None
    assert ownership.owner("PN" + "2" * 32) is None
    with pytest.raises(OwnershipUnknown):
        ownership.fail_if_notes_unusable()
    ownership.is_preview = False
    with pytest.raises(OwnershipUnknown):
        ownership.acquire("PN" + "2" * 32, DESK)


def test_what_one_process_deletes_no_other_takes_over(another: Callable[..., Other], folder: Path) -> None:
    ownership = own_process(folder)
    assert ownership.begin_delete(SID, LOBBY) is None
    other = another()
    assert DELETING_PREFIX + LOBBY == other("owner", SID) == other("acquire", SID, DESK)
    with pytest.raises(Gone, match="is being deleted by the same command"):
        ownership.acquire_or_fail(SID, DESK, "+14155550101")
    assert ownership.begin_delete(SID, DESK) is None, "another resource of the state may have it too"
    ownership.abort_delete(SID, DESK)
    with pytest.raises(Gone):
        ownership.fail_if_deleted(SID, "+14155550101")
    ownership.abort_delete(SID, LOBBY)
    assert other("acquire", SID, DESK) is None
    assert DESK == ownership.begin_delete(SID, LOBBY)


def test_a_file_that_was_just_removed_as_an_old_one_is_not_written_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch, another: Callable[..., Other]
) -> None:
    """Another process may remove it between our opening and our locking it."""
    lock, path = fcntl.lockf, folder / "127.0.0.1_40123.notes"

    def late(*place: Any) -> None:
        monkeypatch.undo()
        path.unlink()
        lock(*place)

    monkeypatch.setattr(fcntl, "lockf", late)
    assert own_process(folder).acquire(SID, DESK) is None
    assert DESK == another()("owner", SID)


def test_the_folder_and_its_files_are_the_users_alone(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    own_process(folder).acquire(SID, DESK)
    [file] = folder.iterdir()
    assert (0o700, 0o600) == (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777)


def test_it_is_below_pulumis_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", "/somewhere")
    assert Path("/somewhere/twilio-caller-id") == default_folder()
    monkeypatch.setenv("PULUMI_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody else's")
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert own / ".pulumi" / "twilio-caller-id" == default_folder(), "as Pulumi has it, whatever HOME says"
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])
    assert Path("/home/somebody else's/.pulumi/twilio-caller-id") == default_folder()


@pytest.mark.parametrize("key", ["PN 12", "PN\n", '"', "[]"])
def test_a_sid_that_is_none_harms_no_note(another: Callable[..., Other], folder: Path, key: str) -> None:
    """A state may have been edited."""
    ownership = own_process(folder)
    ownership.acquire(key, DESK)
    ownership.acquire(SID, DESK)
    assert DESK == another()("owner", SID)


def test_a_name_of_two_lines_is_one_note(another: Callable[..., Other], folder: Path) -> None:
    """The engine takes any name for a resource."""
    other = "PN" + "2" * 32
    urn = f"urn:pulumi:test::x::T::two\n{json.dumps(['acquire', other, DESK])}\n lines\u2028{other} more"
    own_process(folder).acquire(SID, urn)
    process = another()
    assert [None, urn] == [process("owner", other), process("owner", SID)]


def test_only_new_notes_are_read(folder: Path) -> None:
    first, second = OwnershipNotes(ENGINE, folder=folder), OwnershipNotes(ENGINE, folder=folder)
    note, later = Note("acquire", SID, DESK), Note("release", SID, DESK)
    assert [note] == first.exchange(note)
    assert [[], [later]] == [first.exchange(), first.exchange(later)]
    assert [] == second.exchange()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


def _link(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent.parent / "nowhere")
