"""PostgreSQL behind the port `AlertBook`, and what people do with alerts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from greenstream.adapters.postgres.base.connection import Connection, connect
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.base.fetch import all_rows, column, objects, run, scalar
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
                regions=objects(self._connection, "alerts.regions", RegionFiles, since=since),
                sources=objects(self._connection, "alerts.sources", SourceRows, since=since),
                dirty_days=all_rows(self._connection, "alerts.dirty_days"),
                oldest_waiting=PostgresWaiting(lambda: self._connection).oldest(),
                going_on=frozenset(
                    all_rows(self._connection, "alerts.going_on", codes=[code.value for code in CONDITIONS])
                ),
            )

    def bad_files(self, since: datetime, limits: Limits) -> list[BadFile]:
        with translated("looking for alerts"):
            return objects(
                self._connection,
                "alerts.bad_files",
                BadFile,
                since=since,
                min_rows=limits.error_share_min_rows,
                max_share=limits.max_error_share,
                code=AlertCode.FILE_ERROR_RATE,
            )

    def raise_alert(self, condition: Condition, at: datetime) -> None:
        with translated("raising an alert"):
            run(
                self._connection,
                "alerts.raise",
                code=condition.code,
                severity=condition.severity,
                subject=condition.subject,
                message=condition.message,
                at=at,
            )

    def hold(self, conditions: Sequence[Condition], now: datetime) -> None:
        values = {
            "codes": [condition.code.value for condition in conditions],
            "severities": [condition.severity.value for condition in conditions],
            "subjects": [condition.subject for condition in conditions],
            "messages": [condition.message for condition in conditions],
            "now": now,
        }
        with translated("raising alerts"):
            run(self._connection, "alerts.hold", **values)

    def end(self, keys: Sequence[Key], now: datetime) -> None:
        values = {"codes": [str(code) for code, _ in keys], "subjects": [subject for _, subject in keys], "now": now}
        with translated("resolving alerts"):
            run(self._connection, "alerts.end", **values)

    def end_silent(self, code: str, since: datetime, now: datetime) -> None:
        with translated("resolving alerts"):
            run(self._connection, "alerts.end_silent", code=code, since=since, now=now)

    def end_dead_letters(self, now: datetime) -> None:
        with translated("resolving alerts"):
            run(self._connection, "alerts.end_dead_letters", now=now)

    def due(self, channel: str, *, told_before: datetime) -> list[Alert]:
        with translated("reading alerts"):
            return objects(self._connection, "alerts.due", _alert, channel=channel, told_before=told_before)

    def messages(self, channel: str, since: datetime) -> int:
        with translated("reading alerts"):
            return scalar(self._connection, "alerts.messages", int, channel=channel, since=since)

    def mark_told(self, channel: str, alerts: Sequence[Alert], now: datetime) -> None:
        told = {
            "channel": channel,
            "alerts": [alert.alert_id for alert in alerts],
            "counts": [alert.count for alert in alerts],
            "now": now,
        }
        with translated("noting what was sent"), self._connection.transaction():
            run(self._connection, "alerts.mark_told", **told)
            run(self._connection, "alerts.add_message", channel=channel, alerts=len(alerts), now=now)

    # for people

    def acknowledge(self, now: datetime, *, ids: Sequence[int] | None = None, code: str | None = None) -> set[int]:
        """Close open alerts: those with these IDs, of this code, or all of them; the IDs of those that were open."""
        values = {"ids": None if ids is None else list(ids), "code": code, "now": now}
        with translated("acknowledging alerts"):
            return set(column(self._connection, "alerts.acknowledge", int, **values))

    # turns

    @contextmanager
    def checking(self) -> Iterator[bool]:
        """A transaction, and whether it is this process's turn to check."""
        with translated("checking for alerts"), self._connection.transaction():
            yield scalar(self._connection, "alerts.lock_checking", bool)

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether it is this process's turn to send, until the block ends or the connection does; no transaction."""
        with translated("sending alerts"):
            ours = scalar(self._connection, "alerts.lock_sending", bool)
            try:
                yield ours
            finally:
                if ours and not self._connection.closed:
                    run(self._connection, "alerts.unlock_sending")


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
