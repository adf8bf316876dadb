"""The settings of a Twilio account: where they come from and what they may be."""
