"""Detectors scored against known faults."""
