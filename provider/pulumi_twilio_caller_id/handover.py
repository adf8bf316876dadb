"""Tells the other plugin processes of the same engine which caller IDs this one's resources have.

The engine starts one process for each provider resource. A resource that moves to another provider is created in one
process and deleted in another, which can't know that both are the same caller ID. So each process appends to a file of
its own, in a folder that goes by the engine's address; a note counts while its process runs, and outlives no operation.
Best effort: where there is no engine, or no folder to write to, a process knows of itself alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

TRIES = 10
"""To open a file in a folder that others clear away: each does so once, before its own first note."""


class Handover:
    """Notes of one engine's plugin processes. engine: its address, None where there is none."""

    def __init__(self, engine: str | None, *, base: Path | None = None) -> None:
        usable = engine is not None and sys.platform != "win32"  # where a process can't be asked for by signal 0
        self._base = base or Path(tempfile.gettempdir()) / f"pulumi-twilio-caller-id-{_user()}"
        self._folder = self._base / str(engine).replace(":", "_") if usable else None
        self._posted: set[tuple[str, str]] = set()
        self._notes: int | None = None

    def post(self, sid: str, urn: str) -> None:
        """A resource of this process has the caller ID."""
        if self._folder is None or (sid, urn) in self._posted:
            return
        with suppress(OSError):
            if self._notes is None:
                self._clear()
                self._notes = _opened(self._folder / str(os.getpid()))
            line = f"{sid} {urn}".replace("\n", " ")  # a resource may have a name of two lines
            os.write(self._notes, f"{line}\n".encode())
            self._posted.add((sid, urn))

    def find(self, sid: str) -> str | None:
        """The URN of the resource of another process that has the caller ID."""
        if self._folder is None:
            return None
        with suppress(OSError):
            for path in self._folder.iterdir():
                with suppress(OSError):  # one of an older engine, which another process clears away just now
                    urn = _noted(sid, path)
                    if urn is not None:
                        return urn
        return None

    def _clear(self) -> None:
        """Of what ended operations have left, as the engine ends its plugins without a warning. Other processes may do
        so at the same time, and may be about to write where one was ended.
        """
        self._base.mkdir(mode=0o700, exist_ok=True)
        if self._base.stat().st_uid != _user():
            raise PermissionError(str(self._base))
        for old in self._base.iterdir():
            with suppress(OSError):
                notes = list(old.iterdir())
                if notes and not any(_runs(path.name) for path in notes):  # an empty one is about to be written to
                    for path in notes:
                        path.unlink(missing_ok=True)
                    old.rmdir()


def _noted(sid: str, notes: Path) -> str | None:
    """The URN that another process, which runs, has noted for the caller ID."""
    if notes.name == str(os.getpid()) or notes.stat().st_uid != _user() or not _runs(notes.name):
        return None
    for line in notes.read_text(encoding="utf-8").split("\n"):
        noted, _, urn = line.partition(" ")
        if noted == sid:
            return urn
    return None


def _opened(notes: Path) -> int:
    """A descriptor that is left open, as a process posts each number of a stack; it is ended without a warning."""
    for _ in range(TRIES):
        with suppress(FileExistsError, FileNotFoundError):  # another process has just cleared the folder away
            notes.parent.mkdir(mode=0o700, exist_ok=True)
            return os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    raise FileNotFoundError(str(notes))


def _user() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True
