"""Friendly names: the one that a program gives, and what Twilio makes of it.

What Twilio does to a name is not documented: it may take blanks off its ends, cut it, or write its accents otherwise.
Compared as they are, the two would differ for ever, and each `up` rename the caller ID once more. So the state keeps
a digest of the name that was given beside the one that Twilio answered with: for as long as Twilio has that one, the
given one is no change. Any other name at Twilio is drift, as ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.text import is_secret, quote_distinct, register_secret_inputs

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.models import CallerId

GIVEN = "friendly_name_given"
"""Among a resource's outputs, where Twilio has made another name of the one given: a digest of that one.

Not the name: it may be a secret, and the engine encrypts an output for being a secret input only where both have one
name.
"""


def digest(sid: str, name: str) -> str:
    """Tells a name of this caller ID from others; that of another one with the same name is another."""
    return hashlib.sha256(f"{sid} {name}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_settled(olds: Mapping[str, Any], wanted: object) -> bool:
    """Whether the name in state is what Twilio makes of the one that is wanted."""
    return isinstance(wanted, str) and digest(str(olds.get("sid")), wanted) == olds.get(GIVEN)


def conceal_made(name: object, given: object) -> None:
    """Mask a name that Twilio may have made of the one given, where the program keeps that secret."""
    if is_secret(given):
        register_secret_inputs(name)


def after_rename(given: str | None, caller_id: CallerId) -> dict[str, str]:
    """What the outputs need beside the caller ID that Twilio answered a rename with. Warns where they differ."""
    if given is None or given == caller_id.friendly_name:
        return {}
    conceal_made(caller_id.friendly_name, given)
    made, of = quote_distinct(caller_id.friendly_name, given)
    pulumi_sdk.log(
        "warning",
        f"Twilio made {made} of the friendly name {of} of {readable(caller_id.phone_number)}.\n"
        "It counts as the same from now on. To have both alike, give Twilio's in the program.",
        urn=pulumi_sdk.current_urn(),
    )
    return {GIVEN: digest(caller_id.sid, given)}


def after_create(twilio: Client, given: str | None, caller_id: CallerId) -> tuple[CallerId, dict[str, str]]:
    """The caller ID under the name given, and what the outputs need beside it.

    Another name may be what Twilio made of this one, or that of another call that was quicker: a rename tells. The
    number is verified, whatever comes of it.
    """
    if given is None or given == caller_id.friendly_name:
        return caller_id, {}
    try:
        caller_id = twilio.rename(caller_id.sid, given)
    except CallerIdError as failed:
        conceal_made(caller_id.friendly_name, given)
        known, wanted = quote_distinct(caller_id.friendly_name, given)
        pulumi_sdk.log(
            "warning",
            f"{readable(caller_id.phone_number)} is verified, under the friendly name {known} instead of {wanted}:"
            f" {failed.what}\n"
            "The next `pulumi up` renames it.",
            urn=pulumi_sdk.current_urn(),
        )
        return caller_id, {}
    return caller_id, after_rename(given, caller_id)


def after_read(olds: Mapping[str, Any], outs: Mapping[str, Any]) -> dict[str, str]:
    """What the outputs need beside `outs`, which Twilio has now. olds: the outputs so far."""
    given = olds.get(GIVEN)
    return {GIVEN: given} if isinstance(given, str) and olds.get("friendly_name") == outs["friendly_name"] else {}
