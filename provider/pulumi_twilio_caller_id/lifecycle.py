"""What the engine calls: check, diff, create, read, update and delete of an OutgoingCallerId. Dicts come in and go out.

The class's import path is in every state file that has a caller ID (its pickle is a bare reference), so neither module
nor class may ever move: old states would become unreadable for refresh and destroy.
"""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from . import pulumi_sdk
from .context import Call, Plugin
from .ownership import Ownership
from .ownership_notes import OwnershipNotes
from .pulumi_sdk import PROVIDER_KEY
from .settings import sources

# What talks to Twilio is imported when it is called, and pydantic with it: an unchanged stack needs neither.

_plugin: Plugin
"""The one Plugin of this process. The class below can't keep it: it would be in the pickle."""


def reset() -> None:
    """Start anew, as in a process that has just been started."""
    global _plugin  # noqa: PLW0603
    _plugin = Plugin(ownership=Ownership(OwnershipNotes(pulumi_sdk.address())), log=pulumi_sdk.log)


reset()

provider_method = pulumi_sdk.provider_method(lambda: _plugin.cancel)


class OutgoingCallerIdProvider(ResourceProvider):
    """The dynamic provider behind `OutgoingCallerId`. It holds no state: see `_plugin`."""

    # The pickle is a reference to this class and carries no secret; as a secret it would only hide what changes.
    serialize_as_secret_always = False

    @provider_method
    def configure(self, _call: Call, req: ConfigureRequest) -> None:
        """Remember where the stack's config is, and its secrets. Settings are read when Twilio is asked."""
        _plugin.config = req.config.get
        sources.register_secrets(_plugin.config, _plugin.environment)
        for key, near in sources.misspelled(pulumi_sdk.config_keys(req.config)).items():
            _plugin.warn_once(f"The stack's config has {key}, which means nothing here: did you mean {near}?")
        pulumi_sdk.hear_cancel(_plugin.cancel)
        pulumi_sdk.follow_engine()

    @provider_method
    def check(self, call: Call, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalise the inputs, and refuse what Twilio would refuse, each with a reason on its own property."""
        from .operations.check import check

        known, unknown = pulumi_sdk.split_unknowns(_inputs(news))
        inputs, failures = check(_plugin, call, _olds, known, unknown)
        return CheckResult({**inputs, **unknown}, [CheckFailure(name, reason) for name, reason in failures])

    @provider_method
    def diff(self, call: Call, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Tell what changes, and whether it makes another caller ID.

        A changed provider reference is a change: only an update writes the new one where refresh and destroy look.
        """
        from .operations.diff import diff

        known, unknown = pulumi_sdk.split_unknowns(_inputs(_news))
        changes, replaces = diff(_plugin, call, _id, _olds, known, unknown)
        changes |= _news.get(PROVIDER_KEY) not in (None, _olds.get(PROVIDER_KEY))
        return DiffResult(changes=changes, replaces=replaces)

    @provider_method
    def create(self, call: Call, props: dict[str, Any]) -> CreateResult:
        """Have Twilio phone the number and wait until it is verified, or take over what is verified already."""
        from .operations.create import create

        pulumi_sdk.widen_worker_pool()
        outputs = create(_plugin, call, _inputs(props))
        return CreateResult(outputs["sid"], outputs)

    @provider_method
    def read(self, call: Call, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what Twilio has now, or nothing if the caller ID is gone."""
        from .operations.read import read

        found = read(_plugin, call, id_, props)
        return ReadResult("", {}) if found is None else ReadResult(id_, *found)

    @provider_method
    def update(self, call: Call, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename the caller ID if the program gives another friendly name. Nothing else needs Twilio."""
        from .operations.update import update

        pulumi_sdk.widen_worker_pool()
        return UpdateResult(update(_plugin, call, _id, _inputs(_olds), _inputs(_news)))

    @provider_method
    def delete(self, call: Call, _id: str, _props: dict[str, Any]) -> None:
        """Delete the caller ID at Twilio, unless another resource has taken it over."""
        from .operations.delete import delete

        pulumi_sdk.widen_worker_pool()
        delete(_plugin, call, _id, _props)


def _inputs(props: dict[str, Any]) -> dict[str, Any]:
    """A resource's properties without the pickled provider that the SDK keeps among them."""
    return {name: value for name, value in props.items() if name != PROVIDER_KEY}
