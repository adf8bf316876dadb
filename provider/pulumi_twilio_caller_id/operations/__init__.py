"""Does the work of each operation that the engine requests: check, diff, preview, create, read, update and delete."""
