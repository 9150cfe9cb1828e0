"""Readings of retired days, rehydrated from the lake because more of their meters came."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection, copy_csv
from greenstream.adapters.postgres.base.fetch import all_rows, column, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.loading.copy_columns import READING_COLUMNS, bytea
from greenstream.adapters.postgres.loading.locations import location_keys
from greenstream.domain.lake.archive import held_again
from greenstream.domain.limits import Limits
from greenstream.domain.readings.judge import judge_locations

METERS = pl.Schema({"meter_id": pl.String(), "meter_key": pl.Int64()})
LINEAGE = ("source_file", "processed_timestamp", "pipeline_version")


def concerned_days(connection: Connection, days: Sequence[date], limits: Limits) -> list[date]:
    """These days, and the retired ones whose history looks back on them."""
    slots_a_day = 24 * 60 // limits.interval_minutes
    lookback_days = -(-max(limits.spike_window_slots, limits.reliability_window_slots) // slots_a_day)
    values = {"days": list(days), "lookback_days": lookback_days}
    return column(connection, "rehydration.days", date, **values)


class Rehydration:
    """In the transaction of a load or of a settling, which holds the days."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits

    def absent(self, days: Sequence[date], meters: Sequence[int]) -> Mapping[date, list[str]]:
        """Of each retired day, the meter_ids of those meters whose readings aren't here. They have to be brought."""
        values = {"days": list(days), "meters": list(meters)}
        return dict(all_rows(self._connection, "rehydration.claim", **values))

    def rehydrate(self, rows: pl.DataFrame) -> None:
        """Store readings (schema ARCHIVED) as they were; nothing is counted, for nothing is new."""
        if rows.is_empty():
            return
        keyed = (
            held_again(rows, self._limits)
            .join(self._meters(rows), on="meter_id", how="left")
            .join(self._locations(rows), on="location", how="left", nulls_equal=True)
            .join(self._loads(rows), on=LINEAGE, how="left")
            .drop("flags", "period", "season")
            .rename({"flag_bits": "flags", "period_code": "period", "season_code": "season"})
        )
        columns = keyed.select(READING_COLUMNS).with_columns(bytea(pl.col("record_id")))
        copy_csv(self._connection, query("storing.copy_readings"), columns)

    def _meters(self, rows: pl.DataFrame) -> pl.DataFrame:
        return frame(self._connection, "rehydration.meters", METERS, meters=rows["meter_id"].unique().to_list())

    def _locations(self, rows: pl.DataFrame) -> pl.DataFrame:
        judged = judge_locations(rows["location"].drop_nulls().unique().sort())
        return judged.select("location").with_columns(location_keys(self._connection, judged))

    def _loads(self, rows: pl.DataFrame) -> pl.DataFrame:
        origins = rows.select(LINEAGE).unique().sort(LINEAGE)
        values = {
            "paths": origins["source_file"].to_list(),
            "processed": origins["processed_timestamp"].to_list(),
            "versions": origins["pipeline_version"].to_list(),
        }
        found = all_rows(self._connection, "rehydration.loads", **values)
        keys = [
            key if key is not None else self._forgotten(*origin)
            for (key,), origin in zip(found, origins.iter_rows(), strict=True)
        ]
        return origins.with_columns(load_id=pl.Series(keys, dtype=pl.Int64))

    def _forgotten(self, path: str, processed_at: object, version: str) -> int:
        values = {"path": path, "processed_at": processed_at, "version": version}
        return scalar(self._connection, "rehydration.add_load", int, **values)
