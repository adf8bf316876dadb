"""Phone numbers, and the inputs of an OutgoingCallerId as a whole."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import phonenumbers
import pytest
from pydantic import ValidationError

from pulumi_twilio_caller_id import OutgoingCallerId
from pulumi_twilio_caller_id.inputs import validate_inputs
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.phone_number import DefaultRegion, e164, international_format, unusual_length_warning

NUMBER = "+14155550101"
MISSING = "it is missing: give the number to verify, in E.164 such as +14155550101"


def refused(given: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    return validate_inputs(given, **options)[1]


@pytest.mark.parametrize(
    ("given", "region", "expected"),
    [
        ("+14155550101", "US", NUMBER),
        ("+1 (415) 555.0101", "US", NUMBER),
        ("(415) 555-0101", "US", NUMBER),
        ("415-555-0101", "US", NUMBER),
        ("4155550101", "US", NUMBER),
        ("1 415 555 0101", "US", NUMBER),
        ("tel:+14155550101", "US", NUMBER),
        (" +14155550101\n", "US", NUMBER),
        ("011 44 20 7183 8750", "US", "+442071838750"),
        ("\uff14\uff11\uff15 555 0101", "US", NUMBER),
        ("\uff0b\uff14\uff14 20 7183 8750", "US", "+442071838750"),
        ("+80012345678", "US", "+80012345678"),
        ("+52 1 55 1234 5678", "US", "+5215512345678"),
        ("011 52 1 55 1234 5678", "US", "+5215512345678"),
        ("+229 90 01 12 34", "US", "+22990011234"),
        ("+23418040123", "US", "+23418040123"),
        ("+44 (0)20 7183 87501", "US", "+4420718387501"),
        ("020 7183 8750", "GB", "+442071838750"),
        ("+1 415 555 0101", "GB", NUMBER),
        ("030 123456", "DE", "+4930123456"),
        ("0471 123456", "IT", "+390471123456"),
        ("06 1234 5678", "NL", "+31612345678"),
        ("02 9876 5432", "AU", "+61298765432"),
    ],
)
def test_a_phone_number_becomes_e164(given: str, region: str, expected: str) -> None:
    """However it is written, one number has one form; without country code it is read as of the default region."""
    assert expected == e164(given, DefaultRegion(region))


US_IS_ASSUMED = "US is assumed, as the number does not begin with + (twilio:defaultRegion)"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "it is not a phone number"),
        ("the front desk", "it is not a phone number"),
        ("+1", "it is not a phone number"),
        ("+14155550101 +14155550102", "it is not a phone number"),
        ("+999 123 4567", "it has a country code that does not exist"),
        ("+0 415 555 0101", "it has a country code that does not exist"),
        ("+49 3", "it is too short to be a phone number"),
        ("9" * 30, "it is too long to be a phone number"),
        ("+1415555010", "it is too short for its country"),
        ("911", f"it is too short for its country; {US_IS_ASSUMED}"),
        ("030 90182000", f"it is too long for its country; {US_IS_ASSUMED}"),
        ("+141555501011", "it is too long for its country"),
        ("+49 1234", "it has 6 digits with its country code: a phone number has 7 to 15"),
        ("+49 30 1234567890123", "it has 17 digits with its country code: a phone number has 7 to 15"),
        ("001 44 20 7183 8750", "it begins with 00: write + instead"),
        ("1-800-FLOWERS", "it holds letters: give the digits that stand for them"),
        ("+1415555OOO1", "it holds letters: give the digits that stand for them"),
        ("555-0101", f"it lacks its area code; {US_IS_ASSUMED}"),
        ("+1 415 555 0101 ext. 5", "it holds an extension: put '5' into `extension`"),
        ("(415) 555-0101 x123", "it holds an extension: put '123' into `extension`"),
        ("+14155550101;ext=7", "it holds an extension: put '7' into `extension`"),
    ],
)
def test_what_cannot_be_a_phone_number_is_refused_with_the_reason(given: str, reason: str) -> None:
    assert [("phone_number", reason)] == refused({"phone_number": given})


@pytest.mark.parametrize(
    ("written", "region", "before", "expected"),
    [
        ("061 12 34", "HR", "+385611234", "+385611234"),
        ("061 12 34", "HR", "+3850611234", "+3850611234"),
        ("+385 61 12 34", "US", "+3850611234", "+385611234"),
        ("61 12 34", "HR", "+3850611234", None),
        ("061 12 34", "GB", "+385611234", "+440611234"),
        ("+39 06 1234567", "US", "+3961234567", "+39061234567"),
        ("06 1234567", "IT", "+3961234567", "+39061234567"),
        ("+49 030 123456", "US", "+4930123456", "+4930123456"),
        ("49 30 123456", "DE", "+494930123456", "+4930123456"),
        ("8 912 345-67-89", "RU", "+9123456789", "+79123456789"),
        ("1 415 555 0101", "US", "+14155550102", NUMBER),
        ("01 804 0123", "NG", "+23418040123", "+23418040123"),
        ("01 804 0123", "NG", "+23418040124", None),
        ("+1415", "US", "+1415", None),
    ],
)
def test_a_text_that_may_mean_the_number_in_the_state_means_it(
    written: str, region: str, before: str, expected: str | None
) -> None:
    """Whatever the metadata makes of it by now; and never any other number. None: it is refused."""
    good, failures = validate_inputs(
        {"phone_number": written}, region=DefaultRegion(region), old_inputs={"phone_number": before}
    )
    assert (expected, expected is None) == (good.get("phone_number"), bool(failures))


@pytest.mark.parametrize(
    ("number", "region"),
    [
        (NUMBER, None),
        ("+80012345678", None),
        ("+5215512345678", "MX"),
        ("+4420718387501", "GB"),
        ("+23418040123", "NG"),
    ],
)
def test_an_odd_length_is_told_with_the_version_of_the_metadata(number: str, region: str | None) -> None:
    told = unusual_length_warning(number)
    if region is None:
        assert told is None
    else:
        what = f"has an unusual length: phonenumbers {phonenumbers.__version__} knows no such numbers in {region}.\n"
        assert what in (told or "")


def test_no_country_has_more_digits_than_e164() -> None:
    """The metadata has German numbers of up to 15 digits without the country code."""
    reason = "it has 16 digits with its country code: a phone number has 7 to 15"
    assert [("phone_number", reason)] == refused({"phone_number": "030 123456789012"}, region=DefaultRegion("DE"))


@pytest.mark.parametrize("region", ["us", "XX", "", "001", "United States"])
def test_a_default_region_that_is_no_country_is_named(region: str) -> None:
    reason = f"it can't be read: twilio:defaultRegion is {region!r}, not a country such as US, GB or DE"
    assert [("phone_number", reason)] == refused({"phone_number": NUMBER}, region=DefaultRegion(region))


@pytest.mark.parametrize("given", [14155550101, 14155550101.0, 4155550101.5, True, ["+14155550101"]])
def test_a_phone_number_that_is_not_text_is_refused(given: object) -> None:
    """A number has lost its plus, and maybe zeros."""
    assert refused({"phone_number": given}) == [("phone_number", "it must be text: put it in quotes")]


def test_the_default_region_is_given_to_the_phone_number() -> None:
    good, failures = validate_inputs({"phone_number": "020 7183 8750"}, region=DefaultRegion("GB"))
    assert ({"phone_number": "+442071838750"}, []) == (good, failures)


@pytest.mark.parametrize("given", [{}, {"phone_number": None}, {"friendly_name": "Desk"}])
def test_a_missing_phone_number_is_a_failure(given: dict[str, Any]) -> None:
    assert refused(given) == [("phone_number", MISSING)]


def test_properties_without_a_value_yet_pass() -> None:
    """During a preview, an input may be the output of something that is not created yet."""
    assert validate_inputs({"friendly_name": "Desk"}, unknown={"phone_number"}) == ({"friendly_name": "Desk"}, [])


def test_none_is_the_same_as_left_out() -> None:
    given = {"phone_number": NUMBER, "friendly_name": None, "call_delay": None, "extension": None}
    assert validate_inputs(given) == ({"phone_number": NUMBER}, [])


def test_every_failure_is_told_at_once() -> None:
    """Each property has its own failure, in the order of the program; what is fine is kept."""
    given = {
        "phone_number": "x",
        "friendly_name": "",
        "call_delay": 99,
        "extension": "12",
        "account_sid": "AC1",
    }
    good, failures = validate_inputs(given)
    assert good == {"extension": "12"}
    assert failures == [
        ("phone_number", "it is not a phone number"),
        ("friendly_name", "it is empty: omit it to keep the name that the number has at Twilio"),
        ("call_delay", "it must be a whole number of seconds from 0 to 60"),
        ("account_sid", "it must be the sid of an account: AC and 32 hexadecimal digits"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("frendly_name", "it is not an input of OutgoingCallerId: did you mean friendly_name?"),
        ("phoneNumber", "it is not an input of OutgoingCallerId: did you mean phone_number?"),
        ("statusCallback", "it is not an input of OutgoingCallerId: did you mean status_callback?"),
        ("channel", "it is not an input of OutgoingCallerId"),
    ],
)
def test_an_unknown_property_is_refused_with_the_nearest_name(name: str, reason: str) -> None:
    assert [(name, reason)] == refused({"phone_number": NUMBER, name: "sms"})


def test_a_property_that_a_transform_adds_is_refused_by_check() -> None:
    """The constructor takes no other properties, but a transform of the program may add any."""
    checked = OutgoingCallerIdProvider().check({}, {"phone_number": NUMBER, "frendly_name": "Desk"})
    told = [(failure.property, failure.reason) for failure in checked.failures]
    assert [("frendly_name", "it is not an input of OutgoingCallerId: did you mean friendly_name?")] == told


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NUMBER, "+1 415-555-0101"),
        ("+442071838750", "+44 20 7183 8750"),
        ("+999", "+999"),
        ("the front desk", "the front desk"),
    ],
)
def test_a_number_is_shown_as_people_write_it(given: str, expected: str) -> None:
    """What is no number is shown as it is."""
    assert expected == international_format(given)


def test_the_constructor_takes_the_inputs_of_the_model() -> None:
    """So does the config of the project's own program, which takes its keys from the constructor."""
    parameters = inspect.signature(OutgoingCallerId).parameters
    assert ["resource_name", *OutgoingCallerIdInputs.model_fields, "opts"] == list(parameters)


UNCHANGED = """
import sys
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
inputs = {"phone_number": "+14155550101", "friendly_name": "Desk", "call_delay": 5.0, "adopt": True}
checked = OutgoingCallerIdProvider().check(inputs, dict(inputs))
assert ([], inputs) == (checked.failures, checked.inputs), checked.failures
print(*{"pydantic", "phonenumbers"} & sys.modules.keys())
"""


def test_check_of_an_unchanged_resource_imports_no_pydantic() -> None:
    done = subprocess.run([sys.executable, "-c", UNCHANGED], capture_output=True, text=True, check=True)
    assert "" == done.stdout.strip()


@pytest.mark.parametrize(
    ("before", "given"),
    [
        ({"adopt": True}, {"adopt": 1.0}),
        ({"call_delay": 1.0}, {"call_delay": True}),
        ({"friendly_name": "Desk"}, {"friendly_name": ["Desk"]}),
        ({"phone_number": "911"}, {"phone_number": "911"}),
        ({"friendly_name": ""}, {"friendly_name": "", "adopt": True}),
    ],
)
def test_only_what_the_state_has_is_taken_as_it_is(before: dict[str, Any], given: dict[str, Any]) -> None:
    number = {"phone_number": NUMBER}
    assert refused(number | given, old_inputs=number | before)


def test_the_models_own_error_shows_no_value() -> None:
    """An input may be secret, and a traceback ends up in logs."""
    with pytest.raises(ValidationError) as refused:
        OutgoingCallerIdInputs.model_validate({"phone_number": NUMBER, "friendly_name": "canary\n", "x": "canary"})
    assert "canary" not in str(refused.value)


def test_an_unchanged_delay_is_still_one() -> None:
    """The engine hands over 5 as 5.0, both of the program and of the state."""
    stored = {"phone_number": NUMBER, "call_delay": 5.0}
    assert (stored, []) == validate_inputs(stored, old_inputs=stored)
    assert (stored, []) == validate_inputs({**stored, "call_delay": 5}, old_inputs=stored)


def test_what_check_let_through_is_what_the_model_takes() -> None:
    given = {
        "phone_number": "(415) 555-0101",
        "friendly_name": "Front desk",
        "call_delay": 5.0,
        "extension": "12w#",
        "status_callback": "https://example.com/cb",
        "status_callback_method": "get",
        "account_sid": "AC" + "a" * 32,
        "adopt": True,
    }
    good, failures = validate_inputs(given)
    assert failures == []
    assert given | {"phone_number": NUMBER, "call_delay": 5, "status_callback_method": "GET"} == good
    assert good == OutgoingCallerIdInputs(**good).model_dump()
