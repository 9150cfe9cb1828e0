"""PostgreSQL behind the port `DaySnapshot`: the readings of a day."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import column, objects, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.base.sql import query
from greenstream.domain.lake.archive import Checksum, checksum
from greenstream.domain.lake.lifetimes import DayFacts
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


class PostgresDay:
    """As one transaction sees the day."""

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
            yield from cursor.stream(query("archive.record_ids"), self._bounds)


def _distinct(keys: pl.Series) -> list[int]:
    return keys.unique().to_list()
