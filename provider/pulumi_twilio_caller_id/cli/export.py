"""What `pulumi stack export` tells of a stack, and the provider or parent that the command line names in it."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_twilio_caller_id.cli.import_format import NATIVE_PROVIDER_TYPE, NATIVE_TYPE, TYPE, Reference
from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER

from .common import Mistake

OUR_PROVIDER = b"pulumi_twilio_caller_id.lifecycle", b"OutgoingCallerIdProvider"
"""What the pickle of the provider has in it, as module and class never move."""

PARENT_FORMS = (
    "give the URN of a resource of the stack, its name in the file of --skip-managed, or TYPE::NAME for a new component"
)


@dataclass(frozen=True)
class Resource:
    """A resource of the stack. `external`: it was only read, by `.get`. `ours`: it has this package's provider."""

    urn: str
    id: str = ""
    external: bool = False
    ours: bool = False

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        return "::".join(self.urn.split("::")[3:])

    @property
    def is_caller_id(self) -> bool:
        """A program may have a class of its own, derived from `OutgoingCallerId`: it is of another type."""
        return self.ours or self.type in (TYPE, NATIVE_TYPE)

    @property
    def is_provider(self) -> bool:
        return self.type.startswith("pulumi:providers:")


class Export:
    """The resources that a stack has, less those that are about to be deleted."""

    def __init__(self, resources: tuple[Resource, ...] = ()) -> None:
        self._resources = resources

    @property
    def managed(self) -> set[str]:
        """The sids of the caller IDs that the stack manages."""
        return {known.id for known in self._resources if known.is_caller_id and not known.external}

    @property
    def names(self) -> set[str]:
        """The names that caller IDs have in the stack."""
        return {known.name for known in self._resources if known.is_caller_id}

    def provider(self, name: str, provider_type: str) -> Resource | None:
        """The provider of this name and type. Raises Mistake where there are more."""
        return self._only("--provider", name, [known for known in self._resources if known.type == provider_type])

    def parent(self, name: str) -> Resource | None:
        """The resource of this name. Raises Mistake where there are more."""
        return self._only("--parent", name, [known for known in self._resources if not known.is_provider])

    def _only(self, option: str, name: str, among: list[Resource]) -> Resource | None:
        found = [known for known in among if known.name == name]
        if len(found) > 1:
            urns = "".join(f"\n  {known.urn}" for known in found)
            raise Mistake(f"{option} {name!r}: the stack has {len(found)} of that name, give the URN of one:{urns}")
        return found[0] if found else None


def read_export(file: str | None) -> Export:
    """What `pulumi stack export` wrote into the file, or prints on stdin (-); empty where there is no file.

    Raises Mistake, with the reason, for anything else.
    """
    if file is None:
        return Export()
    try:
        return _parsed(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as failed:
        raise Mistake(f"--skip-managed {file}: it can't be read: {failed.strerror}") from failed
    except ValueError as failed:
        raise Mistake(f"--skip-managed {file}: {failed}; it takes what `pulumi stack export` wrote") from failed


def _parsed(content: bytes) -> Export:
    try:
        exported = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    deployment = exported.get("deployment") if isinstance(exported, dict) else None
    entries = (deployment.get("resources") or []) if isinstance(deployment, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it has no deployment.resources")  # noqa: TRY004  one kind of error for whatever it lacks
    resources = []
    for entry in entries:
        if not isinstance(entry, dict) or not _is_urn(entry.get("urn")):
            raise ValueError("one of its resources has no URN")
        if entry.get("delete") is not True:
            is_read = entry.get("external") is True
            resources.append(Resource(entry["urn"], str(entry.get("id", "")), is_read, _has_our_provider(entry)))
    return Export(tuple(resources))


def _has_our_provider(entry: Mapping[str, Any]) -> bool:
    """Whether the pickled provider names this package's class. It is compared as text, and never unpickled."""
    outputs = entry.get("outputs")
    pickled = outputs.get(PICKLED_PROVIDER) if isinstance(outputs, dict) else None
    try:
        content = base64.b64decode(pickled) if isinstance(pickled, str) else b""
    except ValueError:
        return False
    return all(name in content for name in OUR_PROVIDER)


def _is_urn(text: object) -> bool:
    return isinstance(text, str) and text.startswith("urn:pulumi:") and text.count("::") >= 3


def provider_of(text: str, export: Export, account_sid: str, provider_type: str) -> Reference:
    """What --provider names: by its URN, a name in the export, or the name of one to import with the numbers."""
    if text.startswith("urn:"):
        urn = "::".join(text.split("::")[:4])  # the state has the provider's id behind it
        known = Resource(urn) if _is_urn(urn) else None
        if known is None or known.type != provider_type or not known.name:
            kind = "the native provider" if provider_type == NATIVE_PROVIDER_TYPE else "a provider of dynamic resources"
            raise Mistake(f"--provider {text!r} is not the URN of {kind} ({provider_type})")
    else:
        known = export.provider(text, provider_type)
    if known is None:
        return Reference(text, provider_type, account_sid=account_sid)
    return Reference(known.name, known.type, known.urn)


def parent_of(text: str, export: Export) -> Reference:
    """What --parent names: by its URN, a name in the export, or type and name of a component to import."""
    known = Resource(text) if _is_urn(text) else export.parent(text)
    if known is not None and known.name and not known.is_provider:
        return Reference(known.name, known.type, known.urn)
    kind, _, name = text.partition("::")
    component = re.fullmatch(r"[^:\s]+(:[^:\s]+)+", kind) and not kind.startswith(("urn:", "pulumi:providers:"))
    if not (component and name):
        raise Mistake(f"--parent {text!r}: {PARENT_FORMS}")
    return Reference(name, kind)
