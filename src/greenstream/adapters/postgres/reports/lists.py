"""PostgreSQL behind the port `ReportSource`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.reports.connection import answers, columns
from greenstream.domain.alerts.values import Alert
from greenstream.domain.codes import Severity
from greenstream.domain.reports.findings import LocatedFinding
from greenstream.domain.reports.rows import (
    DeadLetter,
    DeadLetterDetail,
    MeterRow,
    Quarantine,
    QuarantinedDetail,
    QuarantinedRow,
)

if TYPE_CHECKING:
    from greenstream.domain.corrections.values import RowChoice


class PostgresLists:
    """A database at this program's version, on a connection of `reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def meters(self, status: str | None) -> list[MeterRow]:
        return answers(self._connection, "reports.meters", MeterRow, status=status)

    def quarantine(self, choice: "RowChoice", *, limit: int, closed: bool, chars: int | None) -> Quarantine:
        values = {**asdict(choice), "with_closed": closed}
        counts = columns(self._connection, "quarantine.counts", **values)
        rows = answers(self._connection, "quarantine.list", QuarantinedRow, **values, limit=limit, chars=chars)
        return Quarantine(counts={each["code"]: each["count"] for each in counts}, rows=rows)

    def quarantined_row(self, source_file: str, line_number: int) -> list[QuarantinedDetail]:
        values = {"source_file": source_file, "line_number": line_number}
        return answers(self._connection, "quarantine.show", QuarantinedDetail, **values)

    def dead_letters(self, *, closed: bool) -> list[DeadLetter]:
        return answers(self._connection, "dead_letters.list", DeadLetter, with_closed=closed)

    def dead_letter(self, dead_letter_id: int) -> DeadLetterDetail | None:
        return next(iter(answers(self._connection, "dead_letters.show", DeadLetterDetail, id=dead_letter_id)), None)

    def alerts(self, *, closed: bool) -> list[Alert]:
        rows = columns(self._connection, "reports.alerts", closed=closed)
        return [Alert(**{**row, "severity": Severity(row["severity"])}) for row in rows]

    def findings(self, slot_seconds: int) -> list[LocatedFinding]:
        return answers(self._connection, "reports.evaluate_findings", LocatedFinding, slot_seconds=slot_seconds)
