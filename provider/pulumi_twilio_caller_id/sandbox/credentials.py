"""Who may do what: the accounts of a sandbox and what they are opened with.

One main account, with an auth token and an API key, and any number of subaccounts, each with an auth token of its own.
Source: Twilio docs: iam/api and iam/api-keys; error 20003 for subaccounts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pulumi_twilio_caller_id.text import quote

from . import errors, wire

ACCOUNT_SID = re.compile("AC[0-9a-fA-F]{32}")


def made_up(prefix: str, phrase: str) -> str:
    """A sid or token that looks random and is the same each time: prefix and 32 hex digits."""
    return prefix + hashlib.sha256(f"pulumi-twilio-caller-id sandbox: {phrase}".encode()).hexdigest()[:32]


@dataclass
class Credentials:
    """The accounts of a sandbox. The default values are made up and open nothing but a sandbox.

    `subaccounts` maps an AccountSid to its auth token; `ValueError` where the main account is among them.
    """

    account_sid: str = made_up("AC", "account")
    auth_token: str = made_up("", "auth token")
    api_key: str = made_up("SK", "api key")
    api_secret: str = made_up("", "api secret")
    subaccounts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.account_sid in self.subaccounts:
            raise ValueError(f"{self.account_sid} is the main account")

    @property
    def account_sids(self) -> list[str]:
        """Main account first."""
        return [self.account_sid, *self.subaccounts]

    def check(self, account_sid: str) -> None:
        """`ValueError` unless it is one of the accounts."""
        if account_sid not in self.account_sids:
            raise ValueError(f"account_sid {quote(account_sid)} must be one of {', '.join(self.account_sids)}")

    def environment(self, url: str) -> dict[str, str]:
        """Environment variables that lead a program to the main account, at a sandbox's URL."""
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_API_URL": url,
        }

    def authenticate(self, authorization: str | None, account_sid: str) -> None:
        """Refuses (401, code 20003) unless a request with that header may work on that account.

        The main account's token opens its subaccounts too; its API key, and a subaccount's token, open one account.
        """
        username, password = read_basic(authorization)
        by_token = (username, password) == (self.account_sid, self.auth_token)
        by_key = (username, password) == (self.api_key, self.api_secret)
        if (by_token or by_key) and account_sid.startswith("SK"):
            # An API key where the account belongs, a common mistake with a code of its own.
            raise errors.invalid_account_sid(account_sid)
        if account_sid in (self.account_sids if by_token else [self.account_sid] if by_key else []):
            return
        if username == account_sid and self.subaccounts.get(account_sid) == password:
            return
        raise errors.authenticate()

    def account(self, authorization: str | None, account_sid: str) -> dict[str, object]:
        """An account as the API shows it, to who may open it with an auth token; an API key is refused."""
        if read_basic(authorization)[0] == self.api_key:
            raise errors.authenticate()
        return wire.account(account_sid, self.account_sid, self.subaccounts.get(account_sid, self.auth_token))

    def set_auth_token(self, auth_token: str, account_sid: str | None = None) -> None:
        """Rotates a token; the old one opens nothing from now on. `ValueError` for an account that is not there."""
        if account_sid is None or account_sid == self.account_sid:
            self.auth_token = auth_token
        else:
            self.check(account_sid)
            self.subaccounts[account_sid] = auth_token


def subaccounts(given: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Subaccounts with their tokens; where only sids are given, the tokens are made up.

    `ValueError` for what is no AccountSid, and for a token that is no text or empty.
    """
    read = {}
    for sid in given:
        if not (isinstance(sid, str) and ACCOUNT_SID.fullmatch(sid)):
            raise ValueError(f"{quote(sid)} is not the sid of an account: AC and 32 hexadecimal digits")
        read[sid] = given[sid] if isinstance(given, Mapping) else made_up("", f"auth token of {sid}")
        if not (isinstance(read[sid], str) and read[sid]):
            raise ValueError(f"the auth token of {sid} must be a text, and not empty")
    return read


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
