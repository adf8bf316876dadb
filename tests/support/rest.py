"""A sandbox's API, asked by plain requests, as a client would that is none of Twilio's; and a clock for it."""

from __future__ import annotations

from typing import Any

import requests

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.waiting import PATIENCE

NUMBER = "+14155550101"
START = 1_795_514_400.0
"""Tue, 24 Nov 2026 10:00:00 +0000, in seconds since the epoch."""


class Clock:
    """Stands still, unless it is set."""

    now = START

    def __call__(self) -> float:
        return self.now


def ask(
    sandbox: Sandbox, method: str, path: str, *, account_sid: str = "", auth: Any = None, **options: Any
) -> requests.Response:
    """A request about an account, by default the main one, by its token."""
    url = f"{sandbox.url}/2010-04-01/Accounts/{account_sid or sandbox.account_sid}/{path}"
    auth = auth or (sandbox.account_sid, sandbox.auth_token)
    return requests.request(method, url, auth=auth, timeout=PATIENCE, **options)


def place(sandbox: Sandbox, number: str = NUMBER, *, account_sid: str = "", **form: str) -> requests.Response:
    """A validation request."""
    data = {"PhoneNumber": number, **form}
    return ask(sandbox, "POST", "OutgoingCallerIds.json", account_sid=account_sid, data=data)
