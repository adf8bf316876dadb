"""Stands before the real pip for the engine, which has it list all packages in each operation: a third of its time."""
