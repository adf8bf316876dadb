"""The ways to get a Pulumi engine. Each puts one into a folder, or raises Unavailable."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class Unavailable(Exception):
    """There is no engine to be had this way; the message says why, in a few words."""


def unfinished(place: Path) -> Path:
    """Return where this process makes what is moved to `place` when complete: beside it, with the process's number.

    What processes left there that were killed is removed.
    """
    for left in place.parent.glob(f"{place.name}.*"):
        number = left.suffix[1:]
        if number.isdecimal() and (int(number) == os.getpid() or not _runs(int(number))):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
    return place.with_name(f"{place.name}.{os.getpid()}")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True
