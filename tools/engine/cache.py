"""Copies of the engines that this user's checkouts got, found by their fingerprints and verified by checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from tools.engine import Unavailable, unfinished

SUMS = "SHA256SUMS"
UNUSED_DAYS = 60
"""A copy that no checkout has taken for so long is removed when another is stored."""


def cache_folder() -> Path | None:
    """Where this user's copies are; None if the user has no home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(given) if given.startswith("/") else Path.home() / ".cache"  # a relative one counts as none
    except RuntimeError:
        return None
    return root / "pulumi-twilio-caller-id" / "engines"


def store(engine: Path, fingerprint: str) -> None:
    """Keep a copy of an engine. Written beside its place and moved there when complete; a failure is no matter."""
    folder = cache_folder()
    if folder is None:
        return
    place = folder / fingerprint
    raw = unfinished(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(engine, raw)
        (raw / SUMS).write_text(checksums(raw))
        shutil.rmtree(place, ignore_errors=True)
        raw.rename(place)  # fails if another checkout stored the same at this moment
        remove_unused(folder, keep=place)
    except (OSError, shutil.Error):
        pass
    finally:
        shutil.rmtree(raw, ignore_errors=True)


def find(fingerprint: str) -> Path | None:
    """Return where the copy of an engine is, if there is one."""
    folder = cache_folder()
    return folder / fingerprint if folder is not None and (folder / fingerprint).is_dir() else None


def restore(kept: Path, folder: Path) -> None:
    """Copy a kept engine into `folder`. Raises Unavailable if that fails; a damaged one is removed."""
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as failed:
        raise Unavailable(f"it can't be copied from {kept}: {failed}") from failed
    sums = folder / SUMS
    if not sums.exists() or sums.read_text() != checksums(folder):
        shutil.rmtree(kept, ignore_errors=True)
        raise Unavailable(f"the copy in {kept} was damaged, and is removed")
    sums.unlink()
    with suppress(OSError):
        os.utime(kept)  # so that it counts as used


def checksums(folder: Path) -> str:
    """The SHA-256 of each file in a folder, as `sha256sum` writes them."""
    lines = []
    for file in sorted(folder.iterdir()):
        if file.name != SUMS:
            with file.open("rb") as content:
                lines.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {file.name}\n")
    return "".join(lines)


def remove_unused(folder: Path, keep: Path) -> None:
    """Remove copies that no checkout has taken for UNUSED_DAYS, also those that a killed process left unfinished."""
    oldest = time.time() - UNUSED_DAYS * 24 * 60 * 60
    for entry in folder.iterdir():
        if entry != keep and entry.stat().st_mtime < oldest:
            shutil.rmtree(entry, ignore_errors=True)
