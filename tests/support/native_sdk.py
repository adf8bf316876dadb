"""The native provider's Python SDK, as Pulumi generates it from the schema: programs of NativeStack import it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi

from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.native.properties import camel_keys, snake_case
from pulumi_twilio_caller_id.native.rewording import PACKAGE

OUTPUTS = ("sid", "phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri")
Options = pulumi.ResourceOptions


class OutgoingCallerId(pulumi.CustomResource):
    def __init__(self, resource_name: str, opts: Options | None = None, **inputs: Any) -> None:
        super().__init__(f"{PACKAGE}:index:OutgoingCallerId", resource_name, {**dict.fromkeys(OUTPUTS), **inputs}, opts)

    @classmethod
    def get(cls, resource_name: str, sid: Any, opts: Options | None = None, **state: Any) -> OutgoingCallerId:
        return cls(resource_name, Options.merge(opts, Options(id=sid)), **state)

    def translate_output_property(self, prop: str) -> str:
        return snake_case(prop)

    def translate_input_property(self, prop: str) -> str:
        return camel_case(prop)


class Provider(pulumi.ProviderResource):
    def __init__(self, resource_name: str, opts: Options | None = None, **settings: Any) -> None:
        encoded = {
            name: value if isinstance(value, (str, pulumi.Output)) else pulumi.Output.json_dumps(value)
            for name, value in settings.items()
            if value is not None
        }
        super().__init__(PACKAGE, resource_name, encoded, opts)

    def translate_input_property(self, prop: str) -> str:
        return camel_case(prop)


def _invoke(function: str, filters: dict[str, Any]) -> Any:
    options = pulumi.InvokeOptions(provider=filters.pop("provider", None))
    return pulumi.runtime.invoke(f"{PACKAGE}:index:{function}", camel_keys(filters), options).value


def get_outgoing_caller_id(phone_number: str | None = None, friendly_name: str | None = None, **more: Any) -> Any:
    found = _invoke("getOutgoingCallerId", {"phone_number": phone_number, "friendly_name": friendly_name, **more})
    return SimpleNamespace(**{snake_case(name): value for name, value in found.items()})


def get_outgoing_caller_id_output(phone_number: Any = None, friendly_name: Any = None, **more: Any) -> Any:
    return _later(get_outgoing_caller_id, phone_number, friendly_name, **more)


def get_outgoing_caller_ids_output(phone_number: Any = None, friendly_name: Any = None, **more: Any) -> Any:
    return _later(get_outgoing_caller_ids, phone_number, friendly_name, **more)


def _later(function: Any, *filters: Any, provider: Provider | None = None, account_sid: Any = None) -> Any:
    def known(values: Any) -> Any:
        return function(values[0], values[1], account_sid=values[2], provider=provider)

    return pulumi.Output.all(*filters, account_sid).apply(known)


def get_outgoing_caller_ids(phone_number: str | None = None, friendly_name: str | None = None, **more: Any) -> Any:
    found = _invoke("getOutgoingCallerIds", {"phone_number": phone_number, "friendly_name": friendly_name, **more})
    return [SimpleNamespace(**{snake_case(name): value for name, value in it.items()}) for it in found["callerIds"]]
