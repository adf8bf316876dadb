"""Runs the commands of `pulumi-twilio-caller-id`, which is also `python -m pulumi_twilio_caller_id`.

Each command has a function that adds its parser, and a function that runs it and returns the exit status. Results go to
stdout, everything else to stderr. An error is one message, without a traceback.

Exit status: 2 for wrong arguments or a wrong file, 1 for any other error, 130 for ^C, 141 if nobody reads stdout.
`sandbox` has the exit status of the command that it ran, and 0 if it ran none and ^C ended it.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.shadowing import shadowing_error
from pulumi_twilio_caller_id.text import sanitize

from . import import_file, listing, sandbox
from .common import DOCS, PROGRAM, Mistake, Parser, abandon_stdout, emit, metadata, not_written, say

INTERRUPTED = 130
CLOSED_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit status. `argv` defaults to the arguments of this process."""
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            print(end="", flush=True)  # --help too is noticed here, not at the interpreter's end, if nobody reads it
    except BrokenPipeError:
        abandon_stdout()
        return CLOSED_PIPE
    except OSError as failed:
        say(f"{PROGRAM}: {not_written(failed)}")
        return 1


def _run(argv: Sequence[str]) -> int:
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how to complete a line; this then ends the process
        with suppress(ImportError):  # the extra `completion` is not installed
            import argcomplete

            argcomplete.autocomplete(parser)
    own, to_run = sandbox.split_at_command(argv)
    arguments = parser.parse_args(own, argparse.Namespace(to_run=to_run))
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except Mistake as mistake:
        say(f"{PROGRAM}: {mistake}")
        return mistake.status
    except CallerIdError as failed:
        say(f"{PROGRAM}: {failed}")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as failed:  # noqa: BLE001  a fault of ours
        cause = shadowing_error(failed)
        # As Python does, less the secrets that a text in it may quote.
        say(f"{PROGRAM}: {cause}" if cause else sanitize(traceback.format_exc()))
        return 1


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM, description="Twilio caller IDs as Pulumi resources: tools.", epilog=f"Documentation: {DOCS}"
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (listing, import_file, sandbox):
        module.add(commands)
    return parser


class Version(argparse.Action):
    """Looks the version up only if it is asked for, as that takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        package = metadata()
        emit(f"{PROGRAM} {package['Version'] if package else '(not installed)'}\n")
        parser.exit()
