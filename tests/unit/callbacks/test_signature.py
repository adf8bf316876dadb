"""Twilio's signature: what it covers, with which port a URL counts, and that nothing a stranger sends raises."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.verification.status_callback import is_signed

# Twilio docs: usage/security
TOKEN = "12345"
URL = "https://example.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="

cases = settings(max_examples=50, deadline=None, derandomize=True, database=None)
"""The same cases each time."""
TEXT = st.text("aZ09+ %&=?/#._-~ßéж漢🙂\t\n\"'\\", max_size=8)
ODD = st.text(st.characters(exclude_categories=()), max_size=40)
"""Any characters, also the halves of a pair that no UTF-8 has."""
NAMES = st.sampled_from(["n", "N", "To", "to", "ж n", "a&b="])
FORMS = st.lists(st.tuples(NAMES, TEXT), max_size=12, unique_by=lambda field: field[0])
URLS = st.builds(
    "{}://hooks.example.com{}/twilio/{}x{}".format,
    st.sampled_from(["https", "http"]),
    st.sampled_from(["", ":443", ":80", ":8443"]),
    TEXT.map(lambda text: quote(text, safe="")),
    st.one_of(
        st.just(""),
        st.just("?a=%2B%20&b="),
        st.builds(lambda name, value: f"?{quote(name)}={quote(value, safe='+')}", TEXT, TEXT),
    ),
)


def made(url: str, form: list[tuple[str, str]] | None = None, token: str = TOKEN) -> str:
    """The signature that Twilio's library makes, for exactly this URL."""
    return str(RequestValidator(token).compute_signature(url, dict(form or [])))


def test_twilios_own_example() -> None:
    assert is_signed((TOKEN,), URL, FORM, SIGNATURE)


def test_the_order_of_fields_does_not_count() -> None:
    assert is_signed((TOKEN,), URL, FORM[::-1], SIGNATURE)


def test_names_are_sorted_case_sensitively() -> None:
    form = [("b", "1"), ("A", "2"), ("a", "3"), ("B", "4")]
    assert is_signed((TOKEN,), URL, form, made(URL, form))


def test_every_field_counts() -> None:
    forms: tuple[list[tuple[str, str]], ...] = (
        FORM[1:],
        [*FORM, ("VerificationStatus", "success")],
        [*FORM[:-1], ("To", "+18005551213")],
        [*FORM[:-1], ("To", "+18005551212 ")],
        [*FORM[:-1], ("to", "+18005551212")],
        [],
    )
    assert [] == [form for form in forms if is_signed((TOKEN,), URL, form, SIGNATURE)]


def test_every_part_of_the_url_counts() -> None:
    urls = (
        "https://example.com/myapp.php?foo=1&bar=3",
        "https://example.com/myapp.php?bar=2&foo=1",
        "https://example.com/myapp.php?foo=%31&bar=2",
        "https://example.com/myapp.php?foo=1&bar=2&",
        "https://example.com/myapp.php",
        "https://example.com/myapp.php/?foo=1&bar=2",
        "https://example.org/myapp.php?foo=1&bar=2",
        "http://example.com/myapp.php?foo=1&bar=2",
        "example.com/myapp.php?foo=1&bar=2",
    )
    assert [] == [url for url in urls if is_signed((TOKEN,), url, FORM, SIGNATURE)]


def test_a_blank_value_counts() -> None:
    form = [*FORM, ("CalledCity", "")]
    assert is_signed((TOKEN,), URL, form, made(URL, form))
    assert not is_signed((TOKEN,), URL, FORM, made(URL, form))


def test_a_field_that_comes_twice_is_not_twilio_s() -> None:
    form = [("To", "b"), ("From", "x"), ("To", "a")]
    assert not is_signed((TOKEN,), URL, form, made(URL, form))


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://example.com/x", "https://example.com:443/x"),
        ("https://example.com:443/x", "https://example.com/x"),
        ("https://example.com:8443/x", "https://example.com/x"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("http://example.com/x", "http://example.com:80/x"),
        ("HTTPS://example.com/x", "HTTPS://example.com:443/x"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com?a=1", "https://example.com:443?a=1"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]/x"),
        ("https://example.com/a@b:1/x?c=d@e:2", "https://example.com:443/a@b:1/x?c=d@e:2"),
    ],
)
def test_with_and_without_port(configured: str, signed: str) -> None:
    assert is_signed((TOKEN,), configured, FORM, made(signed, FORM))


@pytest.mark.parametrize("signed", ["https://example.com:8443/x", "https://example.com:80/x"])
def test_no_other_port_counts(signed: str) -> None:
    assert not is_signed((TOKEN,), "https://example.com/x", FORM, made(signed, FORM))


@pytest.mark.parametrize("tokens", [("old", TOKEN), (TOKEN, "new"), ("a", TOKEN, "c")])
def test_any_of_several_tokens_may_have_signed(tokens: tuple[str, ...]) -> None:
    assert is_signed(tokens, URL, FORM, SIGNATURE)


@pytest.mark.parametrize("tokens", [(), ("other",), ("1234", "123456"), ("ж", "\ud800")])
def test_no_other_token_may(tokens: tuple[str, ...]) -> None:
    assert not is_signed(tokens, URL, FORM, SIGNATURE)


def test_an_empty_token_signs_nothing() -> None:
    """Everybody has it."""
    assert not is_signed(("", TOKEN), URL, FORM, made(URL, FORM, token=""))


@cases
@given(ODD | st.sampled_from([SIGNATURE[:-1], f"{SIGNATURE}=", f" {SIGNATURE}", f"{SIGNATURE}\n"]))
@example(SIGNATURE.lower())
@example("")
@example("ж" * 28)
@example("\udcff" * 28)
@example("A" * 1_000_000)
def test_what_is_no_signature(signature: str) -> None:
    assert not is_signed((TOKEN,), URL, FORM, signature)


@cases
@given(ODD, st.lists(st.tuples(ODD, ODD), max_size=3))
@example("https://", FORM)
@example("https://[::1", FORM)
@example("https://[::1]x:y/z", FORM)
@example("https://example.com:port/x", FORM)
@example(URL, [("\ud800", "\udfff")])
def test_an_odd_url_or_field_raises_nothing(url: str, form: list[tuple[str, str]]) -> None:
    assert not is_signed((TOKEN,), url, form, SIGNATURE)


@cases
@given(URLS, FORMS)
@example("https://hooks.example.com:8443/x", [("n", "2"), ("N", "1"), ("To", "")])
def test_it_agrees_with_twilios_library(url: str, form: list[tuple[str, str]]) -> None:
    """What the library signs counts here, and what it accepts, over a form that went over the wire."""
    arrived = parse_qsl(urlencode(form), keep_blank_values=True)
    fields = dict(arrived)
    library = RequestValidator(TOKEN)
    for other in (form, [*form, ("extra", "")], form[1:]):
        for signed in (url, url.replace(".com/", ".com:443/"), url.replace(":8443", "")):
            signature = made(signed, other)
            assert library.validate(url, fields, signature) == is_signed((TOKEN,), url, arrived, signature)
    assert is_signed((TOKEN,), url, arrived, made(url, form))
    assert not is_signed(("other",), url, arrived, made(url, form))


@cases
@given(URLS, FORMS)
def test_it_agrees_on_a_query(url: str, form: list[tuple[str, str]]) -> None:
    asked = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}x=1"
    assert RequestValidator(TOKEN).validate(asked, {}, made(asked))
    assert is_signed((TOKEN,), asked, [], made(asked))
    assert not is_signed((TOKEN,), f"{asked}1", [], made(asked))
