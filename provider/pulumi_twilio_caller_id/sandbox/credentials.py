"""Who may do what: the accounts of a sandbox and what they are opened with.

One main account, with an auth token and an API key, and any number of subaccounts, each with an auth token of its own.
Source: Twilio docs: iam/api and iam/api-keys; error 20003 for subaccounts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from . import errors


def made_up(prefix: str, phrase: str) -> str:
    """A sid or token that looks random and is the same each time: prefix and 32 hex digits."""
    return prefix + hashlib.sha256(f"pulumi-twilio-caller-id sandbox: {phrase}".encode()).hexdigest()[:32]


@dataclass
class Credentials:
    """The accounts of a sandbox. The default values are made up and open nothing but a sandbox.

    `subaccounts` maps an AccountSid to its auth token.
    """

    account_sid: str = made_up("AC", "account")
    auth_token: str = made_up("", "auth token")
    api_key: str = made_up("SK", "api key")
    api_secret: str = made_up("", "api secret")
    subaccounts: dict[str, str] = field(default_factory=dict)

    @property
    def account_sids(self) -> list[str]:
        """Main account first."""
        return [self.account_sid, *self.subaccounts]

    def environment(self, url: str) -> dict[str, str]:
        """Environment variables that lead a program to the main account, at a sandbox's URL."""
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_API_URL": url,
        }

    def authenticate(self, authorization: str | None, account_sid: str) -> None:
        """Refuses (401, code 20003) unless a request with that header may work on that account.

        The main account's token and key open its subaccounts too; a subaccount's token opens that one alone.
        """
        username, password = read_basic(authorization)
        main = (username, password) in ((self.account_sid, self.auth_token), (self.api_key, self.api_secret))
        if main and account_sid.startswith("SK"):
            # An API key where the account belongs, a common mistake with a code of its own.
            raise errors.invalid_account_sid(account_sid)
        if main and account_sid in self.account_sids:
            return
        if username == account_sid and self.subaccounts.get(account_sid) == password:
            return
        raise errors.authenticate()

    def set_auth_token(self, auth_token: str, account_sid: str | None = None) -> None:
        """Rotates a token; the old one opens nothing from now on. `KeyError` for an account that is not there."""
        if account_sid in (None, self.account_sid):
            self.auth_token = auth_token
        elif account_sid in self.subaccounts:
            self.subaccounts[account_sid] = auth_token
        else:
            raise KeyError(account_sid)


def subaccounts(given: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Subaccounts with their tokens; where only sids are given, the tokens are made up."""
    if isinstance(given, Mapping):
        return dict(given)
    return {sid: made_up("", f"auth token of {sid}") for sid in given}


def read_basic(authorization: str | None) -> tuple[str, str]:
    """User name and password of a Basic Authorization header; both empty where there is none."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return username, password
