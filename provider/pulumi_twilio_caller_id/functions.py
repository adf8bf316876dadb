"""Functions with which a program reads caller IDs that it does not manage; the state gets none of them.

Like Pulumi's own functions, each has a second form that ends in `_output`: it takes Outputs and returns an Output.

Source: Twilio docs, voice/api/outgoing-caller-ids, "Read multiple OutgoingCallerIds".
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
from .inputs import validate_inputs
from .provider import Provider, config_of, is_plain
from .settings.sources import PROVIDER_NAME_KEY, SETTINGS, ConfigGetter, default_region
from .shadowing import explain_shadowing
from .text import quote

T = TypeVar("T")
Filters = Mapping[str, Any]

MAX_LISTED_SIDS = 5

SETTINGS_READ = ("account_sid", "auth_token", "api_key", "api_secret", "api_url", "default_region")
"""The settings that these functions read. The others may be wrong or unknown: they are about verifying numbers."""


@dataclass(frozen=True)
class CallerIdResult:
    """An OutgoingCallerId as Twilio has it."""

    sid: str
    """The caller ID's sid: `PN` and 32 hexadecimal digits."""

    phone_number: str
    """The number in E.164, such as `+14155550101`."""

    friendly_name: str | None
    """The name shown in the Twilio Console."""

    account_sid: str
    """The sid (`AC...`) of the account that the number is verified in."""

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
    """Return the caller IDs of an account that match all filters. Asks Twilio immediately, in previews too.

    :param phone_number: The caller ID's number, in E.164 or as people write it in the default region.
    :param friendly_name: The caller ID's whole friendly name, in the same upper and lower case.
    :param account_sid: The subaccount (AC...) to look in. Default: the account of `provider`.
    :param provider: The account to ask, with credentials that are plain values, not Outputs. Default: the account of
        the stack's config (`twilio:...`) or the environment (`TWILIO_...`).

    Raises `pulumi.RunError` if credentials are missing, a filter is not valid, or Twilio refuses the request.
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _invoke("get_outgoing_caller_ids", lambda records, _: records, filters, provider)


def get_outgoing_caller_ids_output(
    phone_number: pulumi.Input[str | None] = None,
    friendly_name: pulumi.Input[str | None] = None,
    *,
    account_sid: pulumi.Input[str | None] = None,
    provider: Provider | None = None,
) -> pulumi.Output[list[CallerIdResult]]:
    """Do as `get_outgoing_caller_ids`, with filters and a provider that may be Outputs.

    If a preview does not know a filter or credential yet, Twilio is not asked, and the result is unknown too. The
    result is a secret if a filter is a secret; secret credentials do not make it a secret.
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _invoke_output("get_outgoing_caller_ids_output", lambda records, _: records, filters, provider)


def get_outgoing_caller_id(
    phone_number: str | None = None,
    friendly_name: str | None = None,
    *,
    account_sid: str | None = None,
    provider: Provider | None = None,
) -> CallerIdResult:
    """Return the only caller ID that matches all filters. The parameters are those of `get_outgoing_caller_ids`.

    Raises `pulumi.RunError` as that function does, and also if no caller ID matches, or several do.
    """
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _invoke("get_outgoing_caller_id", only_one_of, filters, provider)


def get_outgoing_caller_id_output(
    phone_number: pulumi.Input[str | None] = None,
    friendly_name: pulumi.Input[str | None] = None,
    *,
    account_sid: pulumi.Input[str | None] = None,
    provider: Provider | None = None,
) -> pulumi.Output[CallerIdResult]:
    """Do as `get_outgoing_caller_id`. Outputs are treated as in `get_outgoing_caller_ids_output`."""
    filters = {"phone_number": phone_number, "friendly_name": friendly_name, "account_sid": account_sid}
    return _invoke_output("get_outgoing_caller_id_output", only_one_of, filters, provider)


ResultBuilder = Callable[[list[CallerIdResult], str], T]
"""Turns the matching caller IDs into a function's result. The second argument describes the search, for errors."""


def only_one_of(records: list[CallerIdResult], search_description: str) -> CallerIdResult:
    if len(records) == 1:
        return records[0]
    if not records:
        raise CallerIdError(
            f"there is no caller ID {search_description}.",
            "Check the filters and the account, or have the number verified: declare it as an OutgoingCallerId.",
        )
    sids = ", ".join(record.sid for record in records[:MAX_LISTED_SIDS])
    more = f" and {len(records) - MAX_LISTED_SIDS} more" if len(records) > MAX_LISTED_SIDS else ""
    raise CallerIdError(
        f"there are {len(records)} caller IDs {search_description}: {sids}{more}.",
        "Give phone_number, which only one of them can have, or use get_outgoing_caller_ids for all of them.",
    )


def _invoke(function_name: str, build: ResultBuilder[T], filters: Filters, provider: Provider | None) -> T:
    config = _lookup_config(function_name, provider)
    labels = {SETTINGS[name].key: f"the provider's {name}" for name in SETTINGS_READ}
    for name, value in {**filters, **config}.items():
        if not is_plain(value):
            raise pulumi.RunError(
                f"{function_name}: {labels.get(name, name)} is an Output, which has no value while the program runs.\n"
                f"Use {function_name}_output, which waits for the value."
            )
    return look_up(function_name, build, filters, config.get)


def _invoke_output(
    function_name: str, build: ResultBuilder[T], filters: Filters, provider: Provider | None
) -> pulumi.Output[T]:
    filters_output = pulumi.Output.all(**filters)
    config_output = pulumi.Output.unsecret(pulumi.Output.all(**_lookup_config(function_name, provider)))

    async def look_up_later(filters: Filters, config: Mapping[str, Any]) -> T:
        hide = await filters_output.is_secret()
        # In a thread, so that the program can declare its other resources meanwhile.
        return await asyncio.to_thread(look_up, function_name, build, filters, config.get, hide_filters=hide)

    return pulumi.Output.all(filters_output, config_output).apply(lambda known: look_up_later(*known))


def _lookup_config(function_name: str, provider: Provider | None) -> dict[str, Any]:
    """Return SETTINGS_READ by config key, from the provider, or from the stack's config if there is no provider."""
    if not (provider is None or isinstance(provider, Provider)):
        raise pulumi.RunError(
            f"{function_name}: provider is a {type(provider).__name__}, which has no Twilio account.\n"
            "Give a pulumi_twilio_caller_id.Provider, or leave it out."
        )
    get = pulumi.runtime.get_config if provider is None else config_of(provider).get
    return {key: get(key) for key in (PROVIDER_NAME_KEY, *(SETTINGS[name].key for name in SETTINGS_READ))}


def look_up(
    function_name: str, build: ResultBuilder[T], filters: Filters, config: ConfigGetter, *, hide_filters: bool = False
) -> T:
    """Ask Twilio, and return what `build` returns. Raises `pulumi.RunError`, which Pulumi shows without a traceback.

    hide_filters: whether errors must not quote the filters, because one may be secret.
    """
    try:
        with explain_shadowing():
            from .api.client import Client
            from .settings.model import load_settings  # late, as a program may never look anything up

            wanted = _validated(filters, config, hide_filters=hide_filters)
            twilio = Client(load_settings(config, os.environ), wanted.pop("account_sid", None))
            records = [CallerIdResult(**record.model_dump()) for record in twilio.stream(**wanted)]
        conditions = [f"the given {name}" if hide_filters else f"{name} {value!r}" for name, value in wanted.items()]
        with_conditions = f"with {' and '.join(conditions)} " if conditions else ""
        return build(records, f"{with_conditions}in account {twilio.account_sid}")
    except CallerIdError as failed:
        raise pulumi.RunError(f"{function_name}: {failed}") from failed


def _validated(filters: Filters, config: ConfigGetter, *, hide_filters: bool) -> dict[str, str]:
    """Return the given filters, normalised like the resource's inputs; raise CallerIdError if a filter is not valid."""
    name = filters["friendly_name"]
    others = {**filters, "friendly_name": None}  # not validated: existing names may break the rules for new ones
    # `unknown` keeps `validate_inputs` from demanding a phone_number: a search may omit it.
    good, failures = validate_inputs(others, unknown=("phone_number",), region=default_region(config))
    if isinstance(name, str) and name:
        good["friendly_name"] = name
    elif name is not None:
        failures.append(("friendly_name", "it must be text, and not empty"))
    for refused, reason in failures:
        value = "" if hide_filters else f" {quote(filters[refused])}"
        raise CallerIdError(f"{refused}{value} can't be looked up: {reason}.", f"Correct {refused}, or leave it out.")
    return good
