"""The baseline: what the engine and the SDK cost by themselves: a dynamic resource of the same inputs, for nothing."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider, UpdateResult


class NoOpProvider(ResourceProvider):
    # As ours is: an importable class, so its pickle is a bare reference too.
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(f"PN{int(props['phone_number'].lstrip('+')):032}", dict(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_news)


class NoOp(Resource, module="twilio", name="NoOp"):
    phone_number: pulumi.Output[str]
    friendly_name: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        phone_number: pulumi.Input[str],
        friendly_name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "phone_number": phone_number,
            "friendly_name": friendly_name,
            "call_delay": None,
            "extension": None,
            "status_callback": None,
            "status_callback_method": None,
            "account_sid": None,
            "adopt": None,
            "date_created": None,
            "date_updated": None,
            "uri": None,
        }
        super().__init__(NoOpProvider(), resource_name, props, opts)
