"""Faults as a user writes them: a file, or the body of a request. A list of mappings with the fields of `Fault`:

- {endpoint: create, status: 429, times: 2, retry_after: 1}
- {endpoint: list, about: "+14155550101", hang: true}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .data_file import DataFileError, read_data
from .faults import ALLOWED, Fault

FaultLike = Fault | Mapping[str, Any]
"""A fault as it may be written: a mapping of `Fault`'s fields, or a `Fault`."""


class FaultsFileError(ValueError):
    """A description of faults that cannot be used; the message names the entry, the key, the value and what is
    allowed.
    """


def load_faults(path: Path) -> list[Fault]:
    """Reads a faults file, YAML or JSON; raises `FaultsFileError`."""
    try:
        return read_faults(read_data(path))
    except DataFileError as unreadable:
        raise FaultsFileError(str(unreadable)) from unreadable
    except FaultsFileError as wrong:
        raise FaultsFileError(f"{path}: {wrong}") from wrong


def read_faults(faults: object) -> list[Fault]:
    """Checks descriptions of faults; raises `FaultsFileError`, which counts entries from 1."""
    if isinstance(faults, str) or not isinstance(faults, Sequence):
        raise FaultsFileError("must be a list of faults, each a mapping such as {endpoint: create, status: 500}")
    read = []
    for number, fault in enumerate(faults, 1):
        try:
            read.append(read_fault(fault))
        except FaultsFileError as wrong:
            raise FaultsFileError(f"entry {number}: {wrong}") from wrong
    return read


def read_fault(fault: object) -> Fault:
    """Checks the description of one fault; raises `FaultsFileError`."""
    if isinstance(fault, Fault):
        return fault
    if not isinstance(fault, Mapping):
        raise FaultsFileError(f"{fault!r} is not a mapping such as {{endpoint: create, status: 500}}")
    for key in fault:
        if key not in ALLOWED:
            raise FaultsFileError(f"{key!r} is not one of {', '.join(ALLOWED)}")
    if "endpoint" not in fault:
        raise FaultsFileError(f"endpoint is missing: it must be {ALLOWED['endpoint']}")
    try:
        return Fault(**{key: _read(key, value) for key, value in fault.items()})
    except ValueError as wrong:
        raise FaultsFileError(str(wrong)) from wrong


def _read(key: str, value: Any) -> Any:
    """What a text stands for, as YAML has nothing but texts; it stays one where it stands for nothing."""
    if isinstance(value, str):
        if key in ("status", "code", "times", "retry_after") and re.fullmatch("[+-]?[0-9]{1,18}", value):
            return int(value)
        if key == "delay":
            with suppress(ValueError):
                return float(value)
        if key in ("hang", "processed"):
            return _TRUTHS.get(value.lower(), value)
    return value


_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
