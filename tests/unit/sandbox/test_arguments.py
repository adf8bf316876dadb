"""What is said about arguments of `testing.Sandbox` that make no sense: each is named, with what it may be."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pulumi_twilio_caller_id.sandbox.arguments import KINDS
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.testing import Delays, Fault, Phone, Sandbox, TwilioError

NUMBER = "+14155550101"
SUBACCOUNT = "AC" + "5" * 32
MAIN = Credentials().account_sid
SECONDS = "a number of seconds, 0 or more"
HOWS = "normally, lost, late, doubled, badly-signed, unsigned, early, shared-key"
FAULTS = "a list of faults, each a Fault or a mapping such as {'endpoint': 'create', 'status': 500}"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def takes_none() -> None:
    """Nothing that is given."""


OTHER_KINDS: list[tuple[str, Any, str]] = [
    ("phones", [NUMBER], "a mapping of phone number to behaviour"),
    ("phones", "busy", "a mapping of phone number to behaviour"),
    ("delays", 0.1, "a Delays(queued=..., rings=..., talks=...)"),
    ("delays", {"queued": 0}, "a Delays(queued=..., rings=..., talks=...)"),
    ("state", 5, "the path of a file"),
    ("state", b"state.json", "the path of a file"),
    ("numbers", [NUMBER], "a mapping of phone number to friendly name"),
    ("numbers", NUMBER, "a mapping of phone number to friendly name"),
    ("own_numbers", NUMBER, "a list of phone numbers"),
    ("own_numbers", None, "a list of phone numbers"),
    ("own_numbers", {NUMBER: "Desk"}, "a list of phone numbers"),
    ("subaccounts", SUBACCOUNT, "a list of AccountSids, or a mapping of AccountSid to auth token"),
    ("subaccounts", None, "a list of AccountSids, or a mapping of AccountSid to auth token"),
    ("trial", "no", "True or False"),
    ("trial", 1, "True or False"),
    ("geo_permissions", "US", "a list of countries such as ['US', 'CA']"),
    ("geo_permissions", True, "a list of countries such as ['US', 'CA']"),
    ("port", "8484", "a whole number, 0 to 65535"),
    ("port", True, "a whole number, 0 to 65535"),
    ("port", 8484.0, "a whole number, 0 to 65535"),
    ("clock", 1_795_514_400.0, "a function without arguments that gives seconds since the epoch"),
    ("clock", math.floor, "a function without arguments that gives seconds since the epoch"),
    ("callbacks", None, f"one of {HOWS}"),
    ("callback_delay", "1", f"{SECONDS}, or None"),
    ("callback_delay", True, f"{SECONDS}, or None"),
    ("faults", {"endpoint": "list", "status": 500}, FAULTS),
    ("faults", "list", FAULTS),
    ("faults", None, FAULTS),
    ("deliver_to", "https://hooks.example.com", "a mapping of public base URL to local one, both texts"),
    ("deliver_to", {"https://hooks.example.com": 8585}, "a mapping of public base URL to local one, both texts"),
    ("on_answer", 5, "a function that takes the record of a request"),
    ("on_answer", takes_none, "a function that takes the record of a request"),
    ("latency", "x", SECONDS),
    ("latency", None, SECONDS),
    ("concurrency", 2.5, "a whole number of requests, 1 or more, or None"),
    ("concurrency", True, "a whole number of requests, 1 or more, or None"),
    ("calls_per_second", "1", "a number above 0, or None"),
    ("calls_per_second", False, "a number above 0, or None"),
]

WRONG_VALUES: list[tuple[str, Any, str]] = [
    ("phones", {NUMBER: "bussy"}, f"phones: {NUMBER}: behaviour 'bussy' is not one of keys-code, wrong-code, "),
    ("phones", {"12": "busy"}, "phones: '12' is not a phone number; write it as +14155550101, or * for all the others"),
    ("phones", {14155550101: "busy"}, "phones: 14155550101 is not a phone number; write it as +14155550101, or * for"),
    ("phones", {NUMBER: {"rings": True}}, f"phones: {NUMBER}: rings True must be {SECONDS}"),
    ("phones", {NUMBER: None}, f"phones: {NUMBER}: None is neither a behaviour (keys-code, wrong-code, "),
    ("numbers", {"desk": "Desk"}, "numbers: 'desk' is not a phone number; write it as +14155550101"),
    ("numbers", {14155550101: "Desk"}, "numbers: 14155550101 is not a phone number; write it as +14155550101"),
    (
        "numbers",
        {"415-555-0101": "", NUMBER: "Desk"},
        f"numbers: '{NUMBER}' is given twice (it is {NUMBER}, however it",
    ),
    (
        "own_numbers",
        [NUMBER, NUMBER],
        f"own_numbers: '{NUMBER}' is given twice (it is {NUMBER}, however it is written)",
    ),
    ("phones", {"415-555-0101": "busy", NUMBER: "busy"}, f"phones: '{NUMBER}' is given twice (it is {NUMBER}, however"),
    ("numbers", {NUMBER: 5}, f"numbers: {NUMBER} must have a text for a friendly name, or None, not 5"),
    ("numbers", {NUMBER: "x" * 65}, f"numbers: {NUMBER}: FriendlyName is at most 64 characters, not 65"),
    ("own_numbers", ["12"], "own_numbers: '12' is not a phone number; write it as +14155550101"),
    ("own_numbers", [14155550101], "own_numbers: 14155550101 is not a phone number; write it as +14155550101"),
    ("subaccounts", ["x"], "subaccounts: 'x' is not the sid of an account: AC and 32 hexadecimal digits"),
    ("subaccounts", {"x": "token"}, "subaccounts: 'x' is not the sid of an account: AC and 32 hexadecimal digits"),
    ("subaccounts", [5], "subaccounts: 5 is not the sid of an account: AC and 32 hexadecimal digits"),
    ("subaccounts", {SUBACCOUNT: 5}, f"subaccounts: the auth token of {SUBACCOUNT} must be a text, and not empty"),
    ("subaccounts", {SUBACCOUNT: ""}, f"subaccounts: the auth token of {SUBACCOUNT} must be a text, and not empty"),
    ("subaccounts", [MAIN], f"subaccounts: {MAIN} is the main account"),
    ("geo_permissions", ["US", "USA"], "geo_permissions: 'USA' is not a country in two letters, such as US (ISO 3166-"),
    ("geo_permissions", [1], "geo_permissions: 1 is not a country in two letters, such as US (ISO 3166-1 alpha-2)"),
    ("port", 99999, "port must be a whole number, 0 to 65535, not 99999"),
    ("port", -1, "port must be a whole number, 0 to 65535, not -1"),
    ("clock", lambda: "now", "clock must give seconds since the epoch, not 'now'"),
    ("clock", lambda: 1_795_514_400_000, "clock must give seconds since the epoch, not 1795514400000"),
    ("callbacks", "never", f"callbacks go {HOWS}, not 'never'"),
    ("callback_delay", 1, "callback_delay is for callbacks='late', not for 'normally'"),
    ("callback_delay", -1, f"callback_delay must be {SECONDS}, or None, not -1"),
    ("callback_delay", math.nan, f"callback_delay must be {SECONDS}, or None, not nan"),
    ("faults", [5], "faults: entry 1: 5 is not a mapping such as {endpoint: create, status: 500}"),
    (
        "faults",
        [Fault("list", status=500), {"status": 500}],
        "faults: entry 2: endpoint is missing: it must be one of ",
    ),
    ("deliver_to", {"hooks": "http://127.0.0.1:1"}, "deliver_to: 'hooks' is not a base URL such as https://hooks.ex"),
    ("latency", -1, "latency is a number of seconds, 0 or more, not -1"),
    ("concurrency", 0, "concurrency is a number of requests, 1 or more, or None, not 0"),
    ("calls_per_second", 0, "calls_per_second is a number above 0, or None for no queue, not 0"),
]

UNCHECKED = {
    "delays",  # Delays checks its own
    "trial",  # there is no third
    "on_answer",
    "state",  # test_testing.py and test_store.py have what is said of files
}
"""Arguments that have no wrong value of the right kind."""


@pytest.mark.parametrize(("name", "value", "allowed"), OTHER_KINDS)
def test_an_argument_of_another_kind(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(TypeError) as refused:
        Sandbox(**{name: value})
    said = str(refused.value)
    assert f"{name} must be {allowed}, not " == said[: len(f"{name} must be {allowed}, not ")]
    assert (1, True) == (len(said.splitlines()), len(said) < 400)


@pytest.mark.parametrize("name", ["latency", "callback_delay", "calls_per_second"])
def test_a_number_beyond_all_that_can_be_reckoned_with(name: str) -> None:
    beyond: dict[str, Any] = {name: 10**400}
    with pytest.raises(TypeError, match=rf"^{name} must be a number .* not 1000"):
        Sandbox(**beyond)


@pytest.mark.parametrize(("name", "value", "message"), WRONG_VALUES)
def test_an_argument_that_makes_no_sense(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is looked at below
        Sandbox(**{name: value})
    said = str(refused.value)
    assert message == said[: len(message)]
    assert name in said
    assert 1 == len(said.splitlines())


def test_every_argument_is_tried_here_and_checked() -> None:
    arguments = set(inspect.signature(Sandbox).parameters)
    assert arguments == set(KINDS)
    assert arguments == {name for name, _, _ in OTHER_KINDS}
    assert arguments - UNCHECKED == {name for name, _, _ in WRONG_VALUES}


@pytest.mark.parametrize(
    "delays", [{"queued": "x"}, {"rings": True}, {"talks": None}, {"queued": 10**400}, {"rings": Fraction(1, 2)}]
)
def test_delays_of_another_kind(delays: dict[str, Any]) -> None:
    [(name, value)] = delays.items()
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Delays(**delays)
    assert f"{name} is {SECONDS}, not {value!r}" == str(refused.value)


def test_what_makes_no_sense_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^faults: entry 1: "):
        Sandbox(state=tmp_path / "state.json", numbers={NUMBER: "Desk"}, faults=[{"endpoint": "lst"}])
    assert [] == list(tmp_path.iterdir())


def test_a_token_is_not_told() -> None:
    for subaccounts in ({"AC1": "canary-token"}, {SUBACCOUNT: b"canary-token"}):
        with pytest.raises(ValueError, match=r"^subaccounts: ") as refused:
            Sandbox(subaccounts=subaccounts)
        assert "canary-token" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phones", {NUMBER: Phone(rings=1), "*": "manual", "415-555-0102": {"rings": 1}}),
        ("phones", {}),
        ("state", "state.json"),
        ("state", Path("state.json")),
        ("numbers", {"415-555-0101": "", "+14155550102": "Desk"}),
        ("own_numbers", (number for number in [NUMBER])),
        ("own_numbers", {NUMBER}),
        ("subaccounts", {SUBACCOUNT: "token"}),
        ("subaccounts", (sid for sid in [SUBACCOUNT, "AC" + "aB" * 16])),
        ("geo_permissions", ("us", "DE")),
        ("geo_permissions", []),
        ("clock", lambda: 0),
        ("faults", (fault for fault in [Fault("list", status=500), {"endpoint": "create", "status": 500}])),
        ("on_answer", print),
        ("on_answer", [].append),
        ("on_answer", partial(print, "asked:", end="")),
        ("on_answer", lambda record, *, end="": (record, end)),
        ("latency", 0),
        ("concurrency", 1),
        ("calls_per_second", 0.5),
    ],
)
def test_arguments_that_do_make_sense(name: str, value: Any) -> None:
    Sandbox(**{name: value})


# An account that is not there


@pytest.mark.parametrize("account_sid", ["ACnope", "AC" + "2" * 32, "", 5])
def test_nothing_is_done_in_an_account_that_is_not_there(account_sid: Any) -> None:
    sandbox = Sandbox(subaccounts=[SUBACCOUNT])
    token = sandbox.auth_token
    acts: list[Callable[[], object]] = [
        lambda: sandbox.add_caller_id(NUMBER, account_sid=account_sid),
        lambda: sandbox.add_caller_id("no number", account_sid=account_sid),
        lambda: sandbox.set_auth_token("new", account_sid),
    ]
    for act in acts:
        with pytest.raises(ValueError) as refused:  # noqa: PT011
            act()
        assert f"account_sid {account_sid!r} must be one of {MAIN}, {SUBACCOUNT}" == str(refused.value)
    assert ([], token, [SUBACCOUNT]) == (sandbox.caller_ids, sandbox.auth_token, list(sandbox.subaccounts))


def test_an_account_that_is_there_may_be_named() -> None:
    sandbox = Sandbox(subaccounts=[SUBACCOUNT])
    for account_sid in (None, SUBACCOUNT):
        sandbox.add_caller_id(NUMBER, account_sid=account_sid)
        with pytest.raises(TwilioError, match="already verified"):
            sandbox.add_caller_id(NUMBER, account_sid=account_sid)
    assert [MAIN, SUBACCOUNT] == [record.account_sid for record in sandbox.caller_ids]
