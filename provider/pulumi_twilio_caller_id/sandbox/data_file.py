"""Reads a file that describes something: YAML, or JSON where it is named so."""

from __future__ import annotations

import json
from pathlib import Path


class DataFileError(ValueError):
    """A file that cannot be read. The message names it, and says what is wrong."""


def read_data(path: Path) -> object:
    """What is in the file. In YAML every value that is no mapping and no list is a text: +14155550101 stays one.

    Raises `DataFileError`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            content: object = json.loads(text)
        else:
            import yaml  # here, because only such a file needs it

            # The base loader leaves every value a string: with the usual one, +14155550101 would be an integer.
            content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes strings, lists and dicts only
    except OSError as unreadable:
        raise DataFileError(f"{path}: cannot be read ({unreadable.strerror})") from unreadable
    except UnicodeDecodeError as not_text:
        raise DataFileError(f"{path}: is not a text file in UTF-8") from not_text
    except RecursionError as nested:
        raise DataFileError(f"{path}: is nested too deeply") from nested
    except ValueError as malformed:
        raise DataFileError(f"{path}: is not JSON ({malformed})") from malformed
    except yaml.YAMLError as malformed:
        raise DataFileError(f"{path}: is not YAML ({' '.join(str(malformed).split())})") from malformed
    return content
