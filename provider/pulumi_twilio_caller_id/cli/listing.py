"""`list`: the numbers that an account has verified."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.text import one_line

from .account import account_of, account_options, collect, stack_config
from .common import PROGRAM, Parser, as_json, emit, say

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.models import CallerId

EXAMPLE = f"""example:
  {PROGRAM} list --json | jq -r '.[].phone_number'
"""


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "list",
        parents=[account_options()],
        help="show the account's verified numbers",
        description="Shows the verified numbers of a Twilio account, oldest first.",
        epilog=EXAMPLE,
    )
    parser.add_argument("--json", action="store_true", help="a JSON array, with all that Twilio tells of each")
    parser.set_defaults(command=_list)


def _list(arguments: argparse.Namespace) -> int:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.cli.import_format import by_age

    twilio = Client(account_of(stack_config(arguments.stack)), arguments.account_sid)
    caller_ids = by_age(collect(twilio.stream()))
    if arguments.json:
        emit(as_json([caller_id.model_dump() for caller_id in caller_ids]))
    else:
        emit(table(caller_ids))
    if not caller_ids:
        say(f"No verified numbers in account {twilio.account_sid}.")
    return 0


def table(caller_ids: Iterable[CallerId]) -> str:
    """A line each under a heading. Names come last: they alone have no usual width."""
    rows = [("SID", "NUMBER", "CREATED", "FRIENDLY NAME")]
    rows += [
        (
            one_line(known.sid),
            one_line(known.phone_number),
            _day(known.date_created),
            one_line(known.friendly_name or ""),
        )
        for known in caller_ids
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _day(date: str | None) -> str:
    try:
        return parsedate_to_datetime(date or "").date().isoformat()
    except (ValueError, OverflowError):  # a date that no calendar has
        return "-"
