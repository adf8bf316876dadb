"""Takes secrets out of texts that get to a person.

No text of this package has a secret in it. But they quote others': what something between us and Twilio answers, which
may echo the request; the error of a library; the traceback of a fault of ours. So each one goes through `masked`.
"""

from __future__ import annotations

import json
import re
import threading
from urllib.parse import quote

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


def conceal(*values: object, shortest: int = SHORTEST) -> None:
    """Mask these texts from now on, also as they look in a URL or in JSON; what is no text is passed over."""
    global _secrets  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str) and len(value) >= shortest}
    forms = {form for text in texts for form in _forms(text)}
    if not forms <= set(_secrets):
        with _lock:
            _secrets = tuple(sorted({*_secrets, *forms}, key=len, reverse=True))


def conceal_inputs(*values: object) -> None:
    """Mask these from now on, wherever they stand, if that can't hit a code or a number. A text that shows an input
    leaves out the others: `is_secret`.
    """
    global _inputs  # noqa: PLW0603
    texts = {value for value in values if isinstance(value, str)}
    with _lock:
        _inputs |= texts
    conceal(*(text for text in texts if any(map(str.isalpha, text))), shortest=SHORTEST_INPUT)


def reset() -> None:
    """Forget all secrets, as in a process that has just started."""
    global _secrets, _inputs
    _secrets, _inputs = (), frozenset()


def is_secret(value: object) -> bool:
    """Whether the program keeps this value of an input secret."""
    return isinstance(value, str) and value in _inputs


def _forms(text: str) -> set[str]:
    return {text, quote(text.encode("utf-8", "surrogatepass"), safe=""), json.dumps(text)[1:-1], repr(text)[1:-1]}


def masked(text: str) -> str:
    """The text less what is concealed, the value of a Basic authentication, and what a URL has before its host's @."""
    for secret in _secrets:
        text = text.replace(secret, MASK)
    if "basic" in text.lower():
        text = _BASIC.sub(rf"\1{MASK}", text)
    return _USER_INFO.sub(f"{MASK}@", text) if "://" in text else text
