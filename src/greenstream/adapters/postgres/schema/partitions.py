"""Partitions of readings: one a local day, and one for everything before the first of those."""

from datetime import date, timedelta

from psycopg import sql

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import column, one, run, scalar
from greenstream.domain.site import day_start

PARENT = sql.Identifier("greenstream", "reading")


def create_older(connection: Connection, first_daily: date, timezone: str) -> None:
    """The partition of all days before `first_daily`: a file of scattered old dates must not make thousands."""
    connection.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM (MINVALUE) TO ({})").format(
            sql.Identifier("greenstream", "reading_older"), PARENT, sql.Literal(day_start(first_daily, timezone))
        )
    )


def create_daily(connection: Connection, day: date, timezone: str) -> None:
    """The partition of a day, unless it is there, or the day has become one of the older ones.

    It is made apart and then attached: that waits for no reader or loader of other days. Locked against two processes
    at once.
    """
    name = _name(day)
    with connection.transaction():
        run(connection, "schema.lock_partitions")
        if _exists(connection, name) or scalar(connection, "schema.is_older", bool, day=day):
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


def empty(connection: Connection, day: date, timezone: str) -> None:
    """Delete a day's readings."""
    name = _name(day)
    if _exists(connection, name):
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("greenstream", name)))
        return
    bounds = {"start": day_start(day, timezone), "stop": day_start(day + timedelta(days=1), timezone)}
    run(connection, "retention.readings", **bounds)


def join_older(connection: Connection, before: date, timezone: str) -> int:
    """Make the retired days before `before` part of the older ones, so that there are ever only so many partitions.

    Only the first ones up to one that isn't retired. It waits for no one: raises LockNotAvailable after a few seconds
    where loads and readers leave no gap. Returns how many partitions went.
    """
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '3s'")
        run(connection, "schema.lock_partitions")
        first, now_first = one(connection, "retention.first_daily", before=before)
        if now_first <= first:
            return 0
        days = [first + timedelta(days=number) for number in range((now_first - first).days)]
        there = column(connection, "retention.partitions", str, names=[_name(day) for day in days])
        older = sql.Identifier("greenstream", "reading_older")
        connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(PARENT, older))
        for name in there:
            child = sql.Identifier("greenstream", name)
            connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(PARENT, child))
            # What was rehydrated since the day was retired.
            connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(older, child))
            connection.execute(sql.SQL("DROP TABLE {}").format(child))
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO ({})").format(
                PARENT, older, sql.Literal(day_start(now_first, timezone))
            )
        )
        run(connection, "schema.move_first_daily", day=now_first)
        return len(there)


def _name(day: date) -> str:
    return f"reading_{day:%Y%m%d}"


def _exists(connection: Connection, partition: str) -> bool:
    return scalar(connection, "schema.relation_exists", bool, relation=f"greenstream.{partition}")
