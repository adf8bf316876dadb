"""Reads phone numbers in whatever form people write them, and writes them in E.164 or as people do."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from .text import quote

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# phonenumbers is imported late everywhere: its metadata is large, and most operations need none of it.

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
VALIDATION_CALL_FROM = "+14157234000"
"""The number that all validation calls come from (Twilio docs: voice/api/verifying-caller-ids-scale)."""

DEFAULT_REGION = "US"  # Twilio itself reads an unformatted number as a US one
REGION_KEY = "twilio:defaultRegion"


def is_region(region: str) -> bool:
    """Whether a text is a country, such as US, whose numbers can be read."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def e164(number: str, region: str = DEFAULT_REGION, *, setting: str = REGION_KEY, before: str | None = None) -> str:
    """Read a number and return it in E.164, such as `+14155550101`.

    region: the country of a number without country code. setting: names the source of `region` in the message about a
    region that is not a country. before: the number in the state. It is returned if the text can mean it, since a new
    release of phonenumbers must not replace a number.

    Raises ValueError, with the reason, for a text that can't be a phone number. The metadata of phonenumbers is not
    always up to date. So a number with its country code may have a length that is unknown to it: see `odd_length`.
    """
    # Numbers copied from a page or an address book hold invisible characters, and spaces and dashes of all kinds.
    kinds = {"Cf": "", "Zs": " ", "Pd": "-"}
    plain = "".join(kinds.get(unicodedata.category(char), char) for char in number).strip()
    plain = re.sub("^tel:", "", plain, flags=re.IGNORECASE)
    digits = "".join(str(unicodedata.digit(char)) for char in plain if unicodedata.category(char) == "Nd")
    before = before if E164.fullmatch(before or "") else None
    if before == f"+{digits}" and re.fullmatch("[+\uff0b]+[^+\uff0b]*", plain):
        _refuse_strange_characters(plain)
        return before

    import phonenumbers

    if not is_region(region):
        raise ValueError(f"it can't be read: {setting} is {quote(region)}, not a country such as US, GB or DE")
    try:
        parsed = phonenumbers.parse(plain, region, keep_raw_input=True)
    except phonenumbers.NumberParseException as failed:
        raise ValueError(_PARSE_REASONS.get(failed.error_type, "it is not a phone number")) from None
    if parsed.extension:
        raise ValueError(f"it holds an extension: put {parsed.extension!r} into `extension`")
    read = str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    if before is not None and before in _possible_numbers(digits, parsed):
        read = before
    else:
        _refuse_length(plain, parsed, read)
    _refuse_strange_characters(plain)
    # phonenumbers drops one leading zero, as in "+44 (0)20". Read again, so that the result always reads as itself.
    return read if read in (number, before) else e164(read, region, setting=setting)


def _possible_numbers(digits: str, parsed: PhoneNumber) -> list[str]:
    """The numbers in E.164 that the digits can mean: with all of them, or without a zero before the area code.

    In countries that write such a zero, no number begins with one. So at most one of the two numbers exists.
    """
    import phonenumbers

    source, code = parsed.country_code_source, str(parsed.country_code)
    if source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN:
        digits = digits.removeprefix(code)
    elif source != phonenumbers.CountryCodeSource.FROM_DEFAULT_COUNTRY:
        return []
    prefix = phonenumbers.ndd_prefix_for_region(
        phonenumbers.region_code_for_country_code(parsed.country_code or 0), True
    )
    return [f"+{code}{digits}", *([f"+{code}{digits[1:]}"] if prefix == "0" and digits.startswith("0") else [])]


def _refuse_length(plain: str, parsed: PhoneNumber, read: str) -> None:
    """Refuse a number whose length its country does not use, if it has no country code or if that is +1.

    plain: as written. read: in E.164.
    """
    import phonenumbers

    source = phonenumbers.CountryCodeSource
    has_country_code = parsed.country_code_source in (source.FROM_NUMBER_WITH_PLUS_SIGN, source.FROM_NUMBER_WITH_IDD)
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE and not (has_country_code and parsed.country_code != 1):
        if phonenumbers.normalize_digits_only(plain).startswith("00"):
            raise ValueError("it begins with 00: write + in place of that")
        raise ValueError(_LENGTH_REASONS.get(possible, "it is not a phone number"))
    if not E164.fullmatch(read):
        raise ValueError(f"it has {len(read) - 1} digits with its country code: a phone number has 7 to 15")


def _refuse_strange_characters(written: str) -> None:
    """Refuse letters and unknown characters, as otherwise the wrong phone could ring.

    phonenumbers skips the characters it does not know, and reads letters as keypad digits: an O as a 6, not as a 0.
    """
    for char in written:
        if unicodedata.category(char) not in _KINDS_IN_NUMBERS and char not in "+\uff0b./\uff0e\uff0f~\u2212":
            if char.isalpha():
                raise ValueError("it holds letters: give the digits that stand for them")
            raise ValueError(f"it holds {quote(char)}, which is no part of a phone number")


def odd_length(number: str) -> str | None:
    """A warning for a number in E.164 whose length its country does not use; None for any other number."""
    if not number or number.startswith("+1"):  # e164 refuses a +1 number of another length
        return None
    import phonenumbers

    parsed = phonenumbers.parse(number)
    if phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return (
        f"{readable(number)} has an unusual length: phonenumbers {phonenumbers.__version__} knows no such numbers in"
        f" {region}.\nCheck the number. If it is right, nothing needs to be done."
    )


def readable(number: str) -> str:
    """A number in E.164 as people write it, such as `+1 415-555-0101`. Any other text is returned as it is."""
    import phonenumbers

    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


_KINDS_IN_NUMBERS = ("Nd", "Pd", "Ps", "Pe", "Zs")
"""Unicode's categories of the digits of all scripts, dashes, opening and closing brackets, and spaces."""

_PARSE_REASONS = {
    0: "it has a country code that does not exist",
    1: "it is not a phone number",
    2: "it is too short after its country code",
    3: "it is too short to be a phone number",
    4: "it is too long to be a phone number",
}
"""What NumberParseException.error_type means."""
_LENGTH_REASONS = {
    1: "it has a country code that does not exist",
    2: "it is too short for its country",
    3: "it is too long for its country",
    4: "it lacks its area code",
    5: "it has a length that its country does not use",
}
"""What ValidationResult means."""
