"""The ways to people."""
