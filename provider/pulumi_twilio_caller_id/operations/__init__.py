"""What the provider does for each operation of the engine."""
