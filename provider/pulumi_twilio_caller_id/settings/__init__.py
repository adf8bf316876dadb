"""Reads the settings of a Twilio account from the stack's config or the environment, and validates them."""
