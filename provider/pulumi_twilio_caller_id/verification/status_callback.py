"""Receive Twilio's StatusCallback: the request by which Twilio reports that the verification call has ended.

Each verification has its own path, which nobody can guess. A callback is trusted if a known auth token signed it. One
with another signature is refused. One whose signature can't be checked only makes the waiter poll Twilio immediately.
No verification depends on callbacks: if they can't be received, there is one warning, and the waiter polls.
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
"""Seconds after which a connection is closed, even if it has not sent its whole request."""

UNCHECKED_CALLBACK_BURST = 5
"""This many unchecked callbacks may reach the waiter at once; then one per UNCHECKED_CALLBACK_INTERVAL seconds."""

UNCHECKED_CALLBACK_INTERVAL = 1.0

SIGNED_WITH_SHARED_KEY = (
    "A callback is signed with a shared key, not with the account's auth token, so it only made Pulumi poll Twilio"
    " immediately. To have callbacks trusted, exempt twilio:callbackUrl from the account's Webhook Rule"
    " (Twilio docs: usage/webhooks/webhook-shared-keys)."
)
CANNOT_BE_CHECKED = (
    "A callback can't be checked, since the account's auth token is not known, so it only made Pulumi poll Twilio"
    " immediately. To have callbacks trusted, set twilio:callbackAuthTokens to the auth token that signs them."
)
SIGNATURE_UNKNOWN = (
    "A callback was ignored, since no known auth token signed it. If Twilio sent it, correct twilio:callbackUrl,"
    " or set twilio:callbackAuthTokens to the auth token that signs it."
)


@dataclass(frozen=True)
class Callback:
    """What a StatusCallback says.

    verification_status: "success", "failed" or None. caller_id_sid: the new caller ID's, on success only.
    trusted: whether a known auth token signed the callback. If not, anybody may have written it.
    """

    call_sid: str
    account_sid: str
    call_status: str
    verification_status: str | None
    caller_id_sid: str | None
    trusted: bool


@dataclass(frozen=True)
class CallbackEndpoint:
    """The settings that say how callbacks reach this process.

    public_url: the base URL by which Twilio reaches `listen_address` (host:port).
    auth_tokens: the tokens that may sign a callback; `operations.create` collects them. Without them, none is trusted.
    """

    public_url: str
    listen_address: str = "127.0.0.1:8585"
    auth_tokens: tuple[str, ...] = field(default=(), repr=False)


class CallbackServers:
    """The callback servers of a process: one for each listen address in use. `context.Plugin` makes this object."""

    def __init__(self, request_timeout: float = REQUEST_TIMEOUT) -> None:
        self._request_timeout = request_timeout
        self._lock = threading.Lock()
        self._servers: dict[str, CallbackServer] = {}

    @contextmanager
    def serve(self, listen_address: str, path_secret: str, handler: Handler) -> Iterator[None]:
        """While this context is active, pass requests to the handler if their path ends with `path_secret`.

        Raises OSError, ValueError or RuntimeError if the address can't be opened.
        """
        from .callback_server import CallbackServer  # late: aiohttp takes long to load, and few runs need it

        with self._lock:
            server = self._servers.get(listen_address) or CallbackServer(listen_address, self._request_timeout)
            self._servers[listen_address] = server
            server.handlers[path_secret] = handler
        try:
            yield
        finally:
            with self._lock:  # held until the server has stopped, so that the next `serve` can bind the address
                del server.handlers[path_secret]
                if not server.handlers:
                    del self._servers[listen_address]
                    server.stop()


@contextmanager
def receive_callbacks(
    servers: CallbackServers,
    endpoint: CallbackEndpoint | None,
    on_callback: Callable[[Callback], None],
    warn: Callable[[str], None],
) -> Iterator[str | None]:
    """Receive callbacks in this context. Yield their URL; None without an endpoint, or if it can't be opened.

    on_callback: takes trusted callbacks, and a few unchecked ones. It must not wait, as the server's thread calls it.
    warn: called immediately if the endpoint can't be opened, and when the context ends if a callback was not trusted.
    """
    if endpoint is None:
        yield None
        return
    handler = _CallbackHandler(endpoint, on_callback)
    url: str | None = handler.url
    serving = ExitStack()
    try:
        serving.enter_context(servers.serve(endpoint.listen_address, handler.path_secret, handler.handle))
    except (OSError, ValueError, RuntimeError) as error:
        address, reason = one_line(endpoint.listen_address, 80), one_line(_os_error_text(error))
        warn(f"Twilio's callbacks can't be received at {address} ({reason}): polling only.")
        url = None
    try:
        yield url
    finally:
        serving.close()
        if handler.first_problem:
            warn(handler.first_problem)


def _os_error_text(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)  # the error's own text repeats the address
    return getattr(error, "strerror", None) or str(error)


class _CallbackHandler:
    """Handles the callbacks of one verification. first_problem: the warning about the first untrusted one."""

    def __init__(self, endpoint: CallbackEndpoint, on_callback: Callable[[Callback], None]) -> None:
        self.path_secret = secrets.token_urlsafe(24)
        self.url = f"{endpoint.public_url.rstrip('/')}/{self.path_secret}"
        self.first_problem: str | None = None
        self._auth_tokens = endpoint.auth_tokens
        self._on_callback = on_callback
        self._unchecked_allowance = float(UNCHECKED_CALLBACK_BURST)
        self._allowance_updated_at = 0.0

    def handle(self, request: web.BaseRequest, body: bytes | None) -> int:
        """Pass on the callback in a request, and return the HTTP status to answer with. body: None for a GET."""
        _, question_mark, query = request.raw_path.partition("#")[0].partition("?")  # a fragment is not signed
        fields = parse_qsl(query if body is None else body.decode("utf-8", "replace"), keep_blank_values=True)
        form = [] if body is None else fields
        signature = request.headers.get("X-Twilio-Signature", "")
        problem = None
        if "X-Twilio-Webhooks-Signature-Settings" in request.headers:
            problem = SIGNED_WITH_SHARED_KEY
        elif not any(self._auth_tokens):
            problem = CANNOT_BE_CHECKED
        elif not is_signed(self._auth_tokens, self.url + question_mark + query, form, signature):
            problem = SIGNATURE_UNKNOWN
        self.first_problem = self.first_problem or problem
        if problem == SIGNATURE_UNKNOWN:
            return 403
        if problem is None or self._may_pass_unchecked():
            self._on_callback(_parse_callback(dict(fields), trusted=problem is None))
        return 204

    def _may_pass_unchecked(self) -> bool:
        """Whether one more unchecked callback may pass. The limit keeps strangers from causing requests to Twilio."""
        now = time.monotonic()
        regained = (now - self._allowance_updated_at) / UNCHECKED_CALLBACK_INTERVAL
        self._unchecked_allowance = min(UNCHECKED_CALLBACK_BURST, self._unchecked_allowance + regained)
        self._allowance_updated_at = now
        if self._unchecked_allowance < 1:
            return False
        self._unchecked_allowance -= 1
        return True


def _parse_callback(fields: dict[str, str], *, trusted: bool) -> Callback:
    status = fields.get("VerificationStatus")
    return Callback(
        call_sid=fields.get("CallSid", ""),
        account_sid=fields.get("AccountSid", ""),
        call_status=fields.get("CallStatus", ""),
        verification_status=status if status in ("success", "failed") else None,
        caller_id_sid=(fields.get("OutgoingCallerIdSid") or None) if status == "success" else None,
        trusted=trusted,
    )


def is_signed(auth_tokens: tuple[str, ...], url: str, form: list[tuple[str, str]], signature: str) -> bool:
    """Check whether one of the auth tokens made the signature (Twilio docs: usage/security).

    url: the URL that Twilio was given, with the query as it arrived. form: the fields of a POST; empty for a GET.
    """
    fields = dict(form)
    if not signature or len(fields) < len(form):  # Twilio sends no field twice
        return False
    try:
        return any(
            hmac.compare_digest(RequestValidator(token).compute_signature(variant, fields), signature)
            for token in auth_tokens
            if token  # anybody can sign with an empty token
            for variant in _with_and_without_port(url)
        )
    except Exception:  # noqa: BLE001  if the validator raises, Twilio did not sign it: the request is malformed
        return False


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Return the URL without and with its port, because Twilio signs sometimes one form, sometimes the other."""
    parts = urlsplit(url)
    scheme, _, rest = url.partition("://")
    path_and_query = rest.removeprefix(parts.netloc)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{scheme}://{host}{path_and_query}", f"{scheme}://{host}:{port}{path_and_query}"
