"""Phone numbers in whatever form they were copied: one number is one number, and no guess rings a phone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_twilio_caller_id.errors import NotVerified
from pulumi_twilio_caller_id.inputs import validate_inputs
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.phone_number import DefaultRegion, e164
from pulumi_twilio_caller_id.testing import Sandbox

NUMBER = "+14155550101"

SPELLINGS = {
    "full-width": "\uff0b\uff11 \uff08\uff14\uff11\uff15\uff09\uff15\uff15\uff15\uff0d\uff10\uff11\uff10\uff11",
    "arabic-indic": "+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0661",
    "extended arabic-indic": "+\u06f1\u06f4\u06f1\u06f5\u06f5\u06f5\u06f5\u06f0\u06f1\u06f0\u06f1",
    "devanagari": "\u0967 \u096a\u0967\u096b \u096b\u096b\u096b \u0966\u0967\u0966\u0967",
    "mathematical": "+" + "".join(chr(0x1D7CE + int(digit)) for digit in NUMBER[1:]),
    "no-break spaces": "+1\u00a0415\u202f555\u00a00101",
    "embedded": "\u202a+14155550101\u202c",
    "isolated": "\u2066+1 415 555 0101\u2069",
    "marks within": "+1\u200e415\u200f555\u061c0101",
    "zero-width": "\ufeff+1\u200b415\u2060555\u200d0101",
    "soft hyphen": "+1\u00ad4155550101",
    "minus signs": "+1\u2212415\u2212555\u22120101",
    "dashes": "1\u2013415\u2014555\u20100101",
    "dots": "+1.415.555.0101",
    "slash": "+1 415/555 0101",
    "tel": "tel:+1-415-555-0101",
    "TEL": "TEL:+1-415-555-0101",
    "011": "011 1 415 555 0101",
    "two plus": "++1 415 555 0101",
    "ends": "\n \t+14155550101 \r\n",
    "without country": "(415) 555-0101",
}


@pytest.mark.parametrize("written", SPELLINGS.values(), ids=SPELLINGS)
def test_two_spellings_of_a_number_never_differ(written: str) -> None:
    """Nor do two of them make a replacement, which would ring the phone."""
    assert ({"phone_number": NUMBER}, []) == validate_inputs({"phone_number": written})
    provider = OutgoingCallerIdProvider()
    news = provider.check({"phone_number": NUMBER}, {"phone_number": written}).inputs
    assert False is provider.diff("PN" + "1" * 32, {"phone_number": NUMBER}, news).changes


NO_PART = "it holds {!r}, which is no part of a phone number"
LETTERS = "it holds letters: give the digits that stand for them"
DOUBLE_ZERO = "it begins with 00: write + instead"
NONE = "it is not a phone number"
TOO_LONG = "it is too long to be a phone number"
US_IS_ASSUMED = "US is assumed, as the number does not begin with + (twilio:defaultRegion)"
TEXT = "it must be text: put it in quotes"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1-800-FLOWERS", LETTERS),
        ("+1 415 555 OIOI", LETTERS),
        ("+1\uff21\uff22\uff23 5550101", NONE),
        ("+14155550101/x99", LETTERS),
        ("'+14155550101'", NO_PART.format("'")),
        ("<+14155550101>", NO_PART.format("<")),
        ("\u2795442071838750", f"it is too long for its country; {US_IS_ASSUMED}"),
        ("\u2795 14155550101", NO_PART.format("\u2795")),
        ("+14155550101\0", NO_PART.format("\0")),
        ("\x1b+14155550101", NO_PART.format("\x1b")),
        ("+14155550101\x9b", NO_PART.format("\x9b")),
        ("\ud800+14155550101", NO_PART.format("\ud800")),
        ("tel:5550101;phone-context=+1415", NO_PART.format(";")),
        ("+1415555\n0101", NONE),
        ("+1415\r5550101", NONE),
        ("+1415\0005550101", NONE),
        ("+14155550101\x1b[2J", NONE),
        ("+ +14155550101", NONE),
        ("+1 +4155550101", NONE),
        ("sip:+14155550101@example.com", NONE),
        ("+1\u00bd4155550101", NONE),
        ("+\u00b94155550101", NONE),
        ("\u200b", NONE),
        ("0014155550101", DOUBLE_ZERO),
        ("00 49 30 90182000", DOUBLE_ZERO),
        ("\uff10\uff1014155550101", DOUBLE_ZERO),
        ("+14155550101 x123", "it holds an extension: put '123' into `extension`"),
        ("tel:+14155550101;ext=12", "it holds an extension: put '12' into `extension`"),
        ("1" * 200, TOO_LONG),
        ("+1" + "4" * 100_000, TOO_LONG),
        (14155550101, TEXT),
        (14155550101.0, TEXT),
        (float("nan"), TEXT),
        (True, TEXT),
        ([NUMBER], TEXT),
        ({"phone_number": NUMBER}, TEXT),
        (None, "it is missing: give the number to verify, in E.164 such as +14155550101"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_could_ring_another_phone_is_refused(written: object, reason: str) -> None:
    """A parser that passes over what it can't read, or takes an O for a 6, is not asked for its guess."""
    assert ({}, [("phone_number", reason)]) == validate_inputs({"phone_number": written})


@pytest.mark.parametrize("region", ["\x1b[2J", "US\n", "\u202eUS", "x" * 10_000])
def test_a_region_is_shown_in_one_printable_line(region: str) -> None:
    with pytest.raises(ValueError, match="not a country such as") as refused:
        e164(NUMBER, DefaultRegion(region))

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 250


# Another number in Twilio's answer than was asked for


def answer(sandbox: Sandbox, **changed: Any) -> str:
    fields = {"account_sid": sandbox.account_sid, "call_sid": "CA" + "1" * 32, "validation_code": "123456"}
    return json.dumps({**fields, "phone_number": NUMBER, "friendly_name": "x", **changed})


@pytest.mark.parametrize("other", ["+14155550199", "+1 415 555 0101", "\x1b[2J", "", "1" * 9000])
def test_a_call_to_another_number_is_not_waited_for(
    provider: OutgoingCallerIdProvider, sandbox: Sandbox, other: str
) -> None:
    """Its caller ID would be another number's; the program would want the first one again, and call, for ever."""
    sandbox.fail("create", status=200, body=answer(sandbox, phone_number=other))

    with pytest.raises(NotVerified) as failed:
        provider.create({"phone_number": NUMBER})
    assert str(failed.value).replace("\n", "").isprintable()
    assert len(failed.value.what) < 450
    assert failed.value.what.startswith("+1 415-555-0101 was not verified: Twilio calls ")
    assert "declare the one that Twilio called" in failed.value.todo
    assert 1 == [record.endpoint for record in sandbox.requests].count("create")
