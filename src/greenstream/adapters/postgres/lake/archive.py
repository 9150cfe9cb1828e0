"""PostgreSQL behind the ports of the lake: days on their way out, and what is deleted afterwards."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from psycopg import errors

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, objects, one_or_none, run, scalar
from greenstream.adapters.postgres.base.frames import frame
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
FLEET = pl.Schema(
    {
        **METERS,
        "location": pl.String(),
        "customer_class": pl.String(),
        "region": pl.String(),
        "begins": INSTANT,
        "ends": INSTANT,
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
            return column(self._connection, "archive.due", date)

    @contextmanager
    def snapshot(self, day: date) -> Iterator["PostgresDay"]:
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
    def retiring(self, day: date) -> Iterator["PostgresRetiring"]:
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
            cursor.executemany(query("retention.add_deletion"), [_deletion(each, now) for each in deletions])


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
        return next(iter(objects(self._connection, "archive.facts", DayFacts, **self._bounds)), None)

    def meters(self) -> pl.DataFrame:
        slots = day_slots(self._day, self._site.timezone, self._site.limits.interval_minutes)
        first, behind = (pl.lit(each, dtype=pl.Int64) for each in (slots.start, slots.stop))
        seconds = self._site.limits.interval_minutes * 60
        begins = pl.max_horizontal(pl.col("begins").dt.epoch("s") // seconds, first)
        ends = pl.min_horizontal(pl.col("ends").dt.epoch("s") // seconds, behind)
        return (
            frame(self._connection, "archive.meters", FLEET)
            .filter(pl.col("begins").is_not_null())
            .with_columns(slots=(ends - begins).clip(lower_bound=0).cast(pl.Int32))
            .filter((pl.col("slots") > 0) | pl.col("meter_key").is_in(list(self.keys())))
            .select("meter_key", *EXPECTED.names())
        )

    def keys(self) -> frozenset[int]:
        return frozenset(column(self._connection, "archive.keys", int, **self._bounds))

    def held(self, keys: Sequence[int]) -> pl.DataFrame:
        if not keys:
            return pl.DataFrame(schema=HELD)
        rows = self._copied(keys)
        loads = frame(self._connection, "archive.loads", LOADS, keys=_distinct(rows["load_id"]))
        locations = frame(self._connection, "archive.locations", LOCATIONS, keys=_distinct(rows["location_key"]))
        meters = frame(self._connection, "archive.meter_ids", METERS, keys=_distinct(rows["meter_key"]))
        return (
            rows.join(meters, on="meter_key", how="left")
            .join(locations, on="location_key", how="left")
            .join(loads, on="load_id", how="left")
            .with_columns(reading_at=pl.from_epoch("seconds", "s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
            .pipe(conform, HELD)
        )

    def superseded(self) -> int:
        return scalar(self._connection, "archive.superseded", int, **self._bounds)

    def checksums(self) -> Mapping[str, Checksum]:
        by_location: dict[int, Checksum] = defaultdict(Checksum)
        for key, ids in self._record_ids():
            by_location[key] += checksum(ids)
        locations = frame(self._connection, "archive.locations", LOCATIONS, keys=list(by_location))
        regions = dict(locations.select("location_key", "region").iter_rows())
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


class PostgresRetiring:
    """Behind the port `Retiring`."""

    def __init__(self, connection: Connection, site: Site, day: date) -> None:
        self._connection = connection
        self._site = site
        self._day = day
        locked = objects(connection, "retention.lock", DayFacts, day=day)
        if not locked:
            raise TransactionConflict(f"{day} is gone from the table of days at this moment; try again")
        (self._facts,) = locked

    def facts(self) -> DayFacts:
        return self._facts

    def snapshot(self) -> PostgresDay:
        return PostgresDay(self._connection, self._site, self._day)

    def retire(self, deletion: Deletion, now: datetime) -> None:
        partitions.empty(self._connection, self._day, self._site.timezone)
        run(self._connection, "retention.clear_rehydrated", day=self._day)
        run(self._connection, "retention.mark", day=self._day, now=now)
        run(self._connection, "retention.add_deletion", **_deletion(deletion, now))


def _deletion(deletion: Deletion, now: datetime) -> dict[str, object]:
    return {
        "now": now,
        "layer": deletion.layer.value,
        "subject": deletion.subject,
        "amount": deletion.amount,
        "reason": deletion.reason,
    }


def _distinct(keys: pl.Series) -> list[int]:
    return keys.unique().to_list()
