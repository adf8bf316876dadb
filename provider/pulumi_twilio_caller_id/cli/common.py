"""What the commands share: what a user gets wrong, and the two ways out, results on stdout and all else on stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from difflib import get_close_matches
from email.message import Message
from typing import Any, NoReturn, cast

from pulumi_twilio_caller_id.text import sanitize

PROGRAM = "pulumi-twilio-caller-id"
DOCS = "DOCS_ADDRESS"
"""Stands in a help text for the address of the docs, which takes a while to look up."""
STDOUT = "-"
"""The FILE of an option that was given without one."""


class Mistake(Exception):
    """Something the user can put right; `status` is the exit status."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


class Parser(argparse.ArgumentParser):
    """Takes no abbreviated options, and says in two lines what is wrong."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": HelpFormatter, **options})
        self.word_hint = ""
        """What to do about a word that is no option, where people are likely to write one."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuse what is unknown here, in the parser of the command, whose help has what is known."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            shown = (action.option_strings for action in self._actions if action.help != argparse.SUPPRESS)
            close = get_close_matches(word, [name for names in shown for name in names], 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            self.error(
                f"there is no option {word}{hint}" if word[:1] == "-" else f"unexpected {word!r}{self.word_hint}"
            )
        return arguments, unknown

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}\nHelp: {self.prog} --help")
        self.exit(2)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps the help of options between words and never at a hyphen, and fills in the address of the docs."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def format_help(self) -> str:
        return super().format_help().replace(DOCS, docs_address())


def metadata() -> Message | None:
    """What the installed package says of itself; None for a copy of the sources that is not installed."""
    from importlib.metadata import PackageNotFoundError, metadata  # here, as it takes a while to load

    try:
        return cast(Message, metadata(PROGRAM))  # it is one, only typed more narrowly
    except PackageNotFoundError:
        return None


def docs_address() -> str:
    """Where the docs are: the address of the package's metadata, or else their folder in the sources."""
    package = metadata()
    urls = dict(line.split(", ", 1) for line in (package.get_all("Project-URL", []) if package else []))
    return urls.get("Documentation", f"the folder docs/ in the sources of {PROGRAM}")


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
