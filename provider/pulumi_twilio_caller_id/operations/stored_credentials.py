"""Says what to do if Twilio refuses credentials that an earlier `pulumi up` left in the state."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_twilio_caller_id.context import Call, Plugin
from pulumi_twilio_caller_id.errors import CredentialsRefused
from pulumi_twilio_caller_id.settings import sources

STORED = (
    "`refresh` and `destroy` use the credentials of the last `pulumi up`: run that first, with at least one number in\n"
    "the program. Or add --run-program (or PULUMI_RUN_PROGRAM=true)."
)
LOST = (
    "If nobody has credentials of {account_sid} any more, delete the caller ID in that account's Console, then run\n"
    "`pulumi state delete {urn}`. If Pulumi offers two resources, pick the one pending deletion."
)


@contextmanager
def stored_credentials(
    plugin: Plugin, call: Call, account_sid: str | None, *, to_delete: bool = False
) -> Iterator[None]:
    """Add advice to a refusal of the credentials, about the caller ID of this account.

    to_delete: the caller ID is to be deleted, which is possible without the account's credentials too.
    """
    try:
        yield
    except CredentialsRefused as refused:
        advice = [refused.todo]
        if sources.from_config(plugin.config).keys() & {
            "account_sid",
            *sources.CREDENTIALS,
        }:  # the environment is not stored
            advice.append(STORED)
        if to_delete and account_sid not in (None, plugin.account_sid):
            advice.append(LOST.format(account_sid=account_sid, urn=shlex.quote(call.urn)))
        refused.advise("\n".join(advice))
        raise
