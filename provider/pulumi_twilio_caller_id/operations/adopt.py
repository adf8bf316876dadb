"""Take over a caller ID that Twilio has already, without a phone call; or say why that can't be done.

`import_` takes over exactly one sid and changes nothing at Twilio. `adopt` takes over the number's caller ID.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pulumi_twilio_caller_id.context import Operation, Plugin, Properties
from pulumi_twilio_caller_id.errors import AlreadyVerified, ImportMismatch, NotFound
from pulumi_twilio_caller_id.inputs import Failure
from pulumi_twilio_caller_id.models import CallerId, OutgoingCallerIdInputs
from pulumi_twilio_caller_id.ownership import name_of
from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.text import quote

from .friendly_name import friendly_name_differs

if TYPE_CHECKING:
    from pulumi_twilio_caller_id.api.client import Client
    from pulumi_twilio_caller_id.settings.model import Settings

# --config saves the setting in the stack's config.
ADOPT_BY_CONFIG = """\
  once, without edits  pulumi up --config twilio:adopt=true && pulumi config rm twilio:adopt
"""

KEYED_IN_AFTER_ALL = "If {code} is keyed in after all, Twilio verifies the number.\n"
UP_WITH_ADOPT = (
    "`pulumi up --config twilio:adopt=true` takes the number over if it is verified by then, else it calls.\n"
    "Then `pulumi config rm twilio:adopt`, as `--config` saves the setting in the stack's config."
)
PLAIN_UP = "`pulumi up` looks for the number first, and calls only if it is not verified."


def import_caller_id(
    plugin: Plugin, operation: Operation, client: Client, inputs: OutgoingCallerIdInputs, sid: str
) -> CallerId:
    """Take over exactly this caller ID, and change nothing at Twilio.

    Raises ImportMismatch if it does not exist, or has another number or friendly name than the program gives.
    Raises AccountUnreadable if Twilio answers 404 and the account can't be listed to confirm that.
    """
    try:
        caller_id = client.fetch(sid)
    except NotFound as failed:
        listed = plugin.listing_cache.find_in_listing_after_404(failed, client, sid)
        if listed is None:
            why = import_not_found_reason(client.find(inputs.phone_number))
            raise ImportMismatch(
                f"import_ of {international_format(inputs.phone_number)} is {sid}: {why}.",
                "Nothing was changed at Twilio.",
            ) from failed
        caller_id = listed
    mismatch = next(mismatches(inputs.model_dump(), caller_id), None)
    if mismatch is not None:
        name, reason = mismatch
        value = f" is {quote(inputs.phone_number)}" if name == "phone_number" else ""  # no message has a friendly name
        raise ImportMismatch(f"{name}{value}: {reason}.", "Nothing was changed at Twilio.")
    operation.log("info", f"imported {sid}, no call")
    return caller_id


def adopt_or_fail(plugin: Plugin, operation: Operation, inputs: OutgoingCallerIdInputs, existing: CallerId) -> CallerId:
    """Take over the number's existing caller ID, if the program or the settings say so.

    Raises AlreadyVerified if they don't, or if another resource owns the caller ID. Raises Gone if the same command
    is deleting the caller ID, or has deleted it.
    """
    plugin.ownership.fail_if_deleted(existing.sid, existing.phone_number)
    if not wants_adoption(plugin.settings, inputs.adopt):
        raise already_verified(existing, inputs.model_dump(), operation.urn)
    plugin.ownership.acquire_or_fail(existing.sid, operation.urn, existing.phone_number)
    operation.log("info", f"adopted {existing.sid}, no call")
    return existing


def wants_adoption(settings: Settings, adopt: bool | None) -> bool:
    """Return whether to adopt the caller ID of a verified number. The resource's `adopt` wins over the settings."""
    if adopt is not None:
        return adopt
    # An awaited number may have been verified since the previous `pulumi up`, by its call or in the Console.
    return settings.adopt or settings.unverified == "await"


def advice_if_call_goes_on(settings: Settings, adopt: bool | None, code: str) -> str:
    """Return what to do after a wait that ended before its phone call did: the code may still be keyed in."""
    # With `twilio:adopt`, `pulumi up` would take the number over, unless it is set already or the program says `adopt`.
    needs_setting = adopt is None and not wants_adoption(settings, None)
    return KEYED_IN_AFTER_ALL.format(code=code) + (UP_WITH_ADOPT if needs_setting else PLAIN_UP)


def mismatches(inputs: Properties, caller_id: CallerId) -> Iterator[Failure]:
    """Yield each input that differs from the caller ID that `import_` names."""
    number, subject = inputs.get("phone_number"), f"{caller_id.sid}, which import_ names,"
    if number is not None and number != caller_id.phone_number:
        todo = "correct the number or the sid, or remove import_ to have the number called"
        yield "phone_number", f"{subject} is {caller_id.phone_number} at Twilio: {todo}"
    if friendly_name_differs(inputs.get("friendly_name"), caller_id.friendly_name):
        todo = "give the same name or none. `python -m pulumi_twilio_caller_id list` shows Twilio's"
        yield "friendly_name", f"{subject} has another friendly name at Twilio, and an import changes nothing: {todo}"


def already_verified(caller_id: CallerId, inputs: Properties, urn: str) -> AlreadyVerified:
    """Return the error for a number that is verified already, with the ways to import or adopt it."""
    # If the program says adopt=False, the setting has no effect.
    by_config = "" if inputs.get("adopt") is False else ADOPT_BY_CONFIG
    account_sid = inputs.get("account_sid")
    options = f"--phone-number {caller_id.phone_number}"
    if urn:
        options += f" --name {shlex.quote(name_of(urn))}"
    if account_sid:
        options += f" --account-sid {account_sid}"
    return AlreadyVerified(
        f"{international_format(caller_id.phone_number)} is a caller ID of account {caller_id.account_sid} already:"
        f" {caller_id.sid}. No call was placed.",
        f"To manage it here without a call, use one of these:\n{by_config}"
        f'  in the program       adopt=True, or opts=pulumi.ResourceOptions(import_="{caller_id.sid}")\n'
        f"  on the command line  python -m pulumi_twilio_caller_id import-file {options} > import.json\n"
        "                       pulumi import --file import.json --generate-code=false\n"
        "  if you renamed it    the first, or opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=...)])\n"
        "If this resource has it already, remove what replaces it: `--replace`, replacement_trigger or a taint\n"
        f"(`pulumi state untaint {shlex.quote(urn or 'URN')}`). To replace it with a new call:\n"
        "opts=pulumi.ResourceOptions(delete_before_replace=True), then `pulumi up --skip-preview` (its preview fails).",
    )


def import_not_found_reason(same_number: CallerId | None) -> str:
    """Say that no caller ID has the sid in `import_`, and what to do.

    Often a program still has `import_` after a `destroy`. same_number: the caller ID of the resource's number, if any.
    """
    reason = "the account has no such OutgoingCallerId (20404)"
    if same_number is not None:
        return f"{reason}; the caller ID of {same_number.phone_number} is {same_number.sid}: give that sid"
    return (
        f"{reason}. If it was deleted, remove import_: `pulumi up` will then call the number."
        " A number bought from Twilio has such a sid too, but is not an OutgoingCallerId"
    )
