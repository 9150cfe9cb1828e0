"""Partitions of readings: one a local day, and one for everything before the first of those."""

from datetime import date, timedelta

from psycopg import sql

from greenstream.adapters.postgres.connection import Connection
from greenstream.domain.calendar import day_start

PARENT = sql.Identifier("greenstream", "reading")


def create_older(connection: Connection, first_daily: date, timezone: str) -> None:
    """The partition of all days before `first_daily`: a file of scattered old dates must not make thousands."""
    connection.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM (MINVALUE) TO ({})").format(
            sql.Identifier("greenstream", "reading_older"), PARENT, sql.Literal(day_start(first_daily, timezone))
        )
    )


def create_daily(connection: Connection, day: date, timezone: str) -> None:
    """The partition of a day, unless it is there.

    It is made apart and then attached: that waits for no reader or loader of other days. Locked against two processes
    at once.
    """
    name = f"reading_{day:%Y%m%d}"
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('greenstream partitions'))")
        if connection.execute("SELECT to_regclass(%s)", [f"greenstream.{name}"]).fetchone() != (None,):
            return
        child = sql.Identifier("greenstream", name)
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(child, PARENT))
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                PARENT,
                child,
                sql.Literal(day_start(day, timezone)),
                sql.Literal(day_start(day + timedelta(days=1), timezone)),
            )
        )
