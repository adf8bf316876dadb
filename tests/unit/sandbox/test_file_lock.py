"""The lock on a sandbox's state file, at the moments in which another process lets go of it."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.sandbox.file_lock import FileLock, Taken


def test_a_file_that_its_last_owner_takes_away_meanwhile_is_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last owner removes the file as it lets go. A lock on the removed file would keep nobody out."""
    path, flock = tmp_path / "lock", fcntl.flock
    removed: list[Path] = []

    def flock_after_the_removal(file: int, operation: int) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        flock(file, operation)

    monkeypatch.setattr("fcntl.flock", flock_after_the_removal)
    lock = FileLock(path)
    lock.acquire()

    assert [path] == removed
    assert lock.held
    assert path.exists()
    with pytest.raises(Taken):
        FileLock(path).acquire()
    lock.release()
    assert not path.exists()
