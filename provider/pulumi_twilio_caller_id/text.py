"""Make text safe to show: without secrets, and without characters that steer a terminal.

Our own messages contain no secret, but they quote other texts. A proxy's response may echo the request, and an error of
a library may quote anything. So every text is redacted before a person sees it.

The secrets are registered in this module, because an error can be raised anywhere and its text must be safe at once.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from urllib.parse import quote as url_quote

MIN_SECRET_LENGTH = 12
"""Characters. A shorter credential is not redacted, as it may be part of a word. Twilio's credentials have 32."""

MASK = "[secret]"
"""What replaces a credential. The engine writes the same for its secrets."""

# Base64 must follow, not the next word of a sentence: "Basic authentication".
_BASIC = re.compile(r"\b((?i:Basic)\s+)(?![A-Za-z][a-z]*\b)[A-Za-z0-9+/_-]{4,}=*")
_USER_INFO = re.compile(r"(?<=://)[^\s\"'<>]*@")

_secrets: tuple[str, ...] = ()
"""Each credential in all its forms, the longest first: one may be part of another."""
_lock = threading.Lock()


def register_secret(*values: object) -> None:
    """Redact these credentials from now on, also in the forms they have in a URL or in JSON. Skip what is not text."""
    global _secrets  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str) and len(value) >= MIN_SECRET_LENGTH}
    forms = {form for text in texts for form in _forms(text)}
    if not forms <= set(_secrets):
        with _lock:
            _secrets = tuple(sorted({*_secrets, *forms}, key=len, reverse=True))


def reset() -> None:
    """Forget all secrets. For tests, which run in one process."""
    global _secrets  # noqa: PLW0603
    _secrets = ()


def _forms(text: str) -> set[str]:
    return {text, url_quote(text.encode("utf-8", "surrogatepass"), safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}


def redact(text: str) -> str:
    """Replace by `MASK` each registered secret, the value of Basic authentication, and a URL's user and password."""
    for secret in _secrets:
        text = text.replace(secret, MASK)
    if "basic" in text.lower():
        text = _BASIC.sub(rf"\1{MASK}", text)
    return _USER_INFO.sub(f"{MASK}@", text) if "://" in text else text


def one_line(text: object, longest: int = 300) -> str:
    """Return a foreign text as one redacted line of at most `longest` characters."""
    plain = sanitize(str(text)).replace("\n", " ").strip()
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def sanitize(text: str) -> str:
    """Redact a text of ours, which may quote others, and keep its line breaks.

    Characters that steer a terminal or change the direction of text become blanks.
    """
    return "".join(char if char == "\n" or char.isprintable() else " " for char in redact(text))


def quote(value: object, longest: int = 100) -> str:
    """Return a foreign value in quotes, with invisible characters escaped, cut after `longest` characters."""
    if isinstance(value, str):
        return repr(value[:longest]) + ("..." if len(value) > longest else "")
    return one_line(repr(value), longest)


def is_displayable(value: object, longest: int = 300) -> bool:
    """Return whether a value can be shown unchanged: it steers no terminal, and is not too long.

    longest: how many characters a text in it may have, and how many items a list or mapping.
    """
    if isinstance(value, str):
        return value.isprintable() and len(value) <= longest
    nested = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return len(nested) <= longest and all(is_displayable(item) for item in nested)
