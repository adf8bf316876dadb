"""What `lifecycle` gives the operations: the request for one resource, and what the plugin process keeps.

`lifecycle` is a shell: it translates what Pulumi says. `operations`, and what they import, are the core: they do the
work, and know Pulumi only by the Operation and the Plugin.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from .cancellation import CancelToken
from .ownership import Ownership
from .settings import sources

if TYPE_CHECKING:
    from .api.client import Client
    from .api.connections import Connections
    from .api.listing_cache import ListingCache
    from .api.transport import RetryPolicy
    from .progress.terminal_line import TerminalLine
    from .settings.model import Settings
    from .verification.status_callback import CallbackServers

Properties = Mapping[str, Any]
"""Inputs or outputs of a resource, by name."""

R = TypeVar("R")

Severity = Literal["debug", "info", "warning"]
"""How a text is marked. "error" is missing, because Pulumi would mark the resource as failed."""


class Log(Protocol):
    """Shows a text on the row of a resource in Pulumi's table, and in Diagnostics.

    If `urn` is "", the row is the stack's. An `ephemeral` text is not in Diagnostics. The next text replaces it, and ""
    clears it.
    """

    def __call__(self, severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None: ...


def no_log(severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Operation:
    """One request of Pulumi's engine: check, diff, create, read, update or delete one resource.

    urn: the resource's URN; "" if it was not found in the SDK. Then two resources with the same number go unnoticed.
    timeout_seconds: the `custom_timeouts` for this operation, None if the program sets none.
    cancel: the token that is cancelled when the operation is to stop.
    read_old_inputs: a function that returns the inputs in the state, None if there are none or they can't be read.
    send_log: the function that `log` calls.
    """

    urn: str = ""
    timeout_seconds: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    read_old_inputs: Callable[[], dict[str, Any] | None] = lambda: None
    send_log: Log = no_log

    def log(self, severity: Severity, text: str, *, ephemeral: bool = False) -> None:
        """Show a text on this resource's row: see `Log`."""
        self.send_log(severity, text, urn=self.urn, ephemeral=ephemeral)


class _locked_cached_property(cached_property[R]):  # noqa: N801  used as a decorator
    """A `cached_property` with a lock, which Python's own lacks since 3.12."""

    def __get__(self, plugin: Any, owner: Any = None) -> R:  # type: ignore[override]
        with plugin._lock:
            return super().__get__(plugin, owner)  # type: ignore[no-any-return]


class Plugin:
    """What one provider's plugin process keeps during one `pulumi up`, `preview`, `refresh` or `destroy`.

    The engine starts the process for the command, and ends it with the command. All that needs Twilio's client or
    pydantic is made when it is first used, because an unchanged stack never uses it.

    log: the function that shows a text on the stack's row. config: the function that returns the value of a config
    key, None if it is not set. environment: the environment variables.
    """

    def __init__(
        self,
        *,
        ownership: Ownership,
        log: Log = no_log,
        config: sources.ConfigGetter = lambda _key: None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.config = config
        self.environment = environment
        self.ownership = ownership
        self.cancel = CancelToken()  # for the whole process; each Operation has a child of it
        self._log = log
        self._lock = threading.RLock()
        self._logged: set[str] = set()

    def log_once(self, severity: Severity, text: str) -> None:
        """Show a text on the stack's row, only once in this process, though many resources may cause it."""
        with self._lock:
            if text in self._logged:
                return
            self._logged.add(text)
        self._log(severity, text)

    @property
    def account_sid(self) -> str | None:
        """The configured account's sid, None if no account is configured. Needs no credentials."""
        return sources.account_sid(self.config, self.environment)

    def account_key(self, account_sid: str | None) -> tuple[str | None, str]:
        """Return what tells accounts apart: the sid (None if it is given nowhere), and the API's base URL.

        account_sid: the resource's input, None if the program does not give it.
        """
        return account_sid or self.account_sid, sources.normalized_api_url(self.config, self.environment)

    @_locked_cached_property
    def settings(self) -> Settings:
        """The settings. Raises CredentialsMissing, or SettingsError for a bad value."""
        from .settings.model import load_settings

        return load_settings(self.config, self.environment)

    def client(self, account_sid: str | None, cancel: CancelToken, *, policy: RetryPolicy | None = None) -> Client:
        """Return a client for the caller IDs of this account. None stands for the account of the settings."""
        from .api.client import Client
        from .api.transport import DEFAULT_RETRIES

        policy = policy or DEFAULT_RETRIES
        return Client(self.settings, account_sid, connections=self.connections, cancel=cancel, policy=policy)

    @_locked_cached_property
    def connections(self) -> Connections:
        """The open connections to Twilio, which all requests of the process share."""
        from .api.connections import Connections

        return Connections()

    @_locked_cached_property
    def listing_cache(self) -> ListingCache:
        """The lists of each account's caller IDs, which spare many single requests."""
        from .api.listing_cache import ListingCache

        return ListingCache()

    @_locked_cached_property
    def callback_servers(self) -> CallbackServers:
        """The receivers of Twilio's status callbacks."""
        from .verification.status_callback import CallbackServers

        return CallbackServers()

    @_locked_cached_property
    def terminal_line(self) -> TerminalLine:
        """Shows the codes on the terminal's bottom line if Pulumi's table is too narrow for them."""
        from .progress.terminal_line import TerminalLine

        return TerminalLine()
