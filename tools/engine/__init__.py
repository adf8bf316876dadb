"""The ways to get a Pulumi engine. Each puts one into a folder, or raises Unavailable."""


class Unavailable(Exception):
    """There is no engine to be had this way; the message says why, in a few words."""
