"""Defines `OutgoingCallerId`, the resource that a program declares."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi.dynamic
import pulumi.runtime

from .inputs import CREATE_TIMEOUT, DRY_RUN, IMPORT
from .lifecycle import OutgoingCallerIdProvider
from .text import quote

_ONLY_OUTPUTS: dict[str, Any] = {"date_created": None, "date_updated": None, "uri": None, "sid": None}
"""The outputs that are not inputs. Each is passed as None, because the SDK fills in only properties it was passed."""


class OutgoingCallerId(pulumi.dynamic.Resource, module="twilio", name="OutgoingCallerId"):
    """A phone number that a Twilio account has verified for use as caller ID.

    When the resource is created, Twilio phones the number, from +1 415-723-4000 and in English. `pulumi up` shows a
    six-digit code, which the person at the phone keys in within 5 minutes, or within `custom_timeouts` for create.
    Deleting the resource removes the number from the account's verified caller IDs.

    Source: Twilio docs, voice/api/outgoing-caller-ids.
    """

    phone_number: pulumi.Output[str]
    """The number in E.164, such as `+14155550101`."""

    friendly_name: pulumi.Output[str]
    """The name shown in the Twilio Console. If the program gives no name, Twilio uses the formatted number."""

    account_sid: pulumi.Output[str]
    """The sid (AC...) of the account that the number is verified in."""

    date_created: pulumi.Output[str]
    """When the number was verified: RFC 2822, UTC."""

    date_updated: pulumi.Output[str]
    """When the caller ID last changed at Twilio: RFC 2822, UTC."""

    uri: pulumi.Output[str]
    """The path of the caller ID in Twilio's API, relative to its base URL."""

    _sid_is_secret = False
    """Whether `additional_secret_outputs` contains "sid"."""

    def __init__(
        self,
        resource_name: str,
        *,
        phone_number: pulumi.Input[str],
        friendly_name: pulumi.Input[str] | None = None,
        call_delay: pulumi.Input[int] | None = None,
        extension: pulumi.Input[str] | None = None,
        status_callback: pulumi.Input[str] | None = None,
        status_callback_method: pulumi.Input[str] | None = None,
        account_sid: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a verified number.

        After creation, only a change of `phone_number`, `friendly_name` or `account_sid` has an effect.

        :param resource_name: The resource's name in the stack.
        :param phone_number: The number to verify, in E.164 or as people write it in the country of
            `twilio:defaultRegion`. Changing it verifies the new number, then deletes the old caller ID.
        :param friendly_name: The caller ID's name, 1 to 64 characters; changing it places no call. Default: its name at
            Twilio, for a new caller ID the formatted number.
        :param call_delay: Seconds until Twilio calls, 0 to 60. Default: 0.
        :param extension: What to dial when the phone call is answered, at most 32 characters: 0-9, `*`, `#`, and `w`
            for a pause of half a second.
        :param status_callback: A public http or https URL, at most 1,000 characters, that Twilio requests when the
            phone call ends.
        :param status_callback_method: `POST` (Twilio's default) or `GET`.
        :param account_sid: A subaccount (`AC...`) to verify the number in; default: the account of the resource's
            Provider, else the stack's. Changing it verifies the number in the new account, then deletes the old caller
            ID.
        :param adopt: Whether to take over a number that is verified already, without a phone call. If false, such a
            number is an error. Default: true if `twilio:adopt` is true or `twilio:unverified` is `await`.
        :param opts: Pulumi's options. `custom_timeouts` for create limits the wait. `import_="PN..."` takes over the
            caller ID with that sid, without a phone call. It fails if the program has another number or friendly name.

        Raises `pulumi.RunError` for text that is not valid Unicode.
        """
        inputs = {
            "phone_number": phone_number,
            "friendly_name": friendly_name,
            "call_delay": call_delay,
            "extension": extension,
            "status_callback": status_callback,
            "status_callback_method": status_callback_method,
            "account_sid": account_sid,
            "adopt": adopt,
        }
        refuse_lone_surrogates(resource_name, inputs)
        hidden, opts = split_options(opts)
        self._sid_is_secret = "sid" in ((opts and opts.additional_secret_outputs) or ())
        super().__init__(OutgoingCallerIdProvider(), resource_name, {**_ONLY_OUTPUTS, **inputs, **hidden}, opts)

    @property
    def sid(self) -> pulumi.Output[str]:
        """The caller ID's sid (PN...), taken from `id`: for an existing resource it is known in every preview.

        Unlike `id`, it is a secret if `additional_secret_outputs` contains "sid".
        """
        if self._sid_is_secret:
            return pulumi.Output.secret(self.id)
        # A transform may have made `sid` secret: only the Output that the SDK has put into `__dict__` knows that.
        sdk_output: pulumi.Output[str] = self.__dict__["sid"]
        value: Any = self.id.future()
        return pulumi.Output(self.id.resources(), value, self.id.is_known(), sdk_output.is_secret())

    @classmethod
    def get(
        cls,
        resource_name: str,
        sid: pulumi.Input[str],
        *,
        account_sid: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> OutgoingCallerId:
        """Read an existing caller ID without managing it. Previews ask Twilio too, so they need credentials.

        :param resource_name: The resource's name in the stack.
        :param sid: The sid (PN...) of the caller ID. If the account lacks it, `pulumi preview` and `pulumi up` fail.
        :param account_sid: The subaccount (AC...) of the caller ID. Default: the account of the resource's Provider,
            else the stack's.
        :param opts: Pulumi's options, such as the provider.
        """
        resource = cls.__new__(cls)
        pulumi.dynamic.Resource.__init__(
            resource,
            OutgoingCallerIdProvider(),
            resource_name,
            {**_ONLY_OUTPUTS, "phone_number": None, "friendly_name": None, "account_sid": account_sid},
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=sid)),
        )
        return resource


def refuse_lone_surrogates(resource_name: str, inputs: Mapping[str, Any]) -> None:
    """Raise `pulumi.RunError` for text with lone surrogates. The SDK would fail on it with a traceback.

    Python decodes bytes that are not UTF-8, from an environment variable or a file, to lone surrogates.
    """
    for name, value in {"the name": resource_name, **inputs}.items():
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            raise pulumi.RunError(
                f"OutgoingCallerId {quote(resource_name)}: {name} {quote(value)} is not valid Unicode.\n"
                "Correct it, or where it comes from: an environment variable or a file in another encoding than UTF-8."
            )


def split_options(opts: pulumi.ResourceOptions | None) -> tuple[dict[str, Any], pulumi.ResourceOptions | None]:
    """Return the hidden properties (`HIDDEN_PROPERTIES` in inputs.py), and the options without `import_`.

    Our `create` does the import, because the engine's own import calls Read without the pickled provider, and fails.
    `check` passes the sid to it through `Ownership`: as an input, the sid would be stored in the state.
    """
    is_preview = pulumi.runtime.is_dry_run() or None  # the SDK sends no property that is None
    if opts is None:
        return {DRY_RUN: is_preview}, None
    hidden_properties = {
        IMPORT: opts.import_ or None,
        DRY_RUN: is_preview,
        # A preview's `check` says how long create waits, but the engine tells the timeout to `create` alone.
        CREATE_TIMEOUT: is_preview and getattr(opts.custom_timeouts, "create", None),
    }
    opts = copy.copy(opts)
    opts.import_ = None
    return hidden_properties, opts
