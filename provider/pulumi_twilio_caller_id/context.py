"""What a shell tells the core: one operation of the engine, and what the process keeps between operations."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

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

Severity = Literal["debug", "info", "warning"]
"""Not "error", which marks the resource as failed although its operation goes on."""


class Log(Protocol):
    """Shows text on a resource's row (on the stack's if `urn` is ""), and in the log unless it is ephemeral."""

    def __call__(self, severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None: ...


def no_log(severity: Severity, text: str, *, urn: str = "", ephemeral: bool = False) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Call:
    """One operation on one resource, as the engine asks for it.

    urn: the resource's, "" if it can't be found out; conflicts with other resources are not seen then.
    timeout_seconds: `custom_timeouts` of this operation, None if the program sets none.
    cancel: cancelled when the operation is to stop.
    read_old_inputs: returns the inputs in the state, None if there are none or they can't be read.
    """

    urn: str = ""
    timeout_seconds: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    read_old_inputs: Callable[[], dict[str, Any] | None] = lambda: None
    send_log: Log = no_log

    def log(self, severity: Severity, text: str, *, ephemeral: bool = False) -> None:
        """Show text on the resource's row, and in the log unless it is ephemeral. "" clears an ephemeral text."""
        self.send_log(severity, text, urn=self.urn, ephemeral=ephemeral)


class Plugin:
    """What the process of one provider resource keeps between the engine's calls of one operation.

    The engine starts a process for each operation and each provider resource. The provider's class itself keeps
    nothing, since its pickle is in every state. Whatever needs Twilio's client or pydantic is made when it is first
    used: an operation that changes nothing does without.

    log: shows a text on the stack's row.
    """

    def __init__(
        self,
        *,
        ownership: Ownership,
        log: Log = no_log,
        config: sources.Lookup = lambda _key: None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.config = config
        self.environment = environment
        self.ownership = ownership
        self.cancel = CancelToken()
        self._log = log
        self._lock = threading.Lock()
        self._warned: set[str] = set()

    def warn_once(self, text: str) -> None:
        """Show a warning on the stack's row, once: each of the stack's numbers would say the same."""
        with self._lock:
            if text in self._warned:
                return
            self._warned.add(text)
        self._log("warning", text)

    @property
    def account_sid(self) -> str | None:
        """The sid of the account that is set, None if none is. Needs no credentials."""
        return sources.account_sid(self.config, self.environment)

    def account_key(self, account_sid: str | None) -> tuple[str | None, str]:
        """Return what tells a resource's account from others: its sid, if that is known, and the API's base URL."""
        return account_sid or self.account_sid, sources.api_address(self.config, self.environment)

    def settings(self) -> Settings:
        """Return the settings in force. Raises CredentialsMissing, or SettingsError for a bad value."""
        from .settings.model import load_settings

        return load_settings(self.config, self.environment)

    def client(
        self,
        account_sid: str | None,
        cancel: CancelToken,
        *,
        settings: Settings | None = None,
        policy: RetryPolicy | None = None,
    ) -> Client:
        """Return a client for the caller IDs of an account (None: the settings' own)."""
        from .api.client import Client
        from .api.transport import DEFAULT

        settings = settings or self.settings()
        return Client(settings, account_sid, connections=self.connections, cancel=cancel, policy=policy or DEFAULT)

    @cached_property
    def connections(self) -> Connections:
        """The connections to Twilio, kept open for the next request."""
        from .api.connections import Connections

        return Connections()

    @cached_property
    def listing_cache(self) -> ListingCache:
        """One listing of an account in place of many requests."""
        from .api.listing_cache import ListingCache

        return ListingCache()

    @cached_property
    def callback_servers(self) -> CallbackServers:
        """The receivers of Twilio's status callbacks."""
        from .verification.status_callback import CallbackServers

        return CallbackServers()

    @cached_property
    def terminal_line(self) -> TerminalLine:
        """The last line of a narrow terminal, which shows the codes."""
        from .progress.terminal_line import TerminalLine

        return TerminalLine()
