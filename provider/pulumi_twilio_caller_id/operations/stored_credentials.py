"""Operations that may run on credentials an earlier run left in the state: what is said where they are refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_twilio_caller_id import pulumi_sdk
from pulumi_twilio_caller_id.errors import CredentialsRefused
from pulumi_twilio_caller_id.settings import sources as config

RUN_UP_FIRST = (
    "`refresh` and `destroy` use the credentials of the last `pulumi up`: run that first, with a number left in\n"
    "the program, or have them run the program, by --run-program (or PULUMI_RUN_PROGRAM=true)."
)


@contextmanager
def stored_credentials(lookup: config.Lookup, account_sid: str | None, *, to_delete: bool = False) -> Iterator[None]:
    """Within it, a refusal of the credentials says what else may be done about it.

    account_sid: whose caller ID it is. to_delete: it can be got rid of without its account's credentials too.
    """
    try:
        yield
    except CredentialsRefused as refused:
        own = config.account_sid(lookup, os.environ)
        # Variables of the environment are not stored: the current ones have just been refused.
        is_stored = config.from_config(lookup).keys() & {"account_sid", *config.CREDENTIALS}
        advice = [RUN_UP_FIRST] if is_stored else []
        if account_sid is not None and own is not None and account_sid != own:
            advice = _of_another_account(account_sid, own, advice, to_delete=to_delete)
        raise refused.advising("\n".join([refused.todo, *advice])) from refused


def _of_another_account(account_sid: str, own: str, advice: list[str], *, to_delete: bool) -> list[str]:
    """What to do about another account's caller ID.

    own: whose the credentials are. They are good for a subaccount's too, which the program names as such.
    advice: what to do if it is a subaccount.
    """
    rpc = pulumi_sdk.current_rpc()
    inputs = rpc.old_inputs if rpc else None
    urn = rpc.urn if rpc else ""
    if inputs is None or inputs.get("account_sid") is not None:
        case = f"If {account_sid} is no subaccount of {own}, whose credentials these are, then without"
        return [*advice, manual_delete_advice(case, account_sid, urn)] if to_delete else advice
    case = f"The caller ID is account {account_sid}'s, the credentials are account {own}'s."
    return [manual_delete_advice(f"{case} Without", account_sid, urn)] if to_delete else [case, *advice]


def manual_delete_advice(case: str, account_sid: str, urn: str) -> str:
    """What to do about a caller ID in an account that nobody has credentials of any more. case: how it begins."""
    in_quotes = urn.replace("'", "'\"'\"'")  # as a shell needs it
    return (
        f"{case} those of\n{account_sid}: delete it in that account's Console. Then, in a terminal,\n"
        f"`pulumi state delete '{in_quotes}'`; of two, pick the one that is pending deletion."
    )
