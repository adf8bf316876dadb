"""Friendly names: when two are the same, and how a caller ID gets the one that the program gives.

No message quotes a name: the program may keep it secret.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.context import Call
from pulumi_twilio_caller_id.errors import CallerIdError, TwilioRefused
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.text import one_line

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.models import CallerId


def is_other_name(given: object, stored: object) -> bool:
    """Whether the program gives another name than the stored one. A name that it leaves out is not managed.

    Blanks at the ends and the Unicode form of accents make no difference: Twilio may change them.
    """
    return given is not None and _normalized(given) != _normalized(stored)


def _normalized(name: object) -> object:
    return unicodedata.normalize("NFC", name.strip()) if isinstance(name, str) else name


def rename(call: Call, client: Client, sid: str, name: str) -> CallerId:
    """Give the caller ID this name. Warn if Twilio stores another one."""
    with without_quoting(name):
        caller_id = client.rename(sid, name)
    if is_other_name(name, caller_id.friendly_name):
        call.log(
            "warning",
            f"Twilio stored another friendly name for {readable(caller_id.phone_number)} than the program gives, so"
            " the next `pulumi up` will rename it again.\n"
            "To end that, give Twilio's name in the program: `python -m pulumi_twilio_caller_id list` shows it.",
        )
    return caller_id


def rename_created(call: Call, client: Client, caller_id: CallerId, name: str | None) -> CallerId:
    """Rename a verified or adopted caller ID if the program gives another name.

    A failure is a warning only: the number is verified, so the state must keep it.
    """
    if name is None or not is_other_name(name, caller_id.friendly_name):
        return caller_id
    try:
        return rename(call, client, caller_id.sid, name)
    except CallerIdError as failed:
        call.log(
            "warning",
            f"{readable(caller_id.phone_number)} is verified, but its friendly name was not set: {failed.what}\n"
            "The next `pulumi up` sets it.",
        )
        return caller_id


@contextmanager
def without_quoting(*inputs: str | None) -> Iterator[None]:
    """Leave out what Twilio says about a request that it refuses, if that quotes one of these inputs."""
    try:
        yield
    except TwilioRefused as refused:
        if any(value and one_line(value)[:20] in refused.what for value in inputs):  # a long one may be cut
            refused.what = f"{refused.what.partition(': ')[0]} (code {refused.code}, HTTP {refused.status})."
            refused.advise(refused.todo)
        raise
