"""Start anew in this process, as in a plugin process that the engine has just started."""

from __future__ import annotations

from pulumi_twilio_caller_id import lifecycle, text


def forget_all() -> None:
    """Forget whatever the provider keeps for the length of a process."""
    lifecycle.reset()
    text.reset()
