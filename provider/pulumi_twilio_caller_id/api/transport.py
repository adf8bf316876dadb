"""The wire under `twilio_api`: timeouts, retries, and one kind of error whatever went wrong.

The official client hangs for ever by default, retries nothing, and reports the same fault in five shapes (a refused
listing carries neither status nor code). It lets its HTTP client be replaced, so that is where all of it is settled:
what reaches the client's own parsing is a success with the body it expects.
"""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.page import Page
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import HTTPError

from pulumi_twilio_caller_id import cancellation
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

from .bounded import sending
from .connections import PROXY_FORM, proxy_of, unusable
from .throttle import Throttle

FIRST_PAUSE = 0.5
LONGEST_BACK_OFF = 8.0
LONGEST_PAUSE = 30.0
"""Seconds. The last is for what Twilio asks for: nobody waits longer than that."""

HIGHEST_CODE = 999_999
"""Twilio's error codes have five digits, newer ones six (Twilio docs: api/errors)."""

LIST = "outgoing_caller_ids"
PAGE_FIELDS = frozenset({LIST, "meta", *Page.META_KEYS})

FAILURES = (OSError, ValueError, TypeError, HTTPError, http.client.HTTPException)
"""What requests, urllib3, ssl and http.client raise for a request that fails. Errors of requests are OSErrors too; a
proxy's URL that has a user and no host is a TypeError.
"""

PROXY_WANTS_A_PASSWORD = 407
"""HTTP status. It never comes from Twilio."""

MOST_PAGES = 5000
"""Requests of one step. An account of so many pages has millions of numbers, or none of them ever ends."""


class Transport(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Sends the requests of one step.

    step: what the request is for, in the words of an error message, e.g. "look up +14155550101".
    account_sid: the account whose caller IDs it is about, for error messages.
    repeatable: whether sending it twice is harmless. Where it is not, only what Twilio surely did not process
        (no connection, 429: Twilio docs, api/errors/20429) is sent again.
    attempts: how often it is sent at most. timeout: seconds for connecting, and again for the answer.
    patience: seconds that a busy Twilio (429) is borne with, in pauses that don't count as attempts; once they are
        over, no pause is longer than LONGEST_BACK_OFF, whatever Twilio asks for.
    session: what it is sent over. throttle: that of the account.
    """

    def __init__(
        self,
        step: str,
        *,
        account_sid: str,
        repeatable: bool,
        attempts: int,
        timeout: float,
        patience: float,
        sleep: Callable[[float], object],
        session: requests.Session,
        throttle: Throttle,
    ) -> None:
        super().__init__(pool_connections=False, timeout=timeout)
        self.session = session
        self.step = step
        self._account_sid = account_sid
        self.repeatable = repeatable
        self.attempts = attempts
        self.patience = patience
        self.sleep = sleep
        self.throttle = throttle
        self._address: tuple[str, str] | None = None
        self._pages: set[str] = set()

    def request(self, method: str, url: str, params: Any = None, *args: Any, **kwargs: Any) -> Response:
        self._refuse_strange_pages(url, params)
        pause, attempts, patience = FIRST_PAUSE, self.attempts, self.patience
        while True:
            try:
                with self.throttle.turn():
                    return self._once(method, url, params, *args, **kwargs)
            except cancellation.Cancelled as abandoned:
                what = f"Twilio was not asked to {self.step}: {abandoned}."
                raise Interrupted(what, "Run the same command again.") from None
            except CallerIdError as failed:
                wait = self._pause(failed, pause, patience)
                if wait is None:
                    raise
                if isinstance(failed, TooManyRequests) and min(wait, patience) > 0:
                    patience -= wait
                elif attempts > 1:
                    attempts -= 1
                else:
                    raise
                self.session.close()  # the server may have given up the connection: never send on that one again
                self.sleep(wait)
                if cancellation.cancel_reason():  # whoever pressed ^C waits for this
                    raise
                pause = min(pause * 2, LONGEST_BACK_OFF)

    def _refuse_strange_pages(self, url: str, params: Any) -> None:
        """The first request of a step goes where we want it; where the others go, an answer says."""
        parts, page = urlsplit(url), f"{url} {params}"
        address = (parts.scheme, parts.netloc)
        if self._address not in (None, address):  # the credentials would go there
            raise AnswerLost(self.step, f"its next page is said to be at another address ({_host(url)})")
        if page in self._pages or len(self._pages) >= MOST_PAGES:
            raise AnswerLost(self.step, "its pages have no end")
        self._address = address
        self._pages.add(page)

    def _once(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        sent = False

        def is_sent() -> None:
            nonlocal sent
            if not self.repeatable:  # by the time that there is a connection, nobody may want the call any more
                cancellation.raise_if_cancelled()
            sent = True

        asked = sending.set(is_sent)
        try:
            response = super().request(method, url, *args, **kwargs)
        except FAILURES as failed:
            raise self._lost(failed) if sent else self._not_sent(failed, url) from None
        finally:
            sending.reset(asked)
        if response.status_code == PROXY_WANTS_A_PASSWORD:
            raise self._without_password(url)
        body = self._body(response)
        if method.upper() == "DELETE" and response.status_code != 204:  # a page of something in between deletes nothing
            raise AnswerLost(self.step, f"HTTP {response.status_code} where a deletion is answered with 204")
        return _of_known_fields(response, body)

    def _lost(self, failed: Exception) -> CallerIdError:
        """The error for a request that was sent, or may have been."""
        if isinstance(failed, requests.exceptions.ConnectionError):
            return AnswerLost(self.step, f"the connection broke ({_root(failed)})")
        if isinstance(failed, requests.exceptions.Timeout):
            return AnswerLost(self.step, f"nothing came within {self.timeout:g} s")
        if isinstance(failed, requests.exceptions.ChunkedEncodingError):
            return AnswerLost(self.step, "the answer was cut short")
        return AnswerLost(self.step, f"{type(failed).__name__}: {_root(failed)}")

    def _not_sent(self, failed: Exception, url: str) -> CallerIdError:
        """The error for a request that was not sent: there was no connection, or a setting keeps all requests back."""
        root = _root(failed)
        name, proxy = proxy_of(url)
        if f" {PROXY_WANTS_A_PASSWORD} " in root and proxy:
            return self._without_password(url)
        what, todo = unusable(url, failed) or ("", "")
        if what:
            return SettingsError(f"Could not reach Twilio to {self.step}: {what}.", todo)
        through = f", through the proxy in {name}" if proxy else ""
        return TwilioUnreachable(self.step, f"no connection to {_host(url)}{through} ({root})")

    def _without_password(self, url: str) -> CallerIdError:
        return SettingsError(
            f"Could not reach Twilio to {self.step}: the proxy wants a user and password, or refuses those that it was"
            f" given (HTTP {PROXY_WANTS_A_PASSWORD}).",
            f"Correct {proxy_of(url)[0]}: {PROXY_FORM}.",
        )

    def _body(self, response: Response) -> Any:
        """What was answered, as JSON; raises where that is an error, or no JSON object."""
        status = response.status_code
        body = _json(response.text)
        if 200 <= status < 300:
            if status != 204 and not isinstance(body, dict):
                raise AnswerLost(self.step, f"HTTP {status} with a body that is not JSON")
            return body
        if not isinstance(body, dict):
            body = {}
        code, message = body.get("code"), body.get("message") or body.get("detail") or body.get("title") or ""
        code = code if isinstance(code, int) and 0 <= code <= HIGHEST_CODE else 0
        kind: type[TwilioRefused] = TwilioRefused
        if status == 401 or code == 20003:
            kind = CredentialsRefused
        elif status == 404 and code == 20404:
            kind = NotFound
        elif status == 429:
            kind = TooManyRequests
        retry_after = _seconds(response.headers)
        raise kind(self.step, status, code, str(message), retry_after=retry_after, account_sid=self._account_sid)

    def _pause(self, failed: CallerIdError, pause: float, patience: float) -> float | None:
        """Seconds to wait before the next attempt, None where there must be none."""
        if isinstance(failed, AnswerLost):
            again = self.repeatable
        elif isinstance(failed, TwilioRefused):
            again = failed.passing and (self.repeatable or failed.status == 429)
        else:
            again = isinstance(failed, TwilioUnreachable)
        if not again:
            return None
        asked = failed.retry_after if isinstance(failed, TwilioRefused) else None
        if asked is not None:
            return asked if asked <= min(LONGEST_PAUSE, max(patience, LONGEST_BACK_OFF)) else None
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  only spreads the load


def _of_known_fields(response: Response, body: Any) -> Response:
    """A page less what Twilio may add to it some day: the client takes each field it does not know for the list."""
    if not isinstance(body, dict) or LIST not in body or body.keys() <= PAGE_FIELDS:
        return response
    known = {name: value for name, value in body.items() if name in PAGE_FIELDS}
    return Response(response.status_code, json.dumps(known), response.headers)


def _root(failed: BaseException) -> str:
    """The innermost cause in a few words, without the addresses of objects that urllib3 puts before it."""
    inner: BaseException = failed
    for _ in range(8):
        nested = getattr(inner, "reason", None) or next((a for a in inner.args if isinstance(a, BaseException)), None)
        if not isinstance(nested, BaseException):
            break
        inner = nested
    if isinstance(inner, OSError) and inner.filename is not None:
        return f"{inner.strerror}: {inner.filename}"
    text = str(inner.args[-1] if inner.args else inner) or type(inner).__name__
    return text.rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1] if ">: " in text or "): " in text else text


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _seconds(headers: Any) -> float | None:
    """Retry-After in seconds. An HTTP date is not honoured: Twilio sends seconds (docs: api/errors/20429)."""
    try:
        return max(0.0, float(headers.get("Retry-After")))
    except (TypeError, ValueError, AttributeError):
        return None
