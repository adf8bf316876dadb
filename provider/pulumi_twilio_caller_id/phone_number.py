"""Parses phone numbers in any form that people write, and formats them in E.164 or for people."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from .text import quote

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# phonenumbers is imported late everywhere: its metadata is large, and most operations need none of it.

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
VALIDATION_CALL_FROM = "+14157234000"
"""The number that all validation calls come from (Twilio docs: voice/api/verifying-caller-ids-scale)."""

_CATEGORIES_IN_NUMBERS = ("Nd", "Pd", "Ps", "Pe", "Zs")
"""Unicode categories: digits of all scripts, dashes, opening and closing brackets, and spaces."""

_PARSE_REASONS = {
    0: "it has a country code that does not exist",  # INVALID_COUNTRY_CODE
    1: "it is not a phone number",  # NOT_A_NUMBER
    2: "it is too short after its country code",  # TOO_SHORT_AFTER_IDD
    3: "it is too short to be a phone number",  # TOO_SHORT_NSN
    4: "it is too long to be a phone number",  # TOO_LONG
}
"""Reasons by `error_type` of phonenumbers' NumberParseException."""

_LENGTH_REASONS = {
    1: "it has a country code that does not exist",  # INVALID_COUNTRY_CODE
    2: "it is too short for its country",  # TOO_SHORT
    3: "it is too long for its country",  # TOO_LONG
    4: "it lacks its area code",  # IS_POSSIBLE_LOCAL_ONLY
    5: "it has a length that its country does not use",  # INVALID_LENGTH
}
"""Reasons by phonenumbers' ValidationResult."""


class DefaultRegion(NamedTuple):
    """The country of numbers without a country code, and the name of the setting that it comes from."""

    country: str = "US"  # Twilio, too, reads a number without a country code as a US number
    setting: str = "twilio:defaultRegion"


DEFAULT_REGION = DefaultRegion()


def is_country(code: str) -> bool:
    """Whether a text is the code of a country, such as US. phonenumbers calls a country a region."""
    import phonenumbers

    return code in phonenumbers.SUPPORTED_REGIONS


def e164(number: str, region: DefaultRegion = DEFAULT_REGION, *, old_number: str | None = None) -> str:
    """Parse a number and return it in E.164, such as `+14155550101`.

    old_number: the number in the state. It is kept if `number` could be it, even if a newer phonenumbers parses
    `number` differently: an upgrade must replace no resource.

    Raises ValueError, with the reason, for a text that can't be a phone number.
    """
    cleaned = _cleaned(number)
    digits = "".join(str(unicodedata.digit(char)) for char in cleaned if unicodedata.category(char) == "Nd")
    old_number = old_number if E164.fullmatch(old_number or "") else None
    # A plus and the old number's digits can only mean the old number, so phonenumbers need not be loaded.
    if old_number == f"+{digits}" and re.fullmatch("[+\uff0b]+[^+\uff0b]*", cleaned):
        _check_characters(cleaned)
        return old_number

    import phonenumbers

    if not is_country(region.country):
        reason = f"{region.setting} is {quote(region.country)}, not a country such as US, GB or DE"
        raise ValueError(f"it can't be read: {reason}")
    try:
        parsed = phonenumbers.parse(cleaned, region.country, keep_raw_input=True)
    except phonenumbers.NumberParseException as failed:
        raise ValueError(_PARSE_REASONS.get(failed.error_type, "it is not a phone number")) from None
    if parsed.extension:
        raise ValueError(f"it holds an extension: put {parsed.extension!r} into `extension`")
    e164_number = str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    if old_number is not None and old_number in _possible_numbers(digits, parsed):
        e164_number = old_number
    else:
        _check_length(cleaned, parsed, e164_number, region)
    _check_characters(cleaned)
    # Parse the result again until nothing changes: each parse drops only one trunk zero, the 0 in "+44 (0)20".
    return e164_number if e164_number in (number, old_number) else e164(e164_number, region)


def _cleaned(number: str) -> str:
    """Return the number with plain spaces and dashes only, and without the invisible characters of copied text."""
    replacements = {"Cf": "", "Zs": " ", "Pd": "-"}
    cleaned = "".join(replacements.get(unicodedata.category(char), char) for char in number).strip()
    return re.sub("^tel:", "", cleaned, flags=re.IGNORECASE)


def _possible_numbers(digits: str, parsed: PhoneNumber) -> list[str]:
    """Return the numbers that the digits can mean: country code and national digits, with and without a trunk zero.

    At most one of them exists: in countries with a trunk zero, no national number starts with 0.
    """
    import phonenumbers

    source, code = parsed.country_code_source, str(parsed.country_code)
    if source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN:
        digits = digits.removeprefix(code)
    elif source != phonenumbers.CountryCodeSource.FROM_DEFAULT_COUNTRY:
        return []
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    has_trunk_zero = digits.startswith("0") and phonenumbers.ndd_prefix_for_region(country, True) == "0"
    return [f"+{code}{digits}", *([f"+{code}{digits[1:]}"] if has_trunk_zero else [])]


def _check_length(cleaned: str, parsed: PhoneNumber, e164_number: str, region: DefaultRegion) -> None:
    """Raise ValueError if a number has a wrong length. cleaned, parsed, e164_number: the number in three forms.

    Without a country code, or with +1, the country's lengths apply. With any other code, 7 to 15 digits are allowed,
    because phonenumbers may be out of date (see `unusual_length_warning`).
    """
    import phonenumbers

    source = phonenumbers.CountryCodeSource
    has_country_code = parsed.country_code_source in (source.FROM_NUMBER_WITH_PLUS_SIGN, source.FROM_NUMBER_WITH_IDD)
    result = phonenumbers.is_possible_number_with_reason(parsed)
    if result != phonenumbers.ValidationResult.IS_POSSIBLE and not (has_country_code and parsed.country_code != 1):
        if phonenumbers.normalize_digits_only(cleaned).startswith("00"):
            raise ValueError("it begins with 00: write + instead")
        reason = _LENGTH_REASONS.get(result, "it is not a phone number")
        raise ValueError(reason if has_country_code else f"{reason}; {_assumption(region)}")
    if not E164.fullmatch(e164_number):
        raise ValueError(f"it has {len(e164_number) - 1} digits with its country code: a phone number has 7 to 15")


def _check_characters(cleaned: str) -> None:
    """Raise ValueError for letters and unknown characters, because the wrong phone could ring.

    phonenumbers skips characters it does not know, and reads letters as keypad digits: an O as a 6, not as a 0.
    """
    for char in cleaned:
        if unicodedata.category(char) not in _CATEGORIES_IN_NUMBERS and char not in "+\uff0b./\uff0e\uff0f~\u2212":
            if char.isalpha():
                raise ValueError("it holds letters: give the digits that stand for them")
            raise ValueError(f"it holds {quote(char)}, which is no part of a phone number")


def assumed_country_note(number: object, region: DefaultRegion) -> str | None:
    """Return a note on which country was assumed for a valid number, None if the number names its country."""
    if not isinstance(number, str) or E164.fullmatch(number):
        return None
    import phonenumbers

    source = phonenumbers.CountryCodeSource
    parsed = phonenumbers.parse(_cleaned(number), region.country, keep_raw_input=True)
    assumed = parsed.country_code_source in (source.FROM_DEFAULT_COUNTRY, source.FROM_NUMBER_WITHOUT_PLUS_SIGN)
    return _assumption(region) if assumed else None


def _assumption(region: DefaultRegion) -> str:
    return f"{region.country} is assumed, as the number does not begin with + ({region.setting})"


def unusual_length_warning(number: str) -> str | None:
    """Return a warning if the country of a number in E.164 does not use numbers of its length, else None."""
    if not number or number.startswith("+1"):  # e164 refuses a +1 number of another length
        return None
    import phonenumbers

    parsed = phonenumbers.parse(number)
    if phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return (
        f"{international_format(number)} has an unusual length: phonenumbers {phonenumbers.__version__} knows no such"
        f" numbers in {country}.\nCheck the number. If it is right, nothing needs to be done."
    )


def duplicate_number_message(written: object, number: str) -> str:
    """Return what is wrong with a number that somebody gives a second time, in the same spelling or another one."""
    return f"{quote(written)} is given twice (it is {number}, however it is written)"


def international_format(number: str) -> str:
    """Format a number in E.164 for people, such as `+1 415-555-0101`. Any other text is returned unchanged."""
    import phonenumbers

    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number
