"""A database as of one instant, whatever is loaded meanwhile."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, one
from greenstream.adapters.postgres.schema.version import current_version
from greenstream.domain.errors import BackupFailed


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What pg_dump needs to see the same, by its `name`, and what is in it; `tables` has the rows of each."""

    name: str
    taken_at: datetime
    postgresql: str
    major: int
    schema_version: str
    timezone: str
    interval_minutes: int
    tables: dict[str, int]


@contextmanager
def open_snapshot(dsn: str) -> Iterator[Snapshot]:
    """A snapshot for the time of the block. Its tables can't be dropped or truncated meanwhile.

    Raises:
        BackupFailed: nothing was set up in this database yet.
    """
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream backup", client_encoding="utf-8")
    with closing(connection):  # which, unlike leaving its block, has nothing to say where the server is gone
        with translated("taking a snapshot of the database"):
            snapshot = _snapshot(connection)
        yield snapshot


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each of our tables has, by schema and name."""
    counts = {}
    for schema, name in all_rows(connection, "backups.tables"):
        counting = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(schema), str(name)))
        row = connection.execute(counting).fetchone()
        assert row is not None
        assert isinstance(row[0], int)
        counts[f"{schema}.{name}"] = row[0]
    return counts


def _snapshot(connection: Connection) -> Snapshot:
    version = current_version(connection)
    if version is None:
        raise BackupFailed("there is nothing to back up: nothing was set up in this database yet")
    connection.execute("SET timezone TO 'UTC'")
    connection.execute("SET idle_in_transaction_session_timeout TO 0")
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    postgresql, major, name, taken_at = one(connection, "backups.facts")
    timezone, interval_minutes, _ = one(connection, "schema.read_site")
    return Snapshot(
        name=name,
        taken_at=taken_at,
        postgresql=postgresql.partition(" ")[0],
        major=major,
        schema_version=version,
        timezone=timezone,
        interval_minutes=interval_minutes,
        tables=row_counts(connection),
    )
