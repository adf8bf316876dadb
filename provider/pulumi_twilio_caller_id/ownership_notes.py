"""Notes by which the plugin processes of one operation know which resource owns which number and caller ID.

The engine starts one process for each provider resource. A number that moves from one Provider to another is adopted in
one process and deleted in another; a number that is declared twice may be called from both. So each process notes what
its resources own, in a file that all processes of the same engine share, and looks there before it calls, adopts or
deletes.

The file is in a folder below Pulumi's own (PULUMI_HOME, `~/.pulumi` by default). The folder belongs to the user alone.
Nothing here follows a link, and nothing is removed but files that this module has written.

A file counts while any of its processes runs. Each of them holds a lock at an offset of its own, and the system takes
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

NOT_NOTES = "a file in it holds something else than notes"

STARTED = "-"
"""What a process notes first, so that others know of it while it owns nothing."""

TURN_OFFSET = 1 << 30
"""The byte offset that is locked while a process reads and writes. It is far beyond the end of the file: Windows lets
nobody read what another process has locked."""
ALIVE_OFFSET = TURN_OFFSET + 1
"""The first of the byte offsets that processes lock for as long as they run, one for each process id."""


class OwnershipNotes:
    """The notes of one operation's plugin processes. May be used from one thread at a time.

    engine: the engine's address. None, outside of a plugin, keeps no notes. folder: in place of that below PULUMI_HOME.

    Methods raise OwnershipUnknown, which names the folder, if notes can't be kept there.
    """

    def __init__(self, engine: str | None, *, folder: Path | None = None) -> None:
        self._engine = engine
        self._given = folder
        self._file: int | None = None
        self._read_to = 0
        self._owners: dict[str, tuple[int, str]] = {}

    def acquire(self, key: str, urn: str) -> str | None:
        """Note that the resource owns `key`, such as the sid of a caller ID.

        Gives the URN of the owner in another process, if there is one, and notes nothing then.
        """
        if self._engine is None:
            return None
        with self._turn() as file:
            other = self._other_owner(key)
            if other is None and self._owners.get(key) != (os.getpid(), urn):
                self._append(file, key, urn)
            return other

    def release(self, key: str) -> None:
        """Note that no resource of this process owns `key` any more."""
        if self._engine is not None and self._owners.get(key, (0, ""))[0] == os.getpid():
            with self._turn() as file:
                self._append(file, key, "")

    def find(self, key: str) -> str | None:
        """The URN of the owner of `key` in another process, None if there is none."""
        if self._engine is None:
            return None
        with self._turn():
            return self._other_owner(key)

    def _other_owner(self, key: str) -> str | None:
        process, urn = self._owners.get(key, (os.getpid(), ""))
        return urn if urn and process != os.getpid() else None

    def _append(self, file: int, key: str, urn: str) -> None:
        self._read_to += _write(file, _note(key, urn))
        self._owners[key] = (os.getpid(), urn)

    @contextmanager
    def _turn(self) -> Iterator[int]:
        """Within it, no other process reads or writes, and this one has read all that was written."""
        folder = self._given or default_folder()
        try:
            if self._file is None:
                self._file = _open_and_register(folder, str(self._engine).replace(":", "_"))
            _lock(self._file, TURN_OFFSET)
            try:
                self._catch_up(self._file)
                yield self._file
            finally:
                _unlock(self._file, TURN_OFFSET)
        except OSError as failed:
            raise OwnershipUnknown(str(folder), failed.strerror or str(failed)) from failed

    def _catch_up(self, file: int) -> None:
        """Take in what other processes have noted since the last turn. Notes are written whole, so no line is cut."""
        os.lseek(file, self._read_to, os.SEEK_SET)
        new = os.read(file, os.fstat(file).st_size - self._read_to)
        self._read_to += len(new)
        for process, key, urn in _notes(new):
            self._owners[key] = (process, urn)


def default_folder() -> Path:
    """The folder for notes, in PULUMI_HOME, which Pulumi itself can't do without."""
    given = os.environ.get("PULUMI_HOME")
    return (Path(given) if given else _home() / ".pulumi") / FOLDER


def _home() -> Path:
    """The user's home as Pulumi finds it: by the user database first, whatever HOME says."""
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path.home()


def _open_and_register(folder: Path, name: str) -> int:
    """The file of an engine's processes, with the lock that tells others that this process runs."""
    _make_private(folder)
    _remove_old(folder)
    while True:
        file = _open(folder / f"{name}{SUFFIX}", os.O_CREAT)
        registered = False
        try:
            _lock(file, TURN_OFFSET)
            if _is_file_at(folder / f"{name}{SUFFIX}", file):  # else another process has just removed it as an old one
                _lock(file, ALIVE_OFFSET + os.getpid())
                _write(file, (b"" if _read_all(file) else HEADER) + _note(STARTED, ""))
                _unlock(file, TURN_OFFSET)
                registered = True
                return file
        finally:
            if not registered:
                os.close(file)  # and with it the locks


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
                _lock(file, TURN_OFFSET)
                processes = {process for process, _, _ in _notes(_read_all(file))}
                if processes and not any(_is_locked(file, ALIVE_OFFSET + process) for process in processes):
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


def _read_all(file: int) -> bytes:
    """What is in it. Raises OSError if that is something else than notes."""
    os.lseek(file, 0, os.SEEK_SET)
    content = os.read(file, os.fstat(file).st_size)
    if content and not content.startswith(HEADER):
        raise OSError(0, NOT_NOTES)
    return content


def _is_file_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _note(key: str, urn: str) -> bytes:
    return f"{json.dumps([os.getpid(), key, urn])}\n".encode()  # as JSON: a URN may have several lines


def _write(file: int, content: bytes) -> int:
    """Append all of it, or nothing: what a full disk cuts off would be read as another note."""
    end = os.fstat(file).st_size
    if os.write(file, content) < len(content):
        os.ftruncate(file, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(content)


def _notes(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Process id, key and URN of each note. Raises OSError for what is none."""
    for line in content.removeprefix(HEADER).splitlines():
        try:
            process, key, urn = json.loads(line)
            note = int(process), str(key), str(urn)
        except (ValueError, TypeError):  # as after a power failure
            raise OSError(0, NOT_NOTES) from None
        yield note


# Locks of one byte, by which processes (not threads) keep each other out. A process that opens a file twice, and closes
# it once, has lost all its locks in it. So each file is opened once.

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, offset: int) -> None:
        os.lseek(file, offset, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)

    def _unlock(file: int, offset: int) -> None:
        os.lseek(file, offset, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

    def _is_locked(file: int, offset: int) -> bool:
        """Whether another process has the lock."""
        os.lseek(file, offset, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return True
        _unlock(file, offset)
        return False

else:
    import fcntl

    def _lock(file: int, offset: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, offset)

    def _unlock(file: int, offset: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, offset)

    def _is_locked(file: int, offset: int) -> bool:
        """Whether another process has the lock."""
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):  # systems differ in which of them it is
            return True
        _unlock(file, offset)
        return False
