"""Two resources that need no plugin. They stand for what your carrier and your softphone have a provider for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult


class Line(Resource, module="example", name="Line"):
    """A direct-dial number of a phone system: which one it is, is known once it is there."""

    phone_number: pulumi.Output[str]

    def __init__(self, name: str, *, trunk: str, extension: str, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"trunk": trunk, "extension": extension, "phone_number": None}
        super().__init__(LineProvider(), name, props, opts)


class LineProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        phone_number = props["trunk"] + props["extension"]
        return CreateResult(phone_number, {**props, "phone_number": phone_number})


class Softphone(Resource, module="example", name="Softphone"):
    """The settings file of a softphone."""

    path: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        path: str,
        settings: pulumi.Input[dict[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(SoftphoneProvider(), name, {"path": path, "settings": settings}, opts)


class SoftphoneProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        write(props)
        return CreateResult(props["path"], props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        write(news)
        return UpdateResult(news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        Path(props["path"]).unlink(missing_ok=True)


def write(props: dict[str, Any]) -> None:
    Path(props["path"]).write_text(json.dumps(props["settings"], indent=2) + "\n", encoding="utf-8")
