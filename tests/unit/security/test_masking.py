"""Secrets that others' texts quote are masked, and objects that hold them don't show them."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import pickle
import traceback
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_twilio_caller_id import lifecycle, pulumi_sdk
from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.errors import BadSid, CallerIdError
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.progress.notifications import Notifier
from pulumi_twilio_caller_id.provider import Provider
from pulumi_twilio_caller_id.settings.model import Settings, load_settings
from pulumi_twilio_caller_id.testing import Sandbox
from pulumi_twilio_caller_id.text import is_displayable, one_line, quote, redact, register_secret, sanitize
from pulumi_twilio_caller_id.verification.status_callback import CallbackEndpoint
from tests.support.leak_search import canary, forms

if TYPE_CHECKING:
    from tests.support.fixtures.unit import Connect

NUMBER = "+14155550101"
TOKEN, OTHER, NOTIFY = canary("token"), canary("other"), f'json://user:{canary("notify")}@host/{canary("path")}?x="é"'


@pytest.mark.parametrize("text", [TOKEN, NOTIFY, 'quo"te and back\\slash', "per%cent & more"])
def test_a_secret_is_masked_in_each_form(text: str) -> None:
    register_secret(text)
    for name in ("plain", "in a URL", "in JSON", "in Python"):
        assert "before [secret] behind" == redact(f"before {forms(text)[name].decode()} behind")


def test_a_secret_that_is_not_valid_unicode_is_masked_too() -> None:
    """As an environment variable in another encoding is."""
    register_secret("caf\udce9" * 4)
    assert "[secret]" == redact("caf\udce9" * 4)


@pytest.mark.parametrize("before", range(35, 100, 8))
def test_a_secret_is_masked_before_a_value_is_cut(before: int) -> None:
    register_secret(TOKEN)
    value = "x" * before + TOKEN
    for shown in (quote(value), str(BadSid(value)), one_line(value, before + len(TOKEN) // 2)):
        assert TOKEN[:10] not in sanitize(shown)


def test_the_longer_of_two_secrets_goes_first() -> None:
    register_secret(TOKEN[:16])
    register_secret(TOKEN)
    assert "[secret] [secret]" == redact(f"{TOKEN} {TOKEN[:16]}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Basic QUM6dG9rZW4=, more", "Authorization: Basic [secret], more"),
        ("{'proxy-authorization': 'basic QUM6dG9rZW4'}", "{'proxy-authorization': 'basic [secret]'}"),
        ("no http://user:pass/w@rd@host:1/ there", "no http://[secret]@host:1/ there"),
        ("https://host/ and a@b", "https://host/ and a@b"),
        ("Basic authentication, Basic Auth", "Basic authentication, Basic Auth"),
    ],
)
def test_what_looks_like_credentials_is_masked(text: str, expected: str) -> None:
    assert expected == redact(text)


def test_words_are_left_alone() -> None:
    register_secret("secret", "", None, 7, ["secret"])
    assert "the secret of the API key" == redact("the secret of the API key")


def test_what_is_set_is_concealed() -> None:
    """Each token of a list and each URL, from config and from the environment."""
    config = {
        "twilio:accountSid": "AC" + "1" * 32,
        "twilio:authToken": TOKEN,
        "twilio:callbackAuthTokens": f"{OTHER},{canary('third')}",
        "twilio:notify": json.dumps([NOTIFY, "jsn://unknown-service"]),
    }
    load_settings(config.get, {"TWILIO_API_KEY": "SK" + "1" * 32, "TWILIO_API_SECRET": canary("api secret")})
    for secret in (TOKEN, OTHER, canary("third"), NOTIFY, "jsn://unknown-service", canary("api secret")):
        assert "[secret]" == sanitize(secret)
        assert "[secret]" == one_line(secret)
        assert "[secret]\n[secret]" == str(CallerIdError(secret, secret))
    for pair in (f"AC{'1' * 32}:{TOKEN}", f"SK{'1' * 32}:{canary('api secret')}"):
        assert "[secret]" == sanitize(base64.b64encode(pair.encode()).decode())


# Others' texts


def test_an_answer_that_echoes_the_request(sandbox: Sandbox, connect: Connect) -> None:
    sent = base64.b64encode(f"{sandbox.account_sid}:{sandbox.auth_token}".encode()).decode()
    register_secret(sandbox.auth_token)
    sandbox.fail("list", status=401, message=f"Authorization: Basic {sent}, password {sandbox.auth_token}")
    with pytest.raises(CallerIdError) as caught:
        connect(attempts=1).find(NUMBER)
    assert "Authorization: Basic [secret], password [secret] (code" in caught.value.what


@pytest.mark.parametrize("url", ["http://user:{}", "user:{}@host:port", "http://user:{}/x@host:1", "http://[{}"])
def test_a_proxys_url_that_cannot_be_read(connect: Connect, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Not even in the traceback, which is shown where the engine can't be reached."""
    monkeypatch.setenv("HTTPS_PROXY", url.format(OTHER))
    with pytest.raises(CallerIdError) as caught:
        connect(url="https://twilio.invalid", attempts=1).find(NUMBER)
    assert OTHER not in "".join(traceback.format_exception(caught.value))


class Context:
    aborted = ""

    def abort(self, _code: str, details: str) -> None:
        self.aborted = details


@pytest.mark.parametrize("error", [LookupError(TOKEN), SystemExit(TOKEN)], ids=["Exception", "SystemExit"])
@pytest.mark.parametrize("method", ["configure", "read"])
def test_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException) -> None:
    """Its traceback gets to the user, less the secrets in it."""
    context = Context()

    def fail(*_: object) -> None:
        raise error

    def servicer(request: object, context: Any) -> None:
        provider = lifecycle.OutgoingCallerIdProvider()
        try:
            settings = {"twilio:accountSid": "AC" + "1" * 32, "twilio:authToken": TOKEN}
            provider.configure(ConfigureRequest(Config(settings, "p")))
            provider.read("PN" + "1" * 32, {})
        except Exception:  # noqa: BLE001 - as the SDK does
            context.abort("UNKNOWN", traceback.format_exc())

    place: tuple[Any, str] = (pulumi_sdk, "config_keys") if method == "configure" else (Client, "fetch")
    monkeypatch.setattr(*place, fail)
    servicer(SimpleNamespace(urn="urn"), context)
    assert "Traceback" in context.aborted
    assert f"{type(error).__name__}: [secret]" in context.aborted
    assert TOKEN not in context.aborted


def test_a_fault_of_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise LookupError(TOKEN)

    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "1" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    monkeypatch.setattr(Client, "stream", fail)
    assert 1 == main(["list"])
    told = capsys.readouterr()
    assert "LookupError: [secret]" in told.err
    assert TOKEN not in told.out + told.err


@pytest.mark.parametrize("url", ["https://hooks.example.com/?key=canary", "https://hooks.example.com/" + "x" * 900])
@pytest.mark.parametrize(("status", "did"), [(400, "refused"), (500, "failed")])
def test_an_answer_that_quotes_the_status_callback(
    url: str, status: int, did: str, sandbox: Sandbox, provider: OutgoingCallerIdProvider
) -> None:
    """The program may keep the URL secret. Long texts of Twilio are cut, so a part of it must not be left either."""
    sandbox.fail("create", status=status, code=21456, message=f"{'Bad URL: ' * 30}{url}")
    with pytest.raises(CallerIdError) as caught:
        provider.create({"phone_number": NUMBER, "friendly_name": "Desk", "status_callback": url})
    assert f"Twilio {did} to verify {NUMBER} (code 21456, HTTP {status})." in str(caught.value)
    assert "hooks.example" not in str(caught.value)


# Objects


@pytest.fixture
def loop() -> Iterator[None]:
    """A program's resources want one in their thread; an earlier test may have taken away the one that was there."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    registrations = asyncio.all_tasks(made)  # which no engine takes
    for registration in registrations:
        registration.cancel()
    made.run_until_complete(asyncio.gather(*registrations, return_exceptions=True))
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture
def holders(sandbox: Sandbox, loop: None) -> dict[str, object]:
    settings = Settings.model_validate(
        {
            "account_sid": sandbox.account_sid,
            "auth_token": TOKEN,
            "api_key": sandbox.api_key,
            "api_secret": OTHER,
            "callback_auth_tokens": [OTHER],
            "notify": [NOTIFY],
            "api_url": sandbox.url,
        }
    )
    return {
        "Settings": settings,
        "TwilioApi": Client(settings),
        "Notifier": Notifier([NOTIFY], print),
        "Reception": CallbackEndpoint("https://hooks.example.com", auth_tokens=settings.signing_tokens),
        "Provider": Provider("eu", account_sid=sandbox.account_sid, auth_token=TOKEN, notify=[NOTIFY]),
    }


@pytest.mark.parametrize("name", ["Settings", "TwilioApi", "Notifier", "Reception", "Provider"])
def test_no_object_shows_what_it_holds(holders: dict[str, object], name: str) -> None:
    holder = holders[name]
    looks: list[Callable[[Any], str]] = [repr, str, "{}".format, "{!r}".format, lambda it: repr([it])]
    if name != "Reception":  # which is made of plain values
        looks.append(lambda it: repr(vars(it)))
    told = "".join(look(holder) for look in looks)
    for secret in (TOKEN, OTHER, NOTIFY, canary("notify"), canary("path")):
        assert secret not in told


@pytest.mark.parametrize("name", ["Settings", "TwilioApi", "Notifier"])
def test_no_pickle_holds_a_secret(holders: dict[str, object], name: str) -> None:
    """A pickle is what the SDK writes into the state."""
    with pytest.raises(TypeError):
        pickle.dumps(holders[name])


def test_settings_can_still_be_copied(holders: dict[str, object]) -> None:
    settings = holders["Settings"]
    assert settings == copy.copy(settings) == copy.deepcopy(settings)
    assert isinstance(settings, Settings)
    assert TOKEN not in settings.model_dump_json() + repr(settings.model_dump())


@pytest.mark.parametrize("value", ["x" * 11, ["x" * 11], {"x" * 11: 1}, [["x"] * 11], ["\x1b"]])
def test_a_value_that_is_too_long_or_steers_a_terminal_is_not_displayable(value: object) -> None:
    assert not is_displayable(value, longest=10)
    assert is_displayable(["x" * 10, {"x": ["y"] * 10}], longest=10)
