"""What the options of `sandbox` take: each function reads one kind of value, and says what is wrong with others."""

from __future__ import annotations

import argparse
import math
from typing import NoReturn


def port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def delivery(text: str) -> tuple[str, str]:
    from pulumi_twilio_caller_id.sandbox.webhook import read_deliver_to

    public, _, local = text.partition("=")
    try:
        return next(iter(read_deliver_to({public: local}).items()))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} is not PUBLIC=LOCAL: {wrong}") from wrong


def number(text: str) -> tuple[str, str | None]:
    """A phone number, and the friendly name after the first equals sign."""
    from pulumi_twilio_caller_id.sandbox.arguments import read_numbers

    phone_number, _, name = text.partition("=")
    try:
        [read] = read_numbers({phone_number: name})
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong
    return read, name or None


def own_number(text: str) -> str:
    from pulumi_twilio_caller_id.sandbox.arguments import read_number

    try:
        return read_number(text)
    except ValueError as impossible:
        raise argparse.ArgumentTypeError(str(impossible)) from impossible


def subaccount(text: str) -> tuple[str, str]:
    """A subaccount, and its token: the one after the equals sign, or one that is made up."""
    from pulumi_twilio_caller_id.sandbox.credentials import subaccounts

    sid, _, token = text.partition("=")
    try:
        [read] = subaccounts({sid: token} if token else [sid]).items()
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong
    return read


def countries(text: str) -> list[str]:
    from pulumi_twilio_caller_id.sandbox.account_rules import read_countries

    try:
        return sorted(read_countries(country.strip() for country in text.split(",")))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of countries such as US,CA: {wrong}") from wrong


def how(text: str) -> str:
    from pulumi_twilio_caller_id.sandbox.callback_plan import read_how

    try:
        return read_how(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def seconds(text: str) -> float:
    return _number(text, "seconds")


def rate(text: str) -> float:
    return _number(text, "calls")


def requests(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of requests, 1 or more")
    return int(text)


def not_here(text: str) -> NoReturn:
    raise argparse.ArgumentTypeError(f"the command is words of its own, as in --run pulumi up, not {text!r}")


def _number(text: str, of: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {of}, 0 or more")
    return number
