"""Numbers as programs write them, and numbers whose length the metadata of `phonenumbers` does not know."""

from __future__ import annotations

import json

import phonenumbers
import pytest

from tests.support.local_stack import LocalStack
from tests.support.stack_runs import Declared

MEXICO = "+5215512345678"


def test_new_metadata_makes_no_other_number_of_the_same_text(local: LocalStack) -> None:
    """A release of phonenumbers reads the zero of 061 12 34 as a part of the number. Earlier ones left it out."""
    local.config["defaultRegion"] = "HR"
    local.up({"zagreb": Declared("+385611234"), "mexico": Declared(MEXICO)})
    assert "+3850611234" == phonenumbers.format_number(phonenumbers.parse("061 12 34", "HR"), 0)

    for zagreb in ("061 12 34", "061-1234", "+385 61 1234", "+385 (0)61 1234"):
        assert {} == local.preview({"zagreb": Declared(zagreb), "mexico": Declared("+52 (1) 55 1234-5678")})
    changed = {"zagreb": Declared("062 12 34"), "mexico": Declared("+525512345678")}
    assert {"zagreb": "replace", "mexico": "replace"} == local.preview(changed)
    assert 2 == len(local.sandbox.calls)


def test_a_number_is_declared_as_twilio_writes_it(local: LocalStack) -> None:
    """Twilio calls Mexican mobiles by the form of before 2019, whatever was asked for."""
    answer = {"account_sid": local.sandbox.account_sid, "call_sid": "CA" + "1" * 32, "validation_code": "123456"}
    body = json.dumps({**answer, "phone_number": MEXICO, "friendly_name": "x"})
    local.sandbox.fail("create", times=1, status=200, body=body)
    local.up({"mexico": Declared("+525512345678")}, fails=f"Twilio calls {MEXICO} in its place")
    assert "declare the one that Twilio called" in local.error

    local.up({"mexico": Declared(MEXICO)})
    unusual = f"has an unusual length: phonenumbers {phonenumbers.__version__} knows no such numbers in MX."
    assert unusual in local.run.said
    assert [MEXICO] == [entry.outputs["phone_number"] for entry in local.engine.state]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+999 123 4567", "it has a country code that does not exist"),
        ("+49 1234", "it has 6 digits with its country code: a phone number has 7 to 15"),
        ("+49 30 12345678901234", "it has 18 digits with its country code: a phone number has 7 to 15"),
        ("+1 415 555 010", "it is too short for its country"),
        ("+44 20 7183 875O", "it holds letters: give the digits that stand for them"),
    ],
)
def test_what_can_be_no_number_is_refused(local: LocalStack, number: str, reason: str) -> None:
    told = f"resource 'desk': property phone_number value {{{number}}} has a problem: {reason}"
    local.preview({"desk": Declared(number)}, fails=told)


@pytest.mark.parametrize("text", ["+31 (0)06 6722 7926", "+44 (0)020 7946 0018"])
def test_a_zero_too_many_is_read_the_same_each_time(local: LocalStack, text: str) -> None:
    """It is taken off when the text is read, and there is none left when the result is read again."""
    local.up({"desk": Declared(text)})
    local.up({"desk": Declared(text)})
    assert 1 == len(local.sandbox.calls) == len(local.sandbox.caller_ids)
