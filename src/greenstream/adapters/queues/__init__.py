"""The queue of landed files."""
