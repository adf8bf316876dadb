"""Values that would steer a terminal, turn text around or reach another resource: none gets where it could."""

from __future__ import annotations

import unicodedata

import pytest

from pulumi_twilio_caller_id.cli import sandbox
from pulumi_twilio_caller_id.cli.listing import table
from pulumi_twilio_caller_id.errors import BadSid, CallerIdError, Gone, NotVerified, TwilioRefused
from pulumi_twilio_caller_id.models import CallerId, ValidationRequest
from pulumi_twilio_caller_id.progress.row import code_message, row_text
from pulumi_twilio_caller_id.testing import RequestRecord
from pulumi_twilio_caller_id.verification.waiter import Progress

HOSTILE = ["\x1b[2J", "\x1b]8;;http://x\x07", "\x1b]52;c;eA==\x07", "\x9b2J", "\r", "\a", "\u202e", "\u200b"]


def harmful(text: str) -> list[str]:
    return [char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf")]


def test_nothing_from_twilio_steers_the_terminal() -> None:
    for text in HOSTILE:
        sid, account = "PN" + "0" * 32, "AC" + "0" * 32
        progress = Progress(f"+1415{text}", f"1{text}", f"ringing{text}", 60.0)
        request = ValidationRequest(call_sid="CA" + "0" * 32, phone_number=f"x{text}", validation_code=f"1{text}")
        listed = CallerId(sid=sid, phone_number=f"x{text}", friendly_name=f"Desk{text}", account_sid=account)

        assert [] == harmful(row_text(progress))
        assert [] == harmful(code_message(request))
        assert [] == harmful(table([listed]))


def test_no_error_steers_the_terminal() -> None:
    for text in HOSTILE:
        advised = Gone(f"was {text}", f"do {text}")
        advised.advise(f"or {text}")
        errors: list[CallerIdError] = [
            advised,
            NotVerified(f"was {text}", f"do {text}"),
            TwilioRefused(f"fetch {text}", 400, 1, text),
            BadSid(f"PN{text}"),
        ]

        assert [[]] * len(errors) == [harmful(str(error)) for error in errors]


def test_the_sandboxs_log_of_requests_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Paths are decoded before they are logged."""
    for text in HOSTILE:
        sandbox._log(RequestRecord("GET", f"/{text}\nx", "", {text: text}, {}, "", 0.0, 404))

        told = capsys.readouterr().err
        assert "GET /" in told
        assert [] == harmful(told)
