from __future__ import annotations

import errno
import fcntl
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_twilio_caller_id.errors import Gone, OwnershipUnknown
from pulumi_twilio_caller_id.ownership import DELETING, Ownership
from pulumi_twilio_caller_id.ownership_notes import HEADER, OwnershipNotes, default_folder

ENGINE = "127.0.0.1:40123"
SID = "PN" + "1" * 32
DESK = "urn:pulumi:test::project::type::front desk"
LOBBY = "urn:pulumi:test::project::type::lobby"

OTHER_PROCESS = """
import sys
from pathlib import Path
from pulumi_twilio_caller_id.ownership_notes import OwnershipNotes
notes = OwnershipNotes(sys.argv[1], folder=Path(sys.argv[2]))
for line in sys.stdin:
    method, _, arguments = line.strip().partition(" ")
    print(getattr(notes, method)(*arguments.split("|")), flush=True)
"""


class Other:
    """Another plugin process of an engine."""

    def __init__(self, folder: Path, engine: str = ENGINE) -> None:
        command = [sys.executable, "-c", OTHER_PROCESS, engine, str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, method: str, *arguments: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{method} {'|'.join(arguments)}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


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
    assert "None" == another()("acquire", SID, DESK)
    notes = OwnershipNotes(ENGINE, folder=folder)
    assert DESK == notes.find(SID) == notes.acquire(SID, LOBBY)
    assert DESK == Ownership(OwnershipNotes(ENGINE, folder=folder)).owner(SID)
    assert notes.find("PN" + "2" * 32) is None
    assert OwnershipNotes("127.0.0.1:40124", folder=folder).find(SID) is None
    assert OwnershipNotes(None, folder=folder).acquire(SID, LOBBY) is None


def test_the_first_to_acquire_it_owns_it(another: Callable[..., Other]) -> None:
    """Of two processes that ask at once, one is told of the other, whatever each knew before."""
    first, second = another(), another()
    assert ["None", "None"] == [first("find", SID), second("find", SID)]
    assert ["None", DESK, "None"] == [
        first("acquire", SID, DESK),
        second("acquire", SID, LOBBY),
        first("acquire", SID, DESK),
    ]


def test_what_is_released_is_free(another: Callable[..., Other]) -> None:
    first, second = another(), another()
    first("acquire", SID, DESK)
    second("release", SID)
    assert DESK == second("find", SID), "it was not the second one's to release"
    first("release", SID)
    assert ["None", LOBBY] == [second("acquire", SID, LOBBY), first("find", SID)]


def test_a_note_outlives_its_process_but_not_the_operation(another: Callable[..., Other], folder: Path) -> None:
    """What a process that has ended took over must not be deleted. The next engine may have the same address."""
    first, second = another(), another()
    first("acquire", SID, DESK)
    assert DESK == second("find", SID)
    first.kill()
    assert [DESK, DESK] == [second("acquire", SID, LOBBY), another()("find", SID)]
    for other in another.started:  # type: ignore[attr-defined]
        other.kill()
    assert OwnershipNotes(ENGINE, folder=folder).find(SID) is None


def test_files_of_ended_operations_are_removed(another: Callable[..., Other], folder: Path) -> None:
    ended, running = another("127.0.0.1:40001"), another("127.0.0.1:40002")
    ended("acquire", SID, DESK)
    running("acquire", SID, DESK)
    ended.kill()
    OwnershipNotes(ENGINE, folder=folder).find(SID)
    assert {"127.0.0.1_40002.notes", "127.0.0.1_40123.notes"} == {path.name for path in folder.iterdir()}
    assert DESK == another("127.0.0.1:40002")("find", SID)


@pytest.mark.parametrize(
    "content", ["somebody's own", "", "1 2 3\n", f"{HEADER.decode()}4711 PN123\n", f"{HEADER.decode()}\0\0"]
)
def test_a_file_that_is_not_ours_is_left_alone(folder: Path, content: str) -> None:
    folder.mkdir(mode=0o700, parents=True)
    victim = folder.parent / "letter"
    victim.write_text("dear")
    for name in ("mine.notes", "99999999", "sub/old.notes"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "link.notes").symlink_to(victim)
    os.mkfifo(folder / "pipe.notes")
    OwnershipNotes(ENGINE, folder=folder).acquire(SID, DESK)

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
        (lambda folder: _write(folder / "127.0.0.1_40123.notes", "dear"), "something else than notes"),
        (
            lambda folder: _write(folder / "127.0.0.1_40123.notes", f"{HEADER.decode()}4711 PN1"),
            "something else than notes",
        ),
        (lambda folder: _link(folder / "127.0.0.1_40123.notes"), "Too many levels of symbolic links"),
    ],
)
def test_what_is_in_the_way_is_named(folder: Path, plant: Callable[[Path], None], why: str) -> None:
    folder.parent.mkdir()
    plant(folder)
    for act in ("acquire", "find"):
        with pytest.raises(OwnershipUnknown, match=why) as raised:
            getattr(OwnershipNotes(ENGINE, folder=folder), act)(*[SID, DESK][: 2 if act == "acquire" else 1])
        assert str(folder) in str(raised.value)


def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OwnershipUnknown, match="it belongs to another user"):
        OwnershipNotes(ENGINE, folder=folder).acquire(SID, DESK)


def test_a_full_disk_leaves_no_half_a_note(
    another: Callable[..., Other], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = OwnershipNotes(ENGINE, folder=folder)
    notes.find(SID)
    written = os.write
    monkeypatch.setattr(os, "write", lambda file, content: written(file, content[:20]))
    with pytest.raises(OwnershipUnknown, match=os.strerror(errno.ENOSPC)):
        notes.acquire(SID, DESK)
    monkeypatch.undo()
    assert "None" == another()("find", SID)
    assert notes.acquire(SID, DESK) is None


def test_a_preview_goes_on_without_notes(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()
    memory = Ownership(OwnershipNotes(ENGINE, folder=folder))
    memory.record_declaration(DESK, in_state=False, previewed=True)
    assert memory.acquire(SID, DESK) is None
    assert memory.owner("PN" + "2" * 32) is None
    with pytest.raises(OwnershipUnknown):
        memory.check_notes()
    memory.record_declaration(DESK, in_state=False)
    with pytest.raises(OwnershipUnknown):
        memory.acquire("PN" + "2" * 32, DESK)


def test_what_one_process_deletes_no_other_takes_over(another: Callable[..., Other], folder: Path) -> None:
    memory = Ownership(OwnershipNotes(ENGINE, folder=folder))
    assert memory.begin_delete(SID, LOBBY) is None
    other = another()
    assert DELETING + LOBBY == other("find", SID) == other("acquire", SID, DESK)
    with pytest.raises(Gone, match="is being deleted in the same operation"):
        memory.acquire_or_fail(SID, DESK, "+14155550101")
    assert memory.begin_delete(SID, DESK) is None, "another resource of the state may have it too"
    memory.release(SID, DELETING + DESK)
    with pytest.raises(Gone):
        memory.fail_if_deleted(SID, "+14155550101")
    memory.release(SID, DELETING + LOBBY)
    assert "None" == other("acquire", SID, DESK)
    assert DESK == memory.begin_delete(SID, LOBBY)


def test_a_process_does_not_hear_of_its_own_notes(folder: Path) -> None:
    """It knows better: it may have released the caller ID since."""
    memory = Ownership(OwnershipNotes(ENGINE, folder=folder))
    memory.acquire(SID, DESK)
    memory.release(SID, DESK)
    assert memory.owner(SID) is None


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
    assert OwnershipNotes(ENGINE, folder=folder).acquire(SID, DESK) is None
    assert DESK == another()("find", SID)


def test_the_folder_and_its_files_are_the_users_alone(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    OwnershipNotes(ENGINE, folder=folder).acquire(SID, DESK)
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
    notes = OwnershipNotes(ENGINE, folder=folder)
    notes.acquire(key, DESK)
    notes.acquire(SID, DESK)
    assert DESK == another()("find", SID)


def test_a_name_of_two_lines_is_one_note(another: Callable[..., Other], folder: Path) -> None:
    """The engine takes any name for a resource."""
    other = "PN" + "2" * 32
    urn = f"urn:pulumi:test::x::T::two\n{os.getpid()} {other} lines\u2028{other} more"
    OwnershipNotes(ENGINE, folder=folder).acquire(SID, urn)
    process = another()
    assert ["None", repr(urn)] == [process("find", other), repr(urn)]
    assert "urn:pulumi:test::x::T::two" == process("find", SID)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


def _link(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent.parent / "nowhere")
