"""Snapshots, the programs that dump and restore, and the database that takes the place of another."""
