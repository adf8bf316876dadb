"""Explain errors that a file beside the program causes by having the name of a library, such as `twilio.py`.

Python searches the program's folder first, so it imports that file in place of the library.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

from .errors import CallerIdError


@contextmanager
def explained() -> Iterator[None]:
    """Raise a CallerIdError that names the file, in place of an error that such a file causes in this context."""
    try:
        yield
    except CallerIdError:
        raise
    except Exception as failed:
        cause = explanation(failed)
        if cause is None:
            raise
        raise cause from failed


def explanation(failed: Exception) -> CallerIdError | None:
    """Return an error that names the file which caused this one, None if no such file did."""
    program = Path(sys.path[0]).resolve()  # the provider's process has the program's folder first, too
    if any(program.glob("*.dist-info")):  # this folder is where libraries are installed
        return None
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != program]
    details = "".join(traceback.format_exception(failed))
    for file in sorted([*program.glob("*.py"), *program.glob("*/__init__.py")]):
        module = file.parent if file.name == "__init__.py" else file
        mentions = f"'{module.stem}'", f"'{module.stem}.", f'"{file}"'
        if any(mention in details for mention in mentions) and PathFinder.find_spec(module.stem, elsewhere):
            return CallerIdError(
                f"{module.name} in {program} has the name of the Python library {module.stem},"
                " so Python loads it instead.",
                f"Rename {module.name}, and run the same command again.",
            )
    return None
