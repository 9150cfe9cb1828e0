"""Connections, errors, named queries."""
