"""What is a change: between what a program wants and what the state has, and between the state and Twilio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_twilio_caller_id import pulumi_sdk

from . import friendly_name as naming

PROVIDER_KEY = "__provider"
"""Where the SDK keeps the pickled provider among a resource's properties."""


def differs(name: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the program wants another value; what it leaves out is not managed."""
    wanted = news.get(name)
    return wanted is not None and (pulumi_sdk.is_unknown(wanted) or wanted != olds.get(name))


def is_renamed(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the program wants another friendly name than what Twilio has made of it already."""
    return differs("friendly_name", olds, news) and not naming.is_settled(olds, news.get("friendly_name"))


def replaced(olds: Mapping[str, Any], news: Mapping[str, Any], own: str | None) -> list[str]:
    """Which properties make it another caller ID. own: the account that is set, which no account named means."""
    wanted = {**news, "account_sid": news.get("account_sid") or own}
    return [name for name in ("phone_number", "account_sid") if name in olds and differs(name, olds, wanted)]


def refreshed(inputs: Mapping[str, Any] | None, outs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs in state, brought up to what Twilio has, so that a refresh shows drift on the property it is in; None
    where they are that already. outs: the outputs that Twilio has now.
    """
    if not inputs or "phone_number" not in inputs:
        return None
    live = {"phone_number": outs["phone_number"], "friendly_name": outs["friendly_name"]}
    if naming.is_settled(outs, inputs.get("friendly_name")):
        del live["friendly_name"]
    now = {name: live.get(name, value) for name, value in inputs.items() if name != PROVIDER_KEY}
    return None if now.items() <= inputs.items() else now
