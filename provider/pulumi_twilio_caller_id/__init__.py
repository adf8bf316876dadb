"""Twilio OutgoingCallerIds, the phone numbers an account has verified for use as caller ID, as Pulumi resources."""

from .lookup import (
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
