"""Numbers that are verified already, as `pulumi import` takes them: their names, the file, the program or config.

Pure: caller IDs in, dicts and texts out. The engine's import calls Read without the `__provider` that a dynamic
provider needs; where the file gives inputs and outputs with it, Read is left out and the state is what the file says.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from itertools import chain, count
from typing import Any

from pulumi_twilio_caller_id.inputs import inputs_to_import
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.native.rewording import PACKAGE

TYPE = "pulumi-python:dynamic/twilio:OutgoingCallerId"
PROVIDER_TYPE = "pulumi:providers:pulumi-python"
NATIVE_TYPE = f"{PACKAGE}:index:OutgoingCallerId"
NATIVE_PROVIDER_TYPE = f"pulumi:providers:{PACKAGE}"
LONGEST_SLUG = 60
LINE = 120


@dataclass(frozen=True)
class Number:
    """A caller ID to import: the resource's name, what Twilio has, and the inputs that a program gives for it."""

    name: str
    caller_id: CallerId
    inputs: Mapping[str, str]


@dataclass(frozen=True)
class Reference:
    """The provider or the parent of the numbers: one that the stack has (`urn`), or one to import with them."""

    name: str
    type: str
    urn: str | None = None
    account_sid: str | None = None
    """Of a provider to import with the numbers."""

    @property
    def is_provider(self) -> bool:
        return self.type in (PROVIDER_TYPE, NATIVE_PROVIDER_TYPE)


# Names


def by_age(caller_ids: Iterable[CallerId]) -> list[CallerId]:
    """Oldest first; those of one second, or with no date, by sid."""
    return sorted(caller_ids, key=lambda caller_id: (_verified_at(caller_id), caller_id.sid))


def _verified_at(caller_id: CallerId) -> float:
    parsed = parsedate_tz(caller_id.date_created or "")
    try:
        return mktime_tz(parsed) if parsed else float("inf")
    except (ValueError, OverflowError):  # a date that no calendar has
        return float("inf")


def slug(friendly_name: str | None) -> str:
    """A friendly name as a resource's name, "" where that leaves nothing to know it by: only digits, or no letters."""
    plain = unicodedata.normalize("NFKD", (friendly_name or "").casefold()).encode("ascii", "ignore").decode()
    joined = "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST_SLUG].strip("-")
    return joined if re.search(r"[a-z]", joined) else ""


def names(
    caller_ids: Iterable[CallerId], taken: Iterable[str] = (), managed: Container[str] = frozenset()
) -> dict[str, str]:
    """A unique name by sid, for all caller IDs of an account but those that are `managed` (sids).

    The oldest of those that share a slug has it plain, managed or not, the others with their number behind. To be given
    the whole account, or names would depend on what else is imported in the same go. `taken` names are not given.
    """
    used = set(taken)
    named = {}
    for caller_id in by_age(caller_ids):
        plain = slug(caller_id.friendly_name)
        if caller_id.sid in managed:
            used.add(plain)
            continue
        numbered = f"{plain or 'number'}-{caller_id.phone_number.removeprefix('+')}"
        candidates = chain([plain] if plain else [], [numbered], (f"{numbered}-{n}" for n in count(2)))
        named[caller_id.sid] = next(name for name in candidates if name not in used)
        used.add(named[caller_id.sid])
    return named


# The file


def inputs(caller_id: CallerId, account_sid: str | None = None) -> dict[str, str] | None:
    """What a program gives for the caller ID: see `inputs_to_import`. account_sid: given with each number."""
    return inputs_to_import(caller_id.phone_number, caller_id.friendly_name, account_sid)


def import_file(
    numbers: Iterable[Number],
    *,
    provider: Reference | None = None,
    parent: Reference | None = None,
    native: bool = False,
) -> dict[str, Any]:
    """The file for `pulumi import --file`. native: the numbers are for the native provider, which reads them itself."""
    references = _references(provider, parent)
    keys = {role: known.name for role, known in references.items()}
    if provider and parent and provider.name == parent.name:
        keys["parent"] += " (parent)"  # a name of the file's own: it can't have one twice
    resources = [_declaration(keys[role], known) for role, known in references.items() if known.urn is None]
    for number in numbers:
        state = {} if native else _as_created(number)
        type_ = NATIVE_TYPE if native else TYPE
        resources.append({"type": type_, "name": number.name, "id": number.caller_id.sid, **keys, **state})
    table = {keys[role]: known.urn for role, known in references.items() if known.urn is not None}
    return {"nameTable": table, "resources": resources} if table else {"resources": resources}


def _as_created(number: Number) -> dict[str, Any]:
    """The state as `create` of the dynamic provider would have written it."""
    from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
    from pulumi_twilio_caller_id.pulumi_sdk import PICKLED_PROVIDER, pickled_provider

    pickled = {PICKLED_PROVIDER: pickled_provider(OutgoingCallerIdProvider())}
    # The SDK leaves properties without a value out of the state.
    outputs = {name: value for name, value in number.caller_id.outputs().items() if value is not None}
    return {"inputs": {**number.inputs, **pickled}, "outputs": {**outputs, **pickled}}


def _references(provider: Reference | None, parent: Reference | None) -> dict[str, Reference]:
    return {role: known for role, known in (("provider", provider), ("parent", parent)) if known}


def _declaration(key: str, known: Reference) -> dict[str, Any]:
    renamed = {"logicalName": known.name} if key != known.name else {}
    declared = {"type": known.type, "name": key, **renamed}
    if known.is_provider:
        key = "twilio:accountSid" if known.type == PROVIDER_TYPE else "accountSid"
        return {**declared, "inputs": {key: known.account_sid}}
    return {**declared, "component": True}


# The program


def program(
    numbers: Sequence[Number],
    *,
    provider: Reference | None = None,
    parent: Reference | None = None,
    protect: bool = True,
) -> str:
    """The Python program for the same numbers: a variable each, named after the resource.

    A provider or parent that the stack has already is a variable the program must have: a comment says which.
    """
    if not numbers:
        return "# No caller IDs to import.\n"
    variable = _variables()
    options, first = [], []
    for role, known in _references(provider, parent).items():
        name = variable(known.name)
        options.append(f"{role}={name}")
        first.append(_reference(name, known, protect=protect))
    if protect:
        options.append("protect=True")
    statements = [_statement(variable(number.name), number, options) for number in numbers]
    imported = ["OutgoingCallerId", *(["Provider"] if provider and provider.urn is None else [])]
    head = [*(["import pulumi"] if options else []), f"from pulumi_twilio_caller_id import {', '.join(imported)}", ""]
    return "\n".join([*head, *first, *([""] if first else []), *statements]) + "\n"


def token_key(provider: Reference) -> str:
    """The key of the stack's config that the program reads a declared provider's token from."""
    return f"{_variables()(provider.name)}Token"


def _statement(variable: str, number: Number, options: list[str]) -> str:
    given = [_literal(number.name), *(f"{name}={_literal(value)}" for name, value in number.inputs.items())]
    return _call(variable, "OutgoingCallerId", [*given, *_opts(options)])


def _reference(variable: str, known: Reference, *, protect: bool) -> str:
    if known.urn is not None:
        what = "provider" if known.is_provider else _literal(known.type)[1:-1]
        return f"# The variable {variable} is the {what} {_literal(known.name)} that this program has already."
    if known.is_provider:  # never protected by an import
        account_sid = f"account_sid={_literal(known.account_sid or '')}"
        token = f"auth_token=pulumi.Config().require_secret({_literal(token_key(known))})"
        return _call(variable, "Provider", [_literal(known.name), account_sid, token])
    opts = _opts(["protect=True"] if protect else [])
    return _call(variable, "pulumi.ComponentResource", [_literal(known.type), _literal(known.name), *opts])


def _opts(options: list[str]) -> list[str]:
    return [f"opts=pulumi.ResourceOptions({', '.join(options)})"] if options else []


def _call(variable: str, called: str, arguments: list[str]) -> str:
    line = f"{variable} = {called}({', '.join(arguments)})"
    if sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line) <= LINE:
        return line
    return "\n".join([f"{variable} = {called}(", *(f"    {argument}," for argument in arguments), ")"])


def _literal(text: str) -> str:
    """In double quotes, with nothing in it that an editor would hide."""
    quoted = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(quoted.get(c) or (c if c.isprintable() else repr(c)[1:-1]) for c in text) + '"'


def _variables() -> Callable[[str], str]:
    """Makes variables of names: each another one, none a keyword or a name that the program needs for itself."""
    used = {"pulumi", "OutgoingCallerId", "Provider", *dir(builtins)}

    def variable(name: str) -> str:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        made = "_".join(re.findall(r"\w+", plain, re.ASCII)) or "caller_id"
        made = f"caller_id_{made}" if made[0].isdigit() else made
        while keyword.iskeyword(made) or made in used:
            made += "_"
        used.add(made)
        return made

    return variable


# The config


def config(numbers: Iterable[Number], project: str, *, protect: bool = True) -> str:
    """The same numbers as config `callerIds` of a project whose program is this package's own: Pulumi.<stack>.yaml."""
    keys = {"phone_number": "phoneNumber", "friendly_name": "friendlyName", "account_sid": "accountSid"}
    entries = {
        number.name: {keys[name]: value for name, value in number.inputs.items()}
        | ({"protect": True} if protect else {})
        for number in numbers
    }
    return _yaml({"config": {f"{project}:callerIds": entries}})


def _yaml(content: object) -> str:
    import yaml  # a dependency of pulumi

    class Dumper(yaml.SafeDumper):
        """Text that begins with no letter in quotes: what is a number in YAML depends on who reads it (1e3, 0o17)."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        plain = value[:1].isalpha() and value.isprintable()
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(content, Dumper=Dumper, allow_unicode=True, width=10_000, sort_keys=False)
    # What is not printable stands in double quotes, by which it can be escaped: an editor would hide it.
    return "".join(char if char == "\n" or char.isprintable() else f"\\U{ord(char):08x}" for char in dumped)
