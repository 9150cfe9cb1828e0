"""Replay, reprocessing, rejudging, erasure."""
