"""Whether Twilio signed a request: X-Twilio-Signature, base64(HMAC-SHA1(auth token, URL + names and values)).

Twilio docs: usage/security. The check in Twilio's own library takes URL and fields as trusted input: it raises on some
of what a stranger can send, keeps userinfo and fragment, and mangles IPv6 hosts. This one answers False instead.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Sequence

_URL = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?:[^/?#]*@)?(?P<host>\[[^]/?#]*\]|[^:/?#]*)(?::(?P<port>[^/?#]*))?(?P<rest>[^#]*)"
)


def signed_by(
    tokens: Iterable[str],
    public_url: str,
    form: Sequence[tuple[str, str]] | None,
    signature: str | None,
) -> bool:
    """Whether one of the auth tokens made `signature` for this request.

    `public_url`: the URL that Twilio was given, with the query exactly as received. `form`: the fields of a POST,
    all of them, blank ones too; None for a GET.
    """
    if not signature or not signature.isascii():
        return False
    given = signature.encode("ascii")
    try:
        # What is not UTF-8 arrives as surrogates: these are the bytes that were sent.
        messages = [(url + _fields(form or ())).encode("utf-8", "surrogateescape") for url in url_variants(public_url)]
        keys = [token.encode("utf-8") for token in tokens if token]  # anyone can sign with an empty one
    except UnicodeEncodeError:
        return False
    valid = False
    for key in keys:
        for message in messages:  # all of them, so that the time taken tells nothing
            made = base64.b64encode(hmac.new(key, message, "sha1").digest())
            valid |= hmac.compare_digest(made, given)
    return valid


def _fields(form: Sequence[tuple[str, str]]) -> str:
    """Names in case-sensitive order; of a name that comes several times each value once, in order, as Twilio does."""
    return "".join(name + value for name, value in sorted(set(form)))


def url_variants(url: str) -> list[str]:
    """The URL without and with its port: which of them Twilio signs differs (Twilio docs: usage/security).

    Userinfo and fragment are never signed.
    """
    parts = _URL.fullmatch(url.partition("#")[0])
    if parts is None:
        return [url]
    scheme, host, port, rest = parts.group("scheme", "host", "port", "rest")
    port = port or ("443" if scheme.lower() == "https" else "80")
    return [f"{scheme}://{host}{rest}", f"{scheme}://{host}:{port}{rest}"]
