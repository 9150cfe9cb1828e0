"""PostgreSQL behind the ports of the lake: days on their way out, and what is deleted afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime

import polars as pl
from psycopg import errors

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, objects, one_or_none, run
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.corrections.erase import erased
from greenstream.adapters.postgres.lake.day import PostgresDay
from greenstream.adapters.postgres.lake.retiring import PostgresRetiring, deletion_values
from greenstream.adapters.postgres.loading.deliveries import delivery_of
from greenstream.adapters.postgres.schema import partitions
from greenstream.domain.lake.lifetimes import DayFacts, Deletion, LandedCopy, Layer, LoadedFile
from greenstream.domain.ledger import Outcome
from greenstream.domain.site import Site

EXPIRING: Mapping[Layer, tuple[str, ...]] = {
    Layer.FINDINGS: ("retention.findings_rows", "retention.findings_windows"),
    Layer.QUARANTINE: ("retention.quarantine",),
    Layer.LEDGER: ("retention.ledger",),
}


class PostgresArchives:
    """Behind the port `Archives`, on the connection of a `PostgresDatabase`."""

    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection = connection
        self._site = site

    def to_archive(self) -> list[date]:
        with translated("looking for days to archive"):
            return column(self._connection, "archive.due", date)

    @contextmanager
    def snapshot(self, day: date) -> Iterator[PostgresDay]:
        with translated(f"reading the readings of {day}"), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresDay(self._connection, self._site, day)

    def mark_archived(self, facts: DayFacts, now: datetime) -> None:
        with translated(f"marking {facts.day} as archived"):
            values = {"day": facts.day, "settled_at": facts.settled_at, "now": now}
            run(self._connection, "archive.mark", **values)

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._connection)

    def days(self) -> list[date]:
        with translated("looking for days with readings"):
            return column(self._connection, "archive.verify_days", date)

    def loaded_on(self, day: date) -> list[LoadedFile]:
        with translated(f"looking for files of {day}"):
            rows = all_rows(self._connection, "archive.verify_files", day=day)
        return [
            LoadedFile(delivery=delivery_of(delivery), processed_at=processed_at, may_be_gone=may_be_gone)
            for processed_at, may_be_gone, *delivery in rows
        ]

    def to_retire(self, before: date) -> list[DayFacts]:
        with translated("looking for days to retire"):
            return objects(self._connection, "retention.due", DayFacts, before=before)

    @contextmanager
    def retiring(self, day: date) -> Iterator[PostgresRetiring]:
        with translated(f"retiring {day}"), self._connection.transaction():
            yield PostgresRetiring(self._connection, self._site, day)

    def join_older(self, before: date) -> int:
        with translated("joining empty partitions"), suppress(errors.LockNotAvailable):
            # Loads and readers may leave no gap: then the next night does it.
            return partitions.join_older(self._connection, before, self._site.timezone)
        return 0

    def landed_before(self, before: datetime) -> Iterator[LandedCopy]:
        with translated("looking for raw files to delete"):
            rows = all_rows(self._connection, "retention.landed", before=before)
        for source_file_id, is_rejected, days, kept_by, *delivery in rows:
            yield LandedCopy(
                source_file_id=source_file_id,
                delivery=delivery_of(delivery),
                is_rejected=is_rejected,
                days=tuple(days),
                kept_by=tuple(kept_by),
            )

    def newest_delivery(self, path: str) -> tuple[int, Outcome] | None:
        with translated(f"looking up {path}"):
            row = one_or_none(self._connection, "deliveries.newest", path=path)
        return None if row is None else (row[0], Outcome(row[1]))

    def forget_landed(self, source_file_ids: Sequence[int], now: datetime) -> None:
        with translated("noting deleted raw files"):
            values = {"source_file_ids": list(source_file_ids), "now": now}
            run(self._connection, "retention.raw_deleted", **values)

    def forget_replaced(self, before: datetime, now: datetime) -> None:
        with translated("noting replaced raw files"):
            run(self._connection, "retention.replaced", before=before, now=now)

    def expire(self, layer: Layer, before: datetime, *, dry_run: bool) -> int:
        with translated(f"deleting old {layer.value}"), self._connection.transaction(force_rollback=dry_run):
            done = [run(self._connection, name, before=before) for name in EXPIRING[layer]]
        return sum(done)

    def note(self, deletions: Sequence[Deletion], now: datetime) -> None:
        with translated("noting what was deleted"), self._connection.cursor() as cursor:
            cursor.executemany(query("retention.add_deletion"), [deletion_values(each, now) for each in deletions])
