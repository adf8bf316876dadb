"""Files beside the program that have the name of a library, such as `twilio.py`: Python finds them first."""

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
    """Raise a CallerIdError in place of an error that a file with the name of a library has caused."""
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
    """Which file has caused the error, and what to do; None if no file beside the program has."""
    here = Path(sys.path[0]).resolve()  # the program's folder, in the provider's process too
    if any(here.glob("*.dist-info")):  # libraries are installed here
        return None
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != here]
    told = "".join(traceback.format_exception(failed))
    for file in sorted([*here.glob("*.py"), *here.glob("*/__init__.py")]):
        own = file.parent if file.name == "__init__.py" else file
        quotes = f"'{own.stem}'", f"'{own.stem}.", f'"{file}"'
        if any(quote in told for quote in quotes) and PathFinder.find_spec(own.stem, elsewhere):
            return CallerIdError(
                f"{own.name} in {here} has the name of the Python library {own.stem}, so Python loads it instead.",
                f"Rename {own.name}, and run the same command again.",
            )
    return None
