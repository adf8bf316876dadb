"""The provider without the engine, against the sandbox: what each method answers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pulumi.output
import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider

from pulumi_twilio_caller_id.errors import AlreadyVerified, BadSid, Gone, NotVerified, SettingsError
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Delays, Sandbox
from tests.support.new_process import forget_all

PROVIDER = (
    "gASVRQAAAAAAAACMIXB1bHVtaV90d2lsaW9fY2FsbGVyX2lkLmxpZmVjeWNsZZSMGE91dGdvaW5nQ2FsbGVySWRQcm92aWRlcpSTlCmBlC4="
)
OTHER_ACCOUNT = "AC" + "f" * 32
UNKNOWN = pulumi.output.Unknown()  # type: ignore[no-untyped-call]


def configure(config: dict[str, Any]) -> OutgoingCallerIdProvider:
    provider = OutgoingCallerIdProvider()
    provider.configure(ConfigureRequest(Config(config, "project")))
    return provider


def for_resource(name: str, call: Callable[[], Any]) -> Any:
    """Calls as the engine does for the resource of this name: with its request and context in the frame."""

    def servicer(request: object, context: object) -> Any:
        return call()

    return servicer(SimpleNamespace(urn=f"urn:pulumi:test::caller-ids::T::{name}"), SimpleNamespace())


@pytest.fixture
def account() -> Iterator[Sandbox]:
    with Sandbox(delays=Delays(queued=0, rings=0, talks=0)) as running:
        yield running


@pytest.fixture
def provider(account: Sandbox) -> OutgoingCallerIdProvider:
    return configured_for(account)


def configured_for(account: Sandbox) -> OutgoingCallerIdProvider:
    return configure(
        {
            "twilio:accountSid": account.account_sid,
            "twilio:authToken": account.auth_token,
            "twilio:apiUrl": account.url,
        }
    )


# the reference in every state file


def test_the_pickle_is_a_bare_reference_for_ever() -> None:
    """States written by any earlier release hold these bytes: they must always lead here."""
    assert serialize_provider(OutgoingCallerIdProvider()) == PROVIDER
    assert b"pulumi_twilio_caller_id.lifecycle" in base64.b64decode(PROVIDER)
    assert False is OutgoingCallerIdProvider.serialize_as_secret_always


def test_configuring_leaves_no_trace_in_the_instance() -> None:
    assert vars(configure({"twilio:authToken": "token"})) == {}


# check


def test_check_normalises() -> None:
    result = configure({}).check({}, {"phone_number": "(415) 555-0101", "call_delay": 5.0, "__provider": PROVIDER})

    assert result.failures == []
    assert result.inputs == {"phone_number": "+14155550101", "call_delay": 5}
    assert int is type(result.inputs["call_delay"])


def test_check_lets_unknowns_through_and_refuses_the_rest() -> None:
    result = configure({}).check({}, {"phone_number": UNKNOWN, "call_delay": 61.0})

    assert {"phone_number": UNKNOWN} == result.inputs
    assert [failure.property for failure in result.failures] == ["call_delay"]


def test_check_reads_numbers_of_the_default_region() -> None:
    german = configure({"twilio:defaultRegion": "de"})

    assert german.check({}, {"phone_number": "030 90182000"}).inputs == {"phone_number": "+493090182000"}
    [failure] = configure({"twilio:defaultRegion": "Germany"}).check({}, {"phone_number": "030 90182000"}).failures
    assert "twilio:defaultRegion is 'GERMANY', not a country" in failure.reason


def test_a_region_that_is_none_is_named_as_the_argument_of_a_provider_in_its_process() -> None:
    """An Output's value is not known before."""
    eu = configure({"twilio:provider": "eu", "twilio:defaultRegion": "XX"})

    [failure] = eu.check({}, {"phone_number": "030 90182000"}).failures
    assert (
        "it can't be read: Provider eu's default_region is 'XX', not a country such as US, GB or DE" == failure.reason
    )


# diff

OLDS = {
    "sid": "PN" + "1" * 32,
    "phone_number": "+14155550101",
    "friendly_name": "Desk",
    "account_sid": "AC" + "a" * 32,
    "__provider": PROVIDER,
}
SAME = {"phone_number": "+14155550101", "friendly_name": "Desk", "__provider": PROVIDER}


@pytest.mark.parametrize(
    ("news", "changes", "replaces"),
    [
        pytest.param(SAME, False, [], id="nothing"),
        pytest.param({**SAME, "friendly_name": "Lobby"}, True, [], id="another name"),
        pytest.param({**SAME, "friendly_name": None}, False, [], id="name no longer managed"),
        pytest.param({**SAME, "phone_number": "+14155550102"}, True, ["phone_number"], id="another number"),
        pytest.param({**SAME, "account_sid": OTHER_ACCOUNT}, True, ["account_sid"], id="another account"),
        pytest.param({**SAME, "account_sid": "AC" + "a" * 32}, False, [], id="the same account, named"),
        pytest.param(
            {**SAME, "call_delay": 5, "extension": "1", "status_callback": "https://x.com"}, False, [], id="call"
        ),
        pytest.param({**SAME, "__provider": "other"}, True, [], id="another provider reference"),
        pytest.param({**SAME, "phone_number": UNKNOWN}, True, ["phone_number"], id="unknown number"),
        pytest.param({**SAME, "friendly_name": UNKNOWN}, True, [], id="unknown name"),
    ],
)
def test_diff(news: dict[str, Any], changes: bool, replaces: list[str]) -> None:
    result = configure({}).diff(OLDS["sid"], OLDS, news)

    assert (changes, replaces) == (result.changes, result.replaces)


def test_diff_against_the_account_that_is_set() -> None:
    """No account named means the account of the settings: where that is another one now, so is the caller ID."""
    assert configure({"twilio:accountSid": OTHER_ACCOUNT}).diff("PN", OLDS, SAME).replaces == ["account_sid"]
    assert configure({"twilio:accountSid": OLDS["account_sid"]}).diff("PN", OLDS, SAME).replaces == []
    assert configure({"twilio:accountSid": "nonsense"}).diff("PN", OLDS, SAME).replaces == []


def test_diff_of_a_state_that_does_not_know_its_account() -> None:
    olds = {name: value for name, value in OLDS.items() if name != "account_sid"}

    assert configure({"twilio:accountSid": OTHER_ACCOUNT}).diff("PN", olds, SAME).replaces == []


# create, read, update, delete


def test_create_then_read_then_rename_then_delete(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    created = provider.create({"phone_number": "+14155550101", "friendly_name": "Desk", "__provider": PROVIDER})
    [record] = account.caller_ids
    assert record.sid == created.id
    outs = created.outs or {}
    assert {
        "sid": record.sid,
        "phone_number": "+14155550101",
        "friendly_name": "Desk",
        "account_sid": account.account_sid,
        "uri": f"/2010-04-01/Accounts/{account.account_sid}/OutgoingCallerIds/{record.sid}.json",
    } == {name: value for name, value in outs.items() if not name.startswith("date")}

    read = provider.read(created.id, {**outs, "__provider": PROVIDER})
    assert (created.id, outs, None) == (read.id, read.outs, read.inputs)

    updated = provider.update(created.id, {**outs, "__provider": PROVIDER}, {**SAME, "friendly_name": "Lobby"})
    assert (updated.outs or {})["friendly_name"] == "Lobby"
    assert set(outs) == set(updated.outs or {})

    provider.delete(created.id, outs)
    assert [created.id] == [record.sid for record in account.caller_ids], "what has just been created stays"
    forget_all()  # another operation
    configured_for(account)
    provider.delete(created.id, outs)
    provider.delete(created.id, outs)
    assert account.caller_ids == []
    gone = provider.read(created.id, outs)
    assert (gone.id, gone.outs) == ("", {})


def test_update_for_the_provider_reference_alone_asks_twilio_nothing(
    provider: OutgoingCallerIdProvider, account: Sandbox
) -> None:
    result = provider.update(OLDS["sid"], {**OLDS, "__provider": "old"}, SAME)

    assert {name: value for name, value in OLDS.items() if name != "__provider"} == result.outs
    assert account.requests == []


def test_update_of_one_that_is_gone(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    olds = {**OLDS, "account_sid": account.account_sid}
    with pytest.raises(Gone, match="Run `pulumi refresh`"):
        provider.update(OLDS["sid"], olds, {**SAME, "friendly_name": "Lobby"})


def test_get_of_one_that_is_not_there_is_an_error(provider: OutgoingCallerIdProvider) -> None:
    """An empty answer would become an empty resource in the state."""
    with pytest.raises(Gone, match="There is no OutgoingCallerId PN1111"):
        provider.read(OLDS["sid"], {"__provider": PROVIDER})


def test_read_asks_the_account_that_the_number_is_in(account: Sandbox) -> None:
    """The settings may name another account by now: a 404 of that one would drop the number from state."""
    subaccount = "AC" + "5" * 32
    with Sandbox(subaccounts={subaccount: "t" * 32}) as twilio:
        record = twilio.add_caller_id("+14155550101", account_sid=subaccount)
        provider = configure(
            {
                "twilio:accountSid": twilio.account_sid,
                "twilio:authToken": twilio.auth_token,
                "twilio:apiUrl": twilio.url,
            }
        )
        assert record.sid == provider.read(record.sid, {"sid": record.sid, "account_sid": subaccount}).id


def test_what_is_not_a_sid_never_reaches_twilio(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    for sid in ("../Calls", "", "PN1", "PN" + "g" * 32, "PN" + "1" * 32 + "\n"):
        with pytest.raises(BadSid):
            provider.read(sid, {"__provider": PROVIDER})
        with pytest.raises(BadSid):
            provider.delete(sid, OLDS)
    assert account.requests == []


def test_create_without_an_account_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="no account sid and no auth token"):
        configure({}).create({"phone_number": "+14155550101"})


def test_create_of_a_number_that_is_verified_already(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    record = account.add_caller_id("+14155550101")
    with pytest.raises(AlreadyVerified, match=record.sid):
        provider.create({"phone_number": "+14155550101"})
    assert account.calls == []


def test_21450_is_recognised_by_its_code(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    """Verified between the look-up and the request, with a text nobody has seen before."""
    account.fail("create", times=1, status=400, code=21450, message="numéro déjà vérifié")
    account.fail("list", times=1, status=200, body='{"outgoing_caller_ids": []}')
    record = account.add_caller_id("+14155550101")
    with pytest.raises(AlreadyVerified, match=record.sid):
        provider.create({"phone_number": "+14155550101"})


def test_21450_without_such_a_number_in_the_list(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    account.fail("create", times=1, status=400, code=21450, message="Phone number is already verified.")
    with pytest.raises(AlreadyVerified, match=r"but its list does not show it yet \(code 21450\)"):
        provider.create({"phone_number": "+14155550101"})


def test_21450_of_a_number_to_adopt(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    account.fail("list", times=1, status=200, body='{"outgoing_caller_ids": []}')
    record = account.add_caller_id("+14155550101", "Desk")

    created = provider.create({"phone_number": "+14155550101", "adopt": True})
    assert (record.sid, "Desk") == (created.id, (created.outs or {})["friendly_name"])
    assert [] == account.calls


# what is verified already


def test_import_without_the_engines_call_in_reach(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    """The sid then goes to create among the inputs, and leaves them with the next check."""
    record = account.add_caller_id("+14155550101")
    checked = provider.check({}, {"phone_number": "+14155550101", "__import": record.sid, "__provider": PROVIDER})
    assert {"phone_number": "+14155550101", "__import": record.sid} == checked.inputs
    created = provider.create(checked.inputs)
    assert record.sid == created.id
    assert [] == account.calls

    again = provider.check(checked.inputs, {"phone_number": "+14155550101", "__import": record.sid})
    assert {"phone_number": "+14155550101"} == again.inputs
    assert False is provider.diff(created.id, {**(created.outs or {})}, again.inputs).changes


def test_import_leaves_no_trace_in_the_inputs(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    record = account.add_caller_id("+14155550101")
    news = {"phone_number": "+14155550101", "__import": record.sid, "__create_timeout": "8m"}
    checked = for_resource("desk", lambda: provider.check({}, news))

    assert ([], {"phone_number": "+14155550101"}) == (checked.failures, checked.inputs)
    assert record.sid == for_resource("desk", lambda: provider.create(checked.inputs)).id
    assert [] == account.calls


def test_delete_leaves_what_another_resource_has_by_now(
    provider: OutgoingCallerIdProvider, account: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Created, or declared and found unchanged, in this operation; unless it is to be replaced itself."""
    record = account.add_caller_id("+14155550101", "Desk")
    olds = provider.read(record.sid, {}).outs or {}

    def declare(number: str) -> None:
        news = {"phone_number": number}
        for_resource("new", lambda: provider.check({"phone_number": "+14155550101"}, news))
        for_resource("new", lambda: provider.diff(record.sid, olds, news))

    declare("+14155550101")
    for_resource("old", lambda: provider.delete(record.sid, olds))
    assert [record.sid] == [kept.sid for kept in account.caller_ids]

    declare("+14155550102")
    for_resource("old", lambda: provider.delete(record.sid, olds))
    assert [] == account.caller_ids


def test_a_refresh_holds_nothing(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    """It calls diff too, and what follows may be a destroy."""
    record = account.add_caller_id("+14155550101", "Desk")
    olds = provider.read(record.sid, {}).outs or {}
    for_resource("desk", lambda: provider.diff(record.sid, olds, {"phone_number": "+14155550101"}))
    for_resource("desk", lambda: provider.delete(record.sid, olds))

    assert [] == account.caller_ids


def test_busy(provider: OutgoingCallerIdProvider, account: Sandbox) -> None:
    account.set_phone("+14155550101", "busy")
    with pytest.raises(NotVerified, match="the line was busy"):
        provider.create({"phone_number": "+14155550101"})
    assert len(account.calls) == 1
