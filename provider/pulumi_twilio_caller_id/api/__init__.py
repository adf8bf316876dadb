"""Makes the requests to Twilio, decides which may be sent again, and shares one listing among many resources."""
