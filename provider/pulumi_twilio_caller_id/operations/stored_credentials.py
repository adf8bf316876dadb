"""Say what to do if Twilio refuses credentials that an earlier `pulumi up` has stored in the state."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_twilio_caller_id.context import Operation, Plugin
from pulumi_twilio_caller_id.errors import CredentialsRefused
from pulumi_twilio_caller_id.settings import sources

STORED_CREDENTIALS_ADVICE = (
    "`refresh` and `destroy` use the credentials of the latest `pulumi up`. To use new ones, run `pulumi up`, or add\n"
    "--run-program (or PULUMI_RUN_PROGRAM=true) to `refresh` or `destroy`, while the program still declares a number."
)
LOST_CREDENTIALS_ADVICE = (
    "If nobody has credentials of {account_sid} any more, delete the caller ID in that account's Console, then run\n"
    "`pulumi state delete {urn}`. If Pulumi offers two resources, pick the one pending deletion."
)


@contextmanager
def advise_if_credentials_refused(
    plugin: Plugin, operation: Operation, account_sid: str | None, *, to_delete: bool = False
) -> Iterator[None]:
    """If Twilio refuses the credentials for this account, add to the error what to do about stored ones.

    to_delete: also say how to delete the caller ID in the Console, without credentials.
    """
    try:
        yield
    except CredentialsRefused as refused:
        advice = [refused.todo]
        # Pulumi stores the config only. Environment variables are always the current ones.
        if sources.from_config(plugin.config).keys() & {"account_sid", *sources.CREDENTIALS}:
            advice.append(STORED_CREDENTIALS_ADVICE)
        # The settings give another account, so the credentials of this one may be lost.
        if to_delete and account_sid not in (None, plugin.account_sid):
            advice.append(LOST_CREDENTIALS_ADVICE.format(account_sid=account_sid, urn=shlex.quote(operation.urn)))
        refused.advise("\n".join(advice))
        raise
