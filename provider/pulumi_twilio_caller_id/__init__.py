"""Twilio OutgoingCallerIds, the phone numbers an account has verified for use as caller ID, as Pulumi resources."""

from .resource import OutgoingCallerId

__all__ = ["OutgoingCallerId"]
