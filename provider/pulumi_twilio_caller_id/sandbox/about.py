"""What requests to the API are about: the accounts, caller IDs, calls and phone numbers that they name."""

from __future__ import annotations

import re

from . import rules
from .errors import TwilioError

_ACCOUNT, _CALLER_ID, _CALL, _NUMBER = "an AccountSid", "the sid of a caller ID", "the sid of a call", "a phone number"
_KINDS = {"AC": _ACCOUNT, "PN": _CALLER_ID, "CA": _CALL}

NAMED = {
    "create": (_ACCOUNT, _NUMBER),
    "list": (_ACCOUNT, _NUMBER),
    "fetch": (_ACCOUNT, _CALLER_ID),
    "update": (_ACCOUNT, _CALLER_ID),
    "delete": (_ACCOUNT, _CALLER_ID),
    "call": (_ACCOUNT, _CALL),
    "account": (_ACCOUNT,),
}
"""What requests to each endpoint may name, in words."""


def named(text: str) -> str | None:
    """A sid as it is, a phone number in E.164; None for what is neither."""
    if re.match("[A-Z]{2}", text):  # the digits of a sid that is cut off would pass for a number
        return text if re.fullmatch("(AC|PN|CA)[0-9a-fA-F]{32}", text) else None
    try:
        return rules.e164(text)
    except TwilioError:
        return None


def kind(name: str) -> str:
    """What a sid, or a number in E.164, stands for: one of those in `NAMED`."""
    return _KINDS.get(name[:2], _NUMBER)
