"""What the engine has stored: where a text occurs, and what of a resource can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.harness import Stack


def occurrences(needle: str, stack: Stack) -> list[Path]:
    """The files of the engine that hold `needle` as it is."""
    return [path for path in stack.files() if needle.encode() in path.read_bytes()]


def stored(secret: str, stack: Stack) -> list[Path]:
    """The files that have it outside of the project's folder: the program has it by right."""
    return [path for path in occurrences(secret, stack) if not path.is_relative_to(stack.project)]


def comparable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What stays the same in the state if one number is verified twice."""
    outputs = {k: v for k, v in resource["outputs"].items() if k not in ("sid", "uri", "date_created", "date_updated")}
    return {
        **{name: resource.get(name) for name in ("urn", "custom", "type", "inputs", "parent", "protect", "importID")},
        "outputs": outputs,
        "output names": sorted(resource["outputs"]),
    }
