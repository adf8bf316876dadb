"""What `import-file` tells its user to do with what it has written."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

from pulumi_twilio_caller_id.text import one_line

from .common import STDOUT
from .import_format import Reference, token_key


def next_steps(arguments: argparse.Namespace, count: int, provider: Reference | None) -> Iterator[str]:
    """Yield the lines, in the order of the steps. provider: the one that the numbers are imported with."""
    if arguments.all and not arguments.skip_managed:
        yield "If the stack has some of them already, leave those out: --skip-managed."
    yield f"To import: {_command(arguments)}"
    declare = f"Then declare {'it' if count == 1 else 'them'} before the next `pulumi up`"
    yield f"{declare}: {_declaring(arguments)}."
    if provider is None or provider.urn is not None:
        return
    name = one_line(provider.name)
    if arguments.native:
        yield f"The provider {name} is imported with the credentials of the environment (TWILIO_...)."
    else:
        yield f"The provider {name} is imported without credentials; the next `pulumi up` adds them."
        key = token_key(provider)
        yield f"What --program writes reads its token from the config: pulumi config set --secret {key}"


def _command(arguments: argparse.Namespace) -> str:
    words = ["pulumi", "import", "--file", "FILE"]
    if not arguments.native:
        words.append("--generate-code=false")
    if not arguments.protect:
        words.append("--protect=false")
    if arguments.stack:
        words += ["--stack", arguments.stack]
    return shlex.join(words)


def _declaring(arguments: argparse.Namespace) -> str:
    """Say where the lines for the program or the config are. Without them `pulumi up` would delete the numbers."""
    if arguments.native:
        return "`pulumi import` prints the lines"
    if arguments.program is not None:
        return f"{_text_of(arguments.program)} goes into your program"
    if arguments.config is not None:
        stack = arguments.stack.rpartition("/")[2] if arguments.stack else "<stack>"
        return f"{_text_of(arguments.config)} goes into Pulumi.{one_line(stack)}.yaml"
    if arguments.provider or arguments.parent:  # the config has no place for these
        return "--program FILE writes the lines"
    return "--program FILE or --config FILE writes the lines"


def _text_of(file: str) -> str:
    return "this text" if file == STDOUT else f"the text of {one_line(file)}"
