"""Names, import files, programs and config for numbers that are verified already."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.cli.import_format import (
    PROVIDER_TYPE,
    TYPE,
    Number,
    Reference,
    by_age,
    config,
    import_file,
    inputs,
    names,
    program,
    slug,
)
from pulumi_twilio_caller_id.models import CallerId

ACCOUNT = "AC" + "a" * 32
EU = Reference("eu", PROVIDER_TYPE, account_sid=ACCOUNT)
KNOWN_EU = Reference("eu", PROVIDER_TYPE, f"urn:pulumi:dev::shop::{PROVIDER_TYPE}::eu")
COMPONENT = Reference("phones", "my:Phones")
KNOWN_COMPONENT = Reference("phones", "my:Phones", "urn:pulumi:dev::shop::my:Phones::phones")


def caller_id(
    number: int, friendly_name: str | None = None, date: str | None = "Thu, 20 Aug 2026 10:00:00 +0000"
) -> CallerId:
    """The caller ID of +1415555<number>; those of higher numbers have higher sids."""
    return CallerId(
        sid=f"PN{number:032d}",
        phone_number=f"+1415555{number:04d}",
        friendly_name=friendly_name,
        account_sid=ACCOUNT,
        date_created=date,
    )


def numbered(*friendly_names: str | None) -> list[Number]:
    """Numbers 1, 2, ... of these names, as import-file makes them."""
    account = [caller_id(at, name) for at, name in enumerate(friendly_names, 1)]
    named = names(account)
    return [Number(named[known.sid], known, inputs(known) or {}) for known in account]


# Names


@pytest.mark.parametrize(
    ("friendly_name", "expected"),
    [
        ("Front desk", "front-desk"),
        ("  Büro (Zürich) / Straße 7 ", "buro-zurich-strasse-7"),
        ("24h line", "24h-line"),
        ("\uff26\uff35ll w\u0131dth", "full-wdth"),
        ("x" * 59 + " yz", "x" * 59),
        ("(415) 555-0101", ""),
        ("📞", ""),
        ("前台", ""),
        ("--", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_slug_of_a_friendly_name(friendly_name: str | None, expected: str) -> None:
    """At most 60 characters; none where nothing but digits would be left, as of Twilio's default name."""
    assert expected == slug(friendly_name)


def test_a_number_without_a_usable_name_is_named_after_itself() -> None:
    assert ["number-14155550001"] == list(names([caller_id(1, "(415) 555-0001")]).values())


def test_the_oldest_of_one_name_keeps_it() -> None:
    """Whatever the order they come in; dates count as moments, and of one moment the lower sid."""
    younger = caller_id(1, "Desk", "Fri, 21 Aug 2026 09:00:00 +0000")
    older = caller_id(2, "desk!", "Fri, 21 Aug 2026 10:00:00 +0200")
    same_moment = caller_id(3, "DESK", "Fri, 21 Aug 2026 08:00:00 +0000")
    undated = caller_id(0, "Desk", None)
    expected = {
        older.sid: "desk",
        same_moment.sid: "desk-14155550003",
        younger.sid: "desk-14155550001",
        undated.sid: "desk-14155550000",
    }
    assert expected == names([younger, older, same_moment, undated])
    assert expected == names([undated, same_moment, older, younger])


@pytest.mark.parametrize("date", ["yesterday", "Fri, 99 Foo 2026 99:00:00", "Fri, 21 Aug 99999999999 10:00:00 +0000"])
def test_a_date_that_makes_no_sense_counts_as_none(date: str) -> None:
    assert [2, 1] == [int(known.sid[2:]) for known in by_age([caller_id(1, None, date), caller_id(2)])]


def test_taken_names_are_not_given() -> None:
    assert {caller_id(1).sid: "desk-14155550001"} == names([caller_id(1, "Desk")], taken={"desk"})


def test_a_managed_number_keeps_the_others_names_as_they_are() -> None:
    """It gets no name, and whether it is managed already does not change what the others are called."""
    account = [caller_id(1, "Desk"), caller_id(2, "Desk"), caller_id(3, "Lab")]
    all_names = names(account)
    assert {sid: all_names[sid] for sid in list(all_names)[1:]} == names(
        account, taken={"reception"}, managed={account[0].sid}
    )


def test_names_differ_even_where_a_friendly_name_looks_like_a_made_up_one() -> None:
    account = [caller_id(1, "Desk 14155550003"), caller_id(2, "Desk"), caller_id(3, "Desk")]
    assert ["desk-14155550003", "desk", "desk-14155550003-2"] == list(names(account).values())


# Inputs


def test_inputs_are_what_a_program_would_give() -> None:
    known = caller_id(1, "Desk")
    assert {"phone_number": "+14155550001", "friendly_name": "Desk"} == inputs(known)
    assert ACCOUNT == (inputs(known, ACCOUNT) or {})["account_sid"]


@pytest.mark.parametrize("friendly_name", [None, "", "x" * 65, "two\nlines", "\ud83d"])
def test_a_name_that_no_program_may_give_stays_twilios(friendly_name: str | None) -> None:
    assert {"phone_number": "+14155550001"} == inputs(caller_id(1, friendly_name))


def test_a_number_that_no_program_can_declare_has_no_inputs() -> None:
    short = caller_id(1, "Desk").model_copy(update={"phone_number": "+1415"})
    assert inputs(short) is None


# The file


def test_the_file_gives_inputs_and_outputs_with_the_provider() -> None:
    """And leaves out what Twilio has no value for, as the state does."""
    [entry] = import_file(numbered("Desk"))["resources"]
    pickled = entry["inputs"]["__provider"]
    assert {
        "type": TYPE,
        "name": "desk",
        "id": caller_id(1).sid,
        "inputs": {"phone_number": "+14155550001", "friendly_name": "Desk", "__provider": pickled},
        "outputs": {
            "sid": caller_id(1).sid,
            "phone_number": "+14155550001",
            "friendly_name": "Desk",
            "account_sid": ACCOUNT,
            "date_created": "Thu, 20 Aug 2026 10:00:00 +0000",
            "__provider": pickled,
        },
    } == entry


@pytest.mark.parametrize(
    ("references", "table", "declared", "keys"),
    [
        ({}, None, [], {}),
        ({"provider": KNOWN_EU}, {"eu": KNOWN_EU.urn}, [], {"provider": "eu"}),
        (
            {"provider": EU},
            None,
            [{"type": PROVIDER_TYPE, "name": "eu", "inputs": {"twilio:accountSid": ACCOUNT}}],
            {"provider": "eu"},
        ),
        ({"parent": KNOWN_COMPONENT}, {"phones": KNOWN_COMPONENT.urn}, [], {"parent": "phones"}),
        (
            {"parent": COMPONENT},
            None,
            [{"type": "my:Phones", "name": "phones", "component": True}],
            {"parent": "phones"},
        ),
        (
            {"provider": KNOWN_EU, "parent": Reference("eu", "my:Phones")},
            {"eu": KNOWN_EU.urn},
            [{"type": "my:Phones", "name": "eu (parent)", "logicalName": "eu", "component": True}],
            {"provider": "eu", "parent": "eu (parent)"},
        ),
    ],
    ids=["none", "provider", "new provider", "parent", "new parent", "namesakes"],
)
def test_provider_and_parent_are_in_the_name_table_or_declared(
    references: dict[str, Any], table: dict[str, str] | None, declared: list[dict[str, Any]], keys: dict[str, str]
) -> None:
    file = import_file(numbered("Desk"), **references)
    assert table == file.get("nameTable")
    assert declared == file["resources"][:-1]
    assert keys == {key: value for key, value in file["resources"][-1].items() if key in ("provider", "parent")}


# The program


def ruff(text: str, folder: Path, *arguments: str) -> str:
    """What ruff, as users run it with nothing set but the line length, has against a program."""
    file = folder / "program.py"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "120", "--quiet", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def assigned(text: str) -> list[str]:
    statements = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    return [target.id for node in statements for target in node.targets if isinstance(target, ast.Name)]


def test_a_program_declares_each_number() -> None:
    assert program(numbered("Front desk", None), protect=False) == (
        "from pulumi_twilio_caller_id import OutgoingCallerId\n"
        "\n"
        'front_desk = OutgoingCallerId("front-desk", phone_number="+14155550001", friendly_name="Front desk")\n'
        'number_14155550002 = OutgoingCallerId("number-14155550002", phone_number="+14155550002")\n'
    )


def test_a_program_protects_what_the_import_protects() -> None:
    assert program(numbered("Front desk")) == (
        "import pulumi\n"
        "from pulumi_twilio_caller_id import OutgoingCallerId\n"
        "\n"
        "front_desk = OutgoingCallerId(\n"
        '    "front-desk",\n'
        '    phone_number="+14155550001",\n'
        '    friendly_name="Front desk",\n'
        "    opts=pulumi.ResourceOptions(protect=True),\n"
        ")\n"
    )


def test_a_program_declares_a_new_provider_and_parent() -> None:
    """An import protects components, but no providers."""
    assert program(numbered(None), provider=EU, parent=COMPONENT) == (
        "import pulumi\n"
        "from pulumi_twilio_caller_id import OutgoingCallerId, Provider\n"
        "\n"
        "eu = Provider(\n"
        '    "eu",\n'
        f'    account_sid="{ACCOUNT}",\n'
        '    auth_token=pulumi.Config().require_secret("euToken"),\n'
        ")\n"
        'phones = pulumi.ComponentResource("my:Phones", "phones", opts=pulumi.ResourceOptions(protect=True))\n'
        "\n"
        "number_14155550001 = OutgoingCallerId(\n"
        '    "number-14155550001",\n'
        '    phone_number="+14155550001",\n'
        "    opts=pulumi.ResourceOptions(provider=eu, parent=phones, protect=True),\n"
        ")\n"
    )


def test_a_program_says_which_variables_it_needs() -> None:
    text = program(numbered(None), provider=KNOWN_EU, parent=KNOWN_COMPONENT, protect=False)
    assert text.splitlines()[:5] == [
        "import pulumi",
        "from pulumi_twilio_caller_id import OutgoingCallerId",
        "",
        '# The variable eu is the provider "eu" that this program has already.',
        '# The variable phones is the my:Phones "phones" that this program has already.',
    ]
    assert ["number_14155550001"] == assigned(text)
    assert "opts=pulumi.ResourceOptions(provider=eu, parent=phones)" in text


FRIENDLY_NAMES = [
    'Say "hi"',
    "It's \\n",
    "Zürich ☎",
    "pulumi.example",
    "前台 " * 15,
    "family 👨\u200d👩\u200d👧",
    "right\u202eleft",
    "x" * 64,
    "class",
    "import",
    "None",
    "print",
    "Pulumi",
    "24h",
    None,
]


def test_a_program_is_python_that_gives_the_same_inputs() -> None:
    """Variables are identifiers of their own, no keywords, and shadow nothing."""
    numbers = numbered(*FRIENDLY_NAMES)
    text = program(numbers)
    calls = [node.value for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    given = [
        {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
        for call in calls
        if isinstance(call, ast.Call)
    ]
    assert [dict(number.inputs) for number in numbers] == given
    variables = assigned(text)
    assert len(numbers) == len(set(variables))
    assert ["class_", "import_", "none", "print_", "pulumi_", "caller_id_24h"] == variables[-7:-1]
    assert [] == [hidden for hidden in ("\u202e", "\u200d") if hidden in text]


@pytest.mark.parametrize(
    ("friendly_names", "references"),
    [
        pytest.param([name for name in FRIENDLY_NAMES if name != 'Say "hi"'], {}, id="names"),
        pytest.param(["Front desk"], {"provider": EU, "parent": COMPONENT}, id="provider and parent"),
        pytest.param([], {}, id="no numbers"),
    ],
)
@pytest.mark.parametrize("protect", [True, False])
def test_ruff_has_nothing_against_a_program(
    friendly_names: Sequence[str | None], references: dict[str, Any], protect: bool, tmp_path: Path
) -> None:
    text = program(numbered(*friendly_names), protect=protect, **references)
    assert "" == ruff(text, tmp_path, "check", "--select", "E4,E7,E9,F,I,W,A,N")
    assert "" == ruff(text, tmp_path, "format", "--diff")


def test_names_that_make_the_same_variable_get_one_each() -> None:
    twins = [
        Number(name, known.caller_id, known.inputs)
        for name, known in zip(("a-b", "a_b"), numbered("a", "b"), strict=True)
    ]
    assert ["a_b", "a_b_"] == assigned(program(twins))


# The config


def test_config_holds_the_same_inputs() -> None:
    """Read by YAML's rules for text: neither numbers nor names turn into numbers."""
    numbers = numbered("Front desk", "1e3", "yes", "Zürich: \u260e #1", "0o17", None)
    read = yaml.safe_load(config(numbers, "shop"))
    keys = {"phone_number": "phoneNumber", "friendly_name": "friendlyName"}
    expected = {
        number.name: {**{keys[name]: value for name, value in number.inputs.items()}, "protect": True}
        for number in numbers
    }
    assert {"config": {"shop:callerIds": expected}} == read


def test_config_is_written_as_a_person_would() -> None:
    numbers = [Number("desk", caller_id(1), inputs(caller_id(1, "Zürich desk"), ACCOUNT) or {})]
    assert config(numbers, "shop", protect=False) == (
        "config:\n"
        "  shop:callerIds:\n"
        "    desk:\n"
        '      phoneNumber: "+14155550001"\n'
        "      friendlyName: Zürich desk\n"
        f"      accountSid: {ACCOUNT}\n"
    )


def test_what_yaml_readers_disagree_on_is_in_quotes() -> None:
    """YAML 1.1 has 1e3 and 0o17 as text, 1.2 as numbers: the engine reads the latter."""
    text = config(numbered("1e3", "0o17"), "shop")
    assert [True, True] == [f'friendlyName: "{name}"' in text for name in ("1e3", "0o17")]
    assert '    "1e3":\n' in text
