"""PostgreSQL behind the port `DemoSource`."""

from collections.abc import Sequence
from datetime import date

from greenstream.adapters.postgres.base.connection import Connection
from greenstream.adapters.postgres.reports.connection import answers, columns
from greenstream.domain.reports.demo import CurvePoint, Fate, Flagged, InHistory, Quarantined
from greenstream.domain.reports.doc import Counts
from greenstream.domain.site import Site


class PostgresDemo:
    """The demo's database, on a connection of `reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def flagged(self) -> list[Flagged]:
        return answers(self._connection, "reports.demo_flags", Flagged)

    def history(self) -> list[InHistory]:
        return answers(self._connection, "reports.demo_history", InHistory)

    def quarantined(self) -> list[Quarantined]:
        return answers(self._connection, "reports.demo_quarantine", Quarantined)

    def grades(self) -> Counts:
        return {row["grade"]: row["readings"] for row in columns(self._connection, "reports.demo_grades")}

    def fates(self, faults: Sequence[str], sha256: Sequence[str], lines: Sequence[int]) -> list[Fate]:
        values = {"faults": list(faults), "sha256": list(sha256), "lines": list(lines)}
        return answers(self._connection, "reports.demo_fates", Fate, **values)

    def curve(self, site: Site, day: date) -> list[CurvePoint]:
        return answers(
            self._connection,
            "reports.demo_load_curve",
            CurvePoint,
            timezone=site.timezone,
            slot_seconds=site.limits.interval_minutes * 60,
            day=day,
            min_kw=site.limits.min_kw,
            max_kw=site.limits.max_kw,
        )
