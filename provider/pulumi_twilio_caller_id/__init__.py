"""Pulumi resources for Twilio's OutgoingCallerIds: phone numbers that an account has verified for use as caller ID.

A name is imported when it is first used. So a program without `get_...` calls starts faster, and the plugin process
loads neither `resource.py` nor `functions.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .functions import (
        CallerIdResult,
        get_outgoing_caller_id,
        get_outgoing_caller_id_output,
        get_outgoing_caller_ids,
        get_outgoing_caller_ids_output,
    )
    from .provider import Provider
    from .resource import OutgoingCallerId

__all__ = [
    "CallerIdResult",
    "OutgoingCallerId",
    "Provider",
    "get_outgoing_caller_id",
    "get_outgoing_caller_id_output",
    "get_outgoing_caller_ids",
    "get_outgoing_caller_ids_output",
]

_MODULES = {"OutgoingCallerId": "resource", "Provider": "provider"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES.get(name, 'functions')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
