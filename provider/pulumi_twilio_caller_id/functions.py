"""Caller IDs that something else manages, for programs to read: nothing gets into the state.

Each function exists twice, as Pulumi's own do: plain values in, plain result out, while the program runs; and
`..._output`, which takes Outputs and waits for them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
import pulumi.runtime

from .errors import CallerIdError
from .inputs import has_lone_surrogates, validate_inputs
from .provider import KEYS, Provider, configuration_of, is_plain
from .settings.sources import PROVIDER, default_region, region_setting
from .shadowing import explained
from .text import quote

T = TypeVar("T")

LONGEST_LIST = 5

# The rest of the settings is about verifying numbers. Whatever is wrong with it, or not known yet, a look-up works.
NEEDED = ("account_sid", "auth_token", "api_key", "api_secret", "api_url", "default_region")


@dataclass(frozen=True)
class CallerIdResult:
    """An OutgoingCallerId as Twilio has it.

    Source: Twilio docs, voice/api/outgoing-caller-ids.
    """

    sid: str
    """PN and 32 hexadecimal digits."""

    phone_number: str
    """The number in E.164, such as `+14155550101`."""

    friendly_name: str | None
    """The name shown in the Twilio Console."""

    account_sid: str
    """The sid (AC...) of the account that the number is verified in."""

    date_created: str | None
    """When the number was verified: RFC 2822, UTC."""

    date_updated: str | None
    """When the caller ID last changed at Twilio: RFC 2822, UTC."""

    uri: str | None
    """The path of the caller ID in Twilio's API, relative to its base URL."""


def get_outgoing_caller_ids(
    phone_number: str | None = None,
    friendly_name: str | None = None,
    *,
    account_sid: str | None = None,
    provider: Provider | None = None,
) -> list[CallerIdResult]:
    """The caller IDs of an account, without managing them. Asks Twilio at once, during previews too.

    :param phone_number: Only the one of this number; E.164, or any form of it that is read in the default region.
    :param friendly_name: Only those of exactly this name; upper and lower case differ.
    :param account_sid: The subaccount (AC...) they are in; the account of the settings where left out.
    :param provider: The account to ask. Its credentials must be plain values, not Outputs. Where left out: the one of
        the stack's config (`twilio:...`) and the environment (`TWILIO_...`).

    Raises `pulumi.RunError` for missing credentials, a filter that makes no sense, and whatever Twilio refuses.

    Source: Twilio docs, voice/api/outgoing-caller-ids, "Read multiple OutgoingCallerIds".
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _now("get_outgoing_caller_ids", _all, filters, provider)


def get_outgoing_caller_ids_output(
    phone_number: pulumi.Input[str | None] = None,
    friendly_name: pulumi.Input[str | None] = None,
    *,
    account_sid: pulumi.Input[str | None] = None,
    provider: Provider | None = None,
) -> pulumi.Output[list[CallerIdResult]]:
    """`get_outgoing_caller_ids` for filters and a provider that may be Outputs.

    While one of them is not known, in a preview, the result is not either, and Twilio is not asked. The result is a
    secret where a filter is; that the provider's credentials are does not make it one.
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _later("get_outgoing_caller_ids_output", _all, filters, provider)


def get_outgoing_caller_id(
    phone_number: str | None = None,
    friendly_name: str | None = None,
    *,
    account_sid: str | None = None,
    provider: Provider | None = None,
) -> CallerIdResult:
    """The one caller ID that the filters fit. Parameters and errors are those of `get_outgoing_caller_ids`.

    Raises `pulumi.RunError` where none fits too, and where several do.
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _now("get_outgoing_caller_id", _the_one, filters, provider)


def get_outgoing_caller_id_output(
    phone_number: pulumi.Input[str | None] = None,
    friendly_name: pulumi.Input[str | None] = None,
    *,
    account_sid: pulumi.Input[str | None] = None,
    provider: Provider | None = None,
) -> pulumi.Output[CallerIdResult]:
    """`get_outgoing_caller_id` for filters and a provider that may be Outputs, as `get_outgoing_caller_ids_output`."""
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _later("get_outgoing_caller_id_output", _the_one, filters, provider)


@dataclass(frozen=True)
class _Found:
    """What fits, in which account, and the filters in words."""

    records: list[CallerIdResult]
    account_sid: str
    filters: str


Pick = Callable[[_Found], T]


def _all(found: _Found) -> list[CallerIdResult]:
    return found.records


def _the_one(found: _Found) -> CallerIdResult:
    count = len(found.records)
    if count == 1:
        return found.records[0]
    where = f"{found.filters} in account {found.account_sid}"
    if count == 0:
        raise CallerIdError(
            f"there is no caller ID{where}.",
            "Check the filters and the account, or have the number verified: declare it as an OutgoingCallerId.",
        )
    listed = ", ".join(record.sid for record in found.records[:LONGEST_LIST])
    more = f" and {count - LONGEST_LIST} more" if count > LONGEST_LIST else ""
    raise CallerIdError(
        f"there are {count} caller IDs{where}: {listed}{more}.",
        "Give phone_number, which only one of them can have, or use get_outgoing_caller_ids for all of them.",
    )


def _now(function: str, pick: Pick[T], filters: Mapping[str, Any], provider: Provider | None) -> T:
    config = _configuration(function, provider)
    names = {KEYS[name]: f"the provider's {name}" for name in NEEDED}
    for name, value in {**filters, **config}.items():
        if not is_plain(value):
            raise pulumi.RunError(
                f"{function}: {names.get(name, name)} is an Output, whose value is not there while the program runs.\n"
                f"Use {function}_output, which waits for it."
            )
    return _look_up(function, pick, filters, config)


def _later(function: str, pick: Pick[T], filters: Mapping[str, Any], provider: Provider | None) -> pulumi.Output[T]:
    asked = pulumi.Output.all(**filters)
    config = pulumi.Output.unsecret(pulumi.Output.all(**_configuration(function, provider)))

    async def look_up(known: list[dict[str, Any]]) -> T:
        is_secret = await asked.is_secret()
        # In a thread: meanwhile the program's resources go on.
        return await asyncio.to_thread(lambda: _look_up(function, pick, *known, is_secret=is_secret))

    return pulumi.Output.all(asked, config).apply(look_up)


def _configuration(function: str, provider: Provider | None) -> dict[str, Any]:
    if not (provider is None or isinstance(provider, Provider)):
        raise pulumi.RunError(
            f"{function}: provider is a {type(provider).__name__}, which has no Twilio account.\n"
            "Give a pulumi_twilio_caller_id.Provider, or leave it out."
        )
    keys = [PROVIDER, *(KEYS[name] for name in NEEDED)]
    config = pulumi.runtime.get_config if provider is None else configuration_of(provider).get
    return {key: config(key) for key in keys}


def _look_up(
    function: str, pick: Pick[T], filters: Mapping[str, Any], config: Mapping[str, Any], *, is_secret: bool = False
) -> T:
    """Ask Twilio. What goes wrong is one message, without the program's traceback, and without secret filters."""
    try:
        with explained():
            from .api.client import Client
            from .settings.model import load_settings  # late, as a program may never look anything up

            wanted = _checked(filters, config, is_secret=is_secret)
            twilio = Client(load_settings(config.get, os.environ), wanted.pop("account_sid", None))
            records = [CallerIdResult(**record.model_dump()) for record in twilio.each(**wanted)]
        shown = [f"{name} {'[secret]' if is_secret else repr(value)}" for name, value in wanted.items()]
        return pick(_Found(records, twilio.account_sid, f" with {' and '.join(shown)}" if shown else ""))
    except CallerIdError as failed:
        raise pulumi.RunError(f"{function}: {failed}") from failed


def _checked(filters: Mapping[str, Any], config: Mapping[str, Any], *, is_secret: bool) -> dict[str, str]:
    """The filters that are given, normalised as the inputs of the resource are."""
    name = filters["friendly_name"]
    region, setting = default_region(config.get), region_setting(config.get)
    plain = {**filters, "friendly_name": None}
    good, failures = validate_inputs(plain, unknown=("phone_number",), region=region, region_setting=setting)
    if name is not None:
        if isinstance(name, str) and name and not has_lone_surrogates(name):
            good["friendly_name"] = name
        else:
            failures.append(("friendly_name", "it must be text, and not empty"))
    for refused, reason in failures:
        value = "" if is_secret else f" {quote(filters[refused])}"
        raise CallerIdError(f"{refused}{value} can't be looked up: {reason}.", f"Correct {refused}, or leave it out.")
    return good
