"""PostgreSQL behind the port `AlertBook`, and what people do with alerts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from psycopg.rows import args_row, class_row, kwargs_row

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.sql import query
from greenstream.adapters.postgres.loading.waiting_files import PostgresWaiting
from greenstream.domain.alerts.values import (
    CONDITIONS,
    Alert,
    AlertCode,
    BadFile,
    Condition,
    Key,
    RegionFiles,
    SourceRows,
    StoredFacts,
)
from greenstream.domain.codes import Severity
from greenstream.domain.limits import Limits


class PostgresAlerts:
    """A connection of its own, made by `connect_alerts`, for checking or sending must not wait for loads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # for the use-cases

    def facts(self, since: datetime) -> StoredFacts:
        with translated("looking for alerts"):
            return StoredFacts(
                regions=self._regions(since),
                sources=self._sources(since),
                dirty_days=self._dirty_days(),
                oldest_waiting=PostgresWaiting(lambda: self._connection).oldest(),
                going_on=self._going_on(),
            )

    def bad_files(self, since: datetime, limits: Limits) -> list[BadFile]:
        values = {
            "since": since,
            "min_rows": limits.error_share_min_rows,
            "max_share": limits.max_error_share,
            "code": AlertCode.FILE_ERROR_RATE,
        }
        with translated("looking for alerts"), self._connection.cursor(row_factory=class_row(BadFile)) as cursor:
            return cursor.execute(query("alerts.bad_files"), values).fetchall()

    def raise_alert(self, condition: Condition, at: datetime) -> None:
        values = {
            "code": condition.code,
            "severity": condition.severity,
            "subject": condition.subject,
            "message": condition.message,
            "at": at,
        }
        with translated("raising an alert"):
            self._connection.execute(query("alerts.raise"), values)

    def hold(self, conditions: Sequence[Condition], now: datetime) -> None:
        values = {
            "codes": [condition.code.value for condition in conditions],
            "severities": [condition.severity.value for condition in conditions],
            "subjects": [condition.subject for condition in conditions],
            "messages": [condition.message for condition in conditions],
            "now": now,
        }
        with translated("raising alerts"):
            self._connection.execute(query("alerts.hold"), values)

    def end(self, keys: Sequence[Key], now: datetime) -> None:
        values = {"codes": [str(code) for code, _ in keys], "subjects": [subject for _, subject in keys], "now": now}
        with translated("resolving alerts"):
            self._connection.execute(query("alerts.end"), values)

    def end_silent(self, code: str, since: datetime, now: datetime) -> None:
        with translated("resolving alerts"):
            self._connection.execute(query("alerts.end_silent"), {"code": code, "since": since, "now": now})

    def end_dead_letters(self, now: datetime) -> None:
        with translated("resolving alerts"):
            self._connection.execute(query("alerts.end_dead_letters"), {"now": now})

    def due(self, channel: str, *, told_before: datetime) -> list[Alert]:
        with translated("reading alerts"), self._connection.cursor(row_factory=kwargs_row(_alert)) as cursor:
            return cursor.execute(query("alerts.due"), {"channel": channel, "told_before": told_before}).fetchall()

    def messages(self, channel: str, since: datetime) -> int:
        with translated("reading alerts"):
            row = self._connection.execute(query("alerts.messages"), {"channel": channel, "since": since}).fetchone()
        assert row is not None
        assert isinstance(row[0], int)
        return row[0]

    def mark_told(self, channel: str, alerts: Sequence[Alert], now: datetime) -> None:
        told = {
            "channel": channel,
            "alerts": [alert.alert_id for alert in alerts],
            "counts": [alert.count for alert in alerts],
            "now": now,
        }
        with translated("noting what was sent"), self._connection.transaction():
            self._connection.execute(query("alerts.mark_told"), told)
            self._connection.execute(
                query("alerts.add_message"), {"channel": channel, "alerts": len(alerts), "now": now}
            )

    # for people

    def acknowledge(self, now: datetime, *, ids: Sequence[int] | None = None, code: str | None = None) -> set[int]:
        """Close open alerts: those with these IDs, of this code, or all of them; the IDs of those that were open."""
        values = {"ids": None if ids is None else list(ids), "code": code, "now": now}
        with translated("acknowledging alerts"):
            rows = self._connection.execute(query("alerts.acknowledge"), values).fetchall()
        return {alert_id for (alert_id,) in rows if isinstance(alert_id, int)}

    # turns

    @contextmanager
    def checking(self) -> Iterator[bool]:
        """A transaction, and whether it is this process's turn to check."""
        with translated("checking for alerts"), self._connection.transaction():
            yield self._connection.execute(query("alerts.lock_checking")).fetchone() == (True,)

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether it is this process's turn to send, until the block ends or the connection does; no transaction."""
        with translated("sending alerts"):
            ours = self._connection.execute(query("alerts.lock_sending")).fetchone() == (True,)
            try:
                yield ours
            finally:
                if ours and not self._connection.closed:
                    self._connection.execute(query("alerts.unlock_sending"))

    def _regions(self, since: datetime) -> list[RegionFiles]:
        with self._connection.cursor(row_factory=args_row(_region)) as cursor:
            return cursor.execute(query("alerts.regions"), {"since": since}).fetchall()

    def _sources(self, since: datetime) -> list[SourceRows]:
        with self._connection.cursor(row_factory=args_row(_source)) as cursor:
            return cursor.execute(query("alerts.sources"), {"since": since}).fetchall()

    def _dirty_days(self) -> list[tuple[date, datetime]]:
        with self._connection.cursor(row_factory=args_row(_dirty_day)) as cursor:
            return cursor.execute(query("alerts.dirty_days")).fetchall()

    def _going_on(self) -> frozenset[Key]:
        rows = self._connection.execute(query("alerts.going_on"), {"codes": [code.value for code in CONDITIONS]})
        return frozenset((str(code), str(subject)) for code, subject in rows)


@contextmanager
def connect_alerts(dsn: str) -> Iterator[PostgresAlerts]:
    """Connect for the time of the block. Raises DatabaseUnavailable or DatabaseRefused."""
    with translated("connecting to the database"):
        connection = connect(dsn, application_name="greenstream alerts")
    with connection:
        connection.execute("SET timezone TO 'UTC'")
        yield PostgresAlerts(connection)


def _alert(*, severity: str, **columns: Any) -> Alert:
    return Alert(severity=Severity(severity), **columns)


def _region(region: str, first: datetime, last: datetime) -> RegionFiles:
    return RegionFiles(region=region, first=first, last=last)


def _source(source: str, rows: int, rejected: int) -> SourceRows:
    return SourceRows(source=source, rows=rows, rejected=rejected)


def _dirty_day(day: date, dirty_since: datetime) -> tuple[date, datetime]:
    return day, dirty_since
