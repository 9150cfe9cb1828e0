"""What all of the adapter's modules do with a connection."""

import io
from contextlib import suppress
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    import polars as pl

Connection = psycopg.Connection[psycopg.rows.TupleRow]

PATIENCE = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""In seconds: a server that doesn't answer is unreachable, and so is one that vanishes in the middle of a query."""


# What a killed process, or one on a machine that vanished, had begun would go on for as long as it takes, locks held.
_END_WITH_US = """
    SET client_connection_check_interval = '2s';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3
"""


def connect(dsn: str, **parameters: str) -> Connection:
    """Connect, in autocommit, with our patience where the DSN says nothing of its own; `parameters` are libpq's.

    The server looks every 2 s whether we are still there, and else ends what it does for us.

    Raises:
        psycopg.Error: it is for the caller to say what was being done.
    """
    given = conninfo_to_dict(dsn)
    ours = {name: value for name, value in PATIENCE.items() if name not in given}
    connection = psycopg.connect(make_conninfo(dsn, **ours, **parameters), autocommit=True)
    with suppress(psycopg.DataError):  # the server's system can't tell
        connection.execute(_END_WITH_US)
    return connection


def copy_csv(connection: Connection, statement: LiteralString, rows: "pl.DataFrame") -> int:
    """COPY a frame whose columns stand in the statement's order; how many rows the server took."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f+00")
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(buffer.getbuffer())
        return cursor.rowcount
