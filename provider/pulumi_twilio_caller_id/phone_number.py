"""Phone numbers: read in whatever form people write them, kept in E.164, shown as people write them."""

from __future__ import annotations

import re
import unicodedata

from .errors import quoted

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
CALLER = "+14157234000"
"""The number all validation calls come from (Twilio docs: voice/api/verifying-caller-ids-scale)."""

DEFAULT_REGION = "US"  # Twilio itself reads an unformatted number as a US one
REGION_KEY = "twilio:defaultRegion"


def is_region(region: str) -> bool:
    """Whether it is a country, such as US, whose numbers can be read."""
    import phonenumbers  # late: its metadata is large, and most operations never need it

    return region in phonenumbers.SUPPORTED_REGIONS


def e164(number: str, region: str = DEFAULT_REGION, *, setting: str = REGION_KEY) -> str:
    """The number in E.164, e.g. `+14155550101`; one without country code is read as of `region`, such as US.

    setting: where the region is from, to be named if it is none.

    Raises ValueError, with the reason, for what cannot be a phone number.
    """
    import phonenumbers  # late, as above

    if not is_region(region):
        raise ValueError(f"it can't be read: {setting} is {quoted(region)}, not a country such as US, GB or DE")
    # What is copied from a page or an address book brings characters along that nobody sees, and spaces of all kinds.
    kinds = {"Cf": "", "Zs": " ", "Pd": "-"}
    plain = "".join(kinds.get(unicodedata.category(char), char) for char in number).strip()
    try:
        parsed = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException as failed:
        raise ValueError(_PARSE_REASONS.get(failed.error_type, "it is not a phone number")) from None
    if parsed.extension:
        raise ValueError(f"it holds an extension: put {parsed.extension!r} into `extension`")
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        if phonenumbers.normalize_digits_only(plain).startswith("00"):
            raise ValueError("it begins with 00: write + in place of that")
        raise ValueError(_LENGTH_REASONS.get(possible, "it is not a phone number"))
    _refuse_strange_characters(re.sub("^tel:", "", plain, flags=re.IGNORECASE))
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _refuse_strange_characters(written: str) -> None:
    """The parser passes over what it can't read, and takes letters for the keys that they are on: a phone would ring
    that the program does not name, or means otherwise (an O for a 0).
    """
    for char in written:
        if unicodedata.category(char) not in _IN_NUMBERS and char not in "+\uff0b./\uff0e\uff0f~\u2212":
            if char.isalpha():
                raise ValueError("it holds letters: give the digits that stand for them")
            raise ValueError(f"it holds {quoted(char)}, which is no part of a phone number")


_IN_NUMBERS = ("Nd", "Pd", "Ps", "Pe", "Zs")  # digits of all scripts, dashes, brackets, spaces


def readable(number: str) -> str:
    """A number in E.164 as people write it, e.g. `+1 415-555-0101`."""
    import phonenumbers

    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


# phonenumbers' own numbers: NumberParseException.* and ValidationResult.*
_PARSE_REASONS = {
    0: "it has a country code that does not exist",
    1: "it is not a phone number",
    2: "it is too short after its country code",
    3: "it is too short to be a phone number",
    4: "it is too long to be a phone number",
}
_LENGTH_REASONS = {
    1: "it has a country code that does not exist",
    2: "it is too short for its country",
    3: "it is too long for its country",
    4: "it lacks its area code",
    5: "it has a length that its country does not use",
}
