"""Requests to Twilio: what they ask for, what may be sent twice, and what one listing answers for many."""
