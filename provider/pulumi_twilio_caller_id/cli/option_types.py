"""What the options of `sandbox` take: each function reads one kind of value, and says what is wrong with others."""

from __future__ import annotations

import argparse
import math
import re


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
    phone_number, _, name = text.partition("=")
    return own_number(phone_number), name or None


def own_number(text: str) -> str:
    from pulumi_twilio_caller_id.sandbox import TwilioError
    from pulumi_twilio_caller_id.sandbox.rules import e164

    try:
        return e164(text)
    except TwilioError as impossible:
        raise argparse.ArgumentTypeError(f"{text!r} is not a phone number; write it as +14155550101") from impossible


def subaccount(text: str) -> tuple[str, str]:
    """A subaccount, and its token: the one after the equals sign, or one that is made up."""
    from pulumi_twilio_caller_id.sandbox.credentials import subaccounts

    sid, _, token = text.partition("=")
    if not re.fullmatch("AC[0-9a-fA-F]{32}", sid):
        raise argparse.ArgumentTypeError(f"{sid!r} is not the sid of an account: AC and 32 hexadecimal digits")
    return sid, token or subaccounts([sid])[sid]


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


def _number(text: str, of: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {of}, 0 or more")
    return number
