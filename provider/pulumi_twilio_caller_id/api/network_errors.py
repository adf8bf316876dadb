"""Explain why a request to Twilio got no answer: it was not sent, perhaps due to a setting, or the answer was lost."""

from __future__ import annotations

import http.client
import os
import re
import ssl
from urllib.parse import urlsplit

from requests import exceptions
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from pulumi_twilio_caller_id.errors import AnswerLost, CallerIdError, SettingsError, TwilioUnreachable
from pulumi_twilio_caller_id.text import quote

CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the certificates to trust. `requests` obeys the first one that is set."""

PROXY_URL_HINT = "it takes http://host:port, with user:password@ before the host if the proxy asks for them"

PROXY_WITHOUT_PASSWORD = re.compile(r"[\w.+-]+://[\w.-]+(:\d{1,5})?/?")
"""Matches proxy URLs without user and password, which are safe to show."""

PROXY_AUTHENTICATION_REQUIRED = 407
"""HTTP status, which never comes from Twilio."""

HANDSHAKE_FAILURES = frozenset({"CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
"""OpenSSL's reasons for a TLS connection that was never made."""

TUNNEL_FAILED = "Tunnel connection failed"
"""The beginning of http.client's error for a proxy that refuses to connect to Twilio."""


def no_answer_error(
    error: Exception, url: str, action: str, timeout_seconds: float, *, is_sent: bool | None
) -> CallerIdError:
    """Return the CallerIdError for a request that got no answer: it was not sent, or its answer was lost.

    is_sent: None if unknown. Then the error decides, which is a guess: a TLS error may come before or after sending.
    """
    causes = _causes(error)
    innermost = causes[-1]
    if is_sent is None:
        is_sent = not _failed_before_sending(causes)
    if not is_sent:
        proxy_setting, proxy = _proxy_variable_and_url(url)
        if proxy and f" {PROXY_AUTHENTICATION_REQUIRED} " in str(innermost):
            return proxy_password_error(url, action)
        settings_error = _find_settings_error(error, url, action)
        if settings_error is not None:
            return settings_error
        through = f", through the proxy in {proxy_setting}" if proxy else ""
        host = urlsplit(url).netloc.rpartition("@")[2]
        return TwilioUnreachable(action, f"no connection to {host}{through} ({_short_error_text(innermost)})")
    if isinstance(error, exceptions.Timeout):
        return AnswerLost(action, f"nothing came within {timeout_seconds:g} s")
    if isinstance(error, exceptions.ChunkedEncodingError):
        return AnswerLost(action, "the answer was cut short")
    if isinstance(error, exceptions.ConnectionError):
        return AnswerLost(action, f"the connection broke ({_short_error_text(innermost)})")
    return AnswerLost(action, f"{type(error).__name__}: {_short_error_text(innermost)}")


def proxy_password_error(url: str, action: str) -> CallerIdError:
    """Return the error for a proxy that answers with 407."""
    what = f"the proxy wants a user and password, or refuses the given ones (HTTP {PROXY_AUTHENTICATION_REQUIRED})"
    return _settings_error(action, what, f"Correct {_proxy_variable_and_url(url)[0]}: {PROXY_URL_HINT}.")


def _settings_error(action: str, what: str, todo: str) -> SettingsError:
    return SettingsError(f"Could not reach Twilio to {action}: {what}.", todo)


def _failed_before_sending(causes: list[BaseException]) -> bool:
    """Guess whether an error came before the request was sent. causes: as `_causes` returns them.

    The outermost error's type alone does not tell: TLS, connection and proxy errors also occur after sending.
    """
    outermost, innermost = causes[0], causes[-1]
    no_connection = any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes)
    no_handshake = isinstance(innermost, ssl.SSLError) and (
        innermost.reason in HANDSHAKE_FAILURES or innermost.library == "X509"
    )
    unusable_file = isinstance(innermost, OSError) and innermost.filename is not None  # such as SSLKEYLOGFILE's
    refused_by_proxy = isinstance(innermost, OSError) and str(innermost).startswith(TUNNEL_FAILED)
    # A proxy's URL without a host raises TypeError. InvalidHeader, also a ValueError, is about a header of the answer.
    bad_url = isinstance(outermost, (ValueError, TypeError)) and not isinstance(outermost, exceptions.InvalidHeader)
    # For certificates that are not there, requests raises a plain OSError.
    plain_error = not isinstance(outermost, (exceptions.RequestException, HTTPError, http.client.HTTPException))
    return no_connection or no_handshake or unusable_file or refused_by_proxy or bad_url or plain_error


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and those it wraps, the outermost first: of requests, of urllib3, of the system."""
    causes = [error]
    while len(causes) < 8:
        outer = causes[-1]
        nested = getattr(outer, "reason", None) or next((a for a in outer.args if isinstance(a, BaseException)), None)
        if not isinstance(nested, BaseException):
            break
        causes.append(nested)
    return causes


def _short_error_text(cause: BaseException) -> str:
    """Return an error in a few words, without urllib3's "<object at ...>: " or "Pool(host=...): " before them."""
    if isinstance(cause, OSError) and cause.filename is not None:
        return f"{cause.strerror}: {cause.filename}"
    text = str(cause.args[-1] if cause.args else cause) or type(cause).__name__
    return text.rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1]


def _find_settings_error(error: Exception, url: str, action: str) -> SettingsError | None:
    """Return the error for a setting that kept the request from being sent, None if no setting is to blame."""
    variable = next((name for name in CA_BUNDLE_VARIABLES if os.environ.get(name)), "")
    problem = _ca_bundle_problem(os.environ[variable]) if variable and url.startswith("https:") else None
    if problem:
        what = f"{variable} is {quote(os.environ[variable], 300)}, {problem}"
        return _settings_error(action, what, f"Correct {variable}, or unset it.")
    if not isinstance(error, (ValueError, TypeError)):
        return None
    # A URL is malformed: the proxy's or, if there is no proxy, twilio:apiUrl.
    name, proxy = _proxy_variable_and_url(url)
    if not proxy:
        what, todo = "twilio:apiUrl has no valid host name", "Correct twilio:apiUrl (TWILIO_API_URL)."
    elif isinstance(error, exceptions.InvalidSchema) and proxy.lower().startswith("socks"):
        what = f"{name} names a SOCKS proxy, and the package PySocks is not installed"
        todo = "Install it into the environment that runs the program (`pip install pysocks`), or use an HTTP proxy."
    else:
        value = f" {quote(proxy)}" if PROXY_WITHOUT_PASSWORD.fullmatch(proxy) else ""
        what = f"{name}{value} is not the URL of a proxy that can be used"
        todo = f"Correct {name}: {PROXY_URL_HINT}."
    return _settings_error(action, what, todo)


def _proxy_variable_and_url(url: str) -> tuple[str, str]:
    """Return the variable that sets the proxy for requests to `url`, and the proxy's URL ("" without a proxy)."""
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None)) or ""
    names = (f"{url.partition(':')[0]}_proxy", "all_proxy")
    named = [name for name, value in os.environ.items() if name.lower() in names and value == proxy]
    return min(named, key=lambda name: names.index(name.lower()), default="the proxy in the system's settings"), proxy


def _ca_bundle_problem(path: str) -> str | None:
    """Return why no trusted certificates can be read from this path, None if they can."""
    if not os.path.exists(path):  # noqa: PTH110  pathlib raises an error for a path that is too long
        return "which is not there"
    if os.path.isdir(path):  # noqa: PTH112
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "which has no certificates in PEM form"
    except OSError as error:
        return f"which can't be read: {error.strerror}"
    return None
