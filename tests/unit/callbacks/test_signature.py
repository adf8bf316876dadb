"""Twilio's signature: what it covers, which spellings of a URL count, and that nothing a stranger sends raises."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.verification.signature import signed_by

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
FORMS = st.lists(st.tuples(NAMES, TEXT), max_size=12)
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


class MultiDict(dict[str, list[str]]):
    """Fields as frameworks hand them to Twilio's library."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def made(url: str, form: list[tuple[str, str]] | None = None, token: str = TOKEN) -> str:
    """The signature that Twilio's library makes, for exactly this URL."""
    fields = MultiDict()
    for name, value in form or []:
        fields.setdefault(name, []).append(value)
    return str(RequestValidator(token).compute_signature(url, fields))


def test_twilios_own_example() -> None:
    assert signed_by([TOKEN], URL, FORM, SIGNATURE)


def test_the_order_of_fields_does_not_count() -> None:
    assert signed_by([TOKEN], URL, FORM[::-1], SIGNATURE)


def test_names_are_sorted_case_sensitively() -> None:
    form = [("b", "1"), ("A", "2"), ("a", "3"), ("B", "4")]
    assert signed_by([TOKEN], URL, form, made(URL, form))


def test_every_field_counts() -> None:
    forms: tuple[list[tuple[str, str]] | None, ...] = (
        FORM[1:],
        [*FORM, ("VerificationStatus", "success")],
        [*FORM[:-1], ("To", "+18005551213")],
        [*FORM[:-1], ("To", "+18005551212 ")],
        [*FORM[:-1], ("to", "+18005551212")],
        [],
        None,
    )
    assert [] == [form for form in forms if signed_by([TOKEN], URL, form, SIGNATURE)]


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
    assert [] == [url for url in urls if signed_by([TOKEN], url, FORM, SIGNATURE)]


def test_a_blank_value_counts() -> None:
    form = [*FORM, ("CalledCity", "")]
    assert signed_by([TOKEN], URL, form, made(URL, form))
    assert not signed_by([TOKEN], URL, FORM, made(URL, form))


def test_values_of_one_name_are_sorted_and_count_once() -> None:
    form = [("To", "b"), ("From", "x"), ("To", "a"), ("To", "b")]
    assert signed_by([TOKEN], URL, form, made(URL, [("From", "x"), ("To", "a"), ("To", "b")]))


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://example.com/x", "https://example.com:443/x"),
        ("https://example.com:443/x", "https://example.com/x"),
        ("https://example.com:8443/x", "https://example.com/x"),
        ("https://example.com:8443/x", "https://example.com:8443/x"),
        ("https://example.com:/x", "https://example.com:443/x"),
        ("http://example.com/x", "http://example.com:80/x"),
        ("HTTPS://example.com/x", "HTTPS://example.com:443/x"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com?a=1", "https://example.com:443?a=1"),
        ("https://user:pass@example.com/x", "https://example.com/x"),
        ("https://user:pass@example.com/x", "https://example.com:443/x"),
        ("https://user:p@ss@example.com:8443/x", "https://example.com/x"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]/x"),
        ("https://user@[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("https://example.com/x#rc=5&rp=all", "https://example.com/x"),
        ("https://example.com/x?a=1#rc=5", "https://example.com:443/x?a=1"),
        ("https://example.com/a@b:1/x?c=d@e:2", "https://example.com:443/a@b:1/x?c=d@e:2"),
    ],
)
def test_with_and_without_port_userinfo_and_fragment(configured: str, signed: str) -> None:
    assert signed_by([TOKEN], configured, FORM, made(signed, FORM))


@pytest.mark.parametrize(
    "signed", ["https://example.com:8443/x", "https://example.com:80/x", "https://u@example.com/x"]
)
def test_no_other_port_and_no_userinfo_counts(signed: str) -> None:
    assert not signed_by([TOKEN], "https://example.com/x", FORM, made(signed, FORM))


@pytest.mark.parametrize("tokens", [["old", TOKEN], [TOKEN, "new"], iter(["a", TOKEN, "c"])])
def test_any_of_several_tokens_may_have_signed(tokens: list[str] | Iterator[str]) -> None:
    assert signed_by(tokens, URL, FORM, SIGNATURE)


@pytest.mark.parametrize("tokens", [[], ["other"], ["1234", "123456"], ["ж", "\ud800"]])
def test_no_other_token_may(tokens: list[str]) -> None:
    assert not signed_by(tokens, URL, FORM, SIGNATURE)


def test_an_empty_token_signs_nothing() -> None:
    """Everybody has it."""
    assert not signed_by(["", TOKEN], URL, FORM, made(URL, FORM, token=""))


@cases
@given(st.none() | ODD | st.sampled_from([SIGNATURE[:-1], f"{SIGNATURE}=", f" {SIGNATURE}", f"{SIGNATURE}\n"]))
@example(SIGNATURE.lower())
@example("")
@example("ж" * 28)
@example("\udcff" * 28)
@example("A" * 1_000_000)
def test_what_is_no_signature(signature: str | None) -> None:
    assert not signed_by([TOKEN], URL, FORM, signature)


@cases
@given(ODD, st.lists(st.tuples(ODD, ODD), max_size=3))
@example("https://", FORM)
@example("https://[::1", FORM)
@example("https://[::1]x:y/z", FORM)
@example("https://example.com:port/x", FORM)
@example(URL, [("\ud800", "\udfff")])
def test_an_odd_url_or_field_raises_nothing(url: str, form: list[tuple[str, str]]) -> None:
    assert not signed_by([TOKEN], url, form, SIGNATURE)


def test_what_is_no_utf_8_counts_as_the_bytes_that_were_sent() -> None:
    made = base64.b64encode(hmac.new(TOKEN.encode(), b"https://example.com/x?a=\xff", "sha1").digest()).decode()
    assert signed_by([TOKEN], "https://example.com/x?a=\udcff", None, made)


@cases
@given(URLS, FORMS)
@example("https://hooks.example.com:8443/x", [("n", "2"), ("N", "1"), ("n", "1"), ("n", "2"), ("To", "")])
def test_it_agrees_with_twilios_library(url: str, form: list[tuple[str, str]]) -> None:
    """What the library signs counts here, and what it accepts, over a form that went over the wire."""
    arrived = parse_qsl(urlencode(form), keep_blank_values=True)
    fields = MultiDict()
    for name, value in arrived:
        fields.setdefault(name, []).append(value)
    library = RequestValidator(TOKEN)
    for other in (form, [*form, ("extra", "")], form[1:]):
        for signed in (url, url.replace(".com/", ".com:443/"), url.replace(":8443", "")):
            signature = made(signed, other)
            assert library.validate(url, fields, signature) == signed_by([TOKEN], url, arrived, signature)
    assert signed_by([TOKEN], url, arrived, made(url, form))
    assert not signed_by(["other"], url, arrived, made(url, form))


@cases
@given(URLS, FORMS)
def test_it_agrees_on_a_query(url: str, form: list[tuple[str, str]]) -> None:
    asked = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}x=1"
    assert RequestValidator(TOKEN).validate(asked, {}, made(asked))
    assert signed_by([TOKEN], asked, None, made(asked))
    assert not signed_by([TOKEN], f"{asked}1", None, made(asked))
