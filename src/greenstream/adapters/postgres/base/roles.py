"""Names of roles in the database."""

READER = "greenstream_reader"
"""Reads our relations and does nothing else; made by us in the embedded PostgreSQL."""
