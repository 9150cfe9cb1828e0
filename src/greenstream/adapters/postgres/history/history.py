"""PostgreSQL behind the port `History`: the fleet's grid, the findings over it, and settled days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from psycopg.rows import args_row, tuple_row

from greenstream.adapters.postgres.base.connection import Connection, copy_csv
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.history.meter_days import MeterDays
from greenstream.adapters.postgres.loading.rehydration import Thaw
from greenstream.domain.exact import Integers
from greenstream.domain.history.grid import FAR, Past
from greenstream.domain.history.stretches import past_of
from greenstream.domain.history.values import Days, Finding, FindingCount, Scope, ScoreChange, Unwatched, WatchedMeters
from greenstream.domain.site import Site, day_slots, local_day, slot_start


class PostgresHistory:
    """What the history rules read and write, in one transaction that no other watch or settling shares."""

    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection = connection
        self._site = site
        self._interval = site.limits.interval_minutes
        self._thaw = Thaw(connection, site.limits)
        self._meter_days = MeterDays(connection, site)

    # what is new

    def watermark(self) -> int | None:
        row = self._connection.execute(query("history.watermark")).fetchone()
        assert row is not None
        return self._slot(row[0]) if isinstance(row[0], datetime) else None

    def unwatched(self) -> Unwatched:
        found = self._connection.execute(query("history.pending")).fetchall()
        rows = pl.DataFrame(
            found,
            schema={
                "load_id": pl.Int64,
                "day": pl.Date,
                "first": _INSTANT,
                "last": _INSTANT,
                "meter": pl.List(pl.Int64),
            },
            orient="row",
        )
        step = self._interval * 60
        slots = rows.with_columns(pl.col("first", "last").dt.epoch("s") // step)
        newest = slots["last"].max()
        assert newest is None or isinstance(newest, int)
        return Unwatched(
            loads=slots["load_id"].unique().to_list(),
            touched=slots.explode("meter").drop("load_id"),
            newest=newest,
        )

    def meters(self) -> WatchedMeters:
        found = self._connection.execute(query("history.meters")).fetchall()
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "meter_key": pl.Int64,
            "seen": _INSTANT,
            "commissioned": pl.Date,
            "decommissioned": pl.Date,
            "watched_from": _INSTANT,
        }
        rows = pl.DataFrame(found, schema=schema, orient="row").filter(pl.col("seen").is_not_null())
        step = self._interval * 60
        ends = [FAR if day is None else self._day_slots(day).start for day in rows["decommissioned"]]
        return WatchedMeters(
            keys=rows["meter_key"].to_numpy(),
            begins=(rows["seen"].dt.epoch("s") // step).to_numpy(),
            ends=np.array(ends, dtype=np.int64),
            watched_from=(rows["watched_from"].dt.epoch("s") // step).fill_null(FAR).to_numpy(),
        )

    # the past

    def refresh(self, touched: pl.DataFrame) -> None:
        self._meter_days.refresh(touched)

    def days_held(self, meters: WatchedMeters, first: int) -> Integers:
        return self._meter_days.held(meters.keys, self._day(first))

    def past(self, meters: WatchedMeters, first: int, last: int) -> Past:
        """What some meters sent, in order of their keys, from the day of slot `first` up to slot `last`."""
        first_day = self._day(first)
        return past_of(
            self._meter_days.read(meters.keys, first_day, self._day(last)),
            keys=meters.keys,
            begins=meters.begins,
            ends=meters.ends,
            start=self._day_slots(first_day).start,
            stop=last + 1,
            limits=self._site.limits,
        )

    def fleet_days(self, first: int, last: int) -> Days:
        """The days with any reading that lie wholly between two slots."""
        bounds = {"first_day": self._day(first), "last_day": self._day(last)}
        days = [row[0] for row in self._connection.execute(query("history.fleet_days"), bounds).fetchall()]
        spans = [(day, self._day_slots(day)) for day in days if isinstance(day, date)]
        whole = [(day, slots) for day, slots in spans if first <= slots.start and slots.stop - 1 <= last]
        ordinals = np.array([day.toordinal() for day, _ in whole], dtype=np.int64)
        return Days(
            first=np.array([slots.start for _, slots in whole], dtype=np.int64),
            last=np.array([slots.stop - 1 for _, slots in whole], dtype=np.int64),
            adjoining=np.diff(ordinals, prepend=-1) == 1,
        )

    # findings

    def replace_findings(self, found: pl.DataFrame, scope: Scope, now: datetime) -> None:
        """Make the findings of the scope's meters, from its slots on, exactly those found (schema FINDINGS)."""
        since = [self._start(slot) for slot in scope.since.values()]
        slot = timedelta(minutes=self._interval)
        codes = list(scope.since)
        self._connection.execute(query("history.stage_findings"))
        self._connection.execute("TRUNCATE pg_temp.found")
        copy_csv(self._connection, query("history.copy_findings"), self._finding_columns(found))
        self._connection.execute(query("history.join_earlier"), {"slot": slot})
        bounds = {"codes": codes, "since": since, "meters": list(scope.meters), "slot": slot}
        self._connection.execute(query("history.drop_disproved"), bounds)
        self._connection.execute(query("history.resolve_earlier"), bounds)
        values = {
            "codes": codes,
            "open_at": [self._start(each) for each in scope.open_at.values()],
            "slot": slot,
            "now": now,
        }
        self._connection.execute(query("history.merge_findings"), values)

    def finish(self, unwatched: Unwatched, watermark: int, today: date) -> None:
        """The loads have been seen, up to the watermark."""
        self._connection.execute(query("history.watched"), {"loads": unwatched.loads})
        self._connection.execute(query("history.advance"), {"watermark": self._start(watermark)})
        self._connection.execute(query("history.mark_meters"))
        self._connection.execute(query("history.status"), {"today": today})

    def reopen_days(self, spans: Sequence[tuple[date, date]], if_last: tuple[date, date], now: datetime) -> None:
        values = {
            "first": [first for first, _ in spans],
            "last": [last for _, last in spans],
            "if_last_from": if_last[0],
            "if_last_to": if_last[1],
            "now": now,
        }
        self._connection.execute(query("history.reopen_days"), values)

    def detected(self, at: datetime) -> dict[str, int]:
        """How many findings were detected at that time, by code."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return dict(cursor.execute(query("history.detected"), {"at": at}))

    # alerts

    def unalerted(self, until: datetime) -> list[Finding]:
        with self._connection.cursor(row_factory=args_row(Finding)) as cursor:
            return cursor.execute(query("history.unalerted"), {"until": until}).fetchall()

    def mark_alerted(self, until: datetime, now: datetime) -> None:
        self._connection.execute(query("history.mark_alerted"), {"until": until, "now": now})

    def raise_alert(self, *, code: str, severity: str, subject: str, message: str, at: datetime) -> None:
        values = {"code": code, "severity": severity, "subject": subject, "message": message, "at": at}
        self._connection.execute(query("alerts.raise"), values)

    # settling

    def lock_day(self, day: date) -> bool:
        """Keep loads out of a day; whether anything was ever loaded into it."""
        return self._connection.execute(query("settling.lock_day"), {"day": day}).fetchone() is not None

    def absent(self, day: date, changed: pl.DataFrame, min_reliability: float) -> Mapping[date, list[str]]:
        values = {
            "day": day,
            "min_reliability": min_reliability,
            "meters": changed["meter_key"].to_list(),
            "reliability": changed["reliability"].to_list(),
        }
        found = self._connection.execute(query("settling.flipped"), values).fetchall()
        return self._thaw.absent([day], [row[0] for row in found if isinstance(row[0], int)])

    def bring_back(self, rows: pl.DataFrame) -> None:
        self._thaw.bring_back(rows)

    def write_reliability(self, day: date, rows: pl.DataFrame) -> None:
        """Replace what is known of a settled day: `meter_key`, `usable`, `slots`, `reliability` (null: unknown)."""
        self._connection.execute(query("settling.clear_reliability"), {"day": day})
        columns = rows.select(pl.lit(day).alias("day"), "meter_key", "usable", "slots", "reliability")
        copy_csv(self._connection, query("settling.copy_reliability"), columns)
        self._connection.execute(query("settling.meters"), {"day": day})

    def rescore(self, day: date, changes: Sequence[ScoreChange], min_reliability: float) -> int:
        """Apply the changes to the day's readings whose meter is now judged otherwise; how many those are."""
        slots = self._day_slots(day)
        values = {
            "day": day,
            "start": self._start(slots.start),
            "stop": self._start(slots.stop),
            "min_reliability": min_reliability,
            "old_scores": [change.old_score for change in changes],
            "old_grades": [change.old_grade for change in changes],
            "reliables": [change.reliable for change in changes],
            "scores": [change.score for change in changes],
            "grades": [change.grade for change in changes],
        }
        row = self._connection.execute(query("settling.scores"), values).fetchone()
        assert row is not None
        assert isinstance(row[0], int)
        return row[0]

    def mark_settled(self, day: date, now: datetime) -> None:
        self._connection.execute(query("settling.mark_day"), {"day": day, "now": now})

    def findings_on(self, day: date) -> dict[str, FindingCount]:
        """The findings whose window touches a day, by code."""
        slots = self._day_slots(day)
        values = {"start": self._start(slots.start), "stop": self._start(slots.stop)}
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(query("settling.findings"), values)
            return {code: FindingCount(total=total, open=still) for code, total, still in rows}

    # slots and days

    def _finding_columns(self, found: pl.DataFrame) -> pl.DataFrame:
        step = self._interval * 60 * 1_000_000
        return found.select(
            "code",
            "meter_key",
            (pl.col("first") * step).cast(_INSTANT),
            (pl.col("last") * step).cast(_INSTANT),
            "began_earlier",
            "detail",
        )

    def _slot(self, instant: datetime) -> int:
        return int(instant.timestamp()) // (self._interval * 60)

    def _start(self, slot: int) -> datetime:
        return slot_start(int(slot), self._interval)

    def _day(self, slot: int) -> date:
        return local_day(int(slot), self._site.timezone, self._interval)

    def _day_slots(self, day: date) -> range:
        return day_slots(day, self._site.timezone, self._interval)


_INSTANT = pl.Datetime("us", "UTC")
