"""Friendly names: which are refused, which are passed on as they are, and what comes of those that Twilio changes."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from pulumi_twilio_caller_id.inputs import validate_inputs
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.operations import preview as outlook
from pulumi_twilio_caller_id.operations.adopt import already_verified, mismatches, renaming_of
from pulumi_twilio_caller_id.sandbox import rules
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.text import quote_distinct

NUMBER = "+14155550101"
URN = "urn:pulumi:test::caller-ids::T::desk"


def refusal(name: object) -> str:
    """The reason why a friendly name is refused, "" where it is not."""
    good, failures = validate_inputs({"phone_number": NUMBER, "friendly_name": name})
    assert failures or name == good["friendly_name"], "a name is never changed"
    return failures[0][1] if failures else ""


# What a program may give


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 team",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u05d0\u05d1 \u200e(1)",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "Desk\u200b",
        "\ufeffDesk",
        "  Desk  ",
        "e\u0301",
        "\u00e9",
        "a" + "\u0301" * 63,
        "\U0001f600" * 64,
        "\"'`$(id) %s {0} {{}} \\n <b>",
        "\ue000\u0378",
    ],
)
def test_what_is_read_as_it_stands_is_passed_on_as_it_is(name: str) -> None:
    assert "" == refusal(name)


@pytest.mark.parametrize("turning", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_what_turns_text_around_is_refused(turning: str) -> None:
    assert f"it holds {turning!r}, which turns the text around that is shown behind it" == refusal(f"Desk{turning}x")


@pytest.mark.parametrize("control", "\0\a\b\t\n\r\x1b\x7f\x80\x85\x9b\u2028\u2029\ud800")
def test_a_control_character_is_refused_and_named(control: str) -> None:
    assert f"it holds {control!r}, a line break or another control character" == refusal(f"De{control}sk")


@pytest.mark.parametrize("name", ["", " ", "\u00a0\u3000", "\u200b", "\ufeff\u2060", "\u202e", "\u00ad \t"])
def test_a_name_with_nothing_to_see_is_empty(name: str) -> None:
    assert "it is empty: leave it out to leave Twilio's name alone" == refusal(name)


@pytest.mark.parametrize("name", [7, 7.0, True, ["Desk"], {"a": "Desk"}])
def test_a_name_that_is_no_text_is_refused(name: object) -> None:
    assert "it must be text: put it in quotes" == refusal(name)


# What the engine is told of a refusal: it prints the value before the reason, as it is


@pytest.mark.parametrize(
    "value", ["\x1b[2JDesk", "x" * 1000, ["\x1b[2J"], {"\x1b[2J": 1}, {"a": ["\u202e"]}, [1] * 1000]
)
def test_the_engine_does_not_get_to_print_a_value_that_steers_or_fills_the_terminal(value: object) -> None:
    given = {"phone_number": NUMBER, "friendly_name": value}

    [failure] = OutgoingCallerIdProvider().check({}, given).failures
    assert "" == failure.property
    assert failure.reason.startswith("friendly_name: it ")
    assert failure.reason.isprintable()


def test_any_other_value_is_shown_by_the_engine() -> None:
    [failure] = OutgoingCallerIdProvider().check({}, {"phone_number": NUMBER, "friendly_name": "x" * 65}).failures

    assert ("friendly_name", "it is 65 characters long: Twilio keeps at most 64") == (failure.property, failure.reason)


# What Twilio makes of a name

CHANGES: dict[str, tuple[str, Callable[[str], str]]] = {
    "trimmed": ("  Desk ", str.strip),
    "composed": ("Cafe\u0301", lambda name: unicodedata.normalize("NFC", name)),
    "cut": ("\U0001f600" * 64, lambda name: name[:32]),
    "upper case": ("Desk", str.upper),
    "cleaned": ("Desk\u200b", lambda name: name.replace("\u200b", "")),
}


@pytest.fixture(params=CHANGES)
def given(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name that Twilio stores in another form."""
    name, change = CHANGES[request.param]
    as_given = rules.friendly_name
    monkeypatch.setattr(rules, "friendly_name", lambda name, number: change(as_given(name, number)))
    return name


def read(provider: OutgoingCallerIdProvider, outs: dict[str, Any], inputs: dict[str, Any]) -> Any:
    """As a refresh does: with the inputs in state in the engine's request."""

    def servicer(request: object, context: object) -> Any:
        return provider.read(outs["sid"], outs)

    sent = Struct()
    sent.update(inputs)
    return servicer(SimpleNamespace(urn=URN, inputs=sent), SimpleNamespace())


def sent(sandbox: Sandbox, endpoint: str) -> int:
    return sum(record.endpoint == endpoint for record in sandbox.requests)


def test_a_name_that_twilio_changes_is_told_once_and_is_no_change_ever_after(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both names are told; neither the next `up` nor a refresh finds anything to do."""
    inputs = {"phone_number": NUMBER, "friendly_name": given}
    outs = dict(provider.create(inputs).outs or {})

    [stored] = [known.friendly_name for known in sandbox.caller_ids if known.phone_number == NUMBER]
    assert given != stored == outs["friendly_name"]
    told = "Twilio made {} of the friendly name {} of +1 415-555-0101.\nIt counts as the same from now on."
    assert 1 == capsys.readouterr().err.count(told.format(*quote_distinct(stored, given)))

    assert False is provider.diff(outs["sid"], outs, inputs).changes
    refreshed = read(provider, outs, inputs)
    assert (outs, None) == (refreshed.outs, refreshed.inputs)
    assert False is provider.diff(outs["sid"], refreshed.outs, inputs).changes
    assert "" == capsys.readouterr().err
    assert 1 == sent(sandbox, "create")


def test_a_rename_that_twilio_changes_is_told_once_too(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = dict(provider.create({"phone_number": NUMBER}).outs or {})
    news = {"phone_number": NUMBER, "friendly_name": given}
    assert True is provider.diff(outs["sid"], outs, news).changes

    outs = dict(provider.update(outs["sid"], outs, news).outs or {})
    assert 1 == capsys.readouterr().err.count("Twilio made ")
    assert False is provider.diff(outs["sid"], outs, news).changes
    moved = {**news, "__provider": "another"}  # an update for another reason renames nothing
    assert outs == provider.update(outs["sid"], outs, moved).outs
    outlook.of_change(URN, outs["sid"], outs, moved, replaced=False)
    assert "" == capsys.readouterr().err
    assert 1 == sent(sandbox, "update")


def test_drift_is_not_hidden_by_it(provider: OutgoingCallerIdProvider, sandbox: Sandbox, given: str) -> None:
    inputs = {"phone_number": NUMBER, "friendly_name": given}
    outs = dict(provider.create(inputs).outs or {})
    sandbox.rename(outs["sid"], "Elsewhere")

    found = sandbox.caller_ids[-1].friendly_name
    refreshed = read(provider, outs, inputs)
    assert (found, found) == (refreshed.outs["friendly_name"], refreshed.inputs["friendly_name"])
    assert True is provider.diff(outs["sid"], refreshed.outs, inputs).changes
    again = dict(provider.update(outs["sid"], refreshed.outs, inputs).outs or {})
    assert outs["friendly_name"] == again["friendly_name"]
    assert False is provider.diff(outs["sid"], again, inputs).changes


def test_another_name_in_the_program_is_a_change(provider: OutgoingCallerIdProvider, given: str) -> None:
    outs = dict(provider.create({"phone_number": NUMBER, "friendly_name": given}).outs or {})

    stored = {"phone_number": NUMBER, "friendly_name": outs["friendly_name"]}
    assert False is provider.diff(outs["sid"], outs, stored).changes
    assert True is provider.diff(outs["sid"], outs, {**stored, "friendly_name": "Lobby"}).changes


def test_a_name_that_another_call_gave_is_put_right(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls to one number make one caller ID, under the name of the quicker one."""
    caller_ids = sandbox._twilio._caller_ids
    monkeypatch.setattr(caller_ids, "add", _named_by_another(caller_ids.add))

    outs = dict(provider.create({"phone_number": NUMBER, "friendly_name": "Desk"}).outs or {})
    assert ("Desk", None) == (outs["friendly_name"], outs.get("friendly_name_given"))
    assert "Desk" == sandbox.caller_ids[-1].friendly_name


def test_a_number_is_kept_where_its_name_can_not_be_set(
    provider: OutgoingCallerIdProvider,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is verified: losing it from the state would be worse. The next `up` renames it."""
    caller_ids = sandbox._twilio._caller_ids
    monkeypatch.setattr(caller_ids, "add", _named_by_another(caller_ids.add))
    sandbox.fail("update", status=400, code=20001, message="Bad name")
    inputs = {"phone_number": NUMBER, "friendly_name": "Desk"}

    created = provider.create(inputs)
    assert (
        "+1 415-555-0101 is verified, under the friendly name 'Quicker' instead of 'Desk': Twilio refused to"
        f" rename caller ID {created.id}: Bad name (code 20001, HTTP 400, account {sandbox.account_sid}).\n"
        "The next `pulumi up` renames it.\n"
    ) in capsys.readouterr().err
    assert True is provider.diff(created.id, dict(created.outs or {}), inputs).changes


def test_an_adoption_whose_name_twilio_changes_renames_once(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = sandbox.add_caller_id(NUMBER, "OLD").sid
    inputs = {"phone_number": NUMBER, "friendly_name": given, "adopt": True}

    outs = dict(provider.create(inputs).outs or {})
    told = capsys.readouterr().err
    assert (sid, 1) == (outs["sid"], sent(sandbox, "update"))
    assert f"adopted {sid}, no call, to be renamed from 'OLD' to " in told
    assert 1 == told.count("Twilio made ")
    assert False is provider.diff(sid, outs, inputs).changes


def test_an_adopted_number_is_kept_too_where_its_name_can_not_be_set(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Old name").sid
    sandbox.fail("update", status=400, code=20001, message="Bad name")
    inputs = {"phone_number": NUMBER, "friendly_name": "Desk", "adopt": True}

    created = provider.create(inputs)
    assert (sid, "Old name") == (created.id, (created.outs or {})["friendly_name"])
    assert (
        "+1 415-555-0101 is verified, under the friendly name 'Old name' instead of 'Desk': Twilio refused to"
        f" rename caller ID {sid}: Bad name (code 20001, HTTP 400, account {sandbox.account_sid}).\n"
        "The next `pulumi up` renames it.\n"
    ) in capsys.readouterr().err
    assert True is provider.diff(sid, dict(created.outs or {}), inputs).changes


def _named_by_another(add: Callable[..., Any]) -> Callable[..., Any]:
    return lambda account, number, _name, *more: add(account, number, "Quicker", *more)


# Where names are quoted


def test_the_name_that_an_import_does_not_fit_is_quoted() -> None:
    record = CallerId(
        sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "a" * 32, friendly_name="De\x1bsk" + "x" * 200
    )

    [(_, reason)] = mismatches({"friendly_name": "Desk"}, record)
    assert rf"is 'De\x1bsk{'x' * 95}'... at Twilio" in reason


def test_both_names_of_a_renaming_can_be_told_apart() -> None:
    assert "from 'Desk' to 'Desk '" == renaming_of("Desk", "Desk ")
    assert r"from 'Cafe\u0301' to 'Caf\xe9'" == renaming_of("Cafe\u0301", "Caf\u00e9")
    assert r"from 'De\x1b[2J\u202esk' to 'Desk\u200b'" == renaming_of("De\x1b[2J\u202esk", "Desk\u200b")
    assert f"from {'x' * 100!r}... to 'Desk'" == renaming_of("x" * 10_000, "Desk")


LOOK_ALIKE = {
    "variation selector": "Desk\ufe0f",
    "more of them": "De\U000e0101sk",
    "grapheme joiner": "De\u034fsk",
    "filler": "De\u3164sk",
    "half-width filler": "Desk\uffa0",
    "empty braille": "Desk\u2800",
    "mongolian": "Desk\u180b",
    "zero width": "Desk\u200b",
    "no-break space": "Desk\u00a0",
    "soft hyphen": "De\u00adsk",
    "cyrillic": "D\u0435sk",
    "greek": "Des\u03ba",
    "full width": "\uff24esk",
    "mathematical": "\U0001d403esk",
    "ligature": "De\ua731k",
}


@pytest.mark.parametrize("other", LOOK_ALIKE.values(), ids=LOOK_ALIKE)
def test_names_that_look_alike_are_escaped(other: str) -> None:
    assert f"from 'Desk' to {other!a}" == renaming_of("Desk", other)
    assert f"from {other!a} to 'Desk'" == renaming_of(other, "Desk")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A\u2013B", "A\u2014B"),
        ("A\u2019B", "A\u02bcB"),
        ("\u041e\u0444\u0438\u0441", "\u041eff\u0438\u0441".replace("ff", "\u0278")),
        ("\u30d8", "\u3078"),
    ],
    ids=["dashes", "apostrophes", "phi", "kana"],
)
def test_so_are_those_in_other_scripts(one: str, other: str) -> None:
    assert f"from {one!a} to {other!a}" == renaming_of(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("B\u00fcro", "B\u00e4ro"),
        ("B\u00fcro", "Buro"),
        ("\u041e\u0444\u0438\u0441 \u0410", "\u041e\u0444\u0438\u0441 \u0411"),
        ("\u6771\u9580", "\u897f\u9580"),
        ("\u260e\ufe0f Desk", "\u260e\ufe0f Lobby"),
    ],
)
def test_names_that_differ_to_the_eye_are_shown_as_they_are(one: str, other: str) -> None:
    assert f"from {one!r} to {other!r}" == renaming_of(one, other)


@pytest.mark.parametrize("name", ["front desk", "desk; rm -rf ~", "$(id)", "it's", 'a"b'])
def test_a_command_to_copy_has_the_resources_name_in_quotes(name: str) -> None:
    record = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "a" * 32)
    todo = already_verified(record, None, f"urn:pulumi:test::caller-ids::T::{name}").todo

    [line] = [line.partition("command line")[2] for line in todo.splitlines() if "command line" in line]
    command = ["python", "-m", "pulumi_twilio_caller_id", "import-file", "--phone-number", NUMBER, "--name", name]
    assert [*command, ">", "import.json"] == shlex.split(line)
