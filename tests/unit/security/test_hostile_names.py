"""Friendly names: which are refused, which are passed on as they are, and what comes of those that Twilio changes."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.inputs import IMPORT, validate_inputs
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.operations.adopt import already_verified
from pulumi_twilio_caller_id.sandbox import rules
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.text import one_line

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
    assert f"it holds {turning!r}, a character that reverses the text after it" == refusal(f"Desk{turning}x")


@pytest.mark.parametrize("control", "\0\a\b\t\n\r\x1b\x7f\x80\x85\x9b\u2028\u2029\ud800")
def test_a_control_character_is_refused_and_named(control: str) -> None:
    assert f"it holds {control!r}, a line break or another control character" == refusal(f"De{control}sk")


@pytest.mark.parametrize("name", ["", " ", "\u00a0\u3000", "\u200b", "\ufeff\u2060", "\u202e", "\u00ad \t"])
def test_a_name_with_nothing_to_see_is_empty(name: str) -> None:
    assert "it is empty: omit it to keep the name that the number has at Twilio" == refusal(name)


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

SAME: dict[str, tuple[str, Callable[[str], str]]] = {
    "trimmed": ("  Desk ", str.strip),
    "composed": ("Cafe\u0301", lambda name: unicodedata.normalize("NFC", name)),
    "decomposed": ("\u00c5ngstr\u00f6m", lambda name: unicodedata.normalize("NFD", name)),
}
OTHER: dict[str, tuple[str, Callable[[str], str]]] = {
    "cut": ("\U0001f600" * 64, lambda name: name[:32]),
    "upper case": ("Desk", str.upper),
    "cleaned": ("Desk\u200b", lambda name: name.replace("\u200b", "")),
}


def _stores(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    """Have Twilio store names in another form."""
    as_given = rules.friendly_name
    monkeypatch.setattr(rules, "friendly_name", lambda name, number: change(as_given(name, number)))


@pytest.fixture(params=SAME)
def same(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name of which Twilio stores another spelling."""
    name, change = SAME[request.param]
    _stores(monkeypatch, change)
    return name


@pytest.fixture(params=OTHER)
def changed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name in place of which Twilio stores another one."""
    name, change = OTHER[request.param]
    _stores(monkeypatch, change)
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


def test_another_spelling_of_a_name_is_no_change_and_no_warning(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, same: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the next `up` nor a refresh finds anything to do."""
    inputs = {"phone_number": NUMBER, "friendly_name": same}
    outs = dict(provider.create(inputs).outs or {})

    [stored] = [known.friendly_name for known in sandbox.caller_ids if known.phone_number == NUMBER]
    assert same != stored == outs["friendly_name"]
    assert False is provider.diff(outs["sid"], outs, inputs).changes
    refreshed = read(provider, outs, inputs)
    assert (outs, None) == (refreshed.outs, refreshed.inputs)
    moved = {**inputs, "__provider": "another"}  # an update for another reason
    assert outs == provider.update(outs["sid"], outs, moved).outs
    assert 0 == sent(sandbox, "update")
    assert "friendly name" not in capsys.readouterr().err


def test_drift_is_not_hidden_by_it(provider: OutgoingCallerIdProvider, sandbox: Sandbox, same: str) -> None:
    inputs = {"phone_number": NUMBER, "friendly_name": same}
    outs = dict(provider.create(inputs).outs or {})
    sandbox.rename(outs["sid"], "Elsewhere")

    found = sandbox.caller_ids[-1].friendly_name
    refreshed = read(provider, outs, inputs)
    assert (found, found) == (refreshed.outs["friendly_name"], refreshed.inputs["friendly_name"])
    assert True is provider.diff(outs["sid"], refreshed.outs, inputs).changes
    again = dict(provider.update(outs["sid"], refreshed.outs, inputs).outs or {})
    assert outs["friendly_name"] == again["friendly_name"]
    assert False is provider.diff(outs["sid"], again, inputs).changes


STORED = (
    "Twilio stored another friendly name for +1 415-555-0101 than the program gives, so the next `pulumi up` will"
    " rename it again.\n"
    "To end that, give Twilio's name in the program: `python -m pulumi_twilio_caller_id list` shows it.\n"
)


def test_a_name_that_twilio_changes_is_a_warning_and_renamed_again(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a call, an adoption and a rename. The name that Twilio stores ends it."""
    inputs = {"phone_number": NUMBER, "friendly_name": changed}
    outs = dict(provider.create(inputs).outs or {})
    told = capsys.readouterr().err
    assert told.endswith(STORED)
    assert 1 == told.count("friendly name")

    assert True is provider.diff(outs["sid"], outs, inputs).changes
    outs = dict(provider.update(outs["sid"], outs, inputs).outs or {})
    assert STORED == capsys.readouterr().err
    adopted = provider.create({**inputs, "adopt": True})
    assert f"adopted {outs['sid']}, no call\n{STORED}" == capsys.readouterr().err
    assert (outs["sid"], outs["friendly_name"]) == (adopted.id, dict(adopted.outs or {})["friendly_name"])

    stored = {"phone_number": NUMBER, "friendly_name": outs["friendly_name"]}
    assert False is provider.diff(outs["sid"], outs, stored).changes
    assert 1 == len(sandbox.calls)


def test_a_state_that_has_the_former_digest_of_a_name(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """Version 0.1.0 wrote such an output. It plans no change, and the next refresh drops it."""
    record = sandbox.add_caller_id(NUMBER, "Desk")
    inputs = {"phone_number": NUMBER, "friendly_name": " Desk"}
    now = provider.read(record.sid, {}).outs or {}
    olds = {**now, "friendly_name_given": "0123456789abcdef"}
    assert False is provider.diff(record.sid, olds, inputs).changes
    refreshed = read(provider, olds, inputs)
    assert (now, None) == (refreshed.outs, refreshed.inputs)
    assert "friendly_name_given" not in now


def test_a_name_that_another_call_gave_is_put_right(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls to one number make one caller ID, under the name of the quicker one."""
    caller_ids = sandbox._twilio._caller_ids
    monkeypatch.setattr(caller_ids, "add", _named_by_another(caller_ids.add))

    outs = dict(provider.create({"phone_number": NUMBER, "friendly_name": "Desk"}).outs or {})
    assert "Desk" == outs["friendly_name"]
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
        "+1 415-555-0101 is verified, but its friendly name was not set: Twilio refused to"
        f" rename caller ID {created.id}: Bad name (code 20001, HTTP 400, account {sandbox.account_sid}).\n"
        "The next `pulumi up` sets it.\n"
    ) in capsys.readouterr().err
    assert True is provider.diff(created.id, dict(created.outs or {}), inputs).changes


def test_an_adopted_number_is_kept_too_where_its_name_can_not_be_set(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sid = sandbox.add_caller_id(NUMBER, "Old name").sid
    sandbox.fail("update", status=400, code=20001, message="Bad name")
    inputs = {"phone_number": NUMBER, "friendly_name": "Desk", "adopt": True}

    created = provider.create(inputs)
    assert (sid, "Old name") == (created.id, (created.outs or {})["friendly_name"])
    assert (
        "+1 415-555-0101 is verified, but its friendly name was not set: Twilio refused to"
        f" rename caller ID {sid}: Bad name (code 20001, HTTP 400, account {sandbox.account_sid}).\n"
        "The next `pulumi up` sets it.\n"
    ) in capsys.readouterr().err
    assert True is provider.diff(sid, dict(created.outs or {}), inputs).changes


def _named_by_another(add: Callable[..., Any]) -> Callable[..., Any]:
    return lambda account, number, _name, *more: add(account, number, "Quicker", *more)


# Messages


@pytest.mark.parametrize("name", ["Lobby", "\u200bLobby\u200b" + "k" * 50])
@pytest.mark.parametrize("how", ["created", "adopted", "renamed", "already verified", "imported"])
def test_no_message_quotes_a_name(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], how: str, name: str
) -> None:
    """The program may keep it secret. Twilio's answer to a refused name may quote it, too."""
    record = sandbox.add_caller_id("+14155550122", "Reception")
    news: dict[str, Any] = {"phone_number": NUMBER if how == "created" else record.phone_number, "friendly_name": name}
    if how in ("adopted", "imported"):
        news |= {"adopt": True} if how == "adopted" else {IMPORT: record.sid}
    for endpoint in ("create", "update"):
        sandbox.fail(endpoint, status=400, code=21456, message=f"{name} can't be used")
    error = ""
    try:
        if how == "renamed":
            provider.update(record.sid, dict(provider.read(record.sid, {}).outs or {}), news)
        else:
            provider.create(news)
    except CallerIdError as failed:
        error = str(failed)
    told = error + capsys.readouterr().err
    assert re.search("HTTP 400|another friendly name|a caller ID of account", told)
    assert [] == [text for text in (name, one_line(name), "Reception") if text in told]


@pytest.mark.parametrize("name", ["front desk", "desk; rm -rf ~", "$(id)", "it's", 'a"b'])
def test_a_command_to_copy_has_the_resources_name_in_quotes(name: str) -> None:
    record = CallerId(sid="PN" + "1" * 32, phone_number=NUMBER, account_sid="AC" + "a" * 32)
    todo = already_verified(record, {}, f"urn:pulumi:test::caller-ids::T::{name}").todo

    [line] = [line.partition("command line")[2] for line in todo.splitlines() if "command line" in line]
    command = ["python", "-m", "pulumi_twilio_caller_id", "import-file", "--phone-number", NUMBER, "--name", name]
    assert [*command, ">", "import.json"] == shlex.split(line)
