"""Rejected rows into their table, a frame at a time, and a huge row piece by piece."""

import io
from collections.abc import Iterable, Iterator
from datetime import datetime

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.loading.copy_columns import bytea
from greenstream.domain.formats.quarantine import LongRow, escaped, pieces_of

BATCH_ROWS = 250_000


def copy_quarantine(
    connection: Connection, batches: Iterable[pl.DataFrame | LongRow], source_file_id: int, now: datetime
) -> int:
    """COPY what `quarantined_rows` gives; how many rows the server took."""
    with connection.cursor() as cursor:
        with cursor.copy(query("quarantine.copy")) as copy:
            for batch in batches:
                for piece in _pieces(batch, source_file_id, now.isoformat()):
                    copy.write(piece)
        return cursor.rowcount


def _pieces(batch: pl.DataFrame | LongRow, source_file_id: int, now: str) -> Iterator[bytes | memoryview]:
    if isinstance(batch, LongRow):
        yield from _long_row(batch, source_file_id, now)
        return
    for rows in batch.iter_slices(BATCH_ROWS):
        yield _csv(rows, source_file_id, now)


def _csv(rows: pl.DataFrame, source_file_id: int, now: str) -> memoryview:
    """In the order of the statement's columns."""
    buffer = io.BytesIO()
    rows.select(
        pl.lit(source_file_id),
        "line_number",
        bytea(pl.col("raw_bytes").bin.encode("hex")),
        "raw_line",
        "rule_id",
        "code",
        pl.lit(now).alias("quarantined_at"),
    ).write_csv(buffer, include_header=False)
    return buffer.getbuffer()


def _long_row(row: LongRow, source_file_id: int, now: str) -> Iterator[bytes]:
    """The same for one row."""
    yield f"{source_file_id},{row.line_number},\\x".encode()
    for piece in pieces_of(row.raw):
        yield piece.hex().encode()
    yield b',"'
    for text in escaped(row.raw):
        yield text.replace('"', '""').encode()
    yield f'",{row.code.rule_id},{row.code},{now}\n'.encode()
