"""Faults as a user writes them: a file, or the body of a request. A list of mappings with the fields of `Fault`:

- {endpoint: create, status: 429, times: 2, retry_after: 1}
- {endpoint: list, about: "+14155550101", hang: true}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

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
    try:
        return _adapter().validate_python(dict(fault))
    except ValidationError as invalid:
        raise FaultsFileError(_explain(invalid.errors()[0])) from invalid


@cache
def _adapter() -> TypeAdapter[Fault]:
    return TypeAdapter(Fault)


def _explain(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    key = str(error["loc"][0])
    if error["type"] == "missing":
        return f"{key} is missing: it must be {ALLOWED[key]}"
    return f"{key} {error['input']!r} must be {ALLOWED[key]}"
