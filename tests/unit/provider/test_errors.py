"""The error tree, and what each error says."""

from __future__ import annotations

import pytest

from pulumi_twilio_caller_id import errors
from pulumi_twilio_caller_id.errors import (
    ADVICE,
    AlreadyVerified,
    AnswerLost,
    BadSid,
    CallerIdError,
    CredentialsRefused,
    NotFound,
    NotVerified,
    TooManyRequests,
    TwilioRefused,
    TwilioUnreachable,
)
from pulumi_twilio_caller_id.text import one_line


def test_the_tree_at_the_top_is_the_tree() -> None:
    """Each error stands once in the drawing, under the error it derives from."""
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if not isinstance(getattr(errors, name, None), type):
            continue
        depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
        above[depth:] = [name]
        drawn[name] = above[depth - 1] if depth else "Exception"
    defined = {
        name: kind.__mro__[1].__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, CallerIdError)
    }
    assert defined == drawn


def test_an_error_says_what_happened_and_then_what_to_do() -> None:
    error = NotVerified("The line was busy.", "Run it again.")
    assert str(error) == "The line was busy.\nRun it again."
    assert (error.what, error.todo) == ("The line was busy.", "Run it again.")


def test_advising_changes_only_what_to_do() -> None:
    error = AlreadyVerified("The number is there.", "Delete it.")
    error.advise("Import it.")
    assert str(error) == "The number is there.\nImport it."
    assert error.todo == "Import it."


BAD_SID = """\
'../Calls' is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits.
Copy it from the Twilio Console (Phone Numbers, Verified Caller IDs) or from the API."""
HINTED = """\
Twilio refused to verify +14155550101: Trial account (code 21453, HTTP 400).
A trial account may verify at most 5 numbers, and one number may be verified in at most 3 accounts."""
IN_TROUBLE = """\
Twilio failed to verify +14155550101 (HTTP 502).
Twilio is in trouble, see https://status.twilio.com; run the same command again in a while."""
UNKNOWN_CODE = """\
Twilio refused to verify +14155550101: No (code 99999, HTTP 400).
See the code at https://www.twilio.com/docs/api/errors for what it means."""
CREDENTIALS = """\
Twilio refused to look up +14155550101: Authenticate (code 20003, HTTP 401).
Check that the auth token (or API key and secret) belongs to this account and is current."""
NOT_FOUND = """\
Twilio refused to read caller ID PN1: Not there (code 20404, HTTP 404).
Check the sid and the account it belongs to."""
TOO_MANY = """\
Twilio refused to look up +14155550101 (HTTP 429).
Run the same command again in a minute, with less in parallel (`--parallel 4`)."""
UNREACHABLE = """\
Could not reach Twilio to look up +14155550101: no connection.
Check the network, HTTPS_PROXY, REQUESTS_CA_BUNDLE and twilio:apiUrl (if set), then run the same command again."""
LOST = """\
Twilio was asked to verify +14155550101, and gave no usable answer: nothing came within 15 s.
Run the same command again."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BadSid("../Calls"), BAD_SID),
        (TwilioRefused("verify +14155550101", 400, 21453, "Trial account."), HINTED),
        (TwilioRefused("verify +14155550101", 502), IN_TROUBLE),
        (TwilioRefused("verify +14155550101", 400, 99999, "No"), UNKNOWN_CODE),
        (CredentialsRefused("look up +14155550101", 401, 20003, "Authenticate"), CREDENTIALS),
        (NotFound("read caller ID PN1", 404, 20404, "Not there"), NOT_FOUND),
        (TooManyRequests("look up +14155550101", 429), TOO_MANY),
        (TwilioUnreachable("look up +14155550101", "no connection"), UNREACHABLE),
        (AnswerLost("verify +14155550101", "nothing came within 15 s"), LOST),
    ],
)
def test_the_text_of_an_error(error: CallerIdError, text: str) -> None:
    assert text == str(error)


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_a_code_with_a_hint_shows_it(code: int) -> None:
    """The hint takes the place of the general advice; the code is still named."""
    error = TwilioRefused("verify +14155550101", 400, code, "No")
    assert f"Twilio refused to verify +14155550101: No (code {code}, HTTP 400).\n{ADVICE[code]}" == str(error)
    assert ADVICE[code] != TwilioRefused.default_advice


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_or_broken_server_is_transient(status: int) -> None:
    assert TwilioRefused("look up", status).transient


@pytest.mark.parametrize("status", [302, 400, 401, 404, 428, 499])
def test_any_other_refusal_is_final(status: int) -> None:
    assert not TwilioRefused("look up", status).transient


def test_a_bad_sid_is_shown_cut() -> None:
    assert f"{'x' * 60!r}... is not the sid" in str(BadSid("x" * 500))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        (" a\r\nb\tc ", "a  b c"),
        ("\x1b[31mred\x07", "[31mred"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 297 + "..."),
        (404, "404"),
        ("", ""),
    ],
)
def test_text_from_elsewhere_is_fit_for_a_terminal(given: object, expected: str) -> None:
    assert expected == one_line(given)


@pytest.mark.parametrize(
    "error",
    [
        TwilioRefused("read", 400, 20001, "a\x1b[2J\nb"),
        TwilioUnreachable("read", "a\x1b[2J\nb"),
        AnswerLost("read", "a\x1b[2J\nb"),
    ],
)
def test_what_comes_from_outside_cannot_write_to_the_terminal(error: CallerIdError) -> None:
    assert error.what.isprintable()
    assert "a [2J b" in error.what
