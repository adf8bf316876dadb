"""What a preview says about new and replaced resources, and which requests it makes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, TypeVar

import pulumi.output
import pytest
from pulumi.dynamic import CheckResult, Config, ConfigureRequest

from pulumi_twilio_caller_id.inputs import CREATE_TIMEOUT, DRY_RUN, IMPORT
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Sandbox

NUMBER = "+14155550101"
OTHER = "+14155550102"
NO_SUCH = "PN" + "0" * 32
SUBACCOUNT = "AC" + "5" * 32
UNKNOWN = pulumi.output.Unknown()  # type: ignore[no-untyped-call]

Preview = Callable[..., str]
T = TypeVar("T")


@pytest.fixture
def preview(provider: OutgoingCallerIdProvider, capsys: pytest.CaptureFixture[str]) -> Preview:
    """Preview a new resource of this name. All belong to one operation. Give what its row says, or the failures."""

    def check(name: str, /, **news: Any) -> str:
        failures = for_resource(name, lambda: provider.check({}, {**news, DRY_RUN: True})).failures
        told = capsys.readouterr().err
        return "\n".join(f"{failure.property}: {failure.reason}" for failure in failures) or told

    return check


def for_resource(name: str, act: Callable[[], T]) -> T:
    """Act within an RPC of the engine about this resource."""

    def servicer(request: object, context: object) -> T:
        return act()

    return servicer(SimpleNamespace(urn=f"urn:pulumi:test::caller-ids::T::{name}"), SimpleNamespace())


def reconfigure(provider: OutgoingCallerIdProvider, sandbox: Sandbox, **more: str) -> None:
    keys = {"accountSid": sandbox.account_sid, "authToken": sandbox.auth_token, "apiUrl": sandbox.url, **more}
    provider.configure(ConfigureRequest(Config({f"twilio:{key}": value for key, value in keys.items()}, "project")))


def test_a_verified_number_fails_and_says_how_to_go_on(preview: Preview, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER).sid
    told = preview("front-desk", phone_number=NUMBER)
    assert (
        f"phone_number: it is a caller ID of account {sandbox.account_sid} already: {sid}. No call was placed." in told
    )
    ways = ["--config twilio:adopt=true", "config rm twilio:adopt", "adopt=True", f'import_="{sid}"', "import-file"]
    assert ways == sorted(ways, key=told.index)
    assert "will call +1 415-555-0102 " in preview("other", phone_number=OTHER)
    assert ["list"] == [request.endpoint for request in sandbox.requests]


def test_what_may_keep_up_from_failing_is_told(preview: Preview, sandbox: Sandbox) -> None:
    sid = sandbox.add_caller_id(NUMBER).sid
    told = f"+1 415-555-0101 is already verified as {sid}: `pulumi up` will fail unless "
    assert f"{told}adopt, not known yet, turns out true\n" == preview("a", phone_number=NUMBER, adopt=UNKNOWN)


def test_how_long_somebody_has_to_key_in_the_code_is_told(preview: Preview) -> None:
    for timeout, within in (("8m", "8 min"), ("90s", "90s"), ("1h30m", "1h30m")):
        told = f"`pulumi up` will call the number (someone must key in a 6-digit code within {within})\n"
        assert told == preview("desk", phone_number=UNKNOWN, **{CREATE_TIMEOUT: timeout})


def test_what_a_replacement_deletes_is_told(provider: OutgoingCallerIdProvider, preview: Preview) -> None:
    """The engine compares the resource with the state, then checks it again as a new one."""
    olds, news = {"phone_number": NUMBER}, {"phone_number": OTHER}
    for_resource("desk", lambda: provider.check(olds, {**news, DRY_RUN: True}))
    assert ["phone_number"] == for_resource("desk", lambda: provider.diff(NO_SUCH, olds, news)).replaces
    within = "someone must key in a 6-digit code within 5 min"
    delete = f"then delete +1 415-555-0101 ({NO_SUCH}) unless another resource or retain_on_delete keeps it"
    assert f"`pulumi up` will call +1 415-555-0102 ({within}), {delete}\n" == preview("desk", phone_number=OTHER)


def test_an_import_of_what_is_not_the_one_declared(preview: Preview, sandbox: Sandbox) -> None:
    """Each message names what differs. A listing may lag: what it lacks is asked for before it is called missing."""
    sid = sandbox.add_caller_id(NUMBER, "Front desk").sid
    not_there = "the account has no such OutgoingCallerId (20404)"
    assert f": import_ is '{NO_SUCH}': {not_there}; the caller ID of {NUMBER} is {sid}: give that sid" == preview(
        "desk", phone_number=NUMBER, **{IMPORT: NO_SUCH}
    )
    deleted = f"{not_there}. If it was deleted, remove import_: `pulumi up` will then call the number. A number bought"
    deleted += " from Twilio has such a sid too, but is not an OutgoingCallerId"
    assert f": import_ is '{NO_SUCH}': {deleted}" == preview("lobby", phone_number=OTHER, **{IMPORT: NO_SUCH})
    number_differs = f"{sid}, which import_ names, is {NUMBER} at Twilio: correct the number or the sid, or remove"
    number_differs += " import_ to have the number called"
    assert f"phone_number: {number_differs}" == preview("lobby", phone_number=OTHER, **{IMPORT: sid})
    told = preview("desk", phone_number=NUMBER, friendly_name="Reception", **{IMPORT: sid})
    assert told.startswith(f"friendly_name: {sid}, which import_ names, has another friendly name at Twilio, and an")
    assert "Front desk" not in told

    assert f"import {sid}, no call\n" == preview("desk", phone_number=NUMBER, **{IMPORT: sid})
    assert ["list", "fetch", "fetch"] == [request.endpoint for request in sandbox.requests]


def test_an_adoption_that_renames_says_so_without_the_names(preview: Preview, sandbox: Sandbox) -> None:
    """Blanks at the ends and another form of accents are no other name, neither here nor for an import."""
    sid = sandbox.add_caller_id(NUMBER, "Caf\u00e9").sid
    same = {"phone_number": NUMBER, "friendly_name": " Cafe\u0301 "}
    assert f"adopt {sid}, no call\n" == preview("desk", **same, adopt=True)
    assert f"import {sid}, no call\n" == preview("desk", **same, **{IMPORT: sid})
    assert f"adopt {sid}, no call, and rename it\n" == preview("desk", **{**same, "friendly_name": "B"}, adopt=True)


def test_each_account_is_listed_once(preview: Preview, provider: OutgoingCallerIdProvider) -> None:
    with Sandbox(subaccounts=[SUBACCOUNT]) as sandbox:
        reconfigure(provider, sandbox)
        sid = sandbox.add_caller_id(NUMBER, account_sid=SUBACCOUNT).sid
        assert "will call +1 415-555-0101 " in preview("desk", phone_number=NUMBER)
        of_subaccount = {"adopt": True, "account_sid": SUBACCOUNT}
        assert f"adopt {sid}, no call\n" == preview("sub-0", phone_number=NUMBER, **of_subaccount)
        assert "will call +1 415-555-0102 " in preview("sub-1", phone_number=OTHER, **of_subaccount)
        assert [sandbox.account_sid, SUBACCOUNT] == [request.path.split("/")[3] for request in sandbox.requests]


def test_a_large_account_is_read_page_by_page(preview: Preview, provider: OutgoingCallerIdProvider) -> None:
    with Sandbox(numbers={f"+1415{n:07}": None for n in range(5550000, 5552000)}) as sandbox:
        reconfigure(provider, sandbox)
        last = sandbox.caller_ids[-1]
        assert f"adopt {last.sid}, no call\n" == preview("last", phone_number=last.phone_number, adopt=True)
        assert 2 == len(sandbox.requests)


TROUBLE: dict[str, tuple[dict[str, Any], str]] = {
    "refused": ({"status": 401, "code": 20003}, "Twilio refused to list the caller IDs of"),
    "down": ({"status": 503}, "Twilio failed to list the caller IDs of"),
    "no answer": ({"drop": "before"}, "and gave no usable answer"),
}


@pytest.mark.parametrize(("fault", "told"), TROUBLE.values(), ids=TROUBLE)
def test_where_twilio_does_not_answer_a_preview_warns_once(
    preview: Preview, sandbox: Sandbox, fault: dict[str, Any], told: str
) -> None:
    sandbox.fail("list", **fault)
    first = preview("desk-0", phone_number=NUMBER)
    assert 1 == first.count("This preview can't tell verified numbers from new ones: ")
    assert told in first
    assert first.endswith("`pulumi up` will call +1 415-555-0101 (someone must key in a 6-digit code within 5 min)\n")
    assert preview("desk-1", phone_number=OTHER).startswith("`pulumi up` will call +1 415-555-0102 (")
    assert {"list"} == {request.endpoint for request in sandbox.requests}
    assert len(sandbox.requests) <= 2


def test_resources_that_are_checked_at_the_same_time_share_one_listing(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    def check(number: str) -> CheckResult:
        news = {"phone_number": number, DRY_RUN: True}
        return for_resource(f"desk-{number}", lambda: provider.check({}, news))

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(check, [f"+1415555010{n}" for n in range(8)]))
    assert [[]] * 8 == [result.failures for result in results]
    assert ["list"] == [request.endpoint for request in sandbox.requests]


def test_settings_that_make_no_sense_are_a_warning(
    preview: Preview, provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    reconfigure(provider, sandbox, preflight="maybe")
    told = "twilio:preflight 'maybe' must be true or false.\nCorrect twilio:preflight.\n"
    assert preview("desk", phone_number=NUMBER).startswith(told)
    assert preview("other", phone_number=OTHER).startswith("`pulumi up` will call +1 415-555-0102 (")
    assert [] == sandbox.requests


def test_without_credentials_a_preview_says_once_what_it_could_not_check(
    preview: Preview, provider: OutgoingCallerIdProvider
) -> None:
    provider.configure(ConfigureRequest(Config({}, "project")))
    told = "could not check which numbers are verified already: no credentials; `pulumi up` will need them\n"
    call = "`pulumi up` will call {} (someone must key in a 6-digit code within 5 min)\n"
    assert told + call.format("+1 415-555-0101") == preview("desk", phone_number=NUMBER)
    assert call.format("+1 415-555-0102") == preview("other", phone_number=OTHER)


@pytest.mark.parametrize(
    ("written", "assumed"),
    [
        ("030 90182000", True),
        ("tel:030/90182000", True),
        ("49 30 90182000", True),
        ("+49 30 90182000", False),
        ("\N{FULLWIDTH PLUS SIGN}493090182000", False),
        ("(+49) 30 90182000", False),
        ("00 49 30 90182000", False),
    ],
)
def test_a_number_that_does_not_name_its_country_says_which_was_assumed(
    preview: Preview, provider: OutgoingCallerIdProvider, sandbox: Sandbox, written: str, assumed: bool
) -> None:
    reconfigure(provider, sandbox, defaultRegion="de")
    call = "`pulumi up` will call +49 30 90182000 (someone must key in a 6-digit code within 5 min)"
    note = "; DE is assumed, as the number does not begin with + (twilio:defaultRegion)" if assumed else ""
    assert f"{call}{note}\n" == preview("berlin", phone_number=written)


def test_without_a_preflight_twilio_is_not_asked(
    preview: Preview, provider: OutgoingCallerIdProvider, sandbox: Sandbox
) -> None:
    sandbox.add_caller_id(NUMBER)
    reconfigure(provider, sandbox, preflight="false")
    assert preview("desk", phone_number=NUMBER).startswith("`pulumi up` will call +1 415-555-0101 (")
    assert [] == sandbox.requests
