"""Waits until a number is verified: the evidence, the loop that gathers it, and the receiver of Twilio's callbacks."""
