"""Answer Pulumi's engine: check, diff, create, read, update and delete an OutgoingCallerId.

State files hold a pickle that names this module and the class below. So neither may be renamed or moved, or refresh and
destroy could no longer read existing states.
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

from . import engine, pulumi_sdk
from .context import Operation, Plugin
from .inputs import DRY_RUN
from .ownership import Ownership
from .ownership_notes import OwnershipNotes
from .pulumi_sdk import PICKLED_PROVIDER
from .settings import sources

# The methods import the `operations` that they need: an unchanged stack loads neither Twilio's client nor pydantic.

_plugin: Plugin
"""The one Plugin of this process. The class below can't keep it: it would be in the pickle."""


def reset() -> None:
    """Make a new Plugin, as each process has: when this module is imported, and in tests."""
    global _plugin  # noqa: PLW0603
    _plugin = Plugin(ownership=Ownership(OwnershipNotes(pulumi_sdk.engine_address())), log=pulumi_sdk.log)


reset()

# The SDK calls `create(inputs)`. The decorator adds an Operation. It finds the request in the SDK's stack frames.
provider_method = pulumi_sdk.provider_method_decorator(lambda: _plugin.cancel)


class OutgoingCallerIdProvider(ResourceProvider):
    """The dynamic provider behind `OutgoingCallerId`. It holds no state: see `_plugin`."""

    # The pickle holds no secret. If it were encrypted, every diff of Pulumi's would show it as a secret.
    serialize_as_secret_always = False

    @provider_method
    def configure(self, _operation: Operation, req: ConfigureRequest) -> None:
        """Keep the getter of config values, register secrets for redaction, and warn of misspelled config keys."""
        _plugin.config = req.config.get
        sources.register_secrets(_plugin.config, _plugin.environment)
        for key, near in sources.misspelled(pulumi_sdk.config_keys(req.config)).items():
            _plugin.log_once("warning", f"The stack's config has {key}, which means nothing here: did you mean {near}?")
        pulumi_sdk.cancel_on_engine_cancel(_plugin.cancel)
        engine.exit_when_engine_exits(pulumi_sdk.engine_address())

    @provider_method
    def check(self, operation: Operation, old_inputs: dict[str, Any], new_inputs: dict[str, Any]) -> CheckResult:
        """Normalise the inputs, and refuse each input that Twilio would refuse, with the reason."""
        from .operations.check import check

        _plugin.ownership.is_preview = DRY_RUN in new_inputs
        known, unknown = _split_unknowns(_without_provider(new_inputs))
        inputs, failures = check(_plugin, operation, old_inputs, known, unknown)
        return CheckResult({**inputs, **unknown}, [CheckFailure(name, reason) for name, reason in failures])

    @provider_method
    def diff(
        self, operation: Operation, id_: str, old_outputs: dict[str, Any], new_inputs: dict[str, Any]
    ) -> DiffResult:
        """Return whether anything changes, and which properties force a replacement.

        A changed `__provider` counts as a change, because only an update stores the new one in the state.
        """
        from .operations.diff import diff

        known, unknown = _split_unknowns(_without_provider(new_inputs))
        changed, replaces = diff(_plugin, operation, id_, old_outputs, known, unknown)
        provider_changed = new_inputs.get(PICKLED_PROVIDER) not in (None, old_outputs.get(PICKLED_PROVIDER))
        return DiffResult(changes=bool(changed) or provider_changed, replaces=replaces)

    @provider_method
    def create(self, operation: Operation, inputs: dict[str, Any]) -> CreateResult:
        """Have Twilio phone the number and wait until it is verified, or take over its existing caller ID."""
        from .operations.create import create

        pulumi_sdk.widen_worker_pool()
        outputs = create(_plugin, operation, _without_provider(inputs))
        return CreateResult(outputs["sid"], outputs)

    @provider_method
    def read(self, operation: Operation, id_: str, old_outputs: dict[str, Any]) -> ReadResult:
        """Return the caller ID as Twilio has it now, or an empty result if it is gone."""
        from .operations.read import read

        outputs_and_inputs = read(_plugin, operation, id_, old_outputs)
        return ReadResult("", {}) if outputs_and_inputs is None else ReadResult(id_, *outputs_and_inputs)

    @provider_method
    def update(
        self, operation: Operation, id_: str, old_outputs: dict[str, Any], new_inputs: dict[str, Any]
    ) -> UpdateResult:
        """Rename the caller ID if the program gives another friendly name. No other change is sent to Twilio."""
        from .operations.update import update

        pulumi_sdk.widen_worker_pool()
        return UpdateResult(
            update(_plugin, operation, id_, _without_provider(old_outputs), _without_provider(new_inputs))
        )

    @provider_method
    def delete(self, operation: Operation, id_: str, outputs: dict[str, Any]) -> None:
        """Delete the caller ID at Twilio, unless another resource has taken it over."""
        from .operations.delete import delete

        pulumi_sdk.widen_worker_pool()
        delete(_plugin, operation, id_, outputs)


def _split_unknowns(props: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the properties into those with a value, and those whose value is not known before `pulumi up`."""
    unknown = {name: value for name, value in props.items() if pulumi_sdk.is_unknown(value)}
    return {name: value for name, value in props.items() if name not in unknown}, unknown


def _without_provider(props: dict[str, Any]) -> dict[str, Any]:
    """Drop the SDK's pickled provider, for those who use all properties. `read` and `delete` only pick some."""
    return {name: value for name, value in props.items() if name != PICKLED_PROVIDER}
