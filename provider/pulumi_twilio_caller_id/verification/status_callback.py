"""The HTTP receiver of Twilio's StatusCallback.

Each wait has a path of its own, which cannot be guessed. A callback is taken for Twilio's word only with a valid
signature; where no signature can be checked, it is a reason to look at Twilio at once, and nothing more. Callbacks are
never needed: where none can be received, whoever waits is told so once, and polls.

One server per process and listen address serves all waits. It runs in a thread of its own while there are any.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pulumi_twilio_caller_id.text import one_line

from .callback_server import REQUEST_TIMEOUT, Server
from .signature import signed_by
from .sockets import bind

_logger = logging.getLogger(__name__)

MOST_FIELDS = 200
"""Fields of a callback; Twilio's has about 40. To sort tens of thousands would keep others waiting."""

NUDGE_BURST = 5
"""How many callbacks that are not news make us look at Twilio at once; after that, one in NUDGE_INTERVAL does."""

NUDGE_INTERVAL = 1.0
"""Seconds."""

SIGNATURE = re.compile("[A-Za-z0-9+/]{27}=")
"""The form of Twilio's signatures: an HMAC-SHA1 in base64."""

LOOKED = (
    "it only made us look at Twilio at once."
    " To have callbacks count, set twilio:callbackAuthTokens to the auth token that signs them."
)

WARNING_TIMEOUT = 3.0
"""Seconds that a warning which is under way when its wait ends is waited for."""


@dataclass(frozen=True)
class Callback:
    """What a StatusCallback said.

    `verification_status`: "success", "failed" or None. `caller_id_sid`: the new caller ID, on success only.
    `trusted`: Twilio's signature was there and valid; without it, nothing else of this means anything.
    """

    call_sid: str
    account_sid: str
    call_status: str
    verification_status: str | None
    caller_id_sid: str | None
    trusted: bool


@dataclass(frozen=True)
class CallbackEndpoint:
    """How callbacks can reach this process.

    `public_url`: the base URL that leads, from outside, to `listen` (host:port).
    `tokens`: the auth tokens that may have signed a callback; without any, none can be trusted.
    """

    public_url: str
    listen: str = "127.0.0.1:8585"
    tokens: tuple[str, ...] = field(default=(), repr=False)


@contextmanager
def status_callback_url(
    reception: CallbackEndpoint,
    receive: Callable[[Callback], None],
    warn: Callable[[str], None],
    *,
    request_timeout: float = REQUEST_TIMEOUT,
) -> Iterator[str | None]:
    """The StatusCallback URL of one wait, or None, after one warning, where callbacks can't be received.

    `receive` is called in the server's thread, so it has to be quick; `warn` may take its time, in a thread of its own,
    of which WARNING seconds are left when the wait ends. `request_timeout` counts where this wait starts the server.
    """
    wait = _Wait(reception, receive, warn)
    server = None
    try:
        server = _join(wait, request_timeout)
    except (OSError, ValueError, RuntimeError) as failed:
        reason = _reason(failed)
    if server is None:
        warn(
            f"Twilio's callbacks can't be received at {one_line(reception.listen, 80)} ({one_line(reason)}):"
            " polling only."
        )
        yield None
        return
    try:
        yield wait.url
    finally:
        _leave(wait, server)
        wait.finish_warning()


def _reason(failed: Exception) -> str:
    if isinstance(failed, OSError) and failed.errno and failed.errno > 0:
        return os.strerror(failed.errno)  # less the address, which is said already
    return getattr(failed, "strerror", None) or str(failed)


_servers: dict[str, Server] = {}
_servers_lock = threading.Lock()


def _join(wait: _Wait, request_timeout: float) -> Server:
    """Have the server of the wait's address serve it too. Starts that server for the first."""
    with _servers_lock:
        server = _servers.get(wait.reception.listen)
        if server is None:
            server = Server(bind(wait.reception.listen), request_timeout)
            _servers[wait.reception.listen] = server
        server.waits[wait.path] = wait
        return server


def _leave(wait: _Wait, server: Server) -> None:
    """Under the lock to the end, so that the next to join finds the address free again."""
    with _servers_lock:
        del server.waits[wait.path]
        if not server.waits:
            del _servers[wait.reception.listen]
            server.stop()


class _Wait:
    """What one wait expects: a callback on its own path."""

    def __init__(
        self, reception: CallbackEndpoint, receive: Callable[[Callback], None], warn: Callable[[str], None]
    ) -> None:
        self.reception = reception
        self.path = secrets.token_urlsafe(24)
        self.url = f"{reception.public_url.rstrip('/')}/{self.path}"
        self._receive = receive
        self._warn = warn
        self._warning: threading.Thread | None = None
        self._news: Callback | None = None  # what was trusted last
        self._nudges = float(NUDGE_BURST)
        self._nudged = 0.0

    def take(self, query: str | None, body: bytes | None, signature: str | None, *, shared_key: bool) -> int:
        """The status to answer with. `query`: raw, None where there is none; `body`: None for a GET."""
        url = self.url if query is None else f"{self.url}?{query}"
        try:
            fields = _parse(query or "" if body is None else body.decode("utf-8", "replace"))
        except ValueError:
            return 413
        trusted = False
        if shared_key:
            self._warn_once(f"A callback is signed with a shared key, not with the account's auth token: {LOOKED}")
        elif not any(self.reception.tokens):
            self._warn_once(f"A callback can't be checked, since the account's auth token is not known: {LOOKED}")
        elif signed_by(self.reception.tokens, url, None if body is None else fields, signature):
            trusted = True
        else:
            if SIGNATURE.fullmatch(signature or "") and {"AccountSid", "CallSid"} <= {name for name, _ in fields}:
                self._warn_once(
                    "A callback was ignored, since no known auth token signed it. If Twilio sent it, correct"
                    " twilio:callbackUrl, or set twilio:callbackAuthTokens to the auth token that signs it."
                )
            return 403
        callback = _callback(dict(fields), trusted=trusted)
        if self._is_news(callback) or self._may_nudge():
            self._guarded(self._receive, callback)
        return 204

    def _is_news(self, callback: Callback) -> bool:
        """Only Twilio has any: a stranger can repeat what Twilio said, and no more."""
        known, self._news = self._news, callback if callback.trusted else self._news
        return callback.trusted and callback != known

    def _may_nudge(self) -> bool:
        """Each makes whoever waits ask Twilio: no stranger may have them do that without a pause."""
        now = time.monotonic()
        self._nudges = min(NUDGE_BURST, self._nudges + (now - self._nudged) / NUDGE_INTERVAL)
        self._nudged = now
        if self._nudges < 1:
            return False
        self._nudges -= 1
        return True

    def _warn_once(self, text: str) -> None:
        """Not in the server's thread: all waits share that, and whoever shows the warning may keep it waiting."""
        if self._warning is None:
            self._warning = threading.Thread(
                target=self._guarded, args=(self._warn, text), name="twilio-callback-warning", daemon=True
            )
            self._guarded(threading.Thread.start, self._warning)

    def finish_warning(self) -> None:
        """Nobody hears it any more once the operation is answered."""
        if self._warning is not None and self._warning.is_alive():
            self._warning.join(WARNING_TIMEOUT)

    def _guarded(self, function: Callable[[Any], None], argument: object) -> None:
        """What goes wrong on our side is no business of whoever sent the request."""
        try:
            function(argument)
        except Exception as failed:  # noqa: BLE001
            _logger.warning("A callback could not be passed on: %s", type(failed).__name__)  # its text may quote


def _parse(encoded: str) -> list[tuple[str, str]]:
    """Raises ValueError for more than MOST_FIELDS."""
    return parse_qsl(encoded, keep_blank_values=True, encoding="utf-8", errors="replace", max_num_fields=MOST_FIELDS)


def _callback(fields: dict[str, str], *, trusted: bool) -> Callback:
    status = fields.get("VerificationStatus")
    return Callback(
        call_sid=fields.get("CallSid", ""),
        account_sid=fields.get("AccountSid", ""),
        call_status=fields.get("CallStatus", ""),
        verification_status=status if status in ("success", "failed") else None,
        caller_id_sid=fields.get("OutgoingCallerIdSid") or None if status == "success" else None,
        trusted=trusted,
    )
