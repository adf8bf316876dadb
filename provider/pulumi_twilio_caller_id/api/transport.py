"""Send one request to Twilio, decide whether it may be sent again, and turn every failure into one kind of error.

The official client by itself waits for ever, repeats nothing, and reports the same failure in five shapes. It lets its
HTTP client be replaced, so everything about sending is settled here. What the client gets to parse is an answer of
success with a JSON object in it.
"""

from __future__ import annotations

import http.client
import json
import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    CallerIdError,
    CredentialsRefused,
    Interrupted,
    NotFound,
    SettingsError,
    TooManyRequests,
    TwilioRefused,
    TwilioUnreachable,
)

from .connections import Connections
from .network_settings import PROXY_FORM, proxy_for, unusable_setting

FIRST_BACKOFF = 0.5
"""Seconds before a failed request is sent again. Each further pause is twice as long, up to MAX_BACKOFF."""

MAX_BACKOFF = 8.0

MAX_RETRY_AFTER = 30.0
"""Seconds. If Twilio asks for a longer pause (Retry-After), the request fails at once."""

HIGHEST_CODE = 999_999
"""Twilio's error codes have five digits, newer ones six (Twilio docs: api/errors)."""

MAX_REQUESTS = 1000
"""Requests of one step. A list of so many pages would have a million caller IDs, or would never end."""

PROXY_WANTS_A_PASSWORD = 407
"""HTTP status. It never comes from Twilio."""

HANDSHAKE_FAILURES = frozenset({"CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
"""OpenSSL's reasons for a TLS connection that was never made."""


TUNNEL_FAILED = "Tunnel connection failed"
"""How http.client begins the error for a proxy that refuses to connect to Twilio."""

REQUEST_ERRORS = (OSError, ValueError, TypeError, HTTPError, http.client.HTTPException)
"""What requests, urllib3, ssl and http.client raise for a request that fails. Errors of requests are OSErrors too."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent, and how long its answer may take.

    attempts: how often a request is sent at most. timeout_seconds: for connecting, and then again for the whole answer.
    busy_seconds: the sum of the pauses that follow "too many requests" (429) and don't count as attempts.
    """

    attempts: int
    timeout_seconds: float
    busy_seconds: float


DEFAULT = RetryPolicy(attempts=4, timeout_seconds=15, busy_seconds=60)
PREVIEW = RetryPolicy(attempts=2, timeout_seconds=5, busy_seconds=5)
"""Somebody waits for the preview, which can do without Twilio's answer."""
POLL = RetryPolicy(attempts=1, timeout_seconds=10, busy_seconds=0)
"""The waiter asks again by itself."""
LAST_LOOK = RetryPolicy(attempts=2, timeout_seconds=10, busy_seconds=0)
"""The deadline has passed, so the answer must come soon."""


class Transport(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Sends the requests of one step, such as the pages of a list.

    step: what the step is for, in the words of an error message, such as "look up +14155550101".
    account_sid: the account whose caller IDs the step is about, for error messages.
    repeatable: whether sending the request twice is harmless. If not, it is sent again only if Twilio surely did not
        take it: no connection, or 429 (Twilio docs, api/errors/20429).
    policy, connections: how the requests are sent. cancel: ends the pauses. pause: sleeps for so many seconds.
    """

    def __init__(
        self,
        step: str,
        *,
        account_sid: str,
        repeatable: bool,
        policy: RetryPolicy,
        connections: Connections,
        cancel: CancelToken,
        pause: Callable[[float], object],
    ) -> None:
        super().__init__(pool_connections=False, timeout=policy.timeout_seconds)
        # A request that gets lost on a connection that was idle may have been taken or not, so a request that must
        # not be sent twice gets a connection of its own.
        self.session = connections.session if repeatable else connections.new_session()
        self.has_answered = False
        self._step = step
        self._account_sid = account_sid
        self._repeatable = repeatable
        self._policy = policy
        self._connections = connections
        self._cancel = cancel
        self._pause = pause
        self._requests = 0

    def close(self) -> None:
        """Close the connection that is this step's alone, if it has one."""
        if not self._repeatable:
            self.session.close()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send the request, again if that is harmless and may help, and return the answer.

        Raises CallerIdError for everything but an answer of success.
        """
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            raise AnswerLost(self._step, "its pages have no end")
        backoff, attempts, busy_seconds = FIRST_BACKOFF, self._policy.attempts, self._policy.busy_seconds
        while True:
            try:
                with self._connections.slot(self._cancel):
                    return self._send(method, url, *args, **kwargs)
            except Cancelled as cancelled:
                what = f"Twilio was not asked to {self._step}: {cancelled}."
                raise Interrupted(what, "Run the same command again.") from None
            except CallerIdError as failed:
                pause = self._pause_before_retry(failed, backoff, busy_seconds)
                if pause is None:
                    raise
                if isinstance(failed, TooManyRequests) and min(pause, busy_seconds) > 0:
                    busy_seconds -= pause
                elif attempts > 1:
                    attempts -= 1
                else:
                    raise
                self._pause(pause)
                if self._cancel.reason is not None:
                    raise
                backoff = min(backoff * 2, MAX_BACKOFF)

    def _pause_before_retry(self, failed: CallerIdError, backoff: float, busy_seconds: float) -> float | None:
        """Seconds to wait before the request is sent again, None if it must not be."""
        if isinstance(failed, AnswerLost):
            may_repeat = self._repeatable
        elif isinstance(failed, TwilioRefused):
            may_repeat = failed.transient and (self._repeatable or failed.status == 429)
        else:
            may_repeat = isinstance(failed, TwilioUnreachable)
        if not may_repeat:
            return None
        asked = failed.retry_after if isinstance(failed, TwilioRefused) else None
        if asked is not None:
            return asked if asked <= min(MAX_RETRY_AFTER, max(busy_seconds, MAX_BACKOFF)) else None
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311  only spreads the load

    def _send(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send the request once."""
        if not self._repeatable:
            self._cancel.raise_if_cancelled()  # nobody wants the phone call any more
        try:
            response = super().request(method, url, *args, **kwargs)
        except REQUEST_ERRORS as failed:
            raise self._error_for(failed, url) from None
        if response.status_code == PROXY_WANTS_A_PASSWORD:
            raise self._proxy_wants_password(url)
        self._fail_unless_success(response)
        if method.upper() == "DELETE" and response.status_code != 204:  # a proxy's HTML page is no deletion
            raise AnswerLost(self._step, f"HTTP {response.status_code}, but a deletion is answered with 204")
        self.has_answered = True
        return response

    def _error_for(self, failed: Exception, url: str) -> CallerIdError:
        """The error for a request that got no answer: it was not sent, or it was and the answer is lost."""
        causes = _causes(failed)
        cause = causes[-1]
        if _was_not_sent(causes):
            proxy_setting, proxy = proxy_for(url)
            if proxy and f" {PROXY_WANTS_A_PASSWORD} " in str(cause):
                return self._proxy_wants_password(url)
            setting = unusable_setting(url, failed)
            if setting is not None:
                return SettingsError(f"Could not reach Twilio to {self._step}: {setting.what}.", setting.todo)
            through = f", through the proxy in {proxy_setting}" if proxy else ""
            return TwilioUnreachable(self._step, f"no connection to {_host(url)}{through} ({_in_words(cause)})")
        if isinstance(failed, requests.exceptions.Timeout):
            return AnswerLost(self._step, f"nothing came within {self.timeout:g} s")
        if isinstance(failed, requests.exceptions.ChunkedEncodingError):
            return AnswerLost(self._step, "the answer was cut short")
        if isinstance(failed, requests.exceptions.ConnectionError):
            return AnswerLost(self._step, f"the connection broke ({_in_words(cause)})")
        return AnswerLost(self._step, f"{type(failed).__name__}: {_in_words(cause)}")

    def _proxy_wants_password(self, url: str) -> CallerIdError:
        return SettingsError(
            f"Could not reach Twilio to {self._step}: the proxy wants a user and password, or refuses those that it was"
            f" given (HTTP {PROXY_WANTS_A_PASSWORD}).",
            f"Correct {proxy_for(url)[0]}: {PROXY_FORM}.",
        )

    def _fail_unless_success(self, response: Response) -> None:
        """Raise the error that Twilio's answer stands for, or AnswerLost if a success has no JSON object in it."""
        status, body = response.status_code, _json(response.text)
        if 200 <= status < 300:
            if status != 204 and not isinstance(body, dict):
                raise AnswerLost(self._step, f"HTTP {status} with a body that is not JSON")
            return
        fields = body if isinstance(body, dict) else {}
        code = fields.get("code")
        code = code if isinstance(code, int) and 0 <= code <= HIGHEST_CODE else 0
        message = fields.get("message") or fields.get("detail") or fields.get("title") or ""
        kind: type[TwilioRefused] = TwilioRefused
        if status == 401 or code == 20003:
            kind = CredentialsRefused
        elif status == 404 and code == 20404:
            kind = NotFound
        elif status == 429:
            kind = TooManyRequests
        retry_after = _retry_after(response.headers)
        raise kind(self._step, status, code, str(message), retry_after=retry_after, account_sid=self._account_sid)


def _was_not_sent(causes: list[BaseException]) -> bool:
    """Whether the error surely came before the request was sent.

    TLS and connections may also break afterwards, and urllib3 blames the proxy (ProxyError) for that too.
    """
    if any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes):
        return True
    cause = causes[-1]
    if isinstance(cause, ssl.SSLError) and (cause.reason in HANDSHAKE_FAILURES or cause.library == "X509"):
        return True
    if isinstance(cause, OSError) and (cause.filename is not None or str(cause).startswith(TUNNEL_FAILED)):
        return True  # a file that can't be used, such as the one in SSLKEYLOGFILE; or a proxy that can't connect
    # Of what remains, requests and urllib3 raise a ValueError for a bad URL, requests a plain OSError for certificates
    # that are not there, and urllib3 a TypeError for a proxy's URL that has a user and no host.
    failed = causes[0]
    if isinstance(failed, (requests.exceptions.ContentDecodingError, requests.exceptions.InvalidJSONError)):
        return False
    return isinstance(failed, (ValueError, TypeError)) or not isinstance(
        failed, (requests.exceptions.RequestException, HTTPError, http.client.HTTPException)
    )


def _causes(failed: BaseException) -> list[BaseException]:
    """The error and what it wraps, the outermost first: requests wraps urllib3's errors, and urllib3 the system's."""
    causes = [failed]
    while len(causes) < 8:
        outer = causes[-1]
        nested = getattr(outer, "reason", None) or next((a for a in outer.args if isinstance(a, BaseException)), None)
        if not isinstance(nested, BaseException):
            break
        causes.append(nested)
    return causes


def _in_words(cause: BaseException) -> str:
    """An error in a few words, without the names of objects that urllib3 puts before them."""
    if isinstance(cause, OSError) and cause.filename is not None:
        return f"{cause.strerror}: {cause.filename}"
    text = str(cause.args[-1] if cause.args else cause) or type(cause).__name__
    return text.rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1] if ">: " in text or "): " in text else text


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: Any) -> float | None:
    """Retry-After in seconds. A date is not honoured, as Twilio sends seconds (Twilio docs: api/errors/20429)."""
    try:
        return max(0.0, float(headers.get("Retry-After")))
    except (TypeError, ValueError, AttributeError):
        return None
