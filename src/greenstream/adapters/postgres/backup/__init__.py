"""Snapshots, and the programs that dump and restore."""
