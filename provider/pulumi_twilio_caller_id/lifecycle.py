"""What the engine calls: check, diff, create, read, update and delete of an OutgoingCallerId.

Thin: it turns the engine's dicts into models, calls the rooms below, and turns their answers into dicts.

The class's import path is in every state file that has a caller ID (its pickle is a bare reference), so neither module
nor class may ever move: old states would become unreadable for refresh and destroy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

from . import engine, settings
from .errors import CredentialsRefused, Gone, NotFound
from .inputs import CallerIdInputs, checked, readable

if TYPE_CHECKING:
    from .twilio_api import CallerId, TwilioApi

# The rooms that talk to Twilio are imported when a call to it is made: a preview needs none of them.

PROVIDER_KEY = "__provider"
"""Where the SDK keeps the pickled provider among a resource's properties."""

_config: settings.Lookup = dict[str, Any]().get
"""The configuration of this process: the engine starts one for each provider resource."""


class OutgoingCallerIdProvider(ResourceProvider):
    """The dynamic provider behind `OutgoingCallerId`. Holds no state: its configuration is the process's."""

    # The pickle is a reference to this class and carries no secret; as a secret it would only hide what changes.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Remember where the stack's config is; nothing is read from it before a call to Twilio is made."""
        global _config  # noqa: PLW0603
        _config = req.config.get
        engine.prepare_process()

    @engine.provider_method
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalise the inputs, and refuse what Twilio would refuse, each with a reason on its own property."""
        known, unknown = engine.split_unknowns({k: v for k, v in news.items() if k != PROVIDER_KEY})
        good, failures = checked(known, unknown=unknown, region=settings.default_region(_config))
        return CheckResult({**good, **unknown}, [CheckFailure(*failure) for failure in failures])

    @engine.provider_method
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another number or account is another caller ID; another name is an update; the rest is for the call alone.

        A changed provider reference is a change too: only an update writes the new one where refresh and destroy look.
        """
        replaces = _replaced(_olds, _news)
        changes = bool(replaces) or _differs("friendly_name", _olds, _news) or _differs(PROVIDER_KEY, _olds, _news)
        return DiffResult(changes=changes, replaces=replaces)

    @engine.provider_method
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Have Twilio phone the number, show the code, wait until the number is a caller ID. One call at most."""
        inputs = CallerIdInputs.model_validate({k: v for k, v in props.items() if k != PROVIDER_KEY})
        from .creation import create_caller_id

        caller_id = create_caller_id(settings.resolve(_config, os.environ), inputs)
        return CreateResult(caller_id.sid, _outputs(caller_id))

    @engine.provider_method
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What Twilio has now. Only its own "no such sid" (404 with 20404) means the caller ID is gone."""
        rpc = engine.current_rpc()
        is_get = "sid" not in props
        twilio = _twilio(props.get("account_sid"))
        try:
            with _stored_credentials():
                caller_id = twilio.fetch(id_)
        except NotFound as failed:
            if is_get:
                raise Gone(
                    f"There is no OutgoingCallerId {id_} in account {twilio.account_sid} (20404).",
                    "Check the sid given to OutgoingCallerId.get: a number bought from Twilio has another kind of sid.",
                ) from failed
            return ReadResult("", {})
        return ReadResult(id_, _outputs(caller_id), _refreshed(rpc.old_inputs if rpc else None, caller_id))

    @engine.provider_method
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename. Whatever else changed needs no call to Twilio."""
        if not _differs("friendly_name", _olds, _news):
            return UpdateResult({name: value for name, value in _olds.items() if name != PROVIDER_KEY})
        try:
            return UpdateResult(_outputs(_twilio(_olds.get("account_sid")).rename(_id, _news["friendly_name"])))
        except NotFound as failed:
            number = readable(str(_olds.get("phone_number", "")))
            raise Gone(
                f"{number} can't be renamed: its caller ID {_id} was removed at Twilio.",
                "Run `pulumi refresh` to take it out of the state, then `pulumi up` to verify the number again.",
            ) from failed

    @engine.provider_method
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the caller ID at Twilio. One that is gone already is as good as deleted."""
        try:
            with _stored_credentials():
                _twilio(_props.get("account_sid")).remove(_id)
        except NotFound:
            return


def _differs(name: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the program wants another value; what it leaves out is not managed."""
    wanted = news.get(name)
    return wanted is not None and (engine.is_unknown(wanted) or wanted != olds.get(name))


def _replaced(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """Which properties make it another caller ID. No account named means the one that is set, where one is."""
    wanted = {**news, "account_sid": news.get("account_sid") or settings.account_sid(_config, os.environ)}
    return [name for name in ("phone_number", "account_sid") if name in olds and _differs(name, olds, wanted)]


def _twilio(account_sid: str | None) -> TwilioApi:
    from .twilio_api import TwilioApi

    return TwilioApi(settings.resolve(_config, os.environ), account_sid)


@contextmanager
def _stored_credentials() -> Iterator[None]:
    """For operations that may run on credentials an earlier run left in state: says so where they are refused."""
    try:
        yield
    except CredentialsRefused as refused:
        raise refused.advising(
            f"{refused.todo}\n`refresh` and `destroy` use the credentials of the last `pulumi up`, unless they run\n"
            "the program: add --run-program (or set PULUMI_RUN_PROGRAM=true)."
        ) from refused


def _outputs(caller_id: CallerId) -> dict[str, Any]:
    return caller_id.model_dump()


def _refreshed(inputs: Mapping[str, Any] | None, caller_id: CallerId) -> dict[str, Any] | None:
    """The inputs in state, brought up to what Twilio has, so that a refresh shows drift on the property it is in."""
    if not inputs or "phone_number" not in inputs:
        return None
    live = {"phone_number": caller_id.phone_number, "friendly_name": caller_id.friendly_name}
    return {name: live.get(name, value) for name, value in inputs.items() if name != PROVIDER_KEY}
