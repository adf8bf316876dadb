"""Compare friendly names, and rename caller IDs.

No message quotes a friendly name: the program may keep it secret.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.context import Operation
from pulumi_twilio_caller_id.errors import CallerIdError, TwilioRefused
from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.text import contains_value

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.models import CallerId


def friendly_name_differs(given: object, stored: object) -> bool:
    """Return whether the program gives another name than the stored one. False if the program gives none.

    Blanks at the ends and the Unicode form of accents don't count, because Twilio may change them.
    """
    return given is not None and _normalized(given) != _normalized(stored)


def _normalized(name: object) -> object:
    return unicodedata.normalize("NFC", name.strip()) if isinstance(name, str) else name


def rename(operation: Operation, client: Client, sid: str, name: str) -> CallerId:
    """Give the caller ID this name. Warn if Twilio stores another one."""
    with hide_inputs_in_refusal(name):
        caller_id = client.rename(sid, name)
    if friendly_name_differs(name, caller_id.friendly_name):
        operation.log(
            "warning",
            f"Twilio stored another friendly name for {international_format(caller_id.phone_number)} than the program"
            " gives, so the next `pulumi up` will rename it again.\n"
            "To end that, give Twilio's name in the program: `python -m pulumi_twilio_caller_id list` shows it.",
        )
    return caller_id


def ensure_friendly_name(operation: Operation, client: Client, caller_id: CallerId, name: str | None) -> CallerId:
    """Rename a caller ID that was just verified or adopted, if the program gives another name.

    A failure is only a warning: the number is verified, so it has to get into the state.
    """
    if name is None or not friendly_name_differs(name, caller_id.friendly_name):
        return caller_id
    try:
        return rename(operation, client, caller_id.sid, name)
    except CallerIdError as failed:
        operation.log(
            "warning",
            f"{international_format(caller_id.phone_number)} is verified, but its friendly name was not set:"
            f" {failed.what}\n"
            "The next `pulumi up` sets it.",
        )
        return caller_id


@contextmanager
def hide_inputs_in_refusal(*inputs: str | None) -> Iterator[None]:
    """If Twilio's reason for refusing a request quotes one of these inputs, raise the error without the reason."""
    try:
        yield
    except TwilioRefused as refused:
        if not any(value and contains_value(refused.what, value) for value in inputs):
            raise
        hidden = type(refused)(refused.action, refused.status, refused.code, retry_after=refused.retry_after)
        hidden.advise(refused.todo)
        raise hidden from None
