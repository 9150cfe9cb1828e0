"""Connections, errors, named queries and what they give."""
