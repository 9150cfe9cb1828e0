"""Readings that go, and the counts that knew of them."""

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import run


def remove_readings(connection: Connection, name: str, values: dict[str, object]) -> int:
    """Run the query that moves readings into the temporary table `taken_out`, once a transaction; how many they are."""
    run(connection, "storing.remove_stage")
    removed = run(connection, name, **values)
    run(connection, "storing.remove_counts")
    return removed
