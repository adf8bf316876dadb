"""`OutgoingCallerId`, what a program writes."""

from __future__ import annotations

import copy
from collections.abc import Container, Iterator, Mapping
from typing import Any

import pulumi
import pulumi.dynamic
import pulumi.runtime

from .inputs import DELETE_BEFORE_REPLACE, DRY_RUN, IMPORT, SECRET_INPUTS, has_lone_surrogates
from .lifecycle import OutgoingCallerIdProvider
from .text import quote


class OutgoingCallerId(pulumi.dynamic.Resource, module="twilio", name="OutgoingCallerId"):
    """A phone number that a Twilio account has verified for use as caller ID.

    Creating one has Twilio phone the number (from +1 415-723-4000, in English) and waits until the person there has
    keyed in the six-digit code that `pulumi up` shows: for 5 minutes, or what `custom_timeouts` says for create.
    Deleting one takes the number out of the account's verified caller IDs.

    Source: Twilio docs, voice/api/outgoing-caller-ids.
    """

    phone_number: pulumi.Output[str]
    """The number in E.164, such as `+14155550101`."""

    friendly_name: pulumi.Output[str]
    """The name shown in the Twilio Console. Where the program gives none, Twilio's own: the number, formatted."""

    account_sid: pulumi.Output[str]
    """The sid (AC...) of the account that the number is verified in."""

    date_created: pulumi.Output[str]
    """When the number was verified: RFC 2822, UTC."""

    date_updated: pulumi.Output[str]
    """When the caller ID last changed at Twilio: RFC 2822, UTC."""

    uri: pulumi.Output[str]
    """The path of the caller ID in Twilio's API, relative to its base URL."""

    _sid_is_secret = False  # for `get`, the answer of the engine tells

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

        :param resource_name: Its name in the stack.
        :param phone_number: The number to verify; E.164, or any form of it that is read in the region of
            `twilio:defaultRegion` (US where unset). Another number is another caller ID: the new one is verified,
            then the old one deleted.
        :param friendly_name: 1 to 64 characters. Left out, the name is not managed.
        :param call_delay: Seconds before Twilio calls, 0 to 60.
        :param extension: What to dial once the call is answered: up to 32 of the digits 0-9, `*` and `#`, and `w`
            for a pause of half a second.
        :param status_callback: A public http(s) URL, at most 1,000 characters, that Twilio requests when the
            validation call ends.
        :param status_callback_method: `POST` (Twilio's default) or `GET`.
        :param account_sid: A subaccount (AC...) to verify the number in; the account of the settings where left out.
        :param adopt: Whether to take the number over, without a call, where the account has verified it already; what
            `twilio:adopt` says (false where unset) where left out.
        :param opts: Pulumi's options. `custom_timeouts` for create bounds the wait. `import_` takes over exactly this
            sid (PN...), without a call; another number or friendly name than given here is an error then.

        `call_delay`, `extension` and the callback matter for the call alone, `adopt` for creation: changing them later
        changes nothing.
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
        hints, opts = split_options(opts)
        refuse_unsendable("OutgoingCallerId", resource_name, {**inputs, **hints})
        hints[SECRET_INPUTS] = _secret_ones(inputs)
        self._sid_is_secret = "sid" in ((opts and opts.additional_secret_outputs) or ())
        super().__init__(OutgoingCallerIdProvider(), resource_name, {**_OUTPUTS, **inputs, **hints}, opts)

    @property
    def sid(self) -> pulumi.Output[str]:
        """The sid (PN...) at Twilio: the same as `id`, and known during previews once the number is verified.

        It is a secret if `additional_secret_outputs` has it; `id` never is.
        """
        if self._sid_is_secret:
            return pulumi.Output.secret(self.id)
        kept: pulumi.Output[str] = self.__dict__["sid"]  # a secret in the state, if a transform has made it one
        value: Any = self.id.future()
        return pulumi.Output(self.id.resources(), value, self.id.is_known(), kept.is_secret())

    @classmethod
    def get(
        cls,
        resource_name: str,
        sid: pulumi.Input[str],
        *,
        account_sid: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> OutgoingCallerId:
        """Read an existing caller ID without managing it. Needs credentials during previews too.

        :param resource_name: Its name in the stack.
        :param sid: The sid (PN...) of the caller ID. One that is not there is an error.
        :param account_sid: The subaccount (AC...) it is in; the account of the settings where left out.
        :param opts: Pulumi's options, such as the provider.
        """
        refuse_unsendable("OutgoingCallerId", resource_name, {"sid": sid, "account_sid": account_sid})
        resource = cls.__new__(cls)
        pulumi.dynamic.Resource.__init__(
            resource,
            OutgoingCallerIdProvider(),
            resource_name,
            {**_OUTPUTS, "phone_number": None, "friendly_name": None, "account_sid": account_sid},
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=sid)),
        )
        return resource


def refuse_unsendable(kind: str, resource_name: str, props: Mapping[str, Any], *, secret: Container[str] = ()) -> None:
    """Raises `pulumi.RunError` for a plain value that can't even be sent to the engine, which ends in a traceback.

    secret: the names of the properties whose value is not shown.
    """
    for name, given in {"the name": resource_name, **props}.items():
        for text in _texts(given):
            if has_lone_surrogates(text):
                value = "" if name in secret else f" {quote(text)}"
                raise pulumi.RunError(
                    f"{kind} {quote(resource_name)}: {name}{value} is not valid Unicode.\n"
                    "Correct it, or where it comes from: an environment variable or a file in another encoding than"
                    " UTF-8."
                )


def _texts(value: object) -> Iterator[str]:
    """A text, and those within a list or a dict."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def split_options(opts: pulumi.ResourceOptions | None) -> tuple[dict[str, Any], pulumi.ResourceOptions | None]:
    """What of a resource's options check must be told, and the options that the engine may see.

    The engine's own import can't reach a dynamic provider: it calls Read without the `__provider` that the SDK needs.
    """
    preview = pulumi.runtime.is_dry_run() or None
    if opts is None:
        return {DRY_RUN: preview}, None
    hints = {
        IMPORT: opts.import_ or None,
        DELETE_BEFORE_REPLACE: opts.delete_before_replace,
        DRY_RUN: preview and (getattr(opts.custom_timeouts, "create", None) or True),
    }
    opts = copy.copy(opts)
    opts.import_ = None
    return hints, opts


def _secret_ones(inputs: Mapping[str, Any]) -> pulumi.Output[list[str]] | None:
    """The names of the inputs that are secrets, once that is known."""
    outputs = {name: value for name, value in inputs.items() if isinstance(value, pulumi.Output)}

    async def names() -> list[str]:
        return [name for name, value in outputs.items() if await value.is_secret()]

    return pulumi.Output.from_input(names()) if outputs else None


# The SDK resolves an output only where its name is among the properties from the start.
_OUTPUTS: dict[str, Any] = {"date_created": None, "date_updated": None, "uri": None, "sid": None}
