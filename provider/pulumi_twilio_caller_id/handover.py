"""Notes by which the plugin processes of one operation know which resource owns which number and caller ID.

The engine starts one process for each provider resource. A number that moves from one Provider to another is adopted in
one process and deleted in another; a number that is declared twice may be called from both. So each process notes what
its resources own, in a file that all processes of the same engine share, and looks there before it calls, adopts or
deletes.

The file is in a folder below Pulumi's own (PULUMI_HOME, `~/.pulumi` by default). The folder belongs to the user alone.
Nothing here follows a link, and nothing is removed but files that this module has written.

A note counts while its process runs: each process holds a lock at a place of its own in the file, and the system takes
that lock away however the process ends.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import OwnershipUnknown

FOLDER = "twilio-caller-id"
SUFFIX = ".notes"
HEADER = b"pulumi-twilio-caller-id notes 1\n"
"""The first line of each file. A file that begins otherwise is not ours, and is left alone."""

RUNS = "-"
"""What a process notes first, so that others know of it while it owns nothing."""

TURN = 1 << 30
"""The place that is locked while a process reads and writes. It is far behind the end of the file: Windows lets nobody
read what another process has locked."""
ALIVE = TURN + 1
"""The first of the places that processes lock for as long as they run: one for each process id."""


class Handover:
    """The notes of one engine's plugin processes. May be used from one thread at a time.

    engine: its address, None outside of a plugin, where a process knows of itself alone. folder: another one than
    that below PULUMI_HOME.

    Methods raise OwnershipUnknown, which names the folder, if notes can't be kept there.
    """

    def __init__(self, engine: str | None, *, folder: Path | None = None) -> None:
        self._engine = engine
        self._given = folder
        self._file: int | None = None
        self._read = 0
        self._owners: dict[str, tuple[int, str]] = {}

    def acquire(self, what: str, urn: str) -> str | None:
        """Note that the resource owns `what`, unless a resource of another process does. Gives that one's URN then.

        what: a word, such as the sid of a caller ID.
        """
        if self._engine is None:
            return None
        with self._turn() as file:
            other = self._other(file, what)
            if other is None and self._owners.get(what) != (os.getpid(), urn):
                self._append(file, what, urn)
            return other

    def release(self, what: str) -> None:
        """Note that no resource of this process owns `what` any more."""
        if self._engine is not None and self._owners.get(what, (0, ""))[0] == os.getpid():
            with self._turn() as file:
                self._append(file, what, "")

    def find(self, what: str) -> str | None:
        """The URN of the resource of another process that owns `what`."""
        if self._engine is None:
            return None
        with self._turn() as file:
            return self._other(file, what)

    def _other(self, file: int, what: str) -> str | None:
        process, urn = self._owners.get(what, (os.getpid(), ""))
        return urn if urn and process != os.getpid() and _is_locked(file, ALIVE + process) else None

    def _append(self, file: int, what: str, urn: str) -> None:
        self._read += _write(file, _note(what, urn))
        self._owners[what] = (os.getpid(), urn)

    @contextmanager
    def _turn(self) -> Iterator[int]:
        """Within it, no other process reads or writes, and this one has read all that was written."""
        folder = self._given or default_folder()
        try:
            if self._file is None:
                self._file = _opened(folder, str(self._engine).replace(":", "_"))
            _lock(self._file, TURN)
            try:
                self._catch_up(self._file)
                yield self._file
            finally:
                _unlock(self._file, TURN)
        except OSError as failed:
            raise OwnershipUnknown(str(folder), failed.strerror or str(failed)) from failed

    def _catch_up(self, file: int) -> None:
        """Take in what other processes have noted since the last turn. Notes are written whole, so no line is cut."""
        os.lseek(file, self._read, os.SEEK_SET)
        new = os.read(file, os.fstat(file).st_size - self._read)
        self._read += len(new)
        for process, what, urn in _notes(new):
            self._owners[what] = (process, urn)


def default_folder() -> Path:
    """The folder below Pulumi's own. Pulumi itself can't run without that one."""
    home = os.environ.get("PULUMI_HOME")
    return (Path(home) if home else Path.home() / ".pulumi") / FOLDER


def _opened(folder: Path, name: str) -> int:
    """The file of an engine's processes, with the lock that tells others that this process runs."""
    _make_private(folder)
    _remove_old(folder)
    while True:
        file = _open(folder / f"{name}{SUFFIX}", os.O_CREAT)
        _lock(file, TURN)
        try:
            if _is_at(folder / f"{name}{SUFFIX}", file):  # else another process has just removed it as an old one
                _lock(file, ALIVE + os.getpid())
                _write(file, (b"" if _whole(file) else HEADER) + _note(RUNS, ""))
                return file
        finally:
            _unlock(file, TURN)
        os.close(file)


def _make_private(folder: Path) -> None:
    """Raises OSError for a folder that somebody else may have put there."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise OSError(0, "it is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(0, "it is not a folder")
    if sys.platform != "win32":
        if found.st_uid != os.getuid():
            raise OSError(0, "it belongs to another user")
        if found.st_mode & 0o077:
            folder.chmod(0o700)


def _remove_old(folder: Path) -> None:
    """Remove the files of operations that have ended: the engine ends its plugins without a warning."""
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):  # another process may remove it at the same time, and somebody's own file is left alone
            file = _open(path)
            try:
                _lock(file, TURN)
                processes = {process for process, _, _ in _notes(_whole(file))}
                if not any(_is_locked(file, ALIVE + process) for process in processes):
                    path.unlink()
            finally:
                os.close(file)


def _open(path: Path, flags: int = 0) -> int:
    """A regular file of the user's. Raises OSError for anything else; a link is not followed."""
    flags |= os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, f"{path.name} in it is not a regular file")
    return file


def _whole(file: int) -> bytes:
    """What is in it. Raises OSError if that is something else than notes."""
    os.lseek(file, 0, os.SEEK_SET)
    content = os.read(file, os.fstat(file).st_size)
    if content and not content.startswith(HEADER):
        raise OSError(0, "a file in it holds something else than notes")
    return content


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _note(what: str, urn: str) -> bytes:
    return f"{os.getpid()} {what} {json.dumps(urn)}\n".encode()  # as JSON: a URN may have several lines


def _write(file: int, content: bytes) -> int:
    """Append all of it, or nothing: what a full disk cuts off would be read as another note."""
    end = os.fstat(file).st_size
    if os.write(file, content) < len(content):
        os.ftruncate(file, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(content)


def _notes(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Process id, what is owned and URN of each note."""
    for line in content.removeprefix(HEADER).splitlines():
        process, what, urn = line.decode().split(" ", 2)
        yield int(process), what, json.loads(urn)


# Locks of one byte, by which processes (not threads) keep each other out. A process that opens a file twice, and closes
# it once, has lost all its locks in it. So each file is opened once.

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, place: int) -> None:
        os.lseek(file, place, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)

    def _unlock(file: int, place: int) -> None:
        os.lseek(file, place, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

    def _is_locked(file: int, place: int) -> bool:
        """Whether another process has the lock."""
        os.lseek(file, place, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return True
        _unlock(file, place)
        return False

else:
    import fcntl

    def _lock(file: int, place: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, place)

    def _unlock(file: int, place: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, place)

    def _is_locked(file: int, place: int) -> bool:
        """Whether another process has the lock."""
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # systems differ in which of them it is
            return True
        _unlock(file, place)
        return False
