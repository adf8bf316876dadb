"""What the engine calls: check, diff, create, read, update and delete of an OutgoingCallerId. Dicts come in and go out.

The class's import path is in every state file that has a caller ID (its pickle is a bare reference), so neither module
nor class may ever move: old states would become unreadable for refresh and destroy.
"""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from contextlib import nullcontext, suppress
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

from . import pulumi_sdk
from .errors import AnswerLost, DeclaredTwice, Gone, NotFound, OwnershipUnknown
from .inputs import DECLARATION, DRY_RUN, IMPORT, MASKED, SECRET_INPUTS, validate_inputs
from .operations import friendly_name as naming
from .operations.diff import PROVIDER_KEY, differs, is_renamed, refreshed, replaced
from .operations.stored_credentials import stored_credentials
from .ownership import DELETING, Ownership, name_of
from .ownership_notes import OwnershipNotes
from .phone_number import odd_length, readable
from .settings import sources as config
from .text import is_displayable, quote, register_secret_inputs, sanitize

if TYPE_CHECKING:
    from .api.client import Client
    from .models import CallerId
    from .settings.model import Settings

# What talks to Twilio is imported when it is called, and pydantic with it: an unchanged stack needs neither.

_config: config.Lookup
"""The configuration of this process: the engine starts one for each provider resource."""
_ownership: Ownership


def reset() -> None:
    """Forget the configuration and what the resources own, as in a process that has just started."""
    global _config, _ownership
    _config, _ownership = dict[str, Any]().get, Ownership(OwnershipNotes(pulumi_sdk.address()))


reset()


class OutgoingCallerIdProvider(ResourceProvider):
    """The dynamic provider behind `OutgoingCallerId`. Holds no state: its configuration is the process's."""

    # The pickle is a reference to this class and carries no secret; as a secret it would only hide what changes.
    serialize_as_secret_always = False

    @pulumi_sdk.provider_method
    def configure(self, req: ConfigureRequest) -> None:
        """Remember where the stack's config is, and its secrets. Settings are read when Twilio is asked."""
        global _config  # noqa: PLW0603
        _config = req.config.get
        config.conceal_secrets(_config, os.environ)
        for key, near in config.misspelled(pulumi_sdk.config_keys(req.config)).items():
            pulumi_sdk.log("warning", f"The stack's config has {key}, which means nothing here: did you mean {near}?")
        pulumi_sdk.hear_cancel()
        pulumi_sdk.follow_engine()

    @pulumi_sdk.provider_method
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalise the inputs, and refuse what Twilio would refuse, each with a reason on its own property.

        The preview of a new resource also says what the account tells of its number, or of the caller ID to import.
        """
        given, hints = _parted(news)
        for name in MASKED.intersection(hints.get(SECRET_INPUTS, ())):
            register_secret_inputs(_olds.get(name), given.get(name))
        known, unknown = pulumi_sdk.split_unknowns(given)
        region, setting = config.default_region(_config), config.region_setting(_config)
        good, failures = validate_inputs(known, unknown=unknown, region=region, region_setting=setting, before=_olds)
        urn = pulumi_sdk.current_urn()
        if not _olds and (odd := odd_length(good.get("phone_number", ""))):
            pulumi_sdk.log("warning", odd, urn=urn)
        import_sid, previewed = hints.get(IMPORT), DRY_RUN in hints
        _ownership.record_declaration(urn, in_state=bool(_olds), import_sid=import_sid, previewed=previewed)
        failures += _declared_twice(urn, good, unknown)
        if previewed and not _olds and not failures:
            from .operations import preview as outlook

            outlook.warn_without_notes(_ownership)
            failures = outlook.of_new(urn, good, unknown, hints, _account, _ownership)
        kept = {IMPORT: import_sid} if import_sid and not (_olds or urn) else {}  # create can't ask by URN
        return CheckResult({**good, **unknown, **kept}, [_failure(*failure, news) for failure in failures])

    @pulumi_sdk.provider_method
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another number or account is another caller ID; another name is an update; the rest is for creation alone.

        A changed provider reference is a change too: only an update writes the new one where refresh and destroy look.
        """
        urn = pulumi_sdk.current_urn()
        replaces = replaced(_olds, _news, _own_account())
        if _ownership.import_sid(urn) not in (None, _id):  # as the engine's own import does with another sid
            replaces.append("import_")
        changes = bool(replaces) or is_renamed(_olds, _news) or differs(PROVIDER_KEY, _olds, _news)
        if replaces:
            _ownership.release(_id, urn)
        else:
            _keep(_id, _olds)
        if changes and _ownership.is_previewed(urn):
            from .operations import preview as outlook

            _ownership.set_replaced_caller_id(urn, outlook.of_change(urn, _id, _olds, _news, replaced=bool(replaces)))
        return DiffResult(changes=changes, replaces=replaces)

    @pulumi_sdk.provider_method
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Have Twilio phone the number, show the code, wait until the number is a caller ID; one call at most.

        Or take over what is verified already: the sid that `import_` names, or with `adopt` what the number has.
        """
        from .models import CallerIdInputs
        from .operations.adopt import import_caller_id
        from .operations.create import create_caller_id

        pulumi_sdk.widen_worker_pool()
        given, hints = _parted(props)
        inputs = CallerIdInputs.model_validate(given)
        urn = pulumi_sdk.current_urn()
        sid = hints.get(IMPORT) or _ownership.import_sid(urn)
        _ownership.declare_number(inputs.phone_number, _account_key(inputs.account_sid), urn)
        account = _account()

        def claim(record: CallerId) -> None:
            _ownership.acquire_or_fail(record.sid, urn, record.phone_number)

        def refuse_deleted(record: CallerId) -> None:
            _ownership.fail_if_deleted(record.sid, record.phone_number)

        if sid:
            caller_id = import_caller_id(account, inputs, sid)
            claim(caller_id)
        else:
            caller_id = create_caller_id(account, inputs, claim, refuse_deleted)
            with suppress(OwnershipUnknown):  # it was claimed if it was adopted; else no other process knows of it yet
                claim(caller_id)
        caller_id, beside = naming.after_create(_twilio(inputs.account_sid), inputs.friendly_name, caller_id)
        return CreateResult(caller_id.sid, caller_id.outputs() | beside)

    @pulumi_sdk.provider_method
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What Twilio has now. Only its own "no such sid" (404 with 20404) means the caller ID is gone."""
        from .api.listing_cache import listings

        rpc = pulumi_sdk.current_rpc()
        is_get = "sid" not in props
        twilio = _twilio(props.get("account_sid"))
        with nullcontext() if is_get else stored_credentials(_config, props.get("account_sid")):
            try:
                caller_id = listings.fetch(twilio, id_)
            except NotFound as failed:
                listed = listings.look_again(twilio, id_, failed)
                if listed is None and is_get:
                    raise Gone(
                        f"There is no OutgoingCallerId {id_} in account {twilio.account_sid} (20404).",
                        "Check the sid given to OutgoingCallerId.get: a number bought from Twilio has such a sid too.",
                    ) from failed
                if listed is None:
                    return ReadResult("", {})
                caller_id = listed
        outs = caller_id.outputs()
        outs |= naming.after_read(props, outs)
        return ReadResult(id_, outs, refreshed(rpc.old_inputs if rpc else None, outs))

    @pulumi_sdk.provider_method
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename. Whatever else changed needs no call to Twilio."""
        from .api.listing_cache import listings

        _keep(_id, _olds)
        if not is_renamed(_olds, _news):
            return UpdateResult({name: value for name, value in _olds.items() if name != PROVIDER_KEY})
        pulumi_sdk.widen_worker_pool()
        given = _news["friendly_name"]
        twilio = _twilio(_olds.get("account_sid"))
        try:
            caller_id = twilio.rename(_id, given)
        except NotFound as failed:
            _refuse_if_listed(twilio, _id, failed)
            number = readable(str(_olds.get("phone_number", "")))
            raise Gone(
                f"{number} can't be renamed: its caller ID {_id} was removed at Twilio.",
                "Run `pulumi refresh` to take it out of the state, then `pulumi up` to verify the number again.",
            ) from failed
        finally:
            listings.forget(_id)
        return UpdateResult(caller_id.outputs() | naming.after_rename(given, caller_id))

    @pulumi_sdk.provider_method
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the caller ID at Twilio. One that is gone already, by its sid and by its account's list, is deleted.

        One that another resource has by now is left alone: adopted or imported in this same operation by what replaces
        this one, or by what has another name in the program.
        """
        urn = pulumi_sdk.current_urn()
        holder = _ownership.begin_delete(_id, urn)
        if holder is not None:
            pulumi_sdk.log("info", f"{_id} stays at Twilio: {name_of(holder)!r} has it", urn=urn)
            return
        from .api.listing_cache import listings

        pulumi_sdk.widen_worker_pool()
        account_sid = _props.get("account_sid")
        try:
            with stored_credentials(_config, account_sid, to_delete=True):
                twilio = _twilio(account_sid)
                try:
                    twilio.remove(_id)
                except NotFound as failed:
                    _refuse_if_listed(twilio, _id, failed)
        except BaseException:
            with suppress(OwnershipUnknown):  # what has failed is told first
                _ownership.release(_id, DELETING + urn)
            raise
        listings.forget(_id)


def _declared_twice(urn: str, good: Mapping[str, Any], unknown: Container[str]) -> list[tuple[str, str]]:
    """Why the number won't do, if another resource of the stack declares it in the same account."""
    number = good.get("phone_number")
    if number is None or "account_sid" in unknown:
        return []
    try:
        _ownership.declare_number(number, _account_key(good.get("account_sid")), urn)
    except DeclaredTwice as failed:
        return [("phone_number", f"{failed.other!r} declares it too, in the same account: declare each number once")]
    return []


def _refuse_if_listed(twilio: Client, sid: str, failed: NotFound) -> None:
    """Raises AnswerLost if the account still lists a caller ID that Twilio said not to have."""
    from .api.listing_cache import listings

    if listings.look_again(twilio, sid, failed) is not None:
        raise AnswerLost(
            failed.step,
            f"it said that there is no such caller ID (20404), yet account {twilio.account_sid} lists it",
            "Run the same command again in a minute.",
        ) from failed


def _account_key(account_sid: str | None) -> tuple[str | None, str]:
    """An account's sid, as far as it is known, and the base URL that it is asked at."""
    return account_sid or _own_account(), config.api_address(_config, os.environ)


def _own_account() -> str | None:
    return config.account_sid(_config, os.environ)


def _parted(props: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A resource's own inputs, and what else of its declaration the provider is told by way of its inputs."""
    hints = {name: props[name] for name in DECLARATION if props.get(name) is not None}
    return {name: value for name, value in props.items() if name not in (PROVIDER_KEY, *hints)}, hints


def _failure(name: str, reason: str, props: Mapping[str, Any]) -> CheckFailure:
    """Of a property. The engine prints its value before the reason, as it is: one that would steer the terminal, or
    fill it, is kept from it. Of an option, such as import_, it knows no value.
    """
    reason = sanitize(reason)
    if name == "import_":
        return CheckFailure("", f"import_ is {quote(props[IMPORT])}: {reason}")
    return CheckFailure(name, reason) if is_displayable(props.get(name)) else CheckFailure("", f"{name}: {reason}")


def _keep(sid: str, olds: Mapping[str, Any]) -> None:
    """Nothing may delete this caller ID any more, if the program declares a resource that has it. Raises
    AlreadyVerified where another one has taken it over.
    """
    urn = pulumi_sdk.current_urn()
    if _ownership.is_in_state(urn):  # not in a refresh, which calls diff too, and may precede a destroy
        _ownership.acquire_or_fail(sid, urn, str(olds.get("phone_number")))


def _account() -> Settings:
    from .settings.model import load_settings

    return load_settings(_config, os.environ)


def _twilio(account_sid: str | None) -> Client:
    from .api.client import Client

    return Client(_account(), account_sid)
