"""What can be asked of one GreenStream."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import TYPE_CHECKING

from greenstream.application.reports.status import status
from greenstream.domain.errors import NotFound
from greenstream.domain.site import Site

if TYPE_CHECKING:
    from greenstream.application.reports.demo import FaultyLines, StoredDemo
    from greenstream.domain.alerts.values import Alert
    from greenstream.domain.corrections.values import RowChoice
    from greenstream.domain.reports.doctor import ReaderRights
    from greenstream.domain.reports.findings import LocatedFinding
    from greenstream.domain.reports.gauges import GaugeValue
    from greenstream.domain.reports.rows import (
        DeadLetter,
        DeadLetterDetail,
        MeterRow,
        Quarantine,
        QuarantinedDetail,
    )
    from greenstream.domain.reports.status import Status
    from greenstream.ports.reports import ExaminationSource, ReportSources


class Reports:
    """Each answer is as of the moment it was asked for, and changes nothing.

    All raise NotSetUp, DatabaseUnavailable or DatabaseRefused, but `status`, which reports that instead.
    """

    def __init__(self, sources: "ReportSources", store: Callable[[], str], site: Site) -> None:
        self._sources = sources
        self._store = store
        self._site = site

    def status(self) -> "Status":
        return status(self._sources, self._store(), self._site.timezone)

    def meters(self, status: str | None = None) -> "Sequence[MeterRow]":
        """All meters, or those of one status, by meter_id."""
        with self._sources.current() as source:
            return source.meters(status)

    def quarantine(
        self, choice: "RowChoice", *, limit: int, closed: bool = False, chars: int | None = None
    ) -> "Quarantine":
        """Rejected rows that wait, with `closed` all of them, the newest first; a line is cut after `chars`."""
        with self._sources.current() as source:
            return source.quarantine(choice, limit=limit, closed=closed, chars=chars)

    def quarantined_row(self, source_file: str, line_number: int) -> "Sequence[QuarantinedDetail]":
        """All that is known of a rejected row; several where files came under one name. Raises NotFound."""
        with self._sources.current() as source:
            found = source.quarantined_row(source_file, line_number)
        if not found:
            raise NotFound(
                f"no row of {source_file}, line {line_number}, was ever rejected; see `greenstream quarantine list`"
            )
        return found

    def dead_letters(self, *, closed: bool = False) -> "Sequence[DeadLetter]":
        """Files that failed and wait for a person, with `closed` all of them; the latest first."""
        with self._sources.current() as source:
            return source.dead_letters(closed=closed)

    def dead_letter(self, dead_letter_id: int) -> "DeadLetterDetail":
        """All that is known of a file that failed. Raises NotFound."""
        with self._sources.current() as source:
            found = source.dead_letter(dead_letter_id)
        if found is None:
            raise NotFound(f"there is no dead letter {dead_letter_id}; see `greenstream dead-letters list --all`")
        return found

    def alerts(self, *, closed: bool = False) -> "Sequence[Alert]":
        """The open alerts, with `closed` all of them; the latest first."""
        with self._sources.current() as source:
            return source.alerts(closed=closed)

    def findings(self, slot_seconds: int) -> "Sequence[LocatedFinding]":
        """All that the rules found, as scores compare it with the truth."""
        with self._sources.current() as source:
            return source.findings(slot_seconds)

    def demo(self, faulty: "FaultyLines", day: date) -> "StoredDemo":
        """What came of the demo's files."""
        from greenstream.application.reports.demo import stored_demo

        with self._sources.of_demo() as source:
            return stored_demo(source, faulty, self._site, day)

    def examined(self) -> "AbstractContextManager[ExaminationSource]":
        """What the doctor asks, one check after the other, of a database of whatever version."""
        return self._sources.examined()

    def reader_rights(self) -> "ReaderRights":
        """Of the role that people's queries connect as."""
        return self._sources.reader_rights()

    def gauges(self) -> "Sequence[GaugeValue]":
        """What monitoring asks; soon or not at all, and nothing is started."""
        return self._sources.gauges()
