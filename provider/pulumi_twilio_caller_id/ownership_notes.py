"""Share the owners of caller IDs between the plugin processes of one engine, by a file of notes.

The engine starts one plugin process for each provider resource. If a number moves from one Provider to another, one
process adopts it and another process deletes its old resource. If a number is declared twice, both processes may phone
it. So before a process phones, adopts or deletes a number, it appends a note to the file, and reads the others' notes.

The file is in a private folder in PULUMI_HOME. The notes stay valid while any process of the engine runs, even if their
writer was killed. The plugin of a later `pulumi` command removes the file.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from .errors import OwnershipUnknown

FOLDER = "twilio-caller-id"
SUFFIX = ".notes"
HEADER = b"pulumi-twilio-caller-id notes 2\n"
"""The first line of each file. A file with another first line is not ours: it is neither read nor removed."""

DAMAGED_NOTES_REASON = "a .notes file in it is damaged, or was not written by this package"

EXCLUSIVE_OFFSET = 1 << 30
"""The byte that a process locks while it writes and reads. It is far beyond the end of the file, because on Windows no
other process can read a locked byte."""
RUNNING_OFFSET = EXCLUSIVE_OFFSET + 1
"""The byte on which each process of the engine holds a shared lock until it ends."""


class Note(NamedTuple):
    """One line of the file: a resource acquires or releases a caller ID or a number.

    action: "acquire" or "release". key: the sid of the caller ID, or the hash of the number. urn: the resource.
    """

    action: str
    key: str
    urn: str


class OwnershipNotes:
    """The notes of one engine's plugin processes. May be used by one thread at a time.

    engine_address: None outside of a plugin: then nothing is written. folder: replaces `default_folder()`.
    """

    def __init__(self, engine_address: str | None, *, folder: Path | None = None) -> None:
        self._engine_address = engine_address
        self._folder = folder
        self._fd: int | None = None
        self._read_offset = len(HEADER)

    def exchange(self, *own: Note) -> list[Note]:
        """Append notes of this process, and return all notes that are new since the previous exchange, in file order.

        Raises OwnershipUnknown, which names the folder, if notes can't be kept there.
        """
        if self._engine_address is None:
            return list(own)
        folder = self._folder or default_folder()
        try:
            if self._fd is None:
                _make_private(folder)
                _remove_files_of_ended_engines(folder)
                self._fd = _open_and_register(folder / f"{self._engine_address.replace(':', '_')}{SUFFIX}")
            with _exclusive(self._fd):
                os.write(self._fd, "".join(f"{json.dumps(note)}\n" for note in own).encode())
                return self._read_new(self._fd)
        except OSError as failed:
            raise OwnershipUnknown(str(folder), failed.strerror or str(failed)) from failed

    def _read_new(self, fd: int) -> list[Note]:
        os.lseek(fd, self._read_offset, os.SEEK_SET)
        content = os.read(fd, os.fstat(fd).st_size - self._read_offset)
        try:
            notes = [Note(*json.loads(line)) for line in content.splitlines()]
        except (ValueError, TypeError):  # such as half a note, because the disk was full
            raise OSError(0, DAMAGED_NOTES_REASON) from None
        self._read_offset += len(content)
        return notes


def default_folder() -> Path:
    """Return the folder for notes, in Pulumi's own folder."""
    given = os.environ.get("PULUMI_HOME")
    return (Path(given) if given else _home() / ".pulumi") / FOLDER


def _home() -> Path:
    """Return the user's home as Pulumi finds it: from the user database, else from HOME."""
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path.home()


def _make_private(folder: Path) -> None:
    """Create the folder for this user alone. Raises OSError for a symbolic link, a file, or another user's folder."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise OSError(0, "it is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(0, "it is not a folder")
    if sys.platform != "win32" and found.st_uid != os.getuid():
        raise OSError(0, "it belongs to another user")
    folder.chmod(0o700)


def _remove_files_of_ended_engines(folder: Path) -> None:
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):  # a process of that engine still runs, or the file is not ours
            fd = os.open(path, OPEN_FLAGS)
            try:
                _lock_if_nobody_runs(fd)
                _check_header(fd)
                if sys.platform != "win32":
                    path.unlink()
            finally:
                os.close(fd)
            if sys.platform == "win32":
                path.unlink()  # refused if a process has it open


def _open_and_register(path: Path) -> int:
    """Open the engine's file, with the shared lock that says that a process of the engine is running."""
    while True:
        fd = os.open(path, OPEN_FLAGS | os.O_CREAT, 0o600)
        try:
            _lock_as_running(fd)
            with _exclusive(fd):
                if not os.fstat(fd).st_size:
                    os.write(fd, HEADER)
                _check_header(fd)
        except OSError:
            os.close(fd)
            raise
        if os.fstat(fd).st_nlink:
            return fd
        os.close(fd)  # removed by another process before we had the lock: try again with a new file


def _check_header(fd: int) -> None:
    os.lseek(fd, 0, os.SEEK_SET)
    if os.read(fd, len(HEADER)) != HEADER:
        raise OSError(0, DAMAGED_NOTES_REASON)


@contextmanager
def _exclusive(fd: int) -> Iterator[None]:
    """Keep other processes from writing and reading within this context."""
    _lock(fd)
    try:
        yield
    finally:
        _unlock(fd)


# POSIX drops a process's locks on a file as soon as the process closes any descriptor of that file. So a process never
# opens its engine's file again once it is registered.

if sys.platform == "win32":
    import msvcrt

    OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_BINARY

    def _lock_as_running(_fd: int) -> None:
        """Do nothing: Windows removes no file that a process has open."""

    _lock_if_nobody_runs = _lock_as_running

    def _lock(fd: int) -> None:
        os.lseek(fd, EXCLUSIVE_OFFSET, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_LOCK, 1)

    def _unlock(fd: int) -> None:
        os.lseek(fd, EXCLUSIVE_OFFSET, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    OPEN_FLAGS = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK

    def _lock_as_running(fd: int) -> None:
        """Hold the lock, with the other processes of the engine, until this process ends."""
        fcntl.lockf(fd, fcntl.LOCK_SH, 1, RUNNING_OFFSET)

    def _lock_if_nobody_runs(fd: int) -> None:
        """Lock the file for removal. Raises OSError if a process of the file's engine still runs."""
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, RUNNING_OFFSET)

    def _lock(fd: int) -> None:
        fcntl.lockf(fd, fcntl.LOCK_EX, 1, EXCLUSIVE_OFFSET)

    def _unlock(fd: int) -> None:
        fcntl.lockf(fd, fcntl.LOCK_UN, 1, EXCLUSIVE_OFFSET)
