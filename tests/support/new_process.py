"""Start anew in this process, as in a plugin process that the engine has just started."""

from __future__ import annotations

from pulumi_twilio_caller_id import cancellation, lifecycle, pulumi_sdk
from pulumi_twilio_caller_id import text as masking
from pulumi_twilio_caller_id.api import throttle
from pulumi_twilio_caller_id.api.listing_cache import listings
from pulumi_twilio_caller_id.operations.preflight import preflight


def forget_all() -> None:
    """Forget whatever the provider keeps for the length of a process."""
    for module in (pulumi_sdk, cancellation, lifecycle, masking, throttle):
        module.reset()
    listings.clear()
    preflight.reset()
