"""What an account may verify and call, beyond what is right or wrong with a single value.

Source: Twilio docs: usage/trials/try-out-voice (the two limits of trial accounts), api/errors/21453 and 13227.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pulumi_twilio_caller_id.text import quote

from . import errors
from .arguments import of, read_each

TRIAL_NUMBERS = 5
"""How many numbers a trial account may verify."""
TRIAL_ACCOUNTS = 3
"""In how many trial accounts, subaccounts counted, one number may be verified."""


class AccountRules:
    """The rules that every account of a sandbox is subject to.

    `trial`: they are trial accounts. `geo_permissions`: the countries that may be called, as two letters (ISO 3166-1
    alpha-2); None: all. `own_numbers`: Twilio numbers of the main account.

    Raises `ValueError` for a country that is none, and for an own number that is none.
    """

    def __init__(
        self, *, trial: bool = False, geo_permissions: Iterable[str] | None = None, own_numbers: Iterable[str] = ()
    ) -> None:
        self._trial = trial
        with of("geo_permissions"):
            self._countries = None if geo_permissions is None else read_countries(geo_permissions)
        with of("own_numbers"):
            self._own_numbers = frozenset(read_each(own_numbers))

    def owns(self, phone_number: str) -> bool:
        """Whether it is a Twilio number of the main account."""
        return phone_number in self._own_numbers

    def may_call(self, phone_number: str) -> bool:
        """Whether the geo permissions cover a number's country. A call to another one is accepted, and then fails."""
        return self._countries is None or _country(phone_number) in self._countries

    def check_limits(self, account_sid: str, phone_number: str, taken: Iterable[tuple[str, str]]) -> None:
        """`TwilioError` (21453) where a trial account may not verify one more number.

        `taken`: account and number of all that are verified or being called. That a number counts while it is being
        called is a guess; so is that each account has five numbers of its own.
        """
        if not self._trial:
            return
        taken = set(taken) - {(account_sid, phone_number)}
        if len({account for account, number in taken if number == phone_number}) >= TRIAL_ACCOUNTS:
            raise errors.verified_in_other_accounts()
        if len({number for account, number in taken if account == account_sid}) >= TRIAL_NUMBERS:
            raise errors.too_many_numbers(TRIAL_NUMBERS)


def read_countries(given: Iterable[str]) -> frozenset[str]:
    """Countries as two capital letters; `ValueError` for the first that is none that has phone numbers."""
    import phonenumbers  # its tables take a while to load

    countries = set()
    for country in given:
        code = country.upper() if isinstance(country, str) else ""
        if not re.fullmatch("[A-Z]{2}", code) or code not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{quote(country)} is not a country in two letters, such as US (ISO 3166-1 alpha-2)")
        countries.add(code)
    return frozenset(countries)


def _country(phone_number: str) -> str | None:
    """None for what belongs to no country, such as +800."""
    import phonenumbers

    number = phonenumbers.parse(phone_number)
    # A number that nobody has tells no country by itself; its country code's main one is the best there is then.
    main = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return phonenumbers.region_code_for_number(number) or main
