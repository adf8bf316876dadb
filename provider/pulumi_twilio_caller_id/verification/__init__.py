"""Waiting until a number is verified: evidence, the loop that gathers it, and Twilio's callbacks."""
