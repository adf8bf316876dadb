"""What the command line writes for names that come from Twilio: valid, exact, and nothing in it that steers or runs."""

from __future__ import annotations

import ast
import json
import random
import unicodedata
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.cli.common import as_json, say
from pulumi_twilio_caller_id.cli.import_format import (
    PROVIDER_TYPE,
    Number,
    Reference,
    config,
    import_file,
    inputs,
    names,
    program,
)
from pulumi_twilio_caller_id.cli.listing import table
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.testing import Sandbox

ACCOUNT = "AC" + "a" * 32

HOSTILE = [
    "\"quoted\" 'twice'",
    "back\\slash\\",
    '"""',
    "'''",
    '"); import os  # ',
    "{x} {{}} {0} %s $(id) `id`",
    "# */ -->",
    "two\nlines\r\n",
    "\n",
    "tab\tand\x0bmore",
    "\0\a\b\x1b[2J\x7f\x80\x9b\x85",
    "\x1b]8;;http://x\x07\x1b]52;c;eA==\x07\x1bP\x1b\\",
    "\u2028\u2029",
    "\u202eDesk\u2066",
    "\u200bDesk\ufeff",
    "\U0001f468\u200d\U0001f469",
    "\U0001f600" * 64,
    "half \ud83d",
    "- : & * ! | > ? [ ] , @ %",
    "null",
    "1e3",
    "yes",
    "~",
    "=",
    "<<",
    " Desk ",
    "e\u0301\u00e9",
    "\ufffe\uffff",
    "x" * 10_000,
]


def caller_id(at: int, friendly_name: str | None, **more: Any) -> CallerId:
    fields = {"sid": f"PN{at:032d}", "phone_number": f"+1415555{at:04d}", "account_sid": ACCOUNT, **more}
    return CallerId(friendly_name=friendly_name, **fields)


def numbered(friendly_names: list[str]) -> list[Number]:
    account = [caller_id(at, name) for at, name in enumerate(friendly_names)]
    named = names(account)
    return [Number(named[known.sid], known, inputs(known) or {}) for known in account]


def harmless(text: str) -> bool:
    return all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text)


def declared(text: str) -> list[dict[str, str]]:
    """What a program declares, read from its syntax; it may hold imports, assignments of calls, and nothing else."""
    found = []
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign):
            call = statement.value
            assert isinstance(call, ast.Call)
            assert isinstance(call.func, ast.Name)
            assert call.func.id == "OutgoingCallerId"
            given = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg != "opts"}
            found.append({"name": ast.literal_eval(call.args[0]), **given})
        else:
            assert isinstance(statement, (ast.Import, ast.ImportFrom))
    return found


def random_names(count: int) -> list[str]:
    """Of all planes, with a liking for what means something to somebody."""
    chance = random.Random(20261125)  # noqa: S311  the same ones each time
    special = "\"'\\{}#\n\r\t\0\x1b\x7f\x9b\u2028\u202e\u200d\ufeff\U0001f600:-&*!|>%@`$ "

    def character() -> str:
        return chance.choice(special) if chance.random() < 0.5 else chr(chance.randrange(32, 0xD800))

    return ["".join(character() for _ in range(chance.randrange(1, 60))) for _ in range(count)]


@pytest.mark.parametrize("friendly_names", [HOSTILE, random_names(300)], ids=["hostile", "random"])
def test_every_name_comes_back_as_it_is(friendly_names: list[str]) -> None:
    """Of program, config and file; the last two as Pulumi reads them. What a program may not give is left out."""
    numbers = numbered(friendly_names)
    expected = [{"name": number.name, **number.inputs} for number in numbers]

    text = program(numbers)
    assert expected == declared(text)
    assert harmless(text)

    text = config(numbers, "shop")
    entries = yaml.safe_load(text)["config"]["shop:callerIds"]
    keys = {"phoneNumber": "phone_number", "friendlyName": "friendly_name"}
    assert expected == [
        {"name": name, **{keys[key]: value for key, value in entry.items() if key in keys}}
        for name, entry in entries.items()
    ]
    assert harmless(text)

    text = as_json(import_file(numbers))
    resources = json.loads(text)["resources"]
    assert [number.caller_id.outputs()["friendly_name"] for number in numbers] == [
        resource["outputs"]["friendly_name"] for resource in resources
    ]
    assert harmless(text)


def test_the_list_is_valid_json_with_escapes_and_a_table_without() -> None:
    known = [caller_id(at, name) for at, name in enumerate([*HOSTILE, *random_names(300)])]

    text = as_json([record.model_dump() for record in known])
    assert [record.friendly_name for record in known] == [entry["friendly_name"] for entry in json.loads(text)]
    assert harmless(text)
    lines = table(known).splitlines()
    assert len(known) + 1 == len(lines)
    assert harmless("\n".join(lines))
    assert max(map(len, lines)) < 400


def test_other_fields_do_not_steer_either() -> None:
    """Numbers, dates and accounts are Twilio's texts too."""
    steering = "\x1b[2J\x9b\u202e\n"
    record = caller_id(1, "Desk", phone_number=steering, account_sid=steering, date_created=steering, uri=steering)

    assert harmless(table([record]))
    assert harmless(as_json(record.model_dump()))
    assert 2 == len(table([record]).splitlines())
    assert None is inputs(record)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 21 Aug 99999999999999999999 10:00:00 +0000",
        "Fri, 21 Aug 2026 10:00:00 +99999999999",
        "Fri, 31 Feb 2026 10:00:00 +0000",
        "\x1b[2J",
        "9" * 5000,
        "x",
        "",
    ],
)
def test_a_date_that_no_calendar_has_is_a_dash(date: str) -> None:
    assert "  -  " in table([caller_id(1, "Desk", date_created=date)])


# Names of resources


def test_names_are_valid_unique_and_bounded() -> None:
    strange = [
        "con",
        "..",
        "",
        ".",
        "/",
        "\U0001f600",
        "\u524d\u53f0",
        "DESK",
        "desk",
        "Desk",
        "D\u00e9sk",
        "de sk",
        "nul\0",
    ]
    account = [
        caller_id(at, name) for at, name in enumerate([*strange, *HOSTILE, *random_names(200), *["Desk"] * 1000])
    ]

    given = list(names(account).values())
    assert len(account) == len({name.casefold() for name in given})
    assert [] == [name for name in given if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > 80]


def test_variables_are_valid_and_unique() -> None:
    words = [
        "class",
        "None",
        "print",
        "__import__",
        "match",
        "pulumi",
        "Provider",
        "_",
        "con",
        "1st",
        "d\u00e9sk",
        "desk",
    ]
    numbers = [Number(word, caller_id(at, None), {"phone_number": "+14155550101"}) for at, word in enumerate(words)]

    text = program(numbers)
    assert words == [given["name"] for given in declared(text)]
    variables = [line.partition(" = ")[0] for line in text.splitlines() if " = Out" in line]
    assert len(words) == len(set(variables))
    assert [] == [name for name in variables if not name.isidentifier() or name in ("print", "None", "pulumi")]


@pytest.mark.parametrize(
    "text", ["x\nimport os", "x\r\nimport os", "x\x0cimport os", "x\u2028import os", 'x"); import os', "\x1b[2J"]
)
def test_no_name_of_a_provider_or_parent_becomes_code(text: str) -> None:
    """Names and types may come from a stack's export, into a comment too."""
    number = numbered(["Desk"])
    urn = "urn:pulumi:dev::shop::T::x"
    provider = Reference(text, PROVIDER_TYPE, f"{urn}{text}")
    for parent in (Reference(text, f"my:T{text}", f"{urn}{text}"), Reference("x", f"my:T{text}", urn)):
        written = program(number, provider=provider, parent=parent)
        assert [{"name": "desk", "phone_number": "+14155550000", "friendly_name": "Desk"}] == declared(written)
        assert harmless(written)
        assert 2 == sum(line.startswith("# ") for line in written.split("\n"))


# On the command line


def test_list_and_import_file_of_hostile_names(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    given = {f"+1415555{at:04d}": name[:64] for at, name in enumerate(HOSTILE, 200) if "\ud83d" not in name}
    for number, name in given.items():
        sandbox.add_caller_id(number, name)

    printed = {}
    for words in (["list"], ["list", "--json"], ["import-file", "--all"], ["import-file", "--all", "--program"]):
        assert 0 == main(words)
        out, err = capsys.readouterr()
        assert harmless(out + err)
        printed[words[-1]] = out
    listed = {entry["phone_number"]: entry["friendly_name"] for entry in json.loads(printed["--json"])}
    assert given == {number: name for number, name in listed.items() if number in given}
    assert len(listed) == len(json.loads(printed["--all"])["resources"]) == len(declared(printed["--program"]))


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--account-sid", "\x1b[2J"],
        ["list", "\x1b[2J\u202e"],
        ["\x1b[2J"],
        ["list", "--\x1b[2J"],
        ["import-file", "--phone-number", "\x1b[2J"],
        ["import-file", "--all", "--skip-managed", "/none/\x1b[2J\x9b"],
        ["import-file", "--all", "--parent", "\x1b[2J"],
        ["import-file", "--all", "--provider", "urn:\x1b[2J"],
        ["import-file", "--phone-number", "+14155550199", "--name", "\x1b[2J"],
        ["import-file", "--friendly-name", "\x1b[2J\u202e"],
        ["import-file", "--all", "--program", "/none/\x1b[2J"],
        ["list", "--stack", "\x1b[2J"],
        ["sandbox", "--state", "/none/\x1b[2J"],
        ["sandbox", "--phones", "/none/\x1b[2J"],
        ["sandbox", "--port", "\x1b[2J"],
        ["sandbox", "--deliver", "\x1b[2J=\x9b"],
        ["sandbox", "--run", "/none/\x1b[2J\x9b"],
        ["sandbox", "--run", "\udce9"],
    ],
    ids=lambda words: ascii(" ".join(words))[:40],
)
def test_no_argument_is_told_as_it_is(
    words: list[str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)

    try:
        status = main(words)
    except SystemExit as ended:
        status = ended.code  # type: ignore[assignment]
    out, err = capsys.readouterr()
    assert status in (1, 2, 126, 127)
    assert err
    assert harmless(out + err)


def test_a_file_of_people_is_quoted_without_what_steers(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for at, content in enumerate(
        [r'"\e[2J": keys', r'"+14155550101": "\e[2J"', r'"+14155550101": {"\e[2J": 1}', "\x1b[2J: [", r'["\e[2J"]']
    ):
        (tmp_path / f"{at}.yaml").write_text(content)
        assert 2 == main(["sandbox", "--phones", str(tmp_path / f"{at}.yaml")])
        told = capsys.readouterr().err
        assert "phones" in told or f"{at}.yaml" in told
        assert harmless(told)


def test_whatever_is_said_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    say("".join(HOSTILE))

    assert harmless(capsys.readouterr().err)
