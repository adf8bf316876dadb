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


class OutgoingCallerId(pulumi.dynamic.Resource, module="twilio", name="OutgoingCallerId"):
    """A phone number that a Twilio account has verified for use as caller ID.

    When one is created, Twilio phones the number, from +1 415-723-4000 and in English. `pulumi up` shows a six-digit
    code and waits until the person at the phone has keyed it in. It waits 5 minutes, or as long as `custom_timeouts`
    says for create. When one is deleted, the number is no longer among the account's verified caller IDs.

    Source: Twilio docs, voice/api/outgoing-caller-ids.
    """

    phone_number: pulumi.Output[str]
    """The number in E.164, such as `+14155550101`."""

    friendly_name: pulumi.Output[str]
    """The name shown in the Twilio Console. If the program gives none, it is Twilio's own: the number, formatted."""

    account_sid: pulumi.Output[str]
    """The sid (AC...) of the account that the number is verified in."""

    date_created: pulumi.Output[str]
    """When the number was verified: RFC 2822, UTC."""

    date_updated: pulumi.Output[str]
    """When the caller ID last changed at Twilio: RFC 2822, UTC."""

    uri: pulumi.Output[str]
    """The path of the caller ID in Twilio's API, relative to its base URL."""

    _sid_is_secret = False
    """Whether `additional_secret_outputs` has the sid."""

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

        Changing `call_delay`, `extension`, the callback or `adopt` later has no effect, as only creation uses them.

        :param resource_name: The resource's name in the stack.
        :param phone_number: The number to verify, in E.164 or as people write it in the region of
            `twilio:defaultRegion` (US by default). If you change the number, the new one is verified, and then the old
            caller ID is deleted.
        :param friendly_name: 1 to 64 characters. If it is left out, the name is not managed.
        :param call_delay: Seconds before Twilio calls, 0 to 60.
        :param extension: What to dial once the call is answered: up to 32 of the digits 0-9, `*` and `#`, and `w`
            for a pause of half a second.
        :param status_callback: A public http(s) URL, at most 1,000 characters, that Twilio requests when the
            validation call ends.
        :param status_callback_method: `POST` (Twilio's default) or `GET`.
        :param account_sid: A subaccount (AC...) to verify the number in. The default is the account of the settings.
        :param adopt: Whether to take the number over, without a call, if the account has verified it already. The
            default is `twilio:adopt`, and false if that is not set.
        :param opts: Pulumi's options. `custom_timeouts` for create limits the wait. `import_` takes over exactly this
            sid (PN...), without a call, and fails if its number or friendly name is not the one given here.

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
        declaration, opts = split_options(opts)
        self._sid_is_secret = "sid" in ((opts and opts.additional_secret_outputs) or ())
        super().__init__(OutgoingCallerIdProvider(), resource_name, {**_OUTPUTS, **inputs, **declaration}, opts)

    @property
    def sid(self) -> pulumi.Output[str]:
        """The caller ID's sid (PN...) at Twilio: the same as `id`, so previews know it once the number is verified.

        It is a secret if `additional_secret_outputs` has it. `id` never is.
        """
        if self._sid_is_secret:
            return pulumi.Output.secret(self.id)
        output: pulumi.Output[str] = self.__dict__["sid"]  # a secret if a transform has made it one
        value: Any = self.id.future()
        return pulumi.Output(self.id.resources(), value, self.id.is_known(), output.is_secret())

    @classmethod
    def get(
        cls,
        resource_name: str,
        sid: pulumi.Input[str],
        *,
        account_sid: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> OutgoingCallerId:
        """Read an existing caller ID without managing it. This needs credentials in previews too.

        :param resource_name: The resource's name in the stack.
        :param sid: The sid (PN...) of the caller ID. If the account has no such caller ID, the update fails.
        :param account_sid: The subaccount (AC...) it is in. The default is the account of the settings.
        :param opts: Pulumi's options, such as the provider.
        """
        resource = cls.__new__(cls)
        pulumi.dynamic.Resource.__init__(
            resource,
            OutgoingCallerIdProvider(),
            resource_name,
            {**_OUTPUTS, "phone_number": None, "friendly_name": None, "account_sid": account_sid},
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=sid)),
        )
        return resource


def refuse_lone_surrogates(resource_name: str, inputs: Mapping[str, Any]) -> None:
    """Raise `pulumi.RunError` for text with lone surrogates, on which the SDK would fail with a traceback.

    Python puts them into text from an environment variable or a file whose bytes are not UTF-8.
    """
    for name, value in {"the name": resource_name, **inputs}.items():
        if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
            raise pulumi.RunError(
                f"OutgoingCallerId {quote(resource_name)}: {name} {quote(value)} is not valid Unicode.\n"
                "Correct it, or where it comes from: an environment variable or a file in another encoding than UTF-8."
            )


def split_options(opts: pulumi.ResourceOptions | None) -> tuple[dict[str, Any], pulumi.ResourceOptions | None]:
    """Split the options into what `check` needs, as properties of the resource, and what the engine still gets.

    The engine doesn't get `import_`: it would make the SDK read a resource without its `__provider`, which fails.
    """
    preview = pulumi.runtime.is_dry_run() or None
    if opts is None:
        return {DRY_RUN: preview}, None
    declaration = {
        IMPORT: opts.import_ or None,
        DRY_RUN: preview,
        CREATE_TIMEOUT: preview and getattr(opts.custom_timeouts, "create", None),
    }
    opts = copy.copy(opts)
    opts.import_ = None
    return declaration, opts


_OUTPUTS: dict[str, Any] = {"date_created": None, "date_updated": None, "uri": None, "sid": None}
"""The outputs that are not inputs. The SDK resolves an output only if its name is among the properties it is given."""
