"""PostgreSQL behind the port `History`: the fleet's grid, the findings over it, and settled days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from greenstream.adapters.postgres.base.connection import Connection, copy_csv
from greenstream.adapters.postgres.base.fetch import all_rows, column, objects, one_or_none, run, scalar, scalar_or_none
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.history.meter_days import MeterDays
from greenstream.adapters.postgres.loading.rehydration import Rehydration
from greenstream.domain.exact import Integers
from greenstream.domain.history.grid import FAR, Past
from greenstream.domain.history.stretches import past_of
from greenstream.domain.history.values import Days, Finding, FindingCount, Scope, ScoreChange, Unwatched, WatchedMeters
from greenstream.domain.readings.schema import INSTANT
from greenstream.domain.site import Site, day_slots, local_day, slot_start

PENDING = pl.Schema(
    {"load_id": pl.Int64(), "day": pl.Date(), "first": INSTANT, "last": INSTANT, "meter": pl.List(pl.Int64())}
)
METERS = pl.Schema(
    {
        "meter_key": pl.Int64(),
        "seen": INSTANT,
        "commissioned": pl.Date(),
        "decommissioned": pl.Date(),
        "watched_from": INSTANT,
    }
)


class PostgresHistory:
    """What the history rules read and write, in one transaction that no other watch or settling shares."""

    def __init__(self, connection: Connection, site: Site) -> None:
        self._connection = connection
        self._site = site
        self._interval = site.limits.interval_minutes
        self._rehydration = Rehydration(connection, site.limits)
        self._meter_days = MeterDays(connection, site)

    # what is new

    def watermark(self) -> int | None:
        watermark = scalar_or_none(self._connection, "history.watermark", datetime)
        return None if watermark is None else self._slot(watermark)

    def unwatched(self) -> Unwatched:
        rows = frame(self._connection, "history.pending", PENDING)
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
        rows = frame(self._connection, "history.meters", METERS).filter(pl.col("seen").is_not_null())
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
        days = column(self._connection, "history.fleet_days", date, **bounds)
        spans = [(day, self._day_slots(day)) for day in days]
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
        run(self._connection, "history.stage_findings")
        run(self._connection, "history.empty_findings")
        copy_csv(self._connection, query("history.copy_findings"), self._finding_columns(found))
        run(self._connection, "history.join_earlier", slot=slot)
        bounds = {"codes": codes, "since": since, "meters": list(scope.meters), "slot": slot}
        run(self._connection, "history.drop_disproved", **bounds)
        run(self._connection, "history.resolve_earlier", **bounds)
        values = {
            "codes": codes,
            "open_at": [self._start(each) for each in scope.open_at.values()],
            "slot": slot,
            "now": now,
        }
        run(self._connection, "history.merge_findings", **values)

    def finish(self, unwatched: Unwatched, watermark: int, today: date) -> None:
        """The loads have been seen, up to the watermark."""
        run(self._connection, "history.watched", loads=unwatched.loads)
        run(self._connection, "history.advance", watermark=self._start(watermark))
        run(self._connection, "history.mark_meters")
        run(self._connection, "history.status", today=today)

    def reopen_days(self, spans: Sequence[tuple[date, date]], if_last: tuple[date, date], now: datetime) -> None:
        values = {
            "first": [first for first, _ in spans],
            "last": [last for _, last in spans],
            "if_last_from": if_last[0],
            "if_last_to": if_last[1],
            "now": now,
        }
        run(self._connection, "history.reopen_days", **values)

    def detected(self, at: datetime) -> dict[str, int]:
        """How many findings were detected at that time, by code."""
        return dict(all_rows(self._connection, "history.detected", at=at))

    # alerts

    def unalerted(self, until: datetime) -> list[Finding]:
        return objects(self._connection, "history.unalerted", Finding, until=until)

    def mark_alerted(self, until: datetime, now: datetime) -> None:
        run(self._connection, "history.mark_alerted", until=until, now=now)

    def raise_alert(self, *, code: str, severity: str, subject: str, message: str, at: datetime) -> None:
        values = {"code": code, "severity": severity, "subject": subject, "message": message, "at": at}
        run(self._connection, "alerts.raise", **values)

    # settling

    def lock_day(self, day: date) -> bool:
        """Keep loads out of a day; whether anything was ever loaded into it."""
        return one_or_none(self._connection, "settling.lock_day", day=day) is not None

    def absent(self, day: date, changed: pl.DataFrame, min_reliability: float) -> Mapping[date, list[str]]:
        values = {
            "day": day,
            "min_reliability": min_reliability,
            "meters": changed["meter_key"].to_list(),
            "reliability": changed["reliability"].to_list(),
        }
        return self._rehydration.absent([day], column(self._connection, "settling.flipped", int, **values))

    def rehydrate(self, rows: pl.DataFrame) -> None:
        self._rehydration.rehydrate(rows)

    def write_reliability(self, day: date, rows: pl.DataFrame) -> None:
        """Replace what is known of a settled day: `meter_key`, `usable`, `slots`, `reliability` (null: unknown)."""
        run(self._connection, "settling.clear_reliability", day=day)
        columns = rows.select(pl.lit(day).alias("day"), "meter_key", "usable", "slots", "reliability")
        copy_csv(self._connection, query("settling.copy_reliability"), columns)
        run(self._connection, "settling.meters", day=day)

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
        return scalar(self._connection, "settling.scores", int, **values)

    def mark_settled(self, day: date, now: datetime) -> None:
        run(self._connection, "settling.mark_day", day=day, now=now)

    def findings_on(self, day: date) -> dict[str, FindingCount]:
        """The findings whose window touches a day, by code."""
        slots = self._day_slots(day)
        values = {"start": self._start(slots.start), "stop": self._start(slots.stop)}
        rows = all_rows(self._connection, "settling.findings", **values)
        return {code: FindingCount(total=total, open=still) for code, total, still in rows}

    # slots and days

    def _finding_columns(self, found: pl.DataFrame) -> pl.DataFrame:
        step = self._interval * 60 * 1_000_000
        return found.select(
            "code",
            "meter_key",
            (pl.col("first") * step).cast(INSTANT),
            (pl.col("last") * step).cast(INSTANT),
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
