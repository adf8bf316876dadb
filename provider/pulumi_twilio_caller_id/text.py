"""Takes secrets out of texts that get to a person.

No text of this package has a secret in it. But they quote others': what something between us and Twilio answers, which
may echo the request; the error of a library; the traceback of a fault of ours. So each one goes through `masked`.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote as url_quote

SHORTEST = 12
"""Characters of a credential that is looked for: a shorter one may be part of a word. Twilio's have 32."""
SHORTEST_INPUT = 4
"""Characters of an input that is looked for, with a letter among them: no code and no number has one."""

MASK = "[secret]"
"""As the engine writes it."""

# What is behind it is base64, and not the next word of a sentence: "Basic authentication".
_BASIC = re.compile(r"\b((?i:Basic)\s+)(?![A-Za-z][a-z]*\b)[A-Za-z0-9+/_-]{4,}=*")
_USER_INFO = re.compile(r"(?<=://)[^\s\"'<>]*@")

_secrets: tuple[str, ...] = ()
"""In all forms, the longest first: one may be part of another."""
_inputs: frozenset[str] = frozenset()
"""Those that the program keeps secret, of any length."""
_lock = threading.Lock()


def register_secret(*values: object, shortest: int = SHORTEST) -> None:
    """Mask these texts from now on, also as they look in a URL or in JSON; what is no text is passed over."""
    global _secrets  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str) and len(value) >= shortest}
    forms = {form for text in texts for form in _forms(text)}
    if not forms <= set(_secrets):
        with _lock:
            _secrets = tuple(sorted({*_secrets, *forms}, key=len, reverse=True))


def register_secret_inputs(*values: object) -> None:
    """Mask these from now on, wherever they stand, if that can't hit a code or a number. A text that shows an input
    leaves out the others: `is_secret`.
    """
    global _inputs  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str)}
    with _lock:
        _inputs |= texts
    register_secret(*(text for text in texts if any(map(str.isalpha, text))), shortest=SHORTEST_INPUT)


def reset() -> None:
    """Forget all secrets, as in a process that has just started."""
    global _secrets, _inputs
    _secrets, _inputs = (), frozenset()


def is_secret(value: object) -> bool:
    """Whether the program keeps this value of an input secret."""
    return isinstance(value, str) and value in _inputs


def _forms(text: str) -> set[str]:
    return {text, url_quote(text.encode("utf-8", "surrogatepass"), safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}


def redact(text: str) -> str:
    """The text less what is concealed, the value of a Basic authentication, and what a URL has before its host's @."""
    for secret in _secrets:
        text = text.replace(secret, MASK)
    if "basic" in text.lower():
        text = _BASIC.sub(rf"\1{MASK}", text)
    return _USER_INFO.sub(f"{MASK}@", text) if "://" in text else text


def one_line(text: object, longest: int = 300) -> str:
    """Text from elsewhere, fit for a terminal: control characters replaced, length bounded."""
    plain = sanitize(str(text)).replace("\n", " ").strip()
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def sanitize(text: str) -> str:
    """A text of ours that may quote others. Lines stay; secrets are masked; what steers a terminal or changes the
    direction of text becomes a blank.
    """
    return "".join(char if char == "\n" or char.isprintable() else " " for char in redact(text))


def quote(value: object, longest: int = 100) -> str:
    """A value from elsewhere in quotes, so that it can be told from another: what can't be seen is escaped."""
    if isinstance(value, str):
        return repr(value[:longest]) + ("..." if len(value) > longest else "")
    return one_line(repr(value), longest)


def quote_name(name: object) -> str:
    """A friendly name in quotes, masked where the program keeps it secret."""
    return repr(MASK) if is_secret(name) else quote(name)


def quote_distinct(one: object, other: object) -> tuple[str, str]:
    """Two friendly names in quotes, by which they can be told from each other. If they may look alike, all that is not
    ASCII is escaped.
    """
    texts = quote_name(one), quote_name(other)
    seen, also = _seen(str(one)), _seen(str(other))
    alike = len(seen) == len(also) and all(map(_look_alike, seen, also))
    return (ascii(one), ascii(other)) if alike and repr(MASK) not in texts else texts


_BLANK = re.compile("[\\s\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Spaces, and what else shows nothing, such as variation selectors; there are more in the category Cf."""


def _seen(text: str) -> str:
    """What of a text can be seen. Each letter is apart from its accents, and in its plain form."""
    plain = _BLANK.sub("", unicodedata.normalize("NFKD", text))
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")


def _look_alike(one: str, other: str) -> bool:
    """Whether two characters may look alike: letters of two scripts, two dashes. Letters of one script do not."""
    if one == other or one.isascii() != other.isascii():
        return True
    script, also = (unicodedata.name(char, "").partition(" ")[0] for char in (one, other))
    return not one.isascii() and not (one.isalnum() and other.isalnum() and script == also)


def is_displayable(value: object, longest: int = 300) -> bool:
    """Whether a value, with all that is in it, may be shown as it is: nothing steers a terminal or fills it."""
    if isinstance(value, str):
        return value.isprintable() and len(value) <= longest
    nested = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    return len(nested) <= longest and all(is_displayable(item) for item in nested)
