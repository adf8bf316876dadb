"""The wire under `twilio_api`: timeouts, retries, and one kind of error whatever went wrong.

The official client hangs for ever by default, retries nothing, and reports the same fault in five shapes (a refused
listing carries neither status nor code). It lets its HTTP client be replaced, so that is where all of it is settled:
what reaches the client's own parsing is a success with the body it expects.
"""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.page import Page
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError, ProxyError

from . import interrupts
from .bounded import connected
from .errors import (
    AnswerLost,
    CallerIdError,
    CredentialsRefused,
    Interrupted,
    NotFound,
    TooManyRequests,
    TwilioRefused,
    TwilioUnreachable,
)
from .throttle import Throttle

FIRST_PAUSE = 0.5
LONGEST_BACK_OFF = 8.0
LONGEST_PAUSE = 30.0
"""Seconds. The last is for what Twilio asks for: nobody waits longer than that."""

HIGHEST_CODE = 999_999
"""Twilio's error codes have five digits, newer ones six (Twilio docs: api/errors)."""

LIST = "outgoing_caller_ids"
PAGE_FIELDS = frozenset({LIST, "meta", *Page.META_KEYS})

NO_TUNNEL = "Tunnel connection failed"
"""How http.client says that a proxy refused to connect us (CONNECT): nothing has been sent through it."""

MOST_PAGES = 5000
"""Requests of one step. An account of so many pages has millions of numbers, or none of them ever ends."""


class Transport(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Sends the requests of one step.

    step: what the request is for, in the words of an error message, e.g. "look up +14155550101".
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
            except interrupts.Abandoned as abandoned:
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
                if interrupts.over():  # whoever pressed ^C waits for this
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
        # Nobody may want the call any more by the time that there is a connection for it, always a new one.
        asked = connected.set(_nothing if self.repeatable else interrupts.go_on)
        try:
            response = super().request(method, url, *args, **kwargs)
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ConnectionError) as failed:
            if _was_never_sent(failed):
                raise TwilioUnreachable(self.step, f"no connection to {_host(url)} ({_root(failed)})") from failed
            raise AnswerLost(self.step, f"the connection broke ({_root(failed)})") from failed
        except requests.exceptions.Timeout as failed:
            raise AnswerLost(self.step, f"nothing came within {self.timeout:g} s") from failed
        except requests.exceptions.ChunkedEncodingError as failed:
            raise AnswerLost(self.step, "the answer was cut short") from failed
        except requests.exceptions.RequestException as failed:
            if isinstance(failed, ValueError):  # a URL, of Twilio or of a proxy, that no request can be made from
                raise TwilioUnreachable(self.step, _unusable(failed)) from None
            raise AnswerLost(self.step, f"{type(failed).__name__}: {_root(failed)}") from failed
        finally:
            connected.reset(asked)
        body = self._body(response)
        if method.upper() == "DELETE" and response.status_code != 204:  # a page of something in between deletes nothing
            raise AnswerLost(self.step, f"HTTP {response.status_code} where a deletion is answered with 204")
        return _of_known_fields(response, body)

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
        raise kind(self.step, status, code, str(message), retry_after=_seconds(response.headers))

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


def _nothing() -> None:
    """What is asked before a request that does no harm."""


def _of_known_fields(response: Response, body: Any) -> Response:
    """A page less what Twilio may add to it some day: the client takes each field it does not know for the list."""
    if not isinstance(body, dict) or LIST not in body or body.keys() <= PAGE_FIELDS:
        return response
    known = {name: value for name, value in body.items() if name in PAGE_FIELDS}
    return Response(response.status_code, json.dumps(known), response.headers)


def _was_never_sent(failed: Exception) -> bool:
    """Whether the connection surely failed before the request. TLS may break later too: only a refused certificate is
    sure. So may the way through a proxy, and urllib3 calls either a ProxyError: what it is made of tells them apart.
    """
    reason = getattr(failed.args[0], "reason", None) if failed.args else None
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    never = isinstance(reason, (NewConnectionError, ConnectTimeoutError)) or str(reason).startswith(NO_TUNNEL)
    return never or isinstance(failed, requests.exceptions.ConnectTimeout) or _is_certificate(failed)


def _is_certificate(failed: BaseException) -> bool:
    seen: BaseException | None = failed
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        nested = [part for part in (*seen.args, getattr(seen, "reason", None)) if isinstance(part, BaseException)]
        seen = nested[0] if nested else None
    return False


def _root(failed: BaseException) -> str:
    """The innermost cause in a few words, without the addresses of objects that urllib3 puts before it."""
    inner: BaseException = failed
    for _ in range(8):
        nested = getattr(inner, "reason", None) or next((a for a in inner.args if isinstance(a, BaseException)), None)
        if not isinstance(nested, BaseException):
            break
        inner = nested
    text = str(inner.args[-1] if inner.args else inner) or type(inner).__name__
    return text.rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1] if ">: " in text or "): " in text else text


def _unusable(failed: Exception) -> str:
    """What is wrong with a URL. One that can't be read is not quoted: a proxy's may have a password anywhere in it."""
    unread = failed.args and isinstance(failed.args[0], LocationParseError)
    return "the URL of a proxy, or twilio:apiUrl, can't be read" if unread else _root(failed)


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
