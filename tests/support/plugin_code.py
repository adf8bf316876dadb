"""Code that the provider's processes run before anything else, on the real engine; and what it tells of their ends."""

from __future__ import annotations

import os
from textwrap import indent

from tests.support.engine_setup import fake_pip
from tests.support.harness import Stack

IN_PLUGIN = "any(name in word for word in sys.orig_argv for name in ('pulumi.dynamic', 'pulumi-resource-twilio'))"
"""The condition, in Python, that holds in a process of either provider and in no other."""

ENDS = """
import atexit, os, pathlib
begun = pathlib.Path(os.environ["ENDS"], str(os.getpid()))
begun.touch()
ended = begun.with_suffix(".ended").touch  # at once, as several threads may do so, and the first ends the others
def leave(status, leave=os._exit):
    ended()
    leave(status)
os._exit = leave
atexit.register(ended)
"""


def run_in_plugin(stack: Stack, code: str) -> None:
    """Have each process of the stack's provider run this, and no other process."""
    folder = stack.folder / "site"
    folder.mkdir()
    lines = indent(code, "    ")
    (folder / "sitecustomize.py").write_text(f"import sys\nif {IN_PLUGIN}:\n{lines}")
    stack.environment["PYTHONPATH"] = os.pathsep.join([str(folder), fake_pip()["PYTHONPATH"]])


class Ends:
    """Notes how the provider's processes of a stack end. One that does not do so by itself is killed: the engine waits
    five seconds for that.
    """

    def __init__(self, stack: Stack, code: str = "") -> None:
        self._folder = stack.folder / "ends"
        self._folder.mkdir()
        stack.environment["ENDS"] = str(self._folder)
        run_in_plugin(stack, ENDS + code)

    def told(self) -> set[str]:
        """How those ended that were there since this was asked last: "by itself", or "" where that is not known."""
        notes = {note.name for note in self._folder.iterdir()}
        for name in notes:
            (self._folder / name).unlink()
        return {"by itself" if f"{name}.ended" in notes else "" for name in notes if name.isdigit()}
