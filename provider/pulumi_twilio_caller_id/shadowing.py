"""Explain errors caused by a file beside the program that has the name of a library, such as `twilio.py`.

Python searches the program's folder first, so it imports that file instead of the library.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

from .errors import CallerIdError


@contextmanager
def explain_shadowing() -> Iterator[None]:
    """Replace an error in this context by what `shadowing_error` returns for it, unless that is None."""
    try:
        yield
    except CallerIdError:
        raise
    except Exception as failed:
        explained = shadowing_error(failed)
        if explained is None:
            raise
        raise explained from failed


def shadowing_error(failed: Exception) -> CallerIdError | None:
    """Return an error naming the file that shadows a library and caused `failed`, or None."""
    program = Path(sys.path[0]).resolve()  # the plugin process also has the program's folder first
    if any(program.glob("*.dist-info")):  # this folder is where libraries are installed
        return None
    if isinstance(failed, ImportError) and failed.name and failed.name.startswith(f"{__package__}."):
        try:
            importlib.import_module(failed.name)  # again, to see the cause: other threads get an ImportError without it
        except Exception as same_failure:  # noqa: BLE001  the file may raise anything
            failed = same_failure
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != program]
    details = "".join(traceback.format_exception(failed))
    for file in sorted([*program.glob("*.py"), *program.glob("*/__init__.py")]):
        shadow = file.parent if file.name == "__init__.py" else file
        # Import errors quote a module's name, such as 'twilio.rest'. Tracebacks quote the path of each file.
        mentions = f"'{shadow.stem}'", f"'{shadow.stem}.", f'"{file}"'
        if any(mention in details for mention in mentions) and PathFinder.find_spec(shadow.stem, elsewhere):
            return CallerIdError(
                f"{shadow.name} in {program} has the name of the Python library {shadow.stem},"
                " so Python loads it instead.",
                f"Rename {shadow.name}, and run the same command again.",
            )
    return None
