"""Replay, reprocessing, erasure."""
