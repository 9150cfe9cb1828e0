"""PostgreSQL behind the ports of the lake: days on their way out, and what is deleted afterwards."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from psycopg import errors
from psycopg.rows import class_row

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.corrections.erase import erased
from greenstream.adapters.postgres.loading.deliveries import delivery_of
from greenstream.adapters.postgres.schema import partitions
from greenstream.domain.errors import TransactionConflict
from greenstream.domain.lake.archive import Checksum, checksum
from greenstream.domain.lake.retention import DayFacts, Deletion, LandedCopy, Layer, LoadedFile
from greenstream.domain.ledger import Outcome
from greenstream.domain.readings.schema import EXPECTED, HELD, INSTANT, conform
from greenstream.domain.site import Site, day_slots, day_start

COPIED = pl.Schema(
    {
        "meter_key": pl.Int64(),
        "seconds": pl.Int64(),
        "energy_value": pl.String(),
        "power": pl.Int64(),
        "location_key": pl.Int64(),
        "period": pl.UInt8(),
        "season": pl.UInt8(),
        "flags": pl.UInt8(),
        "quality_score": pl.Int32(),
        "grade": pl.UInt8(),
        "load_id": pl.Int64(),
        "line_number": pl.Int32(),
    }
)
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
            return [row[0] for row in self._all("archive.due", {}) if isinstance(row[0], date)]

    @contextmanager
    def snapshot(self, day: date) -> Iterator["PostgresDay"]:
        with translated(f"reading the readings of {day}"), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresDay(self._connection, self._site, day)

    def mark_archived(self, facts: DayFacts, now: datetime) -> None:
        with translated(f"marking {facts.day} as archived"):
            values = {"day": facts.day, "settled_at": facts.settled_at, "now": now}
            self._connection.execute(query("archive.mark"), values)

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._connection)

    def days(self) -> list[date]:
        with translated("looking for days with readings"):
            return [row[0] for row in self._all("archive.verify_days", {}) if isinstance(row[0], date)]

    def loaded_on(self, day: date) -> list[LoadedFile]:
        with translated(f"looking for files of {day}"):
            rows: list[Any] = self._all("archive.verify_files", {"day": day})
        return [
            LoadedFile(delivery=delivery_of(delivery), processed_at=processed_at, may_be_gone=may_be_gone)
            for processed_at, may_be_gone, *delivery in rows
        ]

    def to_retire(self, before: date) -> list[DayFacts]:
        with translated("looking for days to retire"), self._connection.cursor(row_factory=class_row(DayFacts)) as rows:
            return rows.execute(query("retention.due"), {"before": before}).fetchall()

    @contextmanager
    def retiring(self, day: date) -> Iterator["PostgresRetiring"]:
        with translated(f"retiring {day}"), self._connection.transaction():
            yield PostgresRetiring(self._connection, self._site, day)

    def join_older(self, before: date) -> int:
        with translated("letting go of empty partitions"), suppress(errors.LockNotAvailable):
            # Loads and readers may leave no gap: then the next night does it.
            return partitions.join_older(self._connection, before, self._site.timezone)
        return 0

    def landed_before(self, before: datetime) -> Iterator[LandedCopy]:
        with translated("looking for raw files to delete"):
            rows: list[Any] = self._all("retention.landed", {"before": before})
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
            rows: list[Any] = self._all("deliveries.newest", {"path": path})
        return next(((number, Outcome(outcome)) for number, outcome in rows), None)

    def forget_landed(self, source_file_ids: Sequence[int], now: datetime) -> None:
        with translated("noting deleted raw files"):
            values = {"source_file_ids": list(source_file_ids), "now": now}
            self._connection.execute(query("retention.raw_deleted"), values)

    def forget_replaced(self, before: datetime, now: datetime) -> None:
        with translated("noting replaced raw files"):
            self._connection.execute(query("retention.replaced"), {"before": before, "now": now})

    def expire(self, layer: Layer, before: datetime, *, dry_run: bool) -> int:
        with translated(f"deleting old {layer.value}"), self._connection.transaction(force_rollback=dry_run):
            done = [self._connection.execute(query(name), {"before": before}).rowcount for name in EXPIRING[layer]]
        return sum(done)

    def note(self, deletions: Sequence[Deletion], now: datetime) -> None:
        with translated("noting what was deleted"), self._connection.cursor() as cursor:
            cursor.executemany(query("retention.add_deletion"), [_deletion(each, now) for each in deletions])

    def _all(self, name: str, values: Mapping[str, object]) -> list[tuple[object, ...]]:
        return self._connection.execute(query(name), values).fetchall()


class PostgresDay:
    """Behind the port `DaySnapshot`."""

    def __init__(self, connection: Connection, site: Site, day: date) -> None:
        self._connection = connection
        self._site = site
        self._day = day
        self._bounds: dict[str, object] = {
            "day": day,
            "start": day_start(day, site.timezone),
            "stop": day_start(day + timedelta(days=1), site.timezone),
        }

    def facts(self) -> DayFacts | None:
        with self._connection.cursor(row_factory=class_row(DayFacts)) as rows:
            return rows.execute(query("archive.facts"), self._bounds).fetchone()

    def meters(self) -> pl.DataFrame:
        found = self._connection.execute(query("archive.meters")).fetchall()
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "meter_key": pl.Int64,
            "meter_id": pl.String,
            "location": pl.String,
            "customer_class": pl.String,
            "region": pl.String,
            "begins": INSTANT,
            "ends": INSTANT,
        }
        slots = day_slots(self._day, self._site.timezone, self._site.limits.interval_minutes)
        first, behind = (pl.lit(each, dtype=pl.Int64) for each in (slots.start, slots.stop))
        seconds = self._site.limits.interval_minutes * 60
        begins = pl.max_horizontal(pl.col("begins").dt.epoch("s") // seconds, first)
        ends = pl.min_horizontal(pl.col("ends").dt.epoch("s") // seconds, behind)
        return (
            pl.DataFrame(found, schema=schema, orient="row")
            .filter(pl.col("begins").is_not_null())
            .with_columns(slots=(ends - begins).clip(lower_bound=0).cast(pl.Int32))
            .filter((pl.col("slots") > 0) | pl.col("meter_key").is_in(list(self.keys())))
            .select("meter_key", *EXPECTED.names())
        )

    def keys(self) -> frozenset[int]:
        rows = self._connection.execute(query("archive.keys"), self._bounds).fetchall()
        return frozenset(row[0] for row in rows if isinstance(row[0], int))

    def held(self, keys: Sequence[int]) -> pl.DataFrame:
        if not keys:
            return pl.DataFrame(schema=HELD)
        rows = self._copied(keys)
        loads = self._looked_up("archive.loads", rows["load_id"], LOADS)
        locations = self._looked_up("archive.locations", rows["location_key"], LOCATIONS)
        meters = self._looked_up("archive.meter_ids", rows["meter_key"], METERS)
        return (
            rows.join(meters, on="meter_key", how="left")
            .join(locations, on="location_key", how="left")
            .join(loads, on="load_id", how="left")
            .with_columns(reading_at=pl.from_epoch("seconds", "s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
            .pipe(conform, HELD)
        )

    def superseded(self) -> int:
        row = self._connection.execute(query("archive.superseded"), self._bounds).fetchone()
        assert row is not None
        return int(str(row[0]))

    def checksums(self) -> Mapping[str, Checksum]:
        by_location: dict[int, Checksum] = defaultdict(Checksum)
        for key, ids in self._record_ids():
            by_location[key] += checksum(ids)
        keys = pl.Series(list(by_location), dtype=pl.Int64)
        regions = dict(
            self._looked_up("archive.locations", keys, LOCATIONS).select("location_key", "region").iter_rows()
        )
        by_region: dict[str, Checksum] = defaultdict(Checksum)
        for key, part in by_location.items():
            by_region[regions[key]] += part
        return dict(by_region)

    def id_heads(self) -> Iterator["np.ndarray[tuple[int], np.dtype[np.uint64]]"]:
        for _, ids in self._record_ids():
            yield np.frombuffer(ids, dtype=">u8").reshape(-1, 4)[:, 0].astype(np.uint64)

    def _copied(self, keys: Sequence[int]) -> pl.DataFrame:
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(query("archive.held"), {**self._bounds, "keys": list(keys)})
            result = cursor.pgresult
            assert result is not None
            content = b"".join(result.get_value(row, 0) or b"" for row in range(result.ntuples))
        if not content:
            return pl.DataFrame(schema=COPIED)
        return pl.read_csv(content, has_header=False, schema=COPIED)

    def _record_ids(self) -> Iterator[tuple[int, bytes]]:
        """The day's record_ids, one behind the other, with their `location_key`, in pieces."""
        with self._connection.cursor(binary=True) as cursor:
            for location_key, ids in cursor.stream(query("archive.record_ids"), self._bounds):
                assert isinstance(location_key, int)
                assert isinstance(ids, bytes)
                yield location_key, ids

    def _looked_up(self, name: str, keys: pl.Series, schema: pl.Schema) -> pl.DataFrame:
        found = self._connection.execute(query(name), {"keys": keys.unique().to_list()}).fetchall()
        return pl.DataFrame(found, schema=schema, orient="row")


LOADS = pl.Schema(
    {
        "load_id": pl.Int64(),
        "processed_timestamp": INSTANT,
        "pipeline_version": pl.String(),
        "source_file": pl.String(),
        "source_file_id": pl.Int64(),
    }
)
LOCATIONS = pl.Schema(
    {"location_key": pl.Int64(), "location": pl.String(), "customer_class": pl.String(), "region": pl.String()}
)
METERS = pl.Schema({"meter_key": pl.Int64(), "meter_id": pl.String()})


class PostgresRetiring:
    """Behind the port `Retiring`."""

    def __init__(self, connection: Connection, site: Site, day: date) -> None:
        self._connection = connection
        self._site = site
        self._day = day
        with connection.cursor(row_factory=class_row(DayFacts)) as rows:
            facts = rows.execute(query("retention.lock"), {"day": day}).fetchone()
        if facts is None:
            raise TransactionConflict(f"{day} is gone from the table of days at this moment; try again")
        self._facts = facts

    def facts(self) -> DayFacts:
        return self._facts

    def snapshot(self) -> PostgresDay:
        return PostgresDay(self._connection, self._site, self._day)

    def retire(self, deletion: Deletion, now: datetime) -> None:
        partitions.empty(self._connection, self._day, self._site.timezone)
        self._connection.execute(query("retention.thawed"), {"day": self._day})
        self._connection.execute(query("retention.mark"), {"day": self._day, "now": now})
        self._connection.execute(query("retention.add_deletion"), _deletion(deletion, now))


def _deletion(deletion: Deletion, now: datetime) -> dict[str, object]:
    return {
        "now": now,
        "layer": deletion.layer.value,
        "subject": deletion.subject,
        "amount": deletion.amount,
        "reason": deletion.reason,
    }
