"""How readings are written to files and read back."""
