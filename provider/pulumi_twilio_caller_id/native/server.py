"""Serve the resource by Pulumi's provider protocol: `pulumi-resource-twilio-caller-id`, for programs of every language.

Pulumi starts a process for each provider resource and command. It prints its port, and ends with Pulumi. Like
`lifecycle`, this is a thin adapter: `operations` do the work. Configure does not answer `acceptSecrets`, so all other
requests have plain values, and Pulumi makes an output secret if the input of its name is.

Source: Pulumi's provider.proto.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from pulumi_twilio_caller_id import engine
from pulumi_twilio_caller_id.await_protocol import trailing_metadata
from pulumi_twilio_caller_id.cancellation import INTERRUPTED
from pulumi_twilio_caller_id.context import Operation, Plugin, Severity
from pulumi_twilio_caller_id.errors import Awaiting, CallerIdError
from pulumi_twilio_caller_id.inputs import Failure, camel_case, inputs_to_import
from pulumi_twilio_caller_id.ownership import Ownership
from pulumi_twilio_caller_id.ownership_notes import OwnershipNotes
from pulumi_twilio_caller_id.phone_number import assumed_country_note
from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER
from pulumi_twilio_caller_id.settings import sources
from pulumi_twilio_caller_id.text import sanitize

from .properties import UNKNOWN, Properties, camel_keys, from_struct, secret, split_unknowns, to_struct
from .rewording import language_neutral

WORKERS = sys.maxsize  # Pulumi's --parallel limits the operations; Cancel must not queue behind those that wait
OUTPUTS = ("sid", "phone_number", "friendly_name", "account_sid", "date_created", "date_updated", "uri")
DISTRIBUTION = "pulumi-twilio-caller-id"
SCHEMA = Path(__file__).with_name("schema.json")  # which `make reference` writes

R = TypeVar("R")


def rpc_method(method: Callable[[Any, Any, Operation], R]) -> Callable[[Any, Any, Any], R]:
    """Give a method the Operation of its request. Pulumi gets the message of an error, or the traceback of a bug."""

    @functools.wraps(method)
    def answer(self: Servicer, request: Any, context: Any) -> R:
        try:
            with (
                self.plugin.cancel.child() as cancel,
                engine.on_rpc_dropped(context, lambda: engine.exit_after_dropped_rpc(self._engine_address, cancel)),
            ):
                urn, timeout = getattr(request, "urn", ""), getattr(request, "timeout", 0.0)
                read_old_inputs = lambda: from_struct(request.inputs) or None  # noqa: E731  only Read calls it
                return method(self, request, Operation(urn, timeout or None, cancel, read_old_inputs, self.log))
        except (CallerIdError, pulumi.RunError) as failed:
            text = language_neutral(str(failed))
            if isinstance(failed, Awaiting):
                context.set_trailing_metadata(trailing_metadata(text))
        except BaseException:  # noqa: BLE001  gRPC would not answer after SystemExit and the like
            text = sanitize(traceback.format_exc())
        context.abort(grpc.StatusCode.UNKNOWN, text)
        raise AssertionError  # not reached: `abort` raises

    return answer


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers Pulumi's requests. engine_address: where the engine listens, None without an engine."""

    def __init__(self, engine_address: str | None) -> None:
        self.plugin = Plugin(ownership=Ownership(OwnershipNotes(engine_address)), log=self.log)
        self.plugin.ownership.is_preview = True  # unusable notes are no error until something is changed
        self._engine_address = engine_address
        self._config: Properties = {}
        self._region_notes: dict[str, str | None] = {}  # by URN: only Check sees a number as it is written

    def log(self, severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
        engine.log(self._engine_address, severity, language_neutral(text), urn=urn, ephemeral=ephemeral)

    @rpc_method
    def GetSchema(self, _request: Any, _operation: Operation) -> Any:  # noqa: N802  gRPC's names, here and below
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        return pb.GetSchemaResponse(schema=json.dumps(schema | {"version": version(DISTRIBUTION)}))

    @rpc_method
    def GetPluginInfo(self, _request: Any, _operation: Operation) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=version(DISTRIBUTION))

    @rpc_method
    def CheckConfig(self, request: Any, _operation: Operation) -> Any:  # noqa: N802
        """Refuse bad settings, and have the state encrypt the secret ones, whether the program marks them or not."""
        given, olds, failures = from_struct(request.news), from_struct(request.olds), list[Failure]()
        settings = {name: value for name, value in given.items() if name in sources.SETTINGS and value != UNKNOWN}
        # Only these are validated, as the others were valid before: validation imports pydantic, which is slow.
        changed = {name: value for name, value in settings.items() if value != olds.get(name)}
        source = sources.config_source(_provider_name(request))
        for name, setting in sources.sourced_values(source, changed).items():
            from pulumi_twilio_caller_id.settings.model import validate_setting

            try:
                validate_setting(name, setting)
            except CallerIdError as refused:
                # Pulumi prints the value of a property that a failure names: it may be a secret set by mistake.
                failures.append(("", str(refused)))
        secrets = {name: secret(value) for name, value in settings.items() if sources.SETTINGS[name].secret}
        return pb.CheckResponse(inputs=to_struct(given | secrets), failures=_failures(failures))

    @rpc_method
    def DiffConfig(self, request: Any, _operation: Operation) -> Any:  # noqa: N802
        """Replace a provider whose account changes: its numbers are deleted with the credentials of the old account."""
        olds, news = from_struct(request.old_inputs), from_struct(request.news)
        accounts = {sources.blank_to_none(given.get("account_sid")) for given in (olds, news)} - {None, UNKNOWN}
        changed = [name for name in {**olds, **news} if olds.get(name) != news.get(name)]
        return _diff_response(changed, ["account_sid"] if len(accounts) > 1 else [], olds.keys() & news.keys())

    @rpc_method
    def Configure(self, request: Any, _operation: Operation) -> Any:  # noqa: N802
        # The operations look settings up by the keys that the dynamic provider has in a stack's config.
        self._config = {f"twilio:{name}": value for name, value in camel_keys(from_struct(request.args)).items()}
        self._config[sources.PROVIDER_NAME_KEY] = _provider_name(request)
        self.plugin.config = self._config.get
        sources.register_secrets(self.plugin.config, os.environ)
        for key, near in sources.misspelled(self._config).items():
            text = f"The stack's config has {key}, which means nothing here: did you mean {near}?"
            self.plugin.log_once("warning", text)
        return pb.ConfigureResponse(supportsPreview=True)

    @rpc_method
    def Check(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.operations.check import check

        known, unknown = split_unknowns(request.news)
        inputs, failures = check(self.plugin, operation, from_struct(request.olds), known, unknown)
        if not failures:  # a valid number
            region = sources.default_region(self.plugin.config)
            self._region_notes[operation.urn] = assumed_country_note(known.get("phone_number"), region)
        # A program without a generated SDK may give both spellings: which of two numbers would ring?
        both = [name for name in request.news if "_" in name and camel_case(name) in request.news]
        twice = [(name, "it is given in camelCase and in snake_case: leave out the latter") for name in both]
        return pb.CheckResponse(inputs=to_struct(inputs | unknown), failures=_failures(failures + twice))

    @rpc_method
    def Diff(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.operations.diff import diff

        known, unknown = split_unknowns(request.news)
        changed, replaces = diff(self.plugin, operation, request.id, from_struct(request.olds), known, unknown)
        if PICKLED_PROVIDER in request.olds.fields:  # state of the dynamic provider: an update writes it in camelCase
            changed.append("provider")  # in no schema: a name for the preview to show
        return _diff_response(changed, replaces, from_struct(request.old_inputs).keys() & (known | unknown).keys())

    @rpc_method
    def Create(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        known, unknown = split_unknowns(request.properties)
        if request.preview:
            return self._preview_create(operation, known, unknown)
        from pulumi_twilio_caller_id.operations.create import create

        self.plugin.ownership.is_preview = False
        outputs = create(self.plugin, operation, known)
        return pb.CreateResponse(id=outputs["sid"], properties=to_struct(outputs))

    def _preview_create(self, operation: Operation, known: Properties, unknown: Properties) -> Any:
        from pulumi_twilio_caller_id.operations.preview import preview_create

        timeout = f"{operation.timeout_seconds / 60:g}m" if operation.timeout_seconds else None
        note = self._region_notes.get(operation.urn)
        for name, reason in preview_create(self.plugin, operation, known, unknown, timeout=timeout, region_note=note):
            what, _, todo = reason.partition("\n")
            raise CallerIdError(f"{name}: {what}", todo)  # only the first: Create returns no list of failures
        inputs = {name: value for name, value in (known | unknown).items() if name in OUTPUTS}
        return pb.CreateResponse(properties=to_struct(dict.fromkeys(OUTPUTS, UNKNOWN) | inputs))

    @rpc_method
    def Read(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.operations.read import read

        found = read(self.plugin, operation, request.id, from_struct(request.properties))
        if found is None:
            return pb.ReadResponse()
        outputs, refreshed_inputs = found
        # An import, or a `get`, has no inputs yet.
        imported = inputs_to_import(outputs["phone_number"], outputs["friendly_name"])
        inputs = refreshed_inputs or from_struct(request.inputs) or imported or {}
        return pb.ReadResponse(id=request.id, properties=to_struct(outputs), inputs=to_struct(inputs))

    @rpc_method
    def Update(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.operations.update import update

        known, unknown = split_unknowns(request.news)
        olds = from_struct(request.olds)
        if request.preview:
            name = (known | unknown).get("friendly_name", olds.get("friendly_name"))
            return pb.UpdateResponse(properties=to_struct(olds | {"friendly_name": name, "date_updated": UNKNOWN}))
        self.plugin.ownership.is_preview = False
        return pb.UpdateResponse(properties=to_struct(update(self.plugin, operation, request.id, olds, known)))

    @rpc_method
    def Delete(self, request: Any, operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.operations.delete import delete

        self.plugin.ownership.is_preview = False
        delete(self.plugin, operation, request.id, from_struct(request.properties))
        return empty_pb2.Empty()

    @rpc_method
    def Invoke(self, request: Any, _operation: Operation) -> Any:  # noqa: N802
        from pulumi_twilio_caller_id.functions import look_up, only_one_of

        given, known = from_struct(request.args), dict.fromkeys(("phone_number", "friendly_name", "account_sid"))
        function = request.tok.rpartition(":")[2]
        for name in given.keys() - known.keys():  # only without an SDK
            raise CallerIdError(f"{function}: {name} is no filter.", "Give phone_number, friendly_name or account_sid.")
        # Pulumi does not say whether a filter is secret.
        search = functools.partial(look_up, filters=known | given, config=self._config.get, hide_filters=True)
        if function == "getOutgoingCallerId":
            found = search(function, lambda records, text: vars(only_one_of(records, text)))
        else:
            records = search(function, lambda records, _text: records)
            found = {"caller_ids": [camel_keys(vars(record)) for record in records]}
        return pb.InvokeResponse(**{"return": to_struct(found)})

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Stop what waits: the engine asks for it at the first ^C."""
        self.plugin.cancel.cancel(INTERRUPTED)
        return empty_pb2.Empty()


def _provider_name(request: Any) -> str | None:
    """Return the name of an explicit provider; None for Pulumi's default one, which has the stack's config."""
    return None if re.fullmatch(r"(default(_\d+_\d+_\d+.*)?)?", request.name) else str(request.name)


def _failures(failures: list[Failure]) -> list[Any]:
    return [pb.CheckFailure(property=camel_case(name), reason=language_neutral(why)) for name, why in failures]


def _diff_response(changed: list[str], replaces: list[str], in_both: set[str]) -> Any:
    """in_both: inputs that Pulumi compares with the old inputs. It compares all others with the old outputs."""
    update, replace = pb.PropertyDiff.UPDATE, pb.PropertyDiff.UPDATE_REPLACE
    detailed = {
        camel_case(name): pb.PropertyDiff(kind=replace if name in replaces else update, inputDiff=name in in_both)
        for name in changed
    }
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE,
        replaces=map(camel_case, replaces),
        diffs=map(camel_case, changed),
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def main() -> None:
    """Serve until Pulumi ends this process. Its last argument is the engine's address, if an engine has started it."""
    last = sys.argv[-1]
    address = last if re.fullmatch(r"[\w.\[\]:-]+:\d+", last) else None
    server = grpc.server(ThreadPoolExecutor(WORKERS), options=[("grpc.max_receive_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201  Pulumi reads it
    engine.exit_when_engine_exits(address)
    with suppress(KeyboardInterrupt):  # how Pulumi ends its plugins
        server.wait_for_termination()
    os._exit(0)
