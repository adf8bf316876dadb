"""Trial accounts, geo permissions, own numbers: what an account may verify and call, and how the provider says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_twilio_caller_id.api.client import Client
from pulumi_twilio_caller_id.errors import TwilioRefused
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.sandbox.account import LocalTwilio
from pulumi_twilio_caller_id.sandbox.account_rules import AccountRules, read_countries
from pulumi_twilio_caller_id.sandbox.credentials import Credentials
from pulumi_twilio_caller_id.sandbox.phones import Delays, PhoneBook
from pulumi_twilio_caller_id.testing import Delays as PublicDelays
from pulumi_twilio_caller_id.testing import Sandbox, TwilioError

NUMBERS = [f"+141555501{index:02d}" for index in range(1, 9)]
SUBACCOUNTS = ["AC" + digit * 32 for digit in "567"]


class World:
    """A local Twilio on a clock that the test moves: a call takes 10 seconds."""

    def __init__(self, phones: dict[str, Any] | None = None, **rules: Any) -> None:
        self.now = 1_795_514_400.0
        self.credentials = Credentials(subaccounts=dict.fromkeys(SUBACCOUNTS, "token"))
        self.twilio = LocalTwilio(
            self.credentials, PhoneBook(phones, Delays(0, 0, 10)), lambda: self.now, account_rules=AccountRules(**rules)
        )

    def verify(self, number: str, account_sid: str = "") -> None:
        """A call from its request to its end."""
        self.place(number, account_sid)
        self.now += 10

    def place(self, number: str, account_sid: str = "") -> None:
        self.twilio.request_validation(account_sid or self.credentials.account_sid, {"PhoneNumber": number})

    def listed(self) -> int:
        return len(self.twilio.caller_ids())


def code(act: Callable[[], object]) -> tuple[int, int]:
    with pytest.raises(TwilioError) as refusal:
        act()
    return refusal.value.status, refusal.value.code


# Trial accounts


def test_a_trial_account_verifies_five_numbers() -> None:
    world = World(trial=True)
    for number in NUMBERS[:5]:
        world.verify(number)
    assert (400, 21453) == code(lambda: world.place(NUMBERS[5]))
    assert 5 == world.listed()
    world.verify(NUMBERS[5], SUBACCOUNTS[0])  # another account, with five of its own
    world.twilio.remove(world.credentials.account_sid, world.twilio.caller_ids()[0].sid)
    world.verify(NUMBERS[6])
    assert 6 == world.listed()


def test_an_account_that_was_upgraded_verifies_more() -> None:
    world = World()
    for number in NUMBERS:
        world.verify(number)
    assert 8 == world.listed()


def test_a_number_counts_while_it_is_being_called_and_no_longer_once_that_failed() -> None:
    world = World({NUMBERS[4]: "hangs-up"}, trial=True)
    for number in NUMBERS[:5]:
        world.place(number)
    world.place(NUMBERS[0])  # the same number once more takes no further place
    assert (400, 21453) == code(lambda: world.place(NUMBERS[5]))
    world.now += 10
    assert 4 == world.listed()
    world.verify(NUMBERS[5])
    assert 5 == world.listed()


def test_a_number_that_will_be_listed_late_counts() -> None:
    world = World({NUMBERS[4]: {"behaviour": "late-listed", "listed_after": 60}}, trial=True)
    for number in NUMBERS[:5]:
        world.verify(number)
    assert 4 == world.listed()
    assert (400, 21453) == code(lambda: world.place(NUMBERS[5]))


def test_a_number_is_verified_in_three_trial_accounts() -> None:
    world = World(trial=True)
    for account_sid in ("", *SUBACCOUNTS[:2]):
        world.verify(NUMBERS[0], account_sid)
    assert (400, 21453) == code(lambda: world.place(NUMBERS[0], SUBACCOUNTS[2]))
    assert (400, 21450) == code(lambda: world.place(NUMBERS[0]))
    world.verify(NUMBERS[1], SUBACCOUNTS[2])


def test_the_limits_hold_for_numbers_that_are_verified_elsewhere() -> None:
    with Sandbox(trial=True, numbers=dict.fromkeys(NUMBERS[:5])) as sandbox:
        assert (400, 21453) == code(lambda: sandbox.add_caller_id(NUMBERS[5]))
    assert (400, 21453) == code(lambda: Sandbox(trial=True, numbers=dict.fromkeys(NUMBERS[:6])))


# Geo permissions


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("+14155550101", "completed"),
        ("+16045550101", "failed"),  # Canada shares its country code with the United States
        ("+493090182000", "completed"),
        ("+442071838750", "failed"),
        ("+80012345678", "failed"),  # of no country
    ],
)
def test_a_call_to_a_country_without_permission_is_accepted_and_fails(number: str, status: str) -> None:
    world = World({"*": {"behaviour": "late-listed", "listed_after": 1}}, geo_permissions=["us", "DE"])
    world.verify(number)
    world.now += 10
    assert [status] == [call.status for call in world.twilio.placed_calls()]
    assert (1 if status == "completed" else 0) == world.listed()


def test_every_country_may_be_called_unless_somebody_says_which() -> None:
    world = World()
    world.verify("+80012345678")
    assert 1 == world.listed()


def test_countries_are_two_letters() -> None:
    assert frozenset({"US", "CA"}) == read_countries(["us", "CA"])
    for given, wrong in ((["USA"], "USA"), (["XX"], "XX"), (["US", ""], "")):
        with pytest.raises(
            ValueError, match=f"^geo_permissions: '{wrong}' is not a country in two letters, such as US"
        ):
            Sandbox(geo_permissions=given)
    with pytest.raises(
        TypeError, match=r"^geo_permissions must be a list of countries such as \['US', 'CA'\], not 'US'"
    ):
        Sandbox(geo_permissions="US")


# As the provider tells it


def refusal(api: Client, number: str) -> str:
    with pytest.raises(TwilioRefused) as refused:
        api.request_validation(OutgoingCallerIdInputs(phone_number=number))
    return str(refused.value)


def test_the_provider_says_which_limit_of_a_trial_account_it_is(connect: Callable[..., Client]) -> None:
    with Sandbox(trial=True, delays=PublicDelays(0, 0, 0), numbers=dict.fromkeys(NUMBERS[:5])) as trial:
        assert refusal(connect(url=trial.url), NUMBERS[5]) == (
            f"Twilio refused to verify {NUMBERS[5]}: A trial account may verify at most 5 numbers "
            f"(code 21453, HTTP 400, account {trial.account_sid}).\n"
            "A trial account may verify at most 5 numbers, and one number may be verified in at most 3 accounts."
        )


def test_the_provider_says_that_a_number_is_in_too_many_accounts(connect: Callable[..., Client]) -> None:
    with Sandbox(trial=True, subaccounts=SUBACCOUNTS, delays=PublicDelays(0, 0, 0)) as trial:
        for account_sid in SUBACCOUNTS:
            trial.add_caller_id(NUMBERS[0], account_sid=account_sid)
        told = refusal(connect(url=trial.url), NUMBERS[0])
        assert "already validated on another account" in told
        assert "one number may be verified in at most 3 accounts" in told


def test_the_provider_says_that_a_number_is_the_account_s_own(connect: Callable[..., Client]) -> None:
    with Sandbox(own_numbers=[NUMBERS[0]]) as sandbox:
        told = refusal(connect(url=sandbox.url), NUMBERS[0])
        assert "The account owns this number, so it can be used as caller ID as it is." in told


def test_the_provider_sees_a_call_that_failed(connect: Callable[..., Client]) -> None:
    with Sandbox(geo_permissions=["US"], delays=PublicDelays(0, 0, 0)) as sandbox:
        api = connect(url=sandbox.url)
        request = api.request_validation(OutgoingCallerIdInputs(phone_number="+442071838750"))
        state = api.call_state(request.call_sid)
        assert state is not None
        assert "failed" == state.status
