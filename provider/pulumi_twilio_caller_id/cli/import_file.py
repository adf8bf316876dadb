"""`import-file`: numbers that are verified already, as `pulumi import` and the program take them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.text import one_line

from .account import account_of, account_options, collect, project_name, stack_config
from .common import PROGRAM, STDOUT, Mistake, Parser, as_json, emit, say

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.cli.import_format import Number, Reference
    from pulumi_twilio_caller_id.models import CallerId
    from pulumi_twilio_caller_id.phone_number import DefaultRegion

# The rooms that do the work are imported by the command: --help need not wait for them.

PROJECT = "twilio-caller-ids"

EXAMPLE = f"""example:
  {PROGRAM} import-file --all --program phones.py > import.json
  pulumi import --file import.json --generate-code=false
  echo "import phones" >> __main__.py

after which `pulumi preview` has nothing to do.
"""


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "import-file",
        parents=[account_options()],
        help="write the file for `pulumi import` for numbers that are verified already",
        usage="%(prog)s [options]",
        description="Writes the file for `pulumi import` on stdout; changes nothing at Twilio.",
        epilog=EXAMPLE,
    )
    parser.set_defaults(command=_import_file)
    which = parser.add_argument_group("which numbers (at least one of the first three)")
    which.add_argument("--all", action="store_true", help="all of the account")
    which.add_argument(
        "--phone-number", action="append", default=[], metavar="NUMBER", help="this one; may be repeated"
    )
    which.add_argument("--friendly-name", metavar="NAME", help="those of exactly this name")
    which.add_argument(
        "--skip-managed",
        metavar="FILE",
        help="but none that the stack has: what `pulumi stack export` wrote; - is stdin",
    )
    how = parser.add_argument_group("how they are imported")
    how.add_argument(
        "--name", metavar="NAME", help="the resource's name, for one number (default: made from the friendly name)"
    )
    how.add_argument(
        "--provider",
        metavar="URN|NAME",
        help="a provider: its URN, its name in the export, or the name of a new one",
    )
    how.add_argument(
        "--parent",
        metavar="URN|NAME",
        help="a parent: its URN, its name in the export, or TYPE::NAME of a new one",
    )
    how.add_argument(
        "--protect",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether the program protects them from being deleted, as pulumi import does (default: yes)",
    )
    how.add_argument(
        "--native",
        action="store_true",
        help="with the native provider, which programs in YAML, TypeScript, Go and other languages use",
    )
    texts = parser.add_argument_group("what else to write").add_mutually_exclusive_group()
    for option, what in (("--program", "the Python program"), ("--config", "the YAML for Pulumi.<stack>.yaml")):
        texts.add_argument(
            option,
            nargs="?",
            const=STDOUT,
            metavar="FILE",
            help=f"{what} for the same numbers, into a new FILE; without FILE on stdout, in place of the import file",
        )


def _import_file(arguments: argparse.Namespace) -> int:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.cli.import_format import (
        NATIVE_PROVIDER_TYPE,
        PROVIDER_TYPE,
        by_age,
        import_file,
        names,
    )
    from pulumi_twilio_caller_id.settings.sources import default_region

    from .export import parent_of, provider_of, read_export
    from .import_advice import next_steps

    _refuse_contradictions(arguments)
    export = read_export(arguments.skip_managed)
    project = project_name(Path.cwd(), PROJECT) if arguments.config is not None else PROJECT
    config = stack_config(arguments.stack)
    settings = account_of(config)
    twilio = Client(settings, arguments.account_sid)
    provider = None
    if arguments.provider:
        # The native provider has no other way to a subaccount whose numbers are imported.
        account_sid = (arguments.native and arguments.account_sid) or settings.account_sid
        provider_type = NATIVE_PROVIDER_TYPE if arguments.native else PROVIDER_TYPE
        provider = provider_of(arguments.provider, export, account_sid, provider_type)
    parent = parent_of(arguments.parent, export) if arguments.parent else None
    wanted = _wanted_numbers(arguments.phone_number, default_region(config.values.get))

    account = collect(twilio.stream())
    chosen = account if arguments.all else _chosen(account, wanted, arguments.friendly_name, twilio.account_sid)
    taken = export.names | {known.name for known in (provider, parent) if known}  # the file refers to these by name
    named = names(account, taken, export.managed)
    new = [known for known in by_age(chosen) if known.sid in named]
    if arguments.name is not None:
        named = _named(arguments.name, new, taken)
    numbers = _declarable(new, named, arguments.account_sid)

    file = as_json(import_file(numbers, provider=provider, parent=parent, native=arguments.native))
    _write(file, _text(arguments, numbers, project, provider, parent))
    skipped = len(chosen) - len(numbers)
    say(f"{_counted(len(numbers))} to import{f', {skipped} skipped' if skipped else ''}.")
    if numbers:
        for step in next_steps(arguments, len(numbers), provider):
            say(step)
    return 0


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    filters = bool(arguments.phone_number) or arguments.friendly_name is not None
    if not (arguments.all or filters):
        raise Mistake("which numbers? Give --all, --phone-number or --friendly-name")
    if arguments.all and filters:
        raise Mistake("--all takes every number: leave out either --all, or --phone-number and --friendly-name")
    if arguments.config is not None and (arguments.provider or arguments.parent):
        raise Mistake("--config can't express --provider or --parent: use --program")
    if arguments.native and (arguments.program is not None or arguments.config is not None):
        raise Mistake(
            "--native can't be combined with --program or --config: `pulumi import` prints the program itself"
        )
    if arguments.native and arguments.account_sid and not arguments.provider:
        raise Mistake("--native --account-sid needs --provider: a provider of that account")


def _wanted_numbers(texts: Iterable[str], region: DefaultRegion) -> list[str]:
    from pulumi_twilio_caller_id.phone_number import duplicate_number_message, e164

    wanted: list[str] = []
    for text in texts:
        try:
            number = e164(text, region)
        except ValueError as wrong:
            raise Mistake(f"--phone-number {text!r}: {wrong}") from wrong
        if number in wanted:
            raise Mistake(f"--phone-number: {duplicate_number_message(text, number)}")
        wanted.append(number)
    return wanted


def _chosen(
    account: list[CallerId], phone_numbers: list[str], friendly_name: str | None, account_sid: str
) -> list[CallerId]:
    missing = [number for number in phone_numbers if all(known.phone_number != number for known in account)]
    if missing:
        raise Mistake(f"account {account_sid} has not verified {', '.join(missing)}", 1)
    if friendly_name is not None and all(known.friendly_name != friendly_name for known in account):
        raise Mistake(f"account {account_sid} has no verified number of the name {friendly_name!r}", 1)
    named = [known for known in account if friendly_name is not None and known.friendly_name == friendly_name]
    return [known for known in account if known.phone_number in phone_numbers or known in named]


def _named(name: str, new: list[CallerId], taken: set[str]) -> dict[str, str]:
    if len(new) != 1:
        raise Mistake(f"--name is for one number, and {len(new)} are to be imported")
    if not name.strip() or not name.isprintable():
        raise Mistake(f"--name {name!r} can't be the name of a resource")
    if name in taken:
        raise Mistake(f"--name {name!r} is taken: by a caller ID of the stack, or by the provider or parent given")
    return {new[0].sid: name}


def _declarable(new: Iterable[CallerId], names: dict[str, str], account_sid: str | None) -> list[Number]:
    from pulumi_twilio_caller_id.cli.import_format import Number, inputs

    numbers = []
    for caller_id in new:
        given = inputs(caller_id, account_sid)
        if given is None:
            say(
                f"{caller_id.sid} is left out: a program can't declare {one_line(caller_id.phone_number)!r}"
                " as a number."
            )
        else:
            numbers.append(Number(names[caller_id.sid], caller_id, given))
    return numbers


def _text(
    arguments: argparse.Namespace,
    numbers: list[Number],
    project: str,
    provider: Reference | None,
    parent: Reference | None,
) -> tuple[str, str] | None:
    """What else is to be written, and where."""
    from pulumi_twilio_caller_id.cli.import_format import config, program

    if arguments.program is not None:
        return program(numbers, provider=provider, parent=parent, protect=arguments.protect), arguments.program
    if arguments.config is not None:
        return config(numbers, project, protect=arguments.protect), arguments.config
    return None


def _write(file: str, also: tuple[str, str] | None) -> None:
    if also is None:
        emit(file)
        return
    text, to = also
    if to == STDOUT:
        emit(text)
        return
    with _new_file(to, text):
        emit(file)


@contextmanager
def _new_file(to: str, text: str) -> Iterator[None]:
    """It stays if what is done within it succeeds: else the same command would find it there, and refuse."""
    path = Path(to)
    try:
        new = path.open("x", encoding="utf-8")
    except FileExistsError as there:
        raise Mistake(f"{to} is there already, and is not overwritten: give another name") from there
    except OSError as failed:
        raise _unwritable(to, failed) from failed
    try:
        try:
            with new:
                new.write(text)
        except OSError as failed:
            raise _unwritable(to, failed) from failed
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _unwritable(to: str, failed: OSError) -> Mistake:
    return Mistake(f"{to!r} can't be written: {failed.strerror}")


def _counted(count: int) -> str:
    return "1 caller ID" if count == 1 else f"{count:,} caller IDs"
