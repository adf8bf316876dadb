"""Start anew in this process, as in a plugin process that the engine has just started."""

from __future__ import annotations

from pulumi_twilio_caller_id import engine, interrupts, lifecycle, masking, throttle
from pulumi_twilio_caller_id.listings import listings
from pulumi_twilio_caller_id.preflight import preflight


def forget_all() -> None:
    """Forget whatever the provider keeps for the length of a process."""
    for module in (engine, interrupts, lifecycle, masking, throttle):
        module.reset()
    listings.clear()
    preflight.reset()
