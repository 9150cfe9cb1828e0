"""PostgreSQL behind the port `Database`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime

import polars as pl
import psycopg
from psycopg.pq import TransactionStatus

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import Record, column, one_or_none, run, scalar, scalar_or_none
from greenstream.adapters.postgres.corrections.erase import PostgresErasures, erased
from greenstream.adapters.postgres.corrections.replay import PostgresReplays
from greenstream.adapters.postgres.history.fleet import PostgresFleet
from greenstream.adapters.postgres.history.history import PostgresHistory
from greenstream.adapters.postgres.lake.archive import PostgresArchives
from greenstream.adapters.postgres.loading.deliveries import delivery_of, new_of
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.adapters.postgres.loading.rehydration import concerned_days
from greenstream.adapters.postgres.loading.waiting_files import PostgresWaiting
from greenstream.adapters.postgres.schema.migrate import migrate
from greenstream.adapters.postgres.schema.partitions import create_daily
from greenstream.adapters.postgres.schema.site import check_site
from greenstream.domain.codes import Reason, Severity
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import Delivery, FileResult, Ledger, Outcome
from greenstream.domain.site import Site


class PostgresDatabase:
    """One connection, made when first needed and again when lost. Not for two threads at once."""

    def __init__(self, dsn: str, site: Site, *, version: str) -> None:
        self._dsn = dsn
        self._site = site
        self._version = version
        self._connection: Connection | None = None
        self._first_daily = date.max
        self._days_ready: set[date] = set()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def migrate(self, *, now: datetime, retention_days: int) -> str:
        """Bring the database to this program's version; what that is."""
        return migrate(self._dsn, self._site, now=now, retention_days=retention_days)

    def recorded(self, file: LandedFile) -> FileResult | None:
        with translated(f"looking up {file.path}"):
            row = one_or_none(self._ready(), "deliveries.recorded", path=file.path, version=file.version)
        return _result(row) if row else None

    def new_of(self, files: Sequence[LandedFile]) -> list[LandedFile]:
        with translated("looking up versions"):
            return new_of(files, self._ready())

    def delivery(self, file: LandedFile, sha256: str | None, now: datetime) -> Delivery:
        values = {**asdict(file), "sha256": _bytes(sha256), "now": now}
        with translated(f"looking up {file.path}"):
            connection = self._ready()
            same = scalar_or_none(connection, "deliveries.same", datetime, **values)
            first_seen = same or scalar_or_none(connection, "deliveries.first_seen", datetime, **values)
        return Delivery(**{**asdict(file), "received_at": first_seen or file.received_at, "sha256": sha256})

    def is_loaded(self, sha256: str) -> bool:
        with translated("looking up a file's content"):
            return scalar(self._ready(), "deliveries.is_loaded", bool, sha256=bytes.fromhex(sha256))

    def erased(self) -> pl.DataFrame:
        with translated("looking up erased meters"):
            return erased(self._ready())

    def erasures(self) -> PostgresErasures:
        """Erasing meters."""
        with translated("connecting to the database"):
            return PostgresErasures(self._ready())

    def prepare_days(self, days: list[date], now: datetime) -> None:
        with translated("making room for readings"):
            connection = self._ready()
            for day in days:
                if day >= self._first_daily and day not in self._days_ready:
                    create_daily(connection, day, self._site.timezone)
                    if connection.info.transaction_status == TransactionStatus.IDLE:  # else it may be rolled back
                        self._days_ready.add(day)
            concerned = concerned_days(connection, days, self._site.limits)
            run(connection, "storing.touch_days", days=concerned, now=now)

    @contextmanager
    def load(self, delivery: Delivery, now: datetime) -> Iterator[PostgresLoad | None]:
        with translated(f"loading {delivery.path}"):
            connection = self._ready()
            try:
                with connection.transaction():
                    yield self._claim(connection, delivery, now)
            except psycopg.errors.CheckViolation:
                self._days_ready.clear()
                raise

    def waiting(self) -> PostgresWaiting:
        """The files on their way."""
        return PostgresWaiting(self._ready)

    def due_days(self, before: date) -> list[date]:
        """Days before one, with readings, that were never settled or have changed since; oldest first."""
        with translated("looking for days to settle"):
            return column(self._ready(), "settling.due_days", date, before=before)

    @contextmanager
    def history(self) -> Iterator[PostgresHistory]:
        """The meters' past, in a transaction; another watch or settling waits for its end."""
        with self.fleet() as fleet:
            yield fleet

    @contextmanager
    def fleet(self) -> Iterator[PostgresFleet]:
        """The meters and their past, in a transaction; another import, watch or settling waits for its end."""
        with translated("watching the meters"):
            connection = self._ready()
            with connection.transaction():
                run(connection, "history.lock")
                yield PostgresFleet(connection, self._site)

    def replays(self) -> PostgresReplays:
        """What was rejected, and what is done about it."""
        with translated("connecting to the database"):
            return PostgresReplays(self._ready(), self._site, version=self._version, prepare_days=self.prepare_days)

    def archives(self) -> PostgresArchives:
        """Days on their way into the lake."""
        with translated("connecting to the database"):
            return PostgresArchives(self._ready(), self._site)

    def record(self, result: FileResult) -> None:
        delivery = result.delivery
        with translated(f"recording {delivery.path}"), self._ready().transaction():
            connection = self._ready()
            values = self._describe(delivery, result.processed_at)
            has_landed = delivery.version is not None or result.outcome is Outcome.FAILED
            if has_landed:
                run(connection, "deliveries.forget_failure", **values)
            run(connection, "deliveries.record_file", **values, outcome=result.outcome.value, reason=result.reason)
            if result.outcome is Outcome.DUPLICATE:
                run(connection, "erasure.mark_duplicate", **values)
            if result.outcome is Outcome.FAILED:
                run(connection, "dead_letters.add", **_dead_letter(result))
            elif has_landed:  # else the path may be that of another file, which has
                _close_dead_letter(connection, delivery, result.processed_at)
            if result.outcome in (Outcome.REJECTED, Outcome.FAILED):
                run(connection, "alerts.raise", **_alert(result))

    def _claim(self, connection: Connection, delivery: Delivery, now: datetime) -> PostgresLoad | None:
        values = self._describe(delivery, now)
        run(connection, "deliveries.forget_failure", **values)
        _close_dead_letter(connection, delivery, now)
        file = scalar_or_none(connection, "deliveries.claim", int, **values)
        if file is None:
            return None
        lineage = {"source_file_id": file, "processed_at": now, "version": self._version}
        load_id = scalar(connection, "storing.add_load", int, **lineage)
        return PostgresLoad(connection, delivery, now, source_file_id=file, load_id=load_id)

    def _describe(self, delivery: Delivery, processed_at: datetime) -> dict[str, object]:
        return {
            **asdict(delivery),
            "sha256": _bytes(delivery.sha256),
            "processed_at": processed_at,
            "pipeline_version": self._version,
        }

    def _connected(self) -> Connection:
        with translated("connecting to the database"):
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._dsn, application_name="greenstream")
                self._connection.execute("SET timezone TO 'UTC'")
                self._first_daily = date.max
            return self._connection

    def _ready(self) -> Connection:
        """The connection, once it is known that the database is this site's."""
        connection = self._connected()
        if self._first_daily == date.max:
            self._first_daily = check_site(connection, self._site)
        return connection


def _bytes(sha256: str | None) -> bytes | None:
    return None if sha256 is None else bytes.fromhex(sha256)


def _result(row: Record) -> FileResult:
    outcome, reason, rows, stored, duplicate, rejected, ignored_columns, processed_at, *delivery = row
    return FileResult(
        delivery=delivery_of(delivery),
        outcome=Outcome(outcome),
        processed_at=processed_at,
        reason=Reason(reason) if reason else None,
        ledger=Ledger(rows=rows, stored=stored, duplicate=duplicate, rejected=rejected),
        ignored_columns=tuple(ignored_columns),
    )


def _close_dead_letter(connection: Connection, delivery: Delivery, now: datetime) -> None:
    run(connection, "dead_letters.close", path=delivery.path, now=now)


def _dead_letter(result: FileResult) -> dict[str, object]:
    return {
        "path": result.delivery.path,
        "error": _storable(result.error or ""),
        "traceback": _storable(result.detail or ""),
        "attempts": result.attempts,
        "failed_at": result.processed_at,
    }


def _alert(result: FileResult) -> dict[str, object]:
    rejected = result.outcome is Outcome.REJECTED
    return {
        "code": "FILE_REJECTED" if rejected else "DEAD_LETTER",
        "severity": Severity.ERROR.value,
        "subject": result.delivery.path,
        "message": _storable(result.error or ""),
        "at": result.processed_at,
    }


def _storable(text: str) -> str:
    """Text of any origin as PostgreSQL takes it: without NUL, and without what UTF-8 can't say."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
