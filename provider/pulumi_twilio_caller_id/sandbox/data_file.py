"""Reads a file that describes something: YAML, or JSON where it is named so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class DataFileError(ValueError):
    """A file that cannot be read. The message names it, and says what is wrong."""


def read_data(path: Path) -> object:
    """What is in the file. In YAML every value that is no mapping and no list is a text: +14155550101 stays one.

    Raises `DataFileError`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            content: object = json.loads(text, object_pairs_hook=_mapping)
        else:
            import yaml  # here, because only such a file needs it

            class Loader(yaml.BaseLoader):
                """Leaves every value a string: with the usual one, +14155550101 would be an integer."""

                def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
                    _mapping((key.value, None) for key, _ in node.value if isinstance(key, yaml.ScalarNode))
                    return super().construct_mapping(node, deep)

            content = yaml.load(text, Loader)  # noqa: S506 - it makes strings, lists and dicts only
    except OSError as unreadable:
        raise DataFileError(f"{path}: cannot be read ({unreadable.strerror})") from unreadable
    except UnicodeDecodeError as not_text:
        raise DataFileError(f"{path}: is not a text file in UTF-8") from not_text
    except RecursionError as nested:
        raise DataFileError(f"{path}: is nested too deeply") from nested
    except _KeyTwice as twice:
        raise DataFileError(f"{path}: {twice} is given twice") from twice
    except ValueError as malformed:
        raise DataFileError(f"{path}: is not JSON ({malformed})") from malformed
    except yaml.YAMLError as malformed:
        raise DataFileError(f"{path}: is not YAML ({' '.join(str(malformed).split())})") from malformed
    return content


class _KeyTwice(ValueError):
    """A key that a mapping has twice; the text is the key."""


def _mapping(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a mapping. Raises `_KeyTwice`, where otherwise the last one would count and nobody would know."""
    read: dict[str, Any] = {}
    for key, value in pairs:
        if key in read:
            raise _KeyTwice(repr(key))
        read[key] = value
    return read
