"""The native provider: the same operations for programs of every Pulumi language. `server.py` is the shell."""
