"""The native provider: the same operations, for programs of every Pulumi language. Begin with `server.py`."""
