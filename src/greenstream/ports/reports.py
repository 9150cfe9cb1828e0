"""What is asked of the database by those who read. All methods raise DatabaseUnavailable or DatabaseRefused."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from greenstream.domain.alerts.values import Alert
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.reports.demo import CurvePoint, Fate, Flagged, InHistory, Quarantined
from greenstream.domain.reports.doc import Counts
from greenstream.domain.reports.doctor import ConnectedAs, ReaderRights, ServerFacts
from greenstream.domain.reports.findings import LocatedFinding
from greenstream.domain.reports.gauges import GaugeValue
from greenstream.domain.reports.rows import (
    DeadLetter,
    DeadLetterDetail,
    MeterRow,
    Quarantine,
    QuarantinedDetail,
)
from greenstream.domain.reports.status import ServerState, Stored
from greenstream.domain.site import Site


class StatusSource(Protocol):
    """A database, of whatever version, that may not have been set up."""

    def server(self) -> tuple[str, int]:
        """The version of PostgreSQL, and the size of the database in bytes."""
        ...

    def schema_version(self) -> str | None:
        """The version of the schema, None before anything was set up."""
        ...

    def newest_version(self) -> str:
        """Of the schema, that this program has."""
        ...

    def stored(self) -> tuple[str, Stored]:
        """The site's time zone, and what the database holds; only of this program's version."""
        ...


class ReportSource(Protocol):
    """A database at this program's version."""

    def meters(self, status: str | None) -> list[MeterRow]:
        """All meters, or those of one status, by meter_id."""
        ...

    def quarantine(self, choice: RowChoice, *, limit: int, closed: bool, chars: int | None) -> Quarantine:
        """Rejected rows, the newest first; `chars` is how much of a line is wanted, None all of it."""
        ...

    def quarantined_row(self, source_file: str, line_number: int) -> list[QuarantinedDetail]:
        """Several where files came under one name."""
        ...

    def dead_letters(self, *, closed: bool) -> list[DeadLetter]:
        """Those that wait, with `closed` all of them; the latest first."""
        ...

    def dead_letter(self, dead_letter_id: int) -> DeadLetterDetail | None: ...
    def alerts(self, *, closed: bool) -> list[Alert]:
        """The open ones, with `closed` all of them; the latest first."""
        ...

    def findings(self, slot_seconds: int) -> list[LocatedFinding]:
        """All that the rules found; slots are counted from the epoch."""
        ...


class DemoSource(Protocol):
    """What the demo asks of its own database."""

    def flagged(self) -> list[Flagged]: ...
    def history(self) -> list[InHistory]: ...
    def quarantined(self) -> list[Quarantined]: ...
    def grades(self) -> Counts: ...
    def fates(self, faults: Sequence[str], sha256: Sequence[str], lines: Sequence[int]) -> list[Fate]:
        """What became of single lines, each by its fault, its file's content and its number."""
        ...

    def curve(self, site: Site, day: date) -> list[CurvePoint]: ...


class ExaminationSource(Protocol):
    """What the doctor asks of a database, of whatever version."""

    def connected_as(self) -> ConnectedAs: ...
    def server_facts(self) -> ServerFacts: ...
    def schema_version(self) -> str | None: ...
    def newest_version(self) -> str:
        """Of the schema, that this program has."""
        ...

    def check_site(self, site: Site) -> None:
        """Raise SettingsError for a database of a site with another time zone or interval."""
        ...

    def newest_reading(self) -> datetime | None: ...
    def local_times(self, timezone: str, instants: Sequence[datetime]) -> list[str]:
        """The wall-clock times of instants, `YYYY-MM-DD HH:MM:SS`, by the server's time zones."""
        ...


class ReportSources(Protocol):
    """Connections that read, each for the time of a block."""

    def server_state(self) -> ServerState:
        """What is known without connecting. Raises SettingsError for an address that can't be used."""
        ...

    def as_it_is(self) -> AbstractContextManager[StatusSource]:
        """The database where it runs: it is neither started nor migrated."""
        ...

    def current(self) -> AbstractContextManager[ReportSource]:
        """The database, started. Raises NotSetUp where it is of another version than this program."""
        ...

    def of_demo(self) -> AbstractContextManager[DemoSource]: ...
    def examined(self) -> AbstractContextManager[ExaminationSource]:
        """The database, started but not migrated."""
        ...

    def reader_rights(self) -> ReaderRights:
        """Of the role that people's queries connect as."""
        ...

    def gauges(self) -> list[GaugeValue]:
        """Soon or not at all; nothing is started."""
        ...
