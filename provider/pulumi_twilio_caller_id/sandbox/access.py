"""How a running sandbox is reached: its address, its accounts, and what opens them."""

from __future__ import annotations

from collections.abc import Mapping

from .background import HOST, BackgroundServer
from .credentials import Credentials

FOREIGN_VARIABLES = ("TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_REGION", "TWILIO_EDGE")
"""Left over from work with the real Twilio, these would take a program somewhere else, or a real secret here."""


def leading_there(variables: Mapping[str, str], outside: Mapping[str, str]) -> dict[str, str | None]:
    """What changes in an environment, so that whatever runs there asks the sandbox, as itself and by no proxy.

    variables: those of the sandbox. outside: the environment as it is. A value of None: the variable is removed.
    """
    others = outside.get("no_proxy") or outside.get("NO_PROXY")
    bypass = "*" if others == "*" else ",".join(filter(None, [others, HOST]))
    return {**dict.fromkeys(FOREIGN_VARIABLES), **variables, "no_proxy": bypass, "NO_PROXY": bypass}


class Access:
    """The part of `testing.Sandbox` that shows the way to it."""

    _credentials: Credentials
    _background: BackgroundServer

    @property
    def url(self) -> str:
        """Its address, such as http://127.0.0.1:40123; what `TWILIO_API_URL` is set to."""
        return self._background.url

    @property
    def account_sid(self) -> str:
        """The main account."""
        return self._credentials.account_sid

    @property
    def auth_token(self) -> str:
        """The main account's token, as it is now."""
        return self._credentials.auth_token

    @property
    def api_key(self) -> str:
        """An API key of the main account, SK..."""
        return self._credentials.api_key

    @property
    def api_secret(self) -> str:
        """The API key's secret."""
        return self._credentials.api_secret

    @property
    def subaccounts(self) -> dict[str, str]:
        """AccountSid of each subaccount -> its auth token."""
        return dict(self._credentials.subaccounts)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead a program here."""
        return self._credentials.environment(self.url)
