"""What all of the adapter's modules do with a connection."""

import io
from typing import LiteralString

import polars as pl
import psycopg

Connection = psycopg.Connection[tuple[object, ...]]


def copy_csv(connection: Connection, statement: LiteralString, rows: pl.DataFrame) -> int:
    """COPY a frame whose columns stand in the statement's order; how many rows the server took."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f+00")
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(buffer.getbuffer())
        return cursor.rowcount
