"""The transaction in which a loaded file is processed again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.fetch import column, one, run, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.corrections.rejudge import PostgresRejudging
from greenstream.adapters.postgres.corrections.removal import remove_readings
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.domain.codes import Rejection
from greenstream.domain.corrections.values import LoadedDelivery
from greenstream.domain.formats.quarantine import LongRow
from greenstream.domain.ledger import Ledger
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.readings.schema import OF_FILE, QUARANTINE
from greenstream.domain.site import Site, day_start

Span = tuple[datetime, datetime]


class PostgresReprocessing:
    """Behind the port `Reprocessing`.

    What is stored anew belongs to a load of the file's first moment of processing: that decides which of two readings
    of a slot is the current one, and a newer version must not make an old value outdo its correction.
    """

    def __init__(
        self,
        connection: Connection,
        site: Site,
        file: LoadedDelivery,
        now: datetime,
        *,
        version: str,
        prepare_days: Callable[[list[date], datetime], None],
    ) -> None:
        self._connection = connection
        self._site = site
        self._file: dict[str, object] = {"source_file_id": file.source_file_id}
        self._delivery = file.delivery
        self._now = now
        self._version = version
        self._prepare_days = prepare_days
        self._days: list[date] = []
        self._span: Span | None = None
        self._is_left = False
        run(connection, "rejudge.lock")
        run(connection, "replay.lock_file", **self._file)
        values = {**self._file, "processed_at": file.processed_at, "version": version}
        self._load_id = scalar(connection, "storing.add_load", int, **values)
        self._load = PostgresLoad(
            connection, file.delivery, now, source_file_id=file.source_file_id, load_id=self._load_id
        )

    @property
    def is_left(self) -> bool:
        return self._is_left

    def register_meters(self, evaluated: EvaluatedFile) -> pl.Series:
        former = column(self._connection, "reprocess.days", date, **self._file)
        self._days = sorted({*evaluated.days(), *former})
        self._prepare_days(self._days, self._now)
        self._span = _span(evaluated.times["reading_at"].gather(evaluated.rows["time"]))
        return self._load.register_meters(evaluated, self._days)

    def retired_days(self) -> list[date]:
        return column(self._connection, "reprocess.retired", date, days=self._days)

    def absent(self, former: Sequence[str]) -> Mapping[date, list[str]]:
        return self._load.absent(former)

    def rehydrate(self, rows: pl.DataFrame) -> None:
        self._load.rehydrate(rows)

    def stored(self) -> pl.DataFrame:
        if not self._days:
            return pl.DataFrame(schema=OF_FILE)
        counted = scalar(self._connection, "reprocess.counted", int, **self._file)
        by_index = self._stored(self._load.meter_keys, self._span)
        return by_index if counted == by_index.height else self._stored(None, self._whole_days())

    def quarantined(self) -> pl.DataFrame:
        return frame(self._connection, "reprocess.quarantined", QUARANTINE, **self._file)

    def replace(self, changed: pl.DataFrame) -> None:
        local = changed["reading_at"].dt.convert_time_zone(self._site.timezone).dt.date()
        for day in local.unique().sort():
            rejudging = PostgresRejudging(self._connection, self._site, day, version=self._version)
            rejudging.stage()
            rejudging.replace(changed.filter(local == day), same_load=True)

    def supersede(self, gone: pl.DataFrame) -> None:
        if gone.is_empty():
            return
        values = {
            "meters": gone["meter_key"].to_list(),
            "times": gone["reading_at"].to_list(),
            "ids": [bytes.fromhex(each) for each in gone["record_id"]],
            "now": self._now,
            "version": self._version,
        }
        remove_readings(self._connection, "reprocess.supersede", values)
        run(self._connection, "reprocess.unwatched")

    def add(self, judged: pl.DataFrame) -> int:
        stored = self._load.store(judged).stored if judged.height else 0
        if stored:
            self._load.sum_up()
        else:
            run(self._connection, "reprocess.drop_load", load_id=self._load_id)
        return stored

    def quarantine(self, batches: Iterable[pl.DataFrame | LongRow]) -> int:
        return self._load.quarantine(batches)

    def release(self, lines: pl.Series, recoded: pl.DataFrame) -> None:
        rules = {code.value: code.rule_id for code in Rejection}
        codes = recoded["code"].to_list()
        reasons = {"lines": recoded["line_number"].to_list(), "codes": codes, "rule_ids": [rules[c] for c in codes]}
        run(self._connection, "reprocess.recode", **self._file, **reasons)
        run(self._connection, "replay.release", **self._file, lines=lines.to_list(), now=self._now)

    def move_version(self) -> bool:
        values = {**self._file, "version": self._version}
        return run(self._connection, "reprocess.versions", **values) > 0

    def leave(self) -> None:
        self._is_left = True

    def close(self, rows: int) -> Ledger:
        count, stored, duplicate, rejected = one(self._connection, "reprocess.ledger", **self._file, rows=rows)
        ledger = Ledger(rows=count, stored=stored, duplicate=duplicate, rejected=rejected)
        ledger.check(self._delivery.path)
        return ledger

    def _whole_days(self) -> Span:
        first, behind = self._days[0], self._days[-1] + timedelta(days=1)
        return day_start(first, self._site.timezone), day_start(behind, self._site.timezone)

    def _stored(self, meters: list[int] | None, span: Span | None) -> pl.DataFrame:
        start, stop = span or self._whole_days()
        values = {**self._file, "path": self._delivery.path, "meters": meters, "start": start, "stop": stop}
        # Not prepared: a plan for any meters at all would not use the index.
        found = self._connection.execute(query("reprocess.stored"), values, prepare=False).fetchall()
        return pl.DataFrame(found, schema=OF_FILE, orient="row")


def _span(times: pl.Series) -> Span | None:
    """From the first to behind the last of some instants."""
    first, last = times.min(), times.max()
    if first is None:
        return None
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return first, last + timedelta(seconds=1)
