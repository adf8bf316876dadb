"""The options of `sandbox`, in the groups in which its help shows them, and the sandbox that they describe."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import option_types
from .common import Mistake

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.testing import RequestRecord, Sandbox

PORT = 8484


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Puts the names that the help lists in place; only here, as their modules take a while to load. None is broken at
    its hyphen.
    """

    def _get_help_string(self, action: argparse.Action) -> str:
        from pulumi_twilio_caller_id.sandbox.callback_plan import HOWS
        from pulumi_twilio_caller_id.sandbox.faults import ALLOWED, ENDPOINTS
        from pulumi_twilio_caller_id.sandbox.phones import Behaviour, Phone

        text = action.help or ""
        for placeholder, names in (
            ("BEHAVIOURS", Behaviour),
            ("PHONE_KEYS", Phone.model_fields),
            ("ENDPOINTS", ENDPOINTS),
            ("FAULT_KEYS", ALLOWED),
            ("HOWS", HOWS),
        ):
            text = text.replace(placeholder, ", ".join(names))
        return text

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Adds all of them."""
    _add_addresses(parser.add_argument_group("addresses"))
    _add_account(parser.add_argument_group("account"))
    _add_phones(parser.add_argument_group("phones"))
    _add_trouble(parser.add_argument_group("trouble"))
    _add_running(parser.add_argument_group("running"))


def make_sandbox(
    arguments: argparse.Namespace, port: int, on_answer: Callable[[RequestRecord], None] | None = None
) -> Sandbox:
    """The sandbox that was asked for, not started yet.

    `Mistake` for files and values that cannot be used, `StateFileInUse` where the state file would have to change.
    """
    from pulumi_twilio_caller_id.sandbox.faults_file import load_faults
    from pulumi_twilio_caller_id.sandbox.phones import EVERY, Behaviour, Phone, load_phones
    from pulumi_twilio_caller_id.sandbox.store import StateFileError, StateFileInUse
    from pulumi_twilio_caller_id.testing import Delays, Sandbox, TwilioError

    try:
        phones = load_phones(arguments.phones) if arguments.phones else {}
        if arguments.page:
            phones.setdefault(EVERY, Phone(behaviour=Behaviour.MANUAL))
        return Sandbox(
            phones=phones,
            delays=Delays(arguments.queued, arguments.rings, arguments.talks),
            state=arguments.state,
            numbers=dict(arguments.number),
            own_numbers=arguments.own_number,
            subaccounts=dict(arguments.subaccount),
            trial=arguments.trial,
            geo_permissions=arguments.geo_permissions,
            port=port,
            callbacks=arguments.callbacks,
            callback_delay=arguments.callback_delay,
            faults=load_faults(arguments.faults) if arguments.faults else (),
            deliver_to=dict(arguments.deliver),
            on_answer=on_answer,
            latency=arguments.latency,
            concurrency=arguments.concurrency,
            calls_per_second=arguments.calls_per_second or None,
        )
    except StateFileInUse:
        raise
    except (ValueError, StateFileError, TwilioError) as unusable:
        raise Mistake(str(unusable)) from unusable


def _add_addresses(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--port",
        type=option_types.port,
        metavar="N",
        help=f"port on 127.0.0.1; 0 takes a free one (default {PORT}; with --run and without --page, a free one)",
    )
    group.add_argument(
        "--deliver",
        type=option_types.delivery,
        action="append",
        default=[],
        metavar="PUBLIC=LOCAL",
        help="send callbacks for this public base URL to that local one; may be repeated (default: sent as addressed)",
    )


def _add_account(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep the account in this file between runs, one sandbox at a time (default: it is forgotten)",
    )
    group.add_argument(
        "--number",
        type=option_types.number,
        action="append",
        default=[],
        metavar="N[=NAME]",
        help="a number that is verified already; may be repeated (default: none; NAME: Twilio's own)",
    )
    group.add_argument(
        "--own-number",
        type=option_types.own_number,
        action="append",
        default=[],
        metavar="N",
        help="a Twilio number of the account, which need not be verified; may be repeated (default: none)",
    )
    group.add_argument(
        "--subaccount",
        type=option_types.subaccount,
        action="append",
        default=[],
        metavar="SID[=TOKEN]",
        help="a subaccount; may be repeated (default: none; TOKEN: made up, and shown)",
    )
    group.add_argument(
        "--trial",
        action="store_true",
        help="trial accounts: 5 verified numbers each, each number in 3 accounts at most (default: no such limit)",
    )
    group.add_argument(
        "--geo-permissions",
        type=option_types.countries,
        metavar="US,CA,...",
        help="countries that may be called, in two letters; calls to others fail (default: all)",
    )


def _add_phones(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--phones",
        type=Path,
        metavar="FILE",
        help="who answers how: YAML or JSON, such as +14155550101: busy, or +14155550101: {behaviour: busy, rings: 1}. "
        'Number "*" is all others. Behaviours: BEHAVIOURS. Keys: PHONE_KEYS (default: all key the code in)',
    )
    group.add_argument(
        "--page",
        action="store_true",
        help="you answer, in a browser: the numbers that --phones does not name ring at the address that is shown "
        "(default: no number does)",
    )
    for name, default, meaning in (
        ("queued", 0.5, "until the phone rings"),
        ("rings", 2, "until it is answered"),
        ("talks", 4, "until the call ends"),
    ):
        group.add_argument(
            f"--{name}",
            type=option_types.seconds,
            default=default,
            metavar="S",
            help=f"seconds {meaning}, where its phone does not say (default {default})",
        )
    group.add_argument(
        "--calls-per-second",
        type=option_types.rate,
        default=1.0,
        metavar="N",
        help="how many calls of an account start in a second, the others wait (default 1, as at Twilio; 0: no limit)",
    )


def _add_trouble(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="what goes wrong: YAML or JSON, a list of faults such as {endpoint: create, status: 503, times: 1}. "
        "Endpoints: ENDPOINTS (every one; in quotes). Keys: FAULT_KEYS (default: nothing)",
    )
    group.add_argument(
        "--latency",
        type=option_types.seconds,
        default=0.0,
        metavar="S",
        help="seconds that each answer is held back (default 0)",
    )
    group.add_argument(
        "--concurrency",
        type=option_types.requests,
        metavar="N",
        help="answer 429 where an account has N requests under way; use it with --latency (default: no limit)",
    )
    group.add_argument(
        "--callbacks",
        type=option_types.how,
        default="normally",
        metavar="HOW",
        help="how callbacks go: HOWS (default normally)",
    )
    group.add_argument(
        "--callback-delay",
        type=option_types.seconds,
        metavar="S",
        help="seconds from the end of the call, with --callbacks late (default 1)",
    )


def _add_running(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--join",
        action="store_true",
        help="with --run and --state: where another sandbox has the file, run the command against that one, as it is; "
        "of the other options only --page counts then (default: refuse to)",
    )
    group.add_argument(
        "--run",
        type=option_types.not_here,  # the help alone sees it, but for this; see sandbox.split_at_run
        metavar="COMMAND",
        help="run this command, the rest of the line, against the sandbox, then stop (default: serve until ^C)",
    )
