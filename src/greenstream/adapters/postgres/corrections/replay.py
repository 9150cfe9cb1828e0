"""PostgreSQL behind the port `Replays`, and what a person gives up of rejected rows and dead letters."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta

import polars as pl
from psycopg import Rollback

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, one, run, scalar
from greenstream.adapters.postgres.base.frames import frame
from greenstream.adapters.postgres.corrections.erase import erased
from greenstream.adapters.postgres.corrections.rejudge import PostgresRejudging
from greenstream.adapters.postgres.corrections.reprocess import PostgresReprocessing
from greenstream.adapters.postgres.loading.deliveries import delivery_of
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.domain.codes import Rejection
from greenstream.domain.corrections.values import LoadedDelivery, RowChoice, WaitingRows
from greenstream.domain.errors import LedgerMismatch
from greenstream.domain.formats.lines import LINE_NUMBER
from greenstream.domain.ledger import Ledger, Stored
from greenstream.domain.site import Site, day_start

WAITING = pl.Schema(
    {"line_number": LINE_NUMBER(), "code": pl.String(), "raw_line": pl.String(), "raw_bytes": pl.Binary()}
)


class PostgresReplays:
    """The quarantine and the dead letters, on the connection of a `PostgresDatabase`."""

    def __init__(
        self, connection: Connection, site: Site, *, version: str, prepare_days: Callable[[list[date], datetime], None]
    ) -> None:
        self._connection = connection
        self._site = site
        self._version = version
        self.prepare_days = prepare_days

    def waiting(self, choice: RowChoice, *, texts: bool) -> Iterator[WaitingRows]:
        values = asdict(choice)
        with translated("looking for rejected rows"):
            files = all_rows(self._connection, "replay.waiting_files", **values)
        for source_file_id, *delivery in files:
            with translated("looking for rejected rows"):
                of_file = {**values, "texts": texts, "source_file_id": source_file_id}
                rows = frame(self._connection, "replay.waiting_rows", WAITING, **of_file)
            yield WaitingRows(source_file_id=source_file_id, delivery=delivery_of(delivery), rows=rows)

    @contextmanager
    def replay(self, waiting: WaitingRows, now: datetime) -> Iterator["PostgresReplay"]:
        with translated(f"replaying rows of {waiting.delivery.path}"), self._connection.transaction():
            yield PostgresReplay(self._connection, waiting, now, version=self._version)

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._connection)

    def loaded(self, first: date, last: date) -> list[LoadedDelivery]:
        values = {
            "first": first,
            "last": last,
            "start": day_start(first, self._site.timezone),
            "stop": day_start(last + timedelta(days=1), self._site.timezone),
        }
        with translated("looking for loaded files"):
            files = all_rows(self._connection, "reprocess.files", **values)
        return [
            LoadedDelivery(source_file_id=source_file_id, delivery=delivery_of(delivery), processed_at=processed_at)
            for source_file_id, processed_at, *delivery in files
        ]

    @contextmanager
    def reprocess(self, file: LoadedDelivery, now: datetime, *, dry_run: bool) -> Iterator[PostgresReprocessing]:
        with translated(f"reprocessing {file.delivery.path}"), self._connection.transaction() as transaction:
            reprocessing = PostgresReprocessing(
                self._connection, self._site, file, now, version=self._version, prepare_days=self.prepare_days
            )
            yield reprocessing
            if dry_run or reprocessing.is_left:
                raise Rollback(transaction)

    def days_with(self, flags: int, first: date | None, last: date | None) -> list[date]:
        with translated("looking for days with readings"):
            return column(self._connection, "replay.days", date, flags=flags, first=first, last=last)

    @contextmanager
    def rejudge(self, day: date, *, dry_run: bool) -> Iterator[PostgresRejudging]:
        with translated(f"judging the readings of {day} anew"), self._connection.transaction():
            rejudging = PostgresRejudging(self._connection, self._site, day, version=self._version)
            if not dry_run:
                rejudging.hold()
            yield rejudging

    # what a person gives up

    def discard_rows(self, choice: RowChoice, reason: str | None, now: datetime) -> dict[str, int]:
        """Give the waiting rows up; how many by code. They stay, and count as rejected."""
        values = {**asdict(choice), "reason": reason, "now": now}
        with translated("looking for rejected rows"):
            return dict(all_rows(self._connection, "quarantine.discard", **values))

    def discard_dead_letter(self, dead_letter_id: int, reason: str | None, now: datetime) -> bool:
        """Whether it was open until now."""
        with translated("looking for a dead letter"):
            return run(self._connection, "dead_letters.discard", id=dead_letter_id, reason=reason, now=now) > 0


class PostgresReplay:
    """Rows of one file, in the transaction of `PostgresReplays.replay`."""

    def __init__(self, connection: Connection, waiting: WaitingRows, now: datetime, *, version: str) -> None:
        self._connection = connection
        self._delivery = waiting.delivery
        self._now = now
        self._version = version
        self._file = {"source_file_id": waiting.source_file_id}
        self._load: PostgresLoad | None = None
        run(connection, "replay.lock_file", **self._file)

    def open_lines(self) -> pl.Series:
        lines = column(self._connection, "replay.open_lines", int, **self._file)
        return pl.Series(lines, dtype=LINE_NUMBER)

    def begin(self) -> PostgresLoad:
        values = {**self._file, "processed_at": self._now, "version": self._version}
        load_id = scalar(self._connection, "storing.add_load", int, **values)
        self._load = PostgresLoad(self._connection, self._delivery, self._now, **self._file, load_id=load_id)
        return self._load

    def close(self, passed: pl.Series, stored: Stored, failed: pl.DataFrame) -> Ledger:
        if self._load is not None:
            self._load.sum_up()
        rules = {code.value: code.rule_id for code in Rejection}
        codes = failed["code"].to_list()
        reasons = {"lines": failed["line_number"].to_list(), "codes": codes, "rule_ids": [rules[c] for c in codes]}
        run(self._connection, "replay.recode", **self._file, **reasons)
        run(self._connection, "replay.release", **self._file, lines=passed.to_list(), now=self._now)
        return self._moved(len(passed), stored)

    def _moved(self, passed: int, stored: Stored) -> Ledger:
        values = {**self._file, "passed": passed, "stored": stored.stored, "duplicate": stored.duplicate}
        rows, kept, duplicate, rejected, quarantined = one(self._connection, "replay.move_ledger", **values)
        ledger = Ledger(rows=rows, stored=kept, duplicate=duplicate, rejected=rejected)
        ledger.check(self._delivery.path)
        if rejected != quarantined:
            raise LedgerMismatch(
                f"{self._delivery.path} says {rejected} rejected, but {quarantined} of its rows are in the quarantine; "
                "nothing was replayed, please report this"
            )
        return ledger
