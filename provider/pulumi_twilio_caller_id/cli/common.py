"""What the commands share: what a user gets wrong, and the two ways out, results on stdout and all else on stderr."""

from __future__ import annotations

import os
import sys

PROGRAM = "pulumi-twilio-caller-id"


class Mistake(Exception):
    """Something the user can put right; `status` is the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def emit(result: str) -> None:
    """Write a result, whole, to stdout. Raises BrokenPipeError where nobody reads, Mistake where it can't be written.

    What stdout's encoding lacks is escaped.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(result.encode(encoding, "backslashreplace").decode(encoding), end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as failed:
        abandon_stdout()
        raise Mistake(f"the result could not be written: {failed.strerror}", 1) from failed


def abandon_stdout() -> None:
    """What is still to be written goes nowhere, so that the interpreter doesn't stumble over it on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
