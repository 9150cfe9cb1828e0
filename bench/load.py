"""Files to committed rows, against a bare COPY of the same rows into the same table with the same index."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from bench import fleet
from bench.measure import Took, once, report
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.loading.copy_columns import READING_COLUMNS
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.storage import ObjectStore, open_store
from greenstream.application.loading.process_file import process_file
from greenstream.domain.landing import LandedFile
from greenstream.domain.limits import Limits
from greenstream.domain.site import Site

SITE = Site(timezone="UTC", limits=replace(Limits(), max_file_bytes=2**30))
NOW = datetime(2026, 3, 4, tzinfo=UTC)
ROUNDS = 3
COLUMNS = ", ".join(READING_COLUMNS)


@contextmanager
def database(home: Path) -> Iterator[tuple[str, PostgresDatabase]]:
    """An embedded server with an empty database, and its address."""
    server = EmbeddedServer(home)
    dsn = server.ensure_running().dsn
    loading = PostgresDatabase(dsn, SITE, version="bench")
    loading.migrate(now=NOW, retention_days=90)
    try:
        yield dsn, loading
    finally:
        loading.close()
        server.stop()


def empty(dsn: str) -> None:
    """Take all readings and files out, keep the meters, and leave nothing for the background to do."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE greenstream.reading, greenstream.source_file, greenstream.row_finding CASCADE")
        connection.execute("CHECKPOINT")


def process(landed: Sequence[LandedFile], store: ObjectStore, loading: PostgresDatabase) -> None:
    lake = ObjectLake(store, version="bench")
    for file in landed:
        result = process_file(file.path, landing=store, database=loading, lake=lake, site=SITE, clock=lambda: NOW)
        assert result.outcome == "loaded", result


def stored_rows(dsn: str) -> bytes:
    """The rows of the table as COPY text, in the order of its index."""
    text = io.BytesIO()
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        ordered = f"SELECT {COLUMNS} FROM greenstream.reading ORDER BY meter_key, reading_at, record_id"
        with cursor.copy(f"COPY ({ordered}) TO STDOUT (FORMAT csv)") as copy:
            for chunk in copy:
                text.write(chunk)
    return text.getvalue()


def bare_copy(dsn: str, rows: bytes) -> None:
    statement = f"COPY greenstream.reading ({COLUMNS}) FROM STDIN (FORMAT csv)"
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(rows)


def main() -> None:
    with TemporaryDirectory() as folder, database(Path(folder, "home")) as (dsn, loading):
        Path(folder).chmod(0o755)
        store = open_store(Path(folder, "home"))
        landed = [store.land(path, day=date(2026, 3, 4)) for path in fleet.gateway_day(Path(folder, "day"))]
        ours, bare = [], []
        for _ in range(ROUNDS):
            empty(dsn)
            ours.append(once(lambda: process(landed, store, loading)))
            rows = stored_rows(dsn)
            empty(dsn)
            bare.append(once(partial(bare_copy, dsn, rows)))
        report("file to committed rows, a fleet-day", _best(ours), _best(bare), wanted=0.45)
        _snapshot(Path(folder, "snapshot"), store, loading)


def _snapshot(folder: Path, store: ObjectStore, loading: PostgresDatabase) -> None:
    """A snapshot of the whole fleet on top of a day."""
    landed = store.land(fleet.snapshot(folder, hour=12), day=date(2026, 3, 4))
    took = once(lambda: process([landed], store, loading))
    print(f"a snapshot of {fleet.METERS} meters committed in {took.wall:.2f} s (wanted: under 2 s)", flush=True)


def _best(runs: list[Took]) -> Took:
    return min(runs, key=lambda took: took.wall)


if __name__ == "__main__":
    main()
