"""`sandbox --env-file`: the variables that lead to the sandbox, in a file for scripts."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from .common import Mistake

FIRST_LINE = "# Written by `sandbox --env-file`, which deletes it when the sandbox ends.\n"


class EnvFile:
    """The file, deleted at the end of a `with` block. A script may wait for it: once it is there, it is whole.

    Raises `Mistake` if it can't be written, or if somebody else wrote it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> EnvFile:
        """What a killed sandbox has left goes before anybody reads it."""
        try:
            if self._path and not self._path.read_text(encoding="utf-8").startswith(FIRST_LINE):
                raise Mistake(f"--env-file {self._path}: the file is there already, and no sandbox wrote it")
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as failed:
            raise Mistake(f"--env-file {self._path} can't be read: {failed}") from failed
        self.__exit__()
        return self

    def write(self, variables: Mapping[str, str | None]) -> None:
        """Write the variables, one a line. An empty one counts as not set: there is no line that takes one away."""
        if self._path is None:
            return
        lines = (f"{name}={shlex.quote(value) if value else ''}\n" for name, value in variables.items())
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            new.write_text(FIRST_LINE + "".join(lines), encoding="utf-8")
            new.replace(self._path)
        except OSError as failed:
            raise Mistake(f"--env-file {self._path} can't be written: {failed.strerror}", 1) from failed

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
