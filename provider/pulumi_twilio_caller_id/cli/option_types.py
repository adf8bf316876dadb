"""What the options of `sandbox` take: each function reads one kind of value, and says what is wrong with others."""

from __future__ import annotations

import argparse
import math


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
