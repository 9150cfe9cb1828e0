"""The transaction of one file: what it claimed, and the rows it stores."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import polars as pl
from psycopg import errors

from greenstream.adapters.postgres.base.connection import Connection, copy_csv
from greenstream.adapters.postgres.base.fetch import all_rows, column, run
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.loading.copy_columns import READING_COLUMNS, bytea
from greenstream.adapters.postgres.loading.locations import location_keys
from greenstream.adapters.postgres.loading.quarantine import copy_quarantine
from greenstream.adapters.postgres.loading.rehydration import Rehydration, concerned_days
from greenstream.domain.codes import Flag
from greenstream.domain.errors import DayBusy
from greenstream.domain.formats.quarantine import LongRow
from greenstream.domain.ledger import Delivery, FileResult, Ledger, Outcome, Stored
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.rules.b6_metadata import lineage

FINDING_COLUMNS = ("reading_at", "load_id", "meter_key", "flag", "record_id", "energy_value")


class PostgresLoad:
    """A file that claimed its content, in the transaction of `PostgresDatabase.load`.

    Rows are COPYed straight into the table, which is twice as fast as passing them through a staging table. It works
    as long as none is known; from the first conflict on the file takes the way with ON CONFLICT DO NOTHING.
    """

    def __init__(
        self, connection: Connection, delivery: Delivery, now: datetime, *, source_file_id: int, load_id: int
    ) -> None:
        self._connection = connection
        self._delivery = delivery
        self._now = now
        self._source_file_id = source_file_id
        self._load_id = load_id
        self._meters = pl.DataFrame()
        self._locations = pl.DataFrame()
        self._days: list[date] = []
        self._rehydration: Rehydration | None = None
        self._has_retired = False
        self._staging = False
        self._counts: list[pl.DataFrame] = []
        self._seen: list[pl.DataFrame] = []
        self._touched: list[pl.DataFrame] = []

    def register_meters(self, evaluated: EvaluatedFile, more_days: Sequence[date] = ()) -> pl.Series:
        own_days = sorted({*evaluated.days(), *more_days})
        days = concerned_days(self._connection, own_days, evaluated.limits)
        locked = all_rows(self._connection, "storing.lock_days", days=days)
        if len(locked) != len(days):
            raise DayBusy(f"a day of {self._delivery.path} was settled at this moment; it is tried again")
        self._locations = self._register_locations(evaluated.locations)
        self._meters = self._register_meters(evaluated)
        self._has_retired = any(row[1] for row in locked)
        self._days, self._rehydration = days, Rehydration(self._connection, evaluated.limits)
        return self._meters["reliability"].is_null() | (self._meters["reliability"] > evaluated.limits.min_reliability)

    @property
    def meter_keys(self) -> list[int]:
        """Of the registered meters."""
        return self._meters["meter_key"].to_list()

    def absent(self, more_meters: Sequence[str] = ()) -> Mapping[date, list[str]]:
        assert self._rehydration is not None
        if not self._has_retired:
            return {}
        more = all_rows(self._connection, "rehydration.meters", meters=list(more_meters))
        keys = {*self.meter_keys, *(key for _, key in more)}
        return self._rehydration.absent(self._days, sorted(keys))

    def rehydrate(self, rows: pl.DataFrame) -> None:
        assert self._rehydration is not None
        self._rehydration.rehydrate(rows)

    def store(self, batch: pl.DataFrame) -> Stored:
        rows = _without_repeats(self._with_keys(batch))
        new = rows if self._copied(rows) else self._merged(rows)
        self._note(new)
        return Stored(stored=new.height, duplicate=batch.height - new.height)

    def quarantine(self, batches: Iterable[pl.DataFrame | LongRow]) -> int:
        return copy_quarantine(self._connection, batches, self._source_file_id, self._now)

    def close(self, ledger: Ledger, ignored_columns: tuple[str, ...], *, to_erase: bool) -> FileResult:
        ledger.check(self._delivery.path)
        self.sum_up()
        values = {
            "rows": ledger.rows,
            "stored": ledger.stored,
            "duplicate": ledger.duplicate,
            "rejected": ledger.rejected,
            "ignored_columns": list(ignored_columns),
            "source_file_id": self._source_file_id,
        }
        run(self._connection, "storing.close_file", **values)
        if to_erase:
            run(self._connection, "erasure.mark", **values)
        return FileResult(
            delivery=self._delivery,
            outcome=Outcome.LOADED,
            processed_at=self._now,
            ledger=ledger,
            ignored_columns=ignored_columns,
        )

    def sum_up(self) -> None:
        """Write what follows from the stored rows: counts, work for the history rules, meters' activity."""
        self._write_counts()
        self._write_unwatched()
        self._write_activity()

    def _register_locations(self, locations: pl.DataFrame) -> pl.DataFrame:
        """`location_key` and `region` of each location, by its code."""
        return locations.select("region").with_columns(location_keys(self._connection, locations))

    def _register_meters(self, evaluated: EvaluatedFile) -> pl.DataFrame:
        """`meter_key` and `reliability` of each meter, by its code."""
        names = evaluated.meters.to_list()
        found = all_rows(self._connection, "storing.meters", meters=names)
        if any(row[0] is None for row in found):
            keys = self._locations["location_key"].gather(evaluated.newest_locations())
            run(self._connection, "storing.add_meters", meters=names, locations=keys.to_list())
            found = all_rows(self._connection, "storing.meters", meters=names)
        schema = {"meter_key": pl.Int32, "reliability": pl.Float64}
        return pl.DataFrame(found, schema=schema, orient="row")

    def _with_keys(self, batch: pl.DataFrame) -> pl.DataFrame:
        return lineage(batch, load_id=self._load_id).with_columns(
            self._meters["meter_key"].gather(batch["meter"]),
            self._locations["location_key"].gather(batch["location"]),
            self._locations["region"].gather(batch["location"]),
        )

    def _copied(self, rows: pl.DataFrame) -> bool:
        """Whether all rows went straight in; else none did, and this file goes on by staging."""
        if self._staging:
            return False
        try:
            with self._connection.transaction():
                copy_csv(self._connection, query("storing.copy_readings"), _reading_columns(rows))
        except errors.UniqueViolation:
            run(self._connection, "storing.stage_table")
            self._staging = True
        return not self._staging

    def _merged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Store the rows that are not known yet: these."""
        run(self._connection, "storing.empty_stage")
        copy_csv(self._connection, query("storing.stage_readings"), _reading_columns(rows))
        new = pl.Series(column(self._connection, "storing.merge_readings", int), dtype=pl.UInt32)
        return rows.filter(pl.col("line_number").is_in(new.implode()))

    def _note(self, new: pl.DataFrame) -> None:
        """Write the findings of stored rows; keep what `close` adds up."""
        flags = [
            new.filter((pl.col("flags") & flag.bit) != 0).with_columns(flag=pl.lit(flag.bit, dtype=pl.Int16))
            for flag in Flag
        ]
        findings = pl.concat(flags)
        if findings.height:
            columns = findings.select(FINDING_COLUMNS).with_columns(bytea(pl.col("record_id")))
            copy_csv(self._connection, query("storing.copy_findings"), columns)
        count = pl.len().alias("readings")
        self._counts.append(new.group_by("day", "region", "grade").agg(count).with_columns(flag=None))
        self._counts.append(findings.group_by("day", "region", "flag").agg(count).with_columns(grade=None))
        self._seen.append(
            new.group_by("meter_key").agg(
                first=pl.col("reading_at").min(),
                last=pl.col("reading_at").max(),
                location=pl.col("location_key").last(),
            )
        )
        self._touched.append(
            new.group_by("day", "meter_key").agg(first=pl.col("reading_at").min(), last=pl.col("reading_at").max())
        )

    def _write_counts(self) -> None:
        if not self._counts:
            return
        counts = pl.concat(self._counts, how="diagonal_relaxed")
        for code, name in (("grade", "storing.add_grade_counts"), ("flag", "storing.add_flag_counts")):
            totals = (
                counts.filter(pl.col(code).is_not_null())
                .group_by("day", "region", code)
                .agg(pl.col("readings").sum())
                .sort("day", "region", code)
            )
            values = {
                "load_id": self._load_id,
                "days": totals["day"].to_list(),
                "regions": totals["region"].to_list(),
                "codes": totals[code].to_list(),
                "readings": totals["readings"].to_list(),
            }
            run(self._connection, name, **values)

    def _write_unwatched(self) -> None:
        """Tell the history rules what is new."""
        if not self._touched:
            return
        days = (
            pl.concat(self._touched)
            .group_by("day")
            .agg(pl.col("meter_key").unique(), pl.col("first").min(), pl.col("last").max())
            .sort("day")
        )
        for day in days.iter_rows(named=True):
            values = {
                "load_id": self._load_id,
                "day": day["day"],
                "first_at": day["first"],
                "last_at": day["last"],
                "meters": day["meter_key"],
            }
            run(self._connection, "storing.add_unwatched", **values)

    def _write_activity(self) -> None:
        """When each meter was first and last seen, and where; last, for this makes others with the same meters wait."""
        if not self._seen:
            return
        seen = (
            pl.concat(self._seen)
            .group_by("meter_key")
            .agg(pl.col("first").min(), pl.col("last").max(), pl.col("location").last())
        )
        values = {
            "meters": seen["meter_key"].to_list(),
            "first": seen["first"].to_list(),
            "last": seen["last"].to_list(),
        }
        run(self._connection, "storing.touch_meters", **values)
        places = {"meters": values["meters"], "locations": seen["location"].to_list()}
        if moved := column(self._connection, "storing.moved_meters", int, **places):
            run(self._connection, "storing.relocate_meters", meters=moved)


def _reading_columns(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(READING_COLUMNS).with_columns(bytea(pl.col("record_id")))


def _without_repeats(rows: pl.DataFrame) -> pl.DataFrame:
    """The first of each record_id of a batch in store order, where repeats are neighbours but for corrections."""
    same_time = (pl.col("meter") == pl.col("meter").shift()) & (pl.col("reading_at") == pl.col("reading_at").shift())
    if not rows.select(same_time.any()).item():
        return rows
    return rows.filter(pl.col("record_id").is_first_distinct())
