"""One sandbox per state file: a lock file beside it, which the system lets go of however the process that has it ends.

Where the system has no such locks (Windows, some network file systems) nothing is locked, and `store.py` still notices
that somebody else has written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_SIGNATURE = re.compile(r"([0-9]{1,10}) ?(http://127\.0\.0\.1:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Owner:
    """Who has a lock, as far as it is known: the process, and the URL that it serves at."""

    process: int | None = None
    url: str | None = None

    def __str__(self) -> str:
        """In words that follow "another sandbox"; empty where nothing is known."""
        if self.process is None:
            return ""
        return f" (process {self.process}{f', {self.url}' if self.url else ''})"


class Taken(Exception):
    """Somebody else has the lock."""

    def __init__(self, owner: Owner) -> None:
        super().__init__(str(owner))
        self.owner = owner


class FileLock:
    """A lock that one process, and within it one object, can have. `path`: a file of no other use; it may be there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours; never where the system has no locks."""
        return self._file is not None

    def acquire(self) -> None:
        """Does not wait. Raises `Taken`, or `OSError` where there can be no file."""
        if fcntl is None or self.held:
            return
        while True:
            # Its name can be guessed, and the folder may be one that others write to: no link is followed.
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            try:
                if not self._shows_pulumi_table(file):
                    raise FileExistsError(errno.EEXIST, f"{self._path.name} there is somebody else's")
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it before took the file away as they let go: then this one locks nothing.
                if self._is_at_path(file):
                    self._sign(file)
                    self._file, file = file, -1
                    return
            except BlockingIOError:
                raise Taken(self._owner(file)) from None
            except FileExistsError:
                raise
            except OSError:  # the file system has no locks
                self._path.unlink(missing_ok=True)
                return
            finally:
                if file >= 0:
                    os.close(file)

    def announce(self, url: str) -> None:
        """Tells whoever finds it taken where its owner can be reached. Does nothing where it is not ours."""
        if self._file is not None:
            self._sign(self._file, url)

    def release(self) -> None:
        """Leaves nothing behind. Does nothing where it is not ours."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()  # before it is let go, or it might be somebody else's by then
            os.close(file)

    def _is_at_path(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    @staticmethod
    def _shows_pulumi_table(file: int) -> bool:
        """Whether it holds what we write: it is written to, and removed in the end."""
        content = os.pread(file, 100, 0).decode("ascii", "replace")
        return not content or _SIGNATURE.fullmatch(content) is not None

    @staticmethod
    def _sign(file: int, url: str = "") -> None:
        content = f"{os.getpid()} {url}".encode()
        with contextlib.suppress(OSError):  # as on a full disk: it is for others to know alone
            # Not emptied first: whoever reads it meanwhile finds the old text or the new one.
            os.pwrite(file, content, 0)
            os.ftruncate(file, len(content))

    @staticmethod
    def _owner(file: int) -> Owner:
        try:
            content = os.pread(file, 100, 0).decode("ascii", "replace")
        except OSError:
            content = ""
        known = _SIGNATURE.fullmatch(content)
        return Owner(int(known[1]), known[2] or None) if known else Owner()
