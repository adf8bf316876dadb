"""Send requests to Twilio, decide which may be sent again, and turn every failure into a CallerIdError.

The official client by itself waits forever, repeats nothing, and reports the same failure in five shapes. It accepts
another HTTP client, which is this module's Transport. So the official client sees only successful answers with a JSON
object, or with status 204. All other answers become errors here.
"""

from __future__ import annotations

import http.client
import json
import random
from dataclasses import dataclass
from typing import Any

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import HTTPError

from pulumi_twilio_caller_id.cancellation import Cancelled, CancelToken
from pulumi_twilio_caller_id.errors import (
    AnswerLost,
    CallerIdError,
    CredentialsRefused,
    Interrupted,
    NotFound,
    TooManyRequests,
    TwilioRefused,
    TwilioUnreachable,
)

from .connections import Connections
from .network_errors import PROXY_AUTHENTICATION_REQUIRED, no_answer_error, proxy_password_error

FIRST_BACKOFF = 0.5
"""Seconds before a failed request is sent again. Each further delay is twice as long, up to MAX_BACKOFF."""

MAX_BACKOFF = 8.0

MAX_RETRY_AFTER = 30.0
"""Seconds. If Twilio's Retry-After is longer, the request fails immediately. Polls obey
`waiter.PollingPolicy.max_retry_after` instead."""

HIGHEST_CODE = 999_999
"""Twilio's error codes have five digits, newer ones six (Twilio docs: api/errors)."""

MAX_REQUESTS = 1000
"""Requests of one action. A list with more pages would have over a million caller IDs, or would never end."""

REQUEST_ERRORS = (OSError, ValueError, TypeError, HTTPError, http.client.HTTPException)
"""The errors of failed requests. The exceptions of the library `requests` derive from OSError."""


@dataclass(frozen=True)
class RetryPolicy:
    """Limits the attempts for a request, and the time for each.

    attempts: how often a request is sent at most.
    timeout_seconds: limits connecting, waiting for the headers, and reading the body, each by itself.
    max_rate_limit_wait: seconds of waiting after 429 answers that use up no attempts. After that, each uses up one.
    """

    attempts: int
    timeout_seconds: float
    max_rate_limit_wait: float


DEFAULT_RETRIES = RetryPolicy(attempts=4, timeout_seconds=15, max_rate_limit_wait=60)
PREVIEW_RETRIES = RetryPolicy(attempts=2, timeout_seconds=5, max_rate_limit_wait=5)
"""A preview must be quick, and can do without Twilio's answer."""
POLL_RETRIES = RetryPolicy(attempts=1, timeout_seconds=10, max_rate_limit_wait=0)
"""The waiter's next round is the retry."""
FINAL_LOOKUP_RETRIES = RetryPolicy(attempts=2, timeout_seconds=10, max_rate_limit_wait=0)
"""The verification is about to fail, and somebody waits for the answer."""


CALLER_IDS_RESOURCE = "OutgoingCallerIds"
CALLER_IDS_FIELD = "outgoing_caller_ids"
"""The list of caller IDs: its name in the URL, and the field of the answer that has the records."""


class Transport(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Sends the requests of one action, such as the pages of a list.

    action: what the requests are for, in the words of an error message, such as "look up +14155550101".
    account_sid: the account that error messages name.
    repeatable: whether sending a request twice is harmless. If not, it is sent again only if Twilio surely did not
        take it: no connection, or 429 (Twilio docs, api/errors/20429).
    cancel: ends the pauses between attempts and the queuing for a connection.
    """

    def __init__(
        self,
        action: str,
        *,
        account_sid: str,
        repeatable: bool,
        policy: RetryPolicy,
        connections: Connections,
        cancel: CancelToken,
    ) -> None:
        super().__init__(pool_connections=False, timeout=policy.timeout_seconds)
        # If a request fails on a connection that was idle, Twilio may have taken it or not. So a request that must not
        # be sent twice gets a new connection.
        self.session = connections.session if repeatable else connections.new_session(self._before_sending)
        self.has_answered = False
        # In each attempt, False until `_before_sending` runs, then True. A repeatable request lacks it, so it has None.
        self._is_sent: bool | None = None
        self._action = action
        self._account_sid = account_sid
        self._repeatable = repeatable
        self._policy = policy
        self._connections = connections
        self._cancel = cancel
        self._request_count = 0

    def close(self) -> None:
        """Close the connection, if only this request uses it. Sending the request again makes a new one."""
        if not self._repeatable:
            self.session.close()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send the request, again if that is harmless and may help, and return the answer.

        Raises CallerIdError for every answer but a successful one.
        """
        self._request_count += 1
        if self._request_count > MAX_REQUESTS:
            raise AnswerLost(self._action, "its pages have no end")  # after "... and gave no usable answer: "
        backoff = FIRST_BACKOFF
        attempts_left, rate_limit_wait_left = self._policy.attempts, self._policy.max_rate_limit_wait
        while True:
            try:
                with self._connections.slot(self._cancel):
                    return self._send(method, url, *args, **kwargs)
            except Cancelled as cancelled:
                what = f"Twilio was not asked to {self._action}: {cancelled}."
                raise Interrupted(what, "Run the same command again.") from None
            except CallerIdError as error:
                delay = self._delay_before_retry(error, backoff, rate_limit_wait_left)
                if delay is None:
                    raise
                # A delay of 0 (Retry-After: 0) counts as an attempt, else the loop might not end.
                if isinstance(error, TooManyRequests) and delay > 0 and rate_limit_wait_left > 0:
                    rate_limit_wait_left -= delay
                elif attempts_left > 1:
                    attempts_left -= 1
                else:
                    raise
                self.close()  # Twilio may close a connection that is idle during the delay
                self._cancel.wait(delay)
                if self._cancel.cancel_reason is not None:
                    raise  # this error says more than Interrupted would
                backoff = min(backoff * 2, MAX_BACKOFF)

    def _delay_before_retry(self, error: CallerIdError, backoff: float, rate_limit_wait_left: float) -> float | None:
        """Return the seconds until the request may be sent again, None if it must not be."""
        if isinstance(error, AnswerLost):
            may_repeat = self._repeatable
        elif isinstance(error, TwilioRefused):
            may_repeat = error.transient and (self._repeatable or error.status == 429)  # transient: 429 or 5xx
        else:
            may_repeat = isinstance(error, TwilioUnreachable)
        if not may_repeat:
            return None
        retry_after = error.retry_after if isinstance(error, TwilioRefused) else None
        if retry_after is not None:
            # Obey a Retry-After of up to MAX_BACKOFF even if `rate_limit_wait_left` is used up.
            longest = min(MAX_RETRY_AFTER, max(rate_limit_wait_left, MAX_BACKOFF))
            return retry_after if retry_after <= longest else None
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311  only spreads the load

    def _send(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send the request once."""
        self._is_sent = None if self._repeatable else False
        try:
            response = super().request(method, url, *args, **kwargs)
        except REQUEST_ERRORS as error:
            raise no_answer_error(error, url, self._action, self.timeout, is_sent=self._is_sent) from None
        if response.status_code == PROXY_AUTHENTICATION_REQUIRED:
            raise proxy_password_error(url, self._action)
        body = self._successful_body(response)
        if (
            method.upper() == "GET"
            and url.endswith(f"/{CALLER_IDS_RESOURCE}.json")
            and not isinstance(body.get(CALLER_IDS_FIELD), list)
        ):
            # Read as an empty list, it would make caller IDs look deleted.
            raise AnswerLost(self._action, f"it has no list of {CALLER_IDS_FIELD}")
        if method.upper() == "DELETE" and response.status_code != 204:  # it may be a proxy's page
            raise AnswerLost(self._action, f"HTTP {response.status_code}, but Twilio answers a deletion with 204")
        self.has_answered = True
        return response

    def _before_sending(self) -> None:
        """Record that the body is sent now: see `BoundedSession`. If cancelled, raise Cancelled: no body is sent."""
        self._cancel.raise_if_cancelled()
        self._is_sent = True

    def _successful_body(self, response: Response) -> dict[str, Any]:
        """Return the JSON object of a success, {} for 204. Raises an error for any other answer."""
        status, body = response.status_code, _json(response.text)
        if 200 <= status < 300:
            if status != 204 and not isinstance(body, dict):
                raise AnswerLost(self._action, f"HTTP {status} with a body that is not JSON")
            return body or {}
        raise self._refusal(response, body if isinstance(body, dict) else {})

    def _refusal(self, response: Response, fields: dict[str, Any]) -> TwilioRefused:
        """Return the error for an answer that is no success. fields: those of its JSON object."""
        status = response.status_code
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
        return kind(self._action, status, code, str(message), retry_after=retry_after, account_sid=self._account_sid)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _retry_after(headers: Any) -> float | None:
    """Return Retry-After in seconds. A date is ignored, as Twilio sends seconds (Twilio docs: api/errors/20429)."""
    try:
        return max(0.0, float(headers.get("Retry-After")))
    except (TypeError, ValueError, AttributeError):
        return None
