"""The inputs beside the phone number, one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pulumi_twilio_caller_id.inputs import validate_inputs

DELAY = "it must be a whole number of seconds from 0 to 60"
EXTENSION = "it must be 1 to 32 of the digits 0-9, * and #, and w for a pause of half a second"
NOT_A_URL = "it must be an absolute http or https URL"
ACCOUNT = "it must be the sid of an account: AC and 32 hexadecimal digits"
CONTROL = "it holds {}, a line break or another control character"
TEXT = "it must be text: put it in quotes"


def check(name: str, value: object) -> tuple[Any, list[tuple[str, str]]]:
    """What becomes of one property beside a good number: its value, or its failures."""
    good, failures = validate_inputs({"phone_number": "+14155550101", name: value})
    return good.get(name), failures


def accepted(name: str, value: object) -> Any:
    good, failures = check(name, value)
    assert failures == []
    return good


def taken(name: str, values: Iterable[object], reason: str) -> list[object]:
    """Those of the values that are not refused for this reason."""
    return [value for value in values if check(name, value) != (None, [(name, reason)])]


# friendly_name


@pytest.mark.parametrize(
    "name",
    ["Desk", "  Desk ", "Zoë, 東京", "a" * 64, "😀" * 64, "Dev 👩\u200d💻", "Accueil\u00a0: Paris"],
    ids=["plain", "spaces", "letters", "64 letters", "64 emoji", "joined emoji", "no-break space"],
)
def test_a_friendly_name_is_kept_as_it_is(name: str) -> None:
    """Length is counted in characters, and what is no control character passes."""
    assert name == accepted("friendly_name", name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a" * 65, "it is 65 characters long: Twilio keeps at most 64"),
        ("😀" * 65, "it is 65 characters long: Twilio keeps at most 64"),
        ("", "it is empty: omit it to keep the name that the number has at Twilio"),
        (" \t", "it is empty: omit it to keep the name that the number has at Twilio"),
        ("a\nb", CONTROL.format(r"'\n'")),
        ("a\tb", CONTROL.format(r"'\t'")),
        ("a\x00", CONTROL.format(r"'\x00'")),
        ("\x1b[31mred", CONTROL.format(r"'\x1b'")),
        (5.0, TEXT),
    ],
)
def test_a_friendly_name_is_refused(name: object, reason: str) -> None:
    assert (None, [("friendly_name", reason)]) == check("friendly_name", name)


# call_delay


@pytest.mark.parametrize(("given", "expected"), [(0, 0), (60, 60), (5.0, 5), ("7", 7), ("07", 7)])
def test_a_call_delay_becomes_a_whole_number(given: object, expected: int) -> None:
    """The engine hands over every number as a float, and a value from config as text."""
    good = accepted("call_delay", given)
    assert (expected, int) == (good, type(good))


def test_a_call_delay_is_refused() -> None:
    numbers = [61, -1, 61.0, 5.5, 60.5, 1e30, 10**400, float("nan"), float("inf"), -float("inf")]
    others = [True, False, [5], {}, b"5"]
    texts = ["61", "7.5", "soon", "", "1e3", "nan", "inf", "5.0", "+5", "-0", "0x5", "\u0665", "5\n", "5\0", "061"]
    assert [] == taken("call_delay", [*numbers, *others, *texts], DELAY)


def test_minus_zero_is_zero() -> None:
    assert "0" == str(accepted("call_delay", -0.0))


# extension


@pytest.mark.parametrize("extension", ["1", "0123456789*#w", "007", "w" * 32])
def test_an_extension_is_kept_as_it_is(extension: str) -> None:
    assert extension == accepted("extension", extension)


def test_an_extension_is_refused() -> None:
    wrong = ["", "w" * 33, "1" * 33, "12,3", "1,2", "W1", "W", "12 3", " 1", "abc", "x1", "1;2", "12\n", "1\0"]
    assert [] == taken("extension", [*wrong, "\uff11\uff12", "\u0661", "\uff0a"], EXTENSION)


def test_an_extension_given_as_a_number_must_be_text() -> None:
    """007 would be dialled as 7."""
    assert check("extension", 7.0) == (None, [("extension", TEXT)])


# status_callback


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "HTTPS://example.com:8443/cb?x=1&y=%20#rc=5&rp=all",
        "http://user:pw@example.com/cb",
        "http://notlocalhost.example/",
        "http://128.0.0.1/",
        "https://example.com/" + "a" * 980,
    ],
)
def test_a_status_callback_is_kept_as_it_is(url: str) -> None:
    assert url == accepted("status_callback", url)


def test_a_status_callback_must_be_an_absolute_url() -> None:
    relative = ["", "/cb", "//h/", "example.com/cb", "https:h"]
    other_schemes = ["ftp://example.com/cb", "mailto:desk@example.com", "javascript:alert(1)"]
    no_host = ["https://", "https:///cb", "http:///x", "http://:80/", "http://[::1", "https://münchen.example/"]
    no_port = ["https://h:0/", "https://h:99999/", "https://example.com:port/", "https://h:\u0661/"]
    odd = ["https://exam ple.com/", " https://h/", "https://h/\n", "https://h/ x", "https://h/\0", "https://h\x1b[2J"]
    assert [] == taken("status_callback", [*relative, *other_schemes, *no_host, *no_port, *odd], NOT_A_URL)
    assert [] == taken("status_callback", [7, ["https://h"]], TEXT)
    assert ["status_callback"] == [name for name, _ in check("status_callback", "https://\ud800/")[1]]


def test_a_status_callback_of_1001_characters_is_refused() -> None:
    reason = "it is 1001 characters long: Twilio takes at most 1,000"
    assert (None, [("status_callback", reason)]) == check("status_callback", "https://example.com/" + "a" * 981)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:5001/x", "localhost"),
        ("https://LOCALHOST/x", "localhost"),
        ("http://localhost./x", "localhost."),
        ("http://api.localhost/x", "api.localhost"),
        ("http://127.0.0.1/x", "127.0.0.1"),
        ("http://127.0.0.1./x", "127.0.0.1."),
        ("http://127.1.2.3:80/x", "127.1.2.3"),
        ("http://0.0.0.0/x", "0.0.0.0"),  # noqa: S104  a URL, nothing is bound
        ("http://[::1]:80/x", "::1"),
        ("http://[::]/x", "::"),
        ("http://[0:0:0:0:0:0:0:1]/x", "0:0:0:0:0:0:0:1"),
        ("http://[::ffff:127.0.0.1]/x", "::ffff:127.0.0.1"),
        ("http://[::ffff:7f00:1]/x", "::ffff:7f00:1"),
        ("http://127.1/x", "127.1"),
        ("http://2130706433/x", "2130706433"),
        ("http://0x7f.0.0.1/x", "0x7f.0.0.1"),
        ("https://0/", "0"),
        ("https://x@127.1/", "127.1"),
    ],
)
def test_a_status_callback_to_this_machine_is_refused(url: str, host: str) -> None:
    """Twilio cannot reach it; without this, nobody would notice that no callback ever comes."""
    reason = f"it names this machine ({host}): Twilio can't reach it; give a public URL"
    assert (None, [("status_callback", reason)]) == check("status_callback", url)


@pytest.mark.parametrize("rest", ["localhost/x", "example.com:99999/x", "example.com/" + "a" * 1000])
def test_a_password_in_a_status_callback_is_not_in_the_reason(rest: str) -> None:
    """Whatever is wrong with the URL, and whatever the password is made of."""
    for password in ("canary", "canary" * 20, "x@canary", "x/canary", "x:canary", "x?canary", "x#canary"):
        value, failures = check("status_callback", f"https://user:{password}@{rest}")
        assert value is None
        assert [name for name, _ in failures] == ["status_callback"]
        assert "canary" not in failures[0][1]


# status_callback_method


@pytest.mark.parametrize(("given", "expected"), [("GET", "GET"), ("get", "GET"), ("Post", "POST"), ("POST", "POST")])
def test_a_method_becomes_upper_case(given: str, expected: str) -> None:
    assert expected == accepted("status_callback_method", given)


@pytest.mark.parametrize("given", ["PUT", "", " GET", 5, True])
def test_a_method_is_refused(given: object) -> None:
    assert check("status_callback_method", given) == (None, [("status_callback_method", "it must be GET or POST")])


# account_sid


@pytest.mark.parametrize("sid", ["AC" + "0123456789abcdef" * 2, "AC" + "F" * 32])
def test_an_account_sid_is_kept_as_it_is(sid: str) -> None:
    assert sid == accepted("account_sid", sid)


@pytest.mark.parametrize(
    ("sid", "reason"),
    [
        ("SK" + "a" * 32, "it is an API key: give the sid of the account, which begins with AC"),
        ("ACabc", ACCOUNT),
        ("AC" + "a" * 33, ACCOUNT),
        ("AC" + "g" * 32, ACCOUNT),
        ("ac" + "a" * 32, ACCOUNT),
        ("AC" + "a" * 32 + "\n", ACCOUNT),
        ("", ACCOUNT),
    ],
)
def test_an_account_sid_is_refused(sid: str, reason: str) -> None:
    assert (None, [("account_sid", reason)]) == check("account_sid", sid)


@pytest.mark.parametrize("value", ["true", 1, 1.0, "", [True]])
def test_adopt_is_true_or_false(value: object) -> None:
    _, failures = validate_inputs({"phone_number": "+14155550101", "adopt": value})
    assert [("adopt", "it must be true or false")] == failures
