"""Say which setting of the network keeps requests to Twilio from being sent, and what to do about it."""

from __future__ import annotations

import os
import re
import ssl
from typing import NamedTuple

from requests.exceptions import InvalidSchema
from requests.utils import get_environ_proxies, select_proxy

from pulumi_twilio_caller_id.text import quote

CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the certificates to trust. `requests` obeys the first one that is set."""

PROXY_FORM = "it takes http://host:port, with user:password@ before the host if the proxy asks for them"

PROXY_WITHOUT_PASSWORD = re.compile(r"[\w.+-]+://[\w.-]+(:\d{1,5})?/?")
"""The URL of a proxy that can't hold a password, so it may be shown."""


class UnusableSetting(NamedTuple):
    """A setting that keeps requests from being sent: what is wrong with it, and what to do."""

    what: str
    todo: str


def unusable_setting(url: str, failed: Exception) -> UnusableSetting | None:
    """Find the setting that kept a request to `url` from being sent, None if no setting is to blame.

    failed: the error that the request ended with.
    """
    variable = next((name for name in CA_BUNDLE_VARIABLES if os.environ.get(name)), "")
    wrong = _wrong_ca_bundle(os.environ[variable]) if variable and url.startswith("https:") else None
    if wrong:
        what = f"{variable} is {quote(os.environ[variable], 300)}, {wrong}"
        return UnusableSetting(what, f"Correct {variable}, or unset it.")
    if not isinstance(failed, (ValueError, TypeError)):
        return None
    name, proxy = proxy_for(url)
    if not proxy:
        return UnusableSetting(
            "twilio:apiUrl names no host that there can be", "Correct twilio:apiUrl (TWILIO_API_URL)."
        )
    if isinstance(failed, InvalidSchema) and proxy.lower().startswith("socks"):
        return UnusableSetting(
            f"{name} names a SOCKS proxy, and the package PySocks is not installed",
            "Install it into the environment that runs the program (`pip install pysocks`), or use an HTTP proxy.",
        )
    value = f" {quote(proxy)}" if PROXY_WITHOUT_PASSWORD.fullmatch(proxy) else ""
    return UnusableSetting(
        f"{name}{value} is not the URL of a proxy that can be used", f"Correct {name}: {PROXY_FORM}."
    )


def proxy_for(url: str) -> tuple[str, str]:
    """Return the variable that names the proxy for requests to `url`, and that proxy's URL, "" if there is no proxy."""
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None)) or ""
    names = (f"{url.partition(':')[0]}_proxy", "all_proxy")
    named = [name for name, value in os.environ.items() if name.lower() in names and value == proxy]
    return min(named, key=lambda name: names.index(name.lower()), default="the system's settings"), proxy


def _wrong_ca_bundle(path: str) -> str | None:
    """Say why certificates to trust can't be read from this path, None if they can."""
    if not os.path.exists(path):  # noqa: PTH110  unlike pathlib, False for a path that is too long
        return "which is not there"
    if os.path.isdir(path):  # noqa: PTH112
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "which has no certificates in PEM form"
    except OSError as failed:
        return f"which can't be read: {failed.strerror}"
    return None
