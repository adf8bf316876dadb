"""Sids and URLs that would lead a request elsewhere, and values of options: wherever they come from, none gets sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.errors import BadSid, SettingsError
from pulumi_twilio_caller_id.functions import get_outgoing_caller_ids
from pulumi_twilio_caller_id.inputs import validate_inputs
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.provider import resolve_config
from pulumi_twilio_caller_id.resource import OutgoingCallerId, refuse_lone_surrogates
from pulumi_twilio_caller_id.settings.model import load_settings
from pulumi_twilio_caller_id.testing import Sandbox

NUMBER = "+14155550101"
DIGITS = "0123456789abcdef" * 2


def hostile(kind: str) -> list[str]:
    """What is no sid of this kind (PN, AC)."""
    sid = kind + DIGITS
    leading = ["..", ".", "/", "%2F", "?", "#", "%2e%2e%2f", "", " "]
    around = [
        f"{sid}\n",
        f"\n{sid}",
        f" {sid}",
        f"{sid} ",
        f"{sid}\0",
        f"{sid}/..",
        f"../{sid}",
        f"{sid}?x=1",
        f"{sid}.json",
    ]
    digits = [
        kind.lower() + DIGITS,
        kind + DIGITS[1:],
        sid + "0",
        kind + "\u0661" * 32,
        kind + "\uff10" * 32,
        kind + "g" * 32,
    ]
    return [
        *leading,
        *around,
        *digits,
        sid[:9] + "\0" + sid[10:],
        sid[:9] + "\u200b" + sid[10:],
        "\x1b[2J",
        "x" * 10_000,
    ]


OTHER_TYPES: list[Any] = [7, 7.0, True, ["PN" + DIGITS], {"sid": "PN" + DIGITS}]


def refusal(kind: type[Exception], call: Callable[[], object]) -> str:
    """What a call says that is refused, in printable lines of bounded length."""
    with pytest.raises(kind) as refused:
        call()
    text = str(refused.value)
    assert text.replace("\n", "").isprintable()
    assert len(text) < 400
    return text


def test_a_sid_that_is_none_is_never_sent(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """Not of `.get`, not of a state that somebody has edited."""
    for sid in hostile("PN"):
        state = {"sid": sid, "phone_number": NUMBER, "friendly_name": "Desk", "account_sid": sandbox.account_sid}
        for call in (
            partial(provider.read, sid, {}),
            partial(provider.read, sid, state),
            partial(provider.update, sid, state, {"phone_number": NUMBER, "friendly_name": "Lobby"}),
            partial(provider.delete, sid, state),
        ):
            assert "is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits." in refusal(BadSid, call)
    assert [] == sandbox.requests


def test_nor_is_one_that_import_names(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """A preview refuses it; so does `up`, where nobody has looked at a preview."""
    for sid in [*filter(None, hostile("PN")), *OTHER_TYPES]:
        [failure] = provider.check({}, {"phone_number": NUMBER, "__import": sid, "__dry_run": True}).failures
        assert failure.reason.endswith("it is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits")

        told = refusal(BadSid, partial(provider.create, {"phone_number": NUMBER, "__import": sid}))
        assert "is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits." in told
    assert [] == sandbox.requests


def test_an_account_that_is_none_is_never_sent(provider: OutgoingCallerIdProvider, sandbox: Sandbox) -> None:
    """Neither the program's nor that of a state that somebody has edited: another account's 404 drops the number."""
    for sid in [*hostile("AC"), *OTHER_TYPES]:
        _, failures = validate_inputs({"phone_number": NUMBER, "account_sid": sid})
        assert ["account_sid"] == [failure[0] for failure in failures]

        held = "PN" + DIGITS
        state = {"sid": held, "phone_number": NUMBER, "friendly_name": "Desk", "account_sid": sid}
        if sid:  # an empty one is none
            for call in (
                partial(provider.read, held, state),
                partial(provider.update, held, state, {"phone_number": NUMBER, "friendly_name": "Lobby"}),
                partial(provider.delete, held, state),
            ):
                assert "is not the sid of an account: AC and 32 hexadecimal digits." in refusal(SettingsError, call)
    assert [] == sandbox.requests


def test_nor_is_one_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """Config, environment, Provider, command line. Blanks at the ends are taken off: a last line of a file has one."""
    for sid in [sid for sid in hostile("AC") if sid.strip() not in ("AC" + DIGITS, "")]:
        values = {"twilio:accountSid": sid, "twilio:authToken": "t" * 32}
        environment = {"TWILIO_ACCOUNT_SID": sid, "TWILIO_AUTH_TOKEN": "t" * 32}
        assert "AC and 32 hexadecimal digits" in refusal(SettingsError, partial(load_settings, values.get, {}))
        assert "AC and 32 hexadecimal digits" in refusal(
            SettingsError, partial(load_settings, dict[str, str]().get, environment)
        )

        told = refusal(pulumi.RunError, partial(resolve_config, "eu\x1b[2J", {"account_sid": sid}))
        assert "AC and 32 hexadecimal digits" in told

        with pytest.raises(SystemExit) as ended:
            main(["list", "--account-sid", sid])
        told = capsys.readouterr().err
        assert 2 == ended.value.code
        assert "is not the sid of an account (AC and 32 hexadecimal digits)" in told
        assert told.replace("\n", "").isprintable()


def test_a_look_up_refuses_them_too(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)

    for sid in hostile("AC"):
        assert "can't be looked up" in refusal(pulumi.RunError, partial(get_outgoing_caller_ids, account_sid=sid))
    names: list[Any] = ["", 7, ["Desk"]]
    for name in names:
        told = refusal(pulumi.RunError, partial(get_outgoing_caller_ids, friendly_name=name))
        assert "can't be looked up: it must be text, and not empty" in told
    assert [] == get_outgoing_caller_ids(friendly_name="\x1b[2J\u202e&FriendlyName=Desk\0")
    assert [] == get_outgoing_caller_ids(friendly_name="x" * 5000)


@pytest.mark.parametrize("value", ["caf\udce9", "x\ud83d"])
def test_text_in_another_encoding_is_said_to_be_that(value: str) -> None:
    """Python has halves of characters for the bytes of a variable that is no UTF-8; the SDK ends in a traceback."""
    told = refusal(pulumi.RunError, partial(OutgoingCallerId, "desk", phone_number=NUMBER, friendly_name=value))
    assert told.startswith(f"OutgoingCallerId 'desk': friendly_name {value!r} is not valid Unicode.\n")
    assert "the name" in refusal(pulumi.RunError, partial(OutgoingCallerId, value, phone_number=NUMBER))
    fine = {"friendly_name": "d\u00e9sk \U0001f600", "call_delay": 5, "extension": None, "adopt": object()}
    refuse_lone_surrogates("d\u00e9sk \U0001f600", fine)


# URLs

BASE = [
    "..",
    "a/..",
    "%2e%2E",
    "a/%2e%2e/b",
    "./x",
    "\\evil",
    "?",
    "#",
    "?x=1",
    "#x",
    "x y",
    "\n\r",
    "\0",
    "\x1b[2J",
    "\u202e",
]
HOSTS = ["ftp://h", "file:///etc", "//h", "h", "http://", "http://:80", "http://[::1", "http://h:0", "http://h:99999"]
STRANGE = [
    "http://u:p@h",
    "http://u@h",
    "http://h\\@evil",
    "http://m\u00fcnchen.example",
    "http://h:\u0661",
    "http://h:8_0",
]


def test_a_base_url_that_leads_elsewhere_is_refused() -> None:
    for url in [*(f"http://example.com/{path}/x" for path in BASE), *HOSTS, *STRANGE]:
        for key in ("apiUrl", "callbackUrl"):
            values = {"twilio:accountSid": "AC" + DIGITS, "twilio:authToken": "t" * 32, f"twilio:{key}": url}
            told = refusal(SettingsError, partial(load_settings, values.get, {}))
            assert told.startswith(f"twilio:{key}")
            assert "must be a base URL: http or https" in told


@pytest.mark.parametrize(
    "url", ["http://[::1]:8484", "HTTPS://h:8443/a/b", "https://xn--mnchen-3ya.example", "http://h/%2F"]
)
def test_a_base_url_of_any_ordinary_form_is_taken(url: str) -> None:
    values = {"twilio:accountSid": "AC" + DIGITS, "twilio:authToken": "t" * 32, "twilio:apiUrl": f"{url}//"}
    assert url == load_settings(values.get, {}).api_url


def test_the_client_is_never_given_another_path(sandbox: Sandbox) -> None:
    """Whoever asks: the client puts both sids into the path as they are."""
    values = {"twilio:accountSid": sandbox.account_sid, "twilio:authToken": "t" * 32, "twilio:apiUrl": sandbox.url}
    settings = load_settings(values.get, {})

    for sid in hostile("AC"):
        if sid:
            refusal(SettingsError, partial(Client, settings, sid))
    for sid in hostile("PN"):
        for ask in (
            Client(settings).fetch,
            Client(settings).remove,
            lambda sid: Client(settings).rename(sid, "x"),
        ):
            refusal(BadSid, partial(ask, sid))
    assert [] == sandbox.requests
