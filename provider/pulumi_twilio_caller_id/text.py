"""Make text safe to show: without secrets, and without characters that steer a terminal.

Messages quote other texts. A proxy's response may echo the request, and an error of a library may quote anything. So
every text is redacted before a person sees it.

The secrets are registered in this module, because an error can be raised anywhere and its text must already be safe.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from urllib.parse import quote as url_quote

MIN_SECRET_LENGTH = 12
"""Characters. Shorter credentials are not redacted, as they may be part of a word. Twilio's credentials have 32."""

MASK = "[secret]"
"""Replaces a credential. The engine writes the same for its secrets."""

# Matches "Basic" before Base64, not before the next word of a sentence ("Basic authentication").
_BASIC = re.compile(r"\b((?i:Basic)\s+)(?![A-Za-z][a-z]*\b)[A-Za-z0-9+/_-]{4,}=*")
_USER_INFO = re.compile(r"(?<=://)[^\s\"'<>]*@")

_secrets: tuple[str, ...] = ()
"""Each credential in all its forms. The longest are redacted first, because one may contain another."""
_lock = threading.Lock()


def register_secret(*values: object) -> None:
    """Redact these credentials from now on, also as encoded in a URL or in JSON. Skip values that are not text."""
    global _secrets  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str) and len(value) >= MIN_SECRET_LENGTH}
    forms = {form for text in texts for form in _forms(text)}
    if not forms <= set(_secrets):
        with _lock:
            _secrets = tuple(sorted({*_secrets, *forms}, key=len, reverse=True))


def reset() -> None:
    """Forget all secrets. Only tests call this, as they share one process."""
    global _secrets  # noqa: PLW0603
    _secrets = ()


def _forms(text: str) -> set[str]:
    return {text, url_quote(text.encode("utf-8", "surrogatepass"), safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}


def redact(text: str) -> str:
    """Replace registered secrets, Basic authentication values, and the user and password in URLs by `MASK`."""
    for secret in _secrets:
        text = text.replace(secret, MASK)
    if "basic" in text.lower():
        text = _BASIC.sub(rf"\1{MASK}", text)
    return _USER_INFO.sub(f"{MASK}@", text) if "://" in text else text


def contains_value(text: str, value: str) -> bool:
    """Whether a text contains a value, or its first 20 characters, plain or encoded for a URL, JSON or Python."""
    return any(form[:20] in text for form in _forms(one_line(value)))


def one_line(text: object, longest: int = 300) -> str:
    """Return a foreign text as one redacted line of at most `longest` characters."""
    plain = sanitize(str(text)).replace("\n", " ").strip()
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def sanitize(text: str) -> str:
    """Redact a message, and replace characters that steer a terminal or change text direction by blanks.

    Line breaks are kept.
    """
    return "".join(char if char == "\n" or char.isprintable() else " " for char in redact(text))


def quote(value: object, longest: int = 100) -> str:
    """Return a foreign value in quotes, cut after `longest` characters, with invisible characters escaped.

    It is redacted before it is cut, because the beginning of a secret would not be recognized.
    """
    if isinstance(value, str):
        value = redact(value)
        return repr(value[:longest]) + ("..." if len(value) > longest else "")
    return one_line(repr(value), longest)


def is_displayable(value: object, longest: int = 300) -> bool:
    """Whether a value can be shown unchanged: it steers no terminal, and is not too long.

    longest: the limit for the characters of each text, and for the items of each list or mapping.
    """
    if isinstance(value, str):
        return value.isprintable() and len(value) <= longest
    nested = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return len(nested) <= longest and all(is_displayable(item, longest) for item in nested)
