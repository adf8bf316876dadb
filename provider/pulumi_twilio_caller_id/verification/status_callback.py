"""Receive Twilio's StatusCallback: the request by which Twilio tells that the verification call has ended.

Each wait has a path of its own, which nobody can guess. A callback is trusted only if Twilio signed it; one whose
signature can't be checked merely makes the waiter look at Twilio at once. Nobody depends on callbacks: if none can be
received, there is one warning, and the waiter polls.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from pulumi_twilio_caller_id.text import one_line

if TYPE_CHECKING:
    from aiohttp import web

    from .callback_server import CallbackServer, Handler

REQUEST_TIMEOUT = 10.0
"""Seconds that a connection may take to send its whole request."""

NUDGE_BURST = 5
"""How many untrusted callbacks make the waiter look at once. After that, one in NUDGE_INTERVAL seconds does."""

NUDGE_INTERVAL = 1.0

SIGNED_WITH_SHARED_KEY = (
    "A callback is signed with a shared key, not with the account's auth token: it only made us look at Twilio at once."
    " To have callbacks count, exempt them from the account's Webhook Rule."
)
CANNOT_BE_CHECKED = (
    "A callback can't be checked, since the account's auth token is not known: it only made us look at Twilio at once."
    " To have callbacks count, set twilio:callbackAuthTokens to the auth token that signs them."
)
NOT_SIGNED = (
    "A callback was ignored, since no known auth token signed it. If Twilio sent it, correct twilio:callbackUrl,"
    " or set twilio:callbackAuthTokens to the auth token that signs it."
)


@dataclass(frozen=True)
class Callback:
    """What a StatusCallback says.

    verification_status: "success", "failed" or None. caller_id_sid: the new caller ID, on success only.
    trusted: whether Twilio signed it. If not, anybody may have written the rest.
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

    public_url: the base URL that leads, from outside, to `listen` (host:port).
    tokens: the auth tokens that may sign a callback. Without any, no callback is trusted.
    """

    public_url: str
    listen: str = "127.0.0.1:8585"
    tokens: tuple[str, ...] = field(default=(), repr=False)


class CallbackServers:
    """The callback servers of a process: one for each listen address, for as long as anybody waits there."""

    def __init__(self, request_timeout: float = REQUEST_TIMEOUT) -> None:
        self._request_timeout = request_timeout
        self._lock = threading.Lock()
        self._servers: dict[str, CallbackServer] = {}

    @contextmanager
    def serve(self, listen: str, path_token: str, handler: Handler) -> Iterator[None]:
        """While this context is active, requests to `path_token` go to the handler.

        Raises OSError, ValueError or RuntimeError if the address can't be opened.
        """
        from .callback_server import CallbackServer  # late: aiohttp takes long to load, and few runs need it

        with self._lock:
            server = self._servers.get(listen) or CallbackServer(listen, self._request_timeout)
            self._servers[listen] = server
            server.handlers[path_token] = handler
        try:
            yield
        finally:
            with self._lock:  # until the server has stopped, so that whoever comes next finds the address free
                del server.handlers[path_token]
                if not server.handlers:
                    del self._servers[listen]
                    server.stop()


@contextmanager
def status_callback_url(
    servers: CallbackServers,
    endpoint: CallbackEndpoint,
    receive: Callable[[Callback], None],
    warn: Callable[[str], None],
) -> Iterator[str | None]:
    """Give the StatusCallback URL of one wait; None, after a warning, if callbacks can't be received.

    receive: called in the server's thread for each callback, so it must not wait.
    warn: called at the beginning if callbacks can't be received, or at the end if one could not be trusted.
    """
    wait = _Wait(endpoint, receive)
    url: str | None = wait.url
    serving = ExitStack()
    try:
        serving.enter_context(servers.serve(endpoint.listen, wait.path_token, wait.handle))
    except (OSError, ValueError, RuntimeError) as failed:
        reason = one_line(_reason(failed))
        warn(f"Twilio's callbacks can't be received at {one_line(endpoint.listen, 80)} ({reason}): polling only.")
        url = None
    try:
        yield url
    finally:
        serving.close()
        if wait.first_problem:
            warn(wait.first_problem)


def _reason(failed: Exception) -> str:
    if isinstance(failed, OSError) and failed.errno and failed.errno > 0:
        return os.strerror(failed.errno)  # the error's own text repeats the address
    return getattr(failed, "strerror", None) or str(failed)


class _Wait:
    """One wait's side of the receiver. first_problem: why its first untrusted callback was not trusted."""

    def __init__(self, endpoint: CallbackEndpoint, receive: Callable[[Callback], None]) -> None:
        self.path_token = secrets.token_urlsafe(24)
        self.url = f"{endpoint.public_url.rstrip('/')}/{self.path_token}"
        self.first_problem: str | None = None
        self._tokens = endpoint.tokens
        self._receive = receive
        self._nudges = float(NUDGE_BURST)
        self._nudged_at = 0.0

    def handle(self, request: web.BaseRequest, body: bytes | None) -> int:
        """Take in a request, and return the status to answer with. body: None for a GET."""
        _, question_mark, query = request.raw_path.partition("#")[0].partition("?")  # a fragment is not signed
        fields = parse_qsl(query if body is None else body.decode("utf-8", "replace"), keep_blank_values=True)
        signature = request.headers.get("X-Twilio-Signature", "")
        problem = None
        if "X-Twilio-Webhooks-Signature-Settings" in request.headers:
            problem = SIGNED_WITH_SHARED_KEY
        elif not any(self._tokens):
            problem = CANNOT_BE_CHECKED
        elif not is_signed(self._tokens, self.url + question_mark + query, [] if body is None else fields, signature):
            problem = NOT_SIGNED
        self.first_problem = self.first_problem or problem
        if problem == NOT_SIGNED:
            return 403
        if problem is None or self._may_nudge():
            self._receive(_callback(dict(fields), trusted=problem is None))
        return 204

    def _may_nudge(self) -> bool:
        """Limit how often a stranger can make us ask Twilio."""
        now = time.monotonic()
        self._nudges = min(NUDGE_BURST, self._nudges + (now - self._nudged_at) / NUDGE_INTERVAL)
        self._nudged_at = now
        if self._nudges < 1:
            return False
        self._nudges -= 1
        return True


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


def is_signed(tokens: tuple[str, ...], url: str, form: list[tuple[str, str]], signature: str) -> bool:
    """Check whether one of the auth tokens made the signature (Twilio docs: usage/security).

    url: the one that Twilio was given, with the query as it was sent. form: the fields of a POST; empty for a GET.
    """
    fields = dict(form)
    if not signature or len(fields) < len(form):  # Twilio sends no field twice
        return False
    try:
        return any(
            hmac.compare_digest(RequestValidator(token).compute_signature(variant, fields), signature)
            for token in tokens
            if token  # anybody can sign with an empty one
            for variant in _with_and_without_port(url)
        )
    except Exception:  # noqa: BLE001  what Twilio's library can't handle is nothing that Twilio signed
        return False


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Give both forms of a URL: which one Twilio signs differs."""
    parts = urlsplit(url)
    scheme, _, rest = url.partition("://")
    path_and_query = rest.removeprefix(parts.netloc)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{scheme}://{host}{path_and_query}", f"{scheme}://{host}:{port}{path_and_query}"
