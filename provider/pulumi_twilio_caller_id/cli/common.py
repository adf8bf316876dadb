"""What the commands share: what a user gets wrong, and the two ways out, results on stdout and all else on stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import NoReturn

from pulumi_twilio_caller_id.text import sanitize

PROGRAM = "pulumi-twilio-caller-id"


class Mistake(Exception):
    """Something the user can put right; `status` is the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class Parser(argparse.ArgumentParser):
    """Its messages quote arguments, some of them as they are."""

    def error(self, message: str) -> NoReturn:
        super().error(sanitize(message))


def say(text: str) -> None:
    """A line for the person at the terminal, less what would steer it: file names and others' texts are quoted."""
    print(sanitize(text), file=sys.stderr, flush=True)


def as_json(content: object) -> str:
    """A result as JSON, all of it printable ASCII: nothing steers a terminal, and no editor hides anything."""
    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"


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
        raise Mistake(not_written(failed), 1) from failed


def not_written(failed: OSError) -> str:
    """What is said where stdout takes nothing, as on a full disk. What is still to be written goes nowhere."""
    abandon_stdout()
    return f"the result could not be written: {failed.strerror}"


def abandon_stdout() -> None:
    """What is still to be written goes nowhere, so that the interpreter doesn't stumble over it on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
