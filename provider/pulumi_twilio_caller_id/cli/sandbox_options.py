"""The options of `sandbox`, in the groups in which its help shows them, and the sandbox that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import HelpFormatter, Mistake

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.sandbox.phones import Phone
    from pulumi_twilio_caller_id.testing import RequestRecord, Sandbox

PORT = 8484
RENAMED = {"--queued": "ring_after", "--rings": "answer_after", "--talks": "talk_for"}
"""Former names of options, which scripts may use for ever -> where their value goes. The help does not show them."""

OPTION_OF = {
    "numbers": "--number",
    "own_numbers": "--own-number",
    "subaccounts": "--subaccount",
    "geo_permissions": "--geo-permissions",
    "deliver_to": "--deliver",
}
"""Which option an argument of `Sandbox` was given by, where its name is another one."""


class Formatter(HelpFormatter):
    """Fills in the names that the help lists: only here, as their modules take a while to load."""

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


def make_sandbox(
    arguments: argparse.Namespace, port: int, on_answer: Callable[[RequestRecord], None] | None = None
) -> Sandbox:
    """The sandbox that was asked for, not started yet.

    `Mistake` for files and values that cannot be used, `StateFileInUse` where the state file would have to change.
    """
    from pulumi_twilio_caller_id.sandbox.arguments import of, read_each
    from pulumi_twilio_caller_id.sandbox.credentials import subaccounts
    from pulumi_twilio_caller_id.sandbox.faults_file import load_faults
    from pulumi_twilio_caller_id.sandbox.phones import load_phones
    from pulumi_twilio_caller_id.sandbox.store import StateFileError, StateFileInUse
    from pulumi_twilio_caller_id.testing import Delays, Sandbox, TwilioError

    numbers, countries = [_pair(text) for text in arguments.number], arguments.geo_permissions
    try:
        phones = load_phones(arguments.phones) if arguments.phones else {}
        with of("numbers"):
            verified = read_each(number for number, _ in numbers)
        return Sandbox(
            phones=rung_by_hand(phones) if arguments.page else phones,
            delays=Delays(arguments.ring_after, arguments.answer_after, arguments.talk_for),
            state=arguments.state,
            numbers=dict(zip(verified, (name for _, name in numbers), strict=True)),
            own_numbers=arguments.own_number,
            subaccounts={sid: token or subaccounts([sid])[sid] for sid, token in map(_pair, arguments.subaccount)},
            trial=arguments.trial,
            geo_permissions=countries and [country.strip() for country in countries.split(",")],
            port=port,
            callbacks=arguments.callbacks,
            callback_delay=arguments.callback_delay,
            faults=load_faults(arguments.faults) if arguments.faults else (),
            deliver_to=dict(map(_pair, arguments.deliver)),
            on_answer=on_answer,
            latency=arguments.latency,
            concurrency=arguments.concurrency,
            calls_per_second=arguments.calls_per_second or None,
        )
    except StateFileInUse:
        raise
    except (ValueError, StateFileError, TwilioError) as unusable:
        argument, colon, what = str(unusable).partition(": ")
        raise Mistake(f"{OPTION_OF.get(argument, argument)}{colon}{what}") from unusable


def _pair(text: str) -> tuple[str, str]:
    """What is before the first equals sign, and what is after it."""
    name, _, value = text.partition("=")
    return name, value


def rung_by_hand(phones: Mapping[str, Phone]) -> dict[str, Phone]:
    """The phones of a sandbox with --page: those that nobody described ring until a person answers.

    Phones that a person answers ring for as long as `pulumi up` waits, unless they say for how long.
    """
    from pulumi_twilio_caller_id.inputs import DEFAULT_TIMEOUT_SECONDS
    from pulumi_twilio_caller_id.sandbox.phones import EVERY, Behaviour, Phone

    return {
        number: phone.model_copy(update={"rings": DEFAULT_TIMEOUT_SECONDS})
        if phone.behaviour is Behaviour.MANUAL and phone.rings is None
        else phone
        for number, phone in {EVERY: Phone(behaviour=Behaviour.MANUAL), **phones}.items()
    }


def add_to(parser: argparse.ArgumentParser) -> None:
    """Adds all of them. What a value may be beyond its type is checked where the sandbox is made."""
    phones = parser.add_argument_group("phones").add_argument
    phones(
        "--page",
        action="store_true",
        help="you answer, in a browser: the numbers that --phones does not name ring at the address that is shown, for "
        "5 minutes each (default: none rings there)",
    )
    phones(
        "--phones",
        **FILE,
        help="who answers how: YAML or JSON, such as +14155550101: busy, or +14155550101: {behaviour: busy, rings: 1}. "
        'Number "*" is all others. Behaviours: BEHAVIOURS. Keys: PHONE_KEYS (default: all key the code in)',
    )
    for name, default, meaning in (
        ("--ring-after", 0.5, "a phone rings this long after the request"),
        ("--answer-after", 2, "it rings this long until it is answered, or nobody has answered"),
        ("--talk-for", 4, "the call lasts this long once it is answered"),
    ):
        text = f"{meaning}; unless --phones says otherwise (default {default})"
        phones(name, **SECONDS, default=default, help=text)
    phones(
        "--calls-per-second",
        type=float,
        default=1.0,
        metavar="RATE",
        help="how many calls of an account start in a second, the others wait (default 1, as at Twilio; 0: no limit)",
    )

    account = parser.add_argument_group("account").add_argument
    account(
        "--state",
        **FILE,
        help="keep the account in this file between runs, one sandbox at a time (default: it is forgotten)",
    )
    account(
        "--number",
        **LIST,
        metavar="NUMBER[=NAME]",
        help="a number that is verified already; may be repeated (default: none; NAME: Twilio's own)",
    )
    account(
        "--own-number",
        **LIST,
        metavar="NUMBER",
        help="a Twilio number of the account, which need not be verified; may be repeated (default: none)",
    )
    account(
        "--subaccount",
        **LIST,
        metavar="SID[=TOKEN]",
        help="a subaccount; may be repeated (default: none; TOKEN: made up, and shown)",
    )
    account(
        "--trial",
        action="store_true",
        help="trial accounts: 5 verified numbers each, each number in 3 accounts at most (default: no such limit)",
    )
    account(
        "--geo-permissions",
        metavar="US,CA,...",
        help="countries that may be called, in two letters; calls to others fail (default: all)",
    )

    trouble = parser.add_argument_group("trouble").add_argument
    trouble(
        "--faults",
        **FILE,
        help="what goes wrong: YAML or JSON, a list of faults such as {endpoint: create, status: 503, times: 1}. "
        "Endpoints: ENDPOINTS (every one; in quotes). Keys: FAULT_KEYS (default: nothing)",
    )
    trouble("--latency", **SECONDS, default=0.0, help="how long each answer is held back (default 0)")
    trouble(
        "--concurrency",
        type=int,
        metavar="REQUESTS",
        help="answer 429 if an account has this many requests under way; use it with --latency (default: no limit)",
    )
    trouble("--callbacks", default="normally", metavar="HOW", help="how callbacks go: HOWS (default normally)")
    trouble(
        "--callback-delay",
        **SECONDS,
        help="with --callbacks late: how long after the end of the call they come (default 1)",
    )
    trouble(
        "--deliver",
        **LIST,
        metavar="PUBLIC_URL=LOCAL_URL",
        help="send callbacks for this public base URL to that local one; may be repeated (default: sent as addressed)",
    )

    running = parser.add_argument_group("running").add_argument
    running(
        "--port",
        type=int,
        metavar="PORT",
        help=f"port on 127.0.0.1; 0 takes a free one (default {PORT}; with a command and no --page, a free one)",
    )
    running(
        "--join",
        action="store_true",
        help="with --state and a command: if a sandbox has the file already, run the command against that one, as it "
        "is. Only --page and --env-file count then (default: refuse to)",
    )
    running(
        "--env-file",
        **FILE,
        help="write the environment variables that lead to the sandbox, NAME=value a line, once it answers; the file "
        "is deleted when the sandbox ends (default: none is written)",
    )
    running(
        "--json",
        action="store_true",
        help="print one line of JSON once it answers: url, account_sid, auth_token, environment and more "
        "(default: a text for people)",
    )
    running(
        "-v", "--verbose", action="store_true", help="show each request and its answer (default: they are not shown)"
    )
    for name, destination in RENAMED.items():
        parser.add_argument(name, dest=destination, type=_seconds, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _seconds(text: str) -> float:
    from pulumi_twilio_caller_id.sandbox.seconds import is_seconds

    try:
        number = float(text)
    except ValueError:
        number = -1
    if not is_seconds(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return number


FILE: dict[str, Any] = {"type": Path, "metavar": "FILE"}
LIST: dict[str, Any] = {"action": "append", "default": []}
SECONDS: dict[str, Any] = {"type": _seconds, "metavar": "SECONDS"}
