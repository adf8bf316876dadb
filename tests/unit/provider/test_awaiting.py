"""`twilio:unverified` set to `await`: which creates await the next `up`, what is said, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_twilio_caller_id.errors import (
    AlreadyVerified,
    Awaiting,
    CallerIdError,
    CredentialsRefused,
    NotKeyedIn,
    NotVerified,
    SettingsError,
    TwilioRefused,
)
from pulumi_twilio_caller_id.models import CallerId
from pulumi_twilio_caller_id.operations.adopt import wants_adoption
from pulumi_twilio_caller_id.settings.model import Settings
from pulumi_twilio_caller_id.verification.waiter import wait_until_verified
from tests.support.local_stack import LocalStack
from tests.support.notify_service import Service
from tests.support.stack_runs import Declared

NUMBER, OTHER = "+14155550101", "+14155550102"
DESK = {"desk": Declared(NUMBER, "Front desk")}
ADVICE = ("Run `pulumi up` again", "Have somebody at the phone; Twilio calls ")
AWAITING = (
    "The number is not in the state yet. The rest is deployed, and `pulumi up` exits with 10 unless something fails."
)


@pytest.fixture
def awaiting(local: LocalStack) -> LocalStack:
    local.config["unverified"] = "await"
    return local


# Which creates await

NOBODY_THERE = {
    "busy": "the line was busy",
    "no-answer": "nobody answered",
    "wrong-code": "no correct code was entered",
    "hangs-up": "no correct code was entered",
    "manual": "the code was not keyed in within 15 s",
}
"""How a phone behaves -> what a create then says."""


@pytest.mark.parametrize(("phone", "happened"), NOBODY_THERE.items())
def test_a_code_that_nobody_keys_in_awaits_with_one_warning(awaiting: LocalStack, phone: str, happened: str) -> None:
    """Pulumi does not show the error of a create that awaits, so the warning has all of it."""
    awaiting.sandbox.set_phone(NUMBER, phone)
    awaiting.up(DESK, fails=f"+1 415-555-0101 was not verified: {happened} (call CA")
    event = awaiting.run.events[-1]

    assert Awaiting is type(event.raised)
    assert event.error == str(event.raised)
    assert event.error.partition("\n")[2].startswith(ADVICE)
    assert AWAITING not in event.error
    assert [f"{event.error}\n{AWAITING}"] == [text for text in event.told if happened in text]
    assert ({}, 1) == (awaiting.held(), len(awaiting.sandbox.calls))


@pytest.mark.parametrize("config", [{}, {"unverified": "fail"}])
@pytest.mark.parametrize(("phone", "happened"), NOBODY_THERE.items())
def test_without_the_setting_it_is_an_error_without_a_warning(
    local: LocalStack, config: dict[str, str], phone: str, happened: str
) -> None:
    local.config |= config
    local.sandbox.set_phone(NUMBER, phone)
    local.up(DESK, fails=happened)
    event = local.run.events[-1]

    assert NotKeyedIn is type(event.raised)
    assert [] == [text for text in event.told if happened in text or AWAITING in text]


@pytest.mark.parametrize(
    ("phone", "fault", "kind", "said"),
    [
        pytest.param("country-blocked", {}, NotVerified, "the call could not be put through", id="call failed"),
        pytest.param("refused", {}, TwilioRefused, "Twilio refused to verify", id="number refused"),
        pytest.param("own-number", {}, TwilioRefused, "code 21449", id="bought from Twilio"),
        pytest.param("no-answer", {"drop": "after"}, NotVerified, "gave no usable answer", id="answer lost"),
        pytest.param("no-answer", {"status": 400, "code": 21216}, TwilioRefused, "code 21216", id="blocked"),
        pytest.param("no-answer", {"status": 401, "code": 20003}, CredentialsRefused, "20003", id="credentials"),
        pytest.param("no-answer", {"status": 400, "code": 21450}, AlreadyVerified, "21450", id="not listed yet"),
    ],
)
def test_what_no_second_call_cures_stays_an_error(
    awaiting: LocalStack, phone: str, fault: dict[str, Any], kind: type[CallerIdError], said: str
) -> None:
    awaiting.sandbox.set_phone(NUMBER, phone)
    if fault:
        awaiting.sandbox.fail("create", times=None, **fault)
    awaiting.up(DESK, fails=said)

    assert kind is type(awaiting.run.events[-1].raised)
    assert AWAITING not in awaiting.run.said
    assert {} == awaiting.held()


def test_an_account_that_can_not_be_looked_into_stays_an_error(awaiting: LocalStack) -> None:
    awaiting.sandbox.set_auth_token("f" * 32)
    awaiting.up(DESK, fails="Twilio refused to look up")
    assert CredentialsRefused is type(awaiting.run.events[-1].raised)


@pytest.mark.parametrize("fault", [{"status": 401, "code": 20003}, {"status": 503}], ids=["refused", "unavailable"])
def test_a_number_that_can_not_be_looked_up_after_its_call_stays_an_error(
    awaiting: LocalStack, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be verified, and somebody at the phone does not cure that Twilio refuses the credentials."""

    def wait(*args: Any, **kwargs: Any) -> CallerId:
        awaiting.sandbox.fail("list", **fault)
        return wait_until_verified(*args, **kwargs)

    monkeypatch.setattr("pulumi_twilio_caller_id.operations.create.wait_until_verified", wait)
    awaiting.sandbox.set_phone(NUMBER, "no-answer")
    awaiting.up(DESK, fails="The final look-up failed: Twilio ")

    assert NotVerified is type(awaiting.run.events[-1].raised)
    assert AWAITING not in awaiting.run.said
    assert ({}, 1) == (awaiting.held(), len(awaiting.sandbox.calls))


def test_whoever_holds_the_phone_is_told_that_the_number_still_waits(awaiting: LocalStack, service: Service) -> None:
    awaiting.config["notify"] = service.url()
    awaiting.sandbox.set_phone(NUMBER, "busy")
    awaiting.up(DESK, fails="the line was busy")
    [(code, _, _), (title, body, kind)] = service.messages()

    assert code.endswith(": enter on +1 415-555-0101")
    assert ("+1 415-555-0101 still waits", "warning") == (title, kind)
    assert body.startswith("the line was busy (call CA")
    assert body.endswith("\nRun `pulumi up` again.")


# The next `up`


def test_the_next_up_calls_again(awaiting: LocalStack) -> None:
    awaiting.sandbox.set_phone(NUMBER, "no-answer")
    awaiting.up(DESK, fails="nobody answered")
    awaiting.sandbox.set_phone(NUMBER, "keys-code")
    awaiting.up(DESK)

    assert ["desk"] == list(awaiting.held())
    assert [NUMBER, NUMBER] == [call.to for call in awaiting.sandbox.calls]


def test_the_next_up_takes_over_what_was_verified_meanwhile(awaiting: LocalStack) -> None:
    """The preview before it says so. The name that the program gives is set."""
    awaiting.sandbox.set_phone(NUMBER, "no-answer")
    awaiting.up(DESK, fails="nobody answered")
    sid = awaiting.sandbox.add_caller_id(NUMBER, "Verified in the Console").sid

    assert {"desk": "create"} == awaiting.preview(DESK)
    assert f"adopt {sid}, no call, and rename it" == awaiting.run.said.strip()
    awaiting.up(DESK)
    assert f"adopted {sid}, no call" in awaiting.run.said
    assert ({"desk": sid}, 1) == (awaiting.held(), len(awaiting.sandbox.calls))
    assert ["Front desk"] == [record.friendly_name for record in awaiting.sandbox.caller_ids]


def test_a_resource_that_forbids_adoption_is_an_error(awaiting: LocalStack) -> None:
    """In the preview and in `up`. What forbids it is the resource's own `adopt`, not the setting's default."""
    awaiting.config["adopt"] = "false"
    sid = awaiting.sandbox.add_caller_id(NUMBER, "Front desk").sid
    refusing = {"desk": Declared(NUMBER, "Front desk", adopt=False)}
    awaiting.preview(refusing, fails=f"it is a caller ID of account {awaiting.sandbox.account_sid} already: {sid}.")
    awaiting.up(refusing, fails=f"already: {sid}.")
    assert ({}, []) == (awaiting.held(), awaiting.sandbox.calls)

    awaiting.up(DESK)
    assert {"desk": sid} == awaiting.held()


@pytest.mark.parametrize(
    ("setting", "unverified", "own", "expected"),
    [
        (False, "fail", None, False),
        (False, "await", None, True),
        (True, "fail", None, True),
        (True, "await", None, True),
        (False, "fail", True, True),
        (False, "await", True, True),
        (True, "await", False, False),
        (False, "await", False, False),
        (True, "fail", False, False),
    ],
)
def test_who_decides_on_adoption(setting: bool, unverified: str, own: bool | None, expected: bool) -> None:
    settings = Settings(
        account_sid="AC" + "1" * 32, auth_token=SecretStr("token"), adopt=setting, unverified=unverified
    )
    assert expected is wants_adoption(settings, own)


# The setting


def test_a_value_that_is_neither_is_a_warning_in_a_preview_and_an_error_in_up(local: LocalStack) -> None:
    """Once for all resources, and nobody is called."""
    local.config["unverified"] = "wait"
    refused = "twilio:unverified 'wait' must be fail or await.\nCorrect twilio:unverified."
    program = {**DESK, "lobby": Declared(OTHER)}

    assert {"desk": "create", "lobby": "create"} == local.preview(program)
    assert 1 == local.run.said.count(refused)
    local.up(program, fails=refused)
    assert [refused, refused] == local.run.failed
    assert {SettingsError} == {type(event.raised) for event in local.run.events if event.raised}
    assert [] == local.sandbox.calls


def test_a_provider_has_a_mode_of_its_own(local: LocalStack) -> None:
    """It wins over the stack's config for the Provider's numbers, and for no other."""
    account = {"accountSid": local.sandbox.account_sid, "authToken": local.sandbox.auth_token}
    local.providers["eu"] = {**account, "unverified": "await"}
    for number in (NUMBER, OTHER):
        local.sandbox.set_phone(number, "busy")
    local.up({**DESK, "berlin": Declared(OTHER, provider="eu")}, fails="the line was busy")

    raised = {event.name: type(event.raised) for event in local.run.events if event.method == "create"}
    assert {"desk": NotKeyedIn, "berlin": Awaiting} == raised
