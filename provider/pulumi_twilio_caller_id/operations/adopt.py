"""Numbers that are verified already: taking one over without a call, and what speaks against it.

`import_` takes over exactly one sid and changes nothing at Twilio; `adopt` takes over whatever the number has.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.api.listing_cache import listings
from pulumi_twilio_caller_id.errors import AlreadyVerified, ImportMismatch, NotFound
from pulumi_twilio_caller_id.models import CallerId, CallerIdInputs
from pulumi_twilio_caller_id.ownership import name_of
from pulumi_twilio_caller_id.phone_number import readable
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.text import quote, quote_distinct, quote_name

Failure = tuple[str, str]
"""A property and the reason why its value won't do."""


def import_caller_id(settings: Settings, inputs: CallerIdInputs, sid: str) -> CallerId:
    """Take over exactly this caller ID: nothing is changed at Twilio.

    Raises ImportMismatch if it is not there, or is another number or (where the program gives one) friendly name.
    Raises AccountUnseen if its account can't be listed.
    """
    twilio = Client(settings, inputs.account_sid)
    try:
        record = twilio.fetch(sid)
    except NotFound as failed:
        listed = listings.look_again(twilio, sid, failed)
        if listed is None:
            raise ImportMismatch(
                f"import_ of {readable(inputs.phone_number)} is {sid}: {not_there(twilio.find(inputs.phone_number))}.",
                "Nothing was changed at Twilio.",
            ) from failed
        record = listed
    given = inputs.model_dump()
    for name, reason in mismatches(given, record):
        value = quote_name(given[name]) if name == "friendly_name" else quote(given[name])
        raise ImportMismatch(f"{name} is {value}: {reason}.", "Nothing was changed at Twilio.")
    pulumi_sdk.log("info", f"imported {sid}, no call", urn=pulumi_sdk.current_urn())
    return record


def adopt(inputs: CallerIdInputs, record: CallerId) -> CallerId:
    """Log that the caller ID is taken over. `naming.after_create` renames it afterwards, if the program says so."""
    renaming = renaming_of(record.friendly_name, inputs.friendly_name)
    renaming = f", to be renamed {renaming}" if renaming else ""
    pulumi_sdk.log("info", f"adopted {record.sid}, no call{renaming}", urn=pulumi_sdk.current_urn())
    return record


def wants_adoption(settings: Settings, adopt: bool | None) -> bool:
    """The resource's `adopt`, else that of the settings."""
    return settings.adopt if adopt is None else adopt


def mismatches(inputs: Mapping[str, Any], record: CallerId) -> Iterator[Failure]:
    """Each property that differs from Twilio's, with a reason that follows the program's value in a message."""
    number, name = inputs.get("phone_number"), inputs.get("friendly_name")
    if number is not None and number != record.phone_number:
        yield (
            "phone_number",
            f"{record.sid}, which import_ names, is {record.phone_number} at Twilio: correct the number or the sid",
        )
    if name is not None and name != record.friendly_name:
        known, wanted = quote_distinct(record.friendly_name, name)
        here = "" if wanted == quote_name(name) else f" (and {wanted} here)"
        reason = f"{record.sid}, which import_ names, is {known} at Twilio{here}, where an import"
        yield "friendly_name", f"{reason} changes nothing: give that name or none, and rename it once it is imported"


def already_verified(record: CallerId, account_sid: str | None, urn: str) -> AlreadyVerified:
    """The number has a caller ID that the stack does not: how it can get there, to be copied and pasted.

    account_sid: the resource's, where it has one.
    """
    select = f"--phone-number {record.phone_number}"
    if urn:
        select += f" --name {shlex.quote(name_of(urn))}"
    if account_sid:
        select += f" --account-sid {account_sid}"
    return AlreadyVerified(
        f"{readable(record.phone_number)} is a caller ID of account {record.account_sid} already: {record.sid}."
        " No call was placed.",
        "To have this stack manage it, without a call, one of:\n"
        f'  in the program       opts=pulumi.ResourceOptions(import_="{record.sid}")\n'
        "  in the program       adopt=True\n"
        f"  on the command line  python -m pulumi_twilio_caller_id import-file {select} > import.json\n"
        "                       pulumi import --file import.json --generate-code=false\n"
        "If it is in this stack under another name: opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=...)]).\n"
        "If this resource has it already, don't have the resource replaced: leave out `--replace` and\n"
        f"replacement_trigger, and undo a taint by `pulumi state untaint {shlex.quote(urn or 'URN')}`.\n"
        "To delete the caller ID and verify the number anew: opts=pulumi.ResourceOptions(delete_before_replace=True).",
    )


def not_there(same_number: CallerId | None) -> str:
    said = "the account has no such OutgoingCallerId (20404)"
    if same_number is not None:
        return f"{said}; the one of {same_number.phone_number} is {same_number.sid}"
    return f"{said}; a number bought from Twilio has such a sid too, but is not an OutgoingCallerId"


def renaming_of(old: object, new: object) -> str:
    """From which to which friendly name, "" where the program wants no other."""
    return "" if new in (None, old) else "from {} to {}".format(*quote_distinct(old, new))
