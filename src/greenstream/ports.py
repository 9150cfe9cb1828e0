"""What the pipeline needs from the outside. Adapters fit these; `wiring` chooses them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

import numpy as np
import polars as pl

from greenstream.domain.alerts import Alert, BadFile, Condition, Key, Message, StoredFacts
from greenstream.domain.evaluate import EvaluatedFile
from greenstream.domain.grid import Grid, Integers
from greenstream.domain.history import Days
from greenstream.domain.ledger import Delivery, FileResult, Ledger
from greenstream.domain.limits import Limits
from greenstream.domain.parsing.roster import Roster
from greenstream.domain.routing import Route
from greenstream.domain.schema import FindingCode

Clock = Callable[[], datetime]
"""The time now, aware."""


class LandedFile(Protocol):
    """A file in the landing zone."""

    @property
    def path(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...


class Landing(Protocol):
    """The landing zone. All methods raise NotFound, StorageUnavailable or StorageRefused."""

    def head(self, path: str) -> LandedFile: ...
    def read(self, path: str) -> Iterator[bytes]: ...
    def quarantine(self, path: str) -> str:
        """Copy a landed file to the quarantine; the copy's path. Doing it twice is doing it once."""
        ...

    def list_landed(self) -> Iterator[LandedFile]:
        """All landed files."""
        ...

    def rewrite(self, path: str, content: bytes, *, received_at: datetime) -> LandedFile:
        """Replace the bytes of a file, which keeps its time where the store can."""
        ...

    def quarantined(self, before: date) -> Iterator[LandedFile]:
        """Copies in the quarantine of files that landed before a day."""
        ...

    def delete(self, path: str) -> None:
        """Delete it, if it is there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How many of a batch's rows are new in the database, and how many were known."""

    stored: int
    duplicate: int


class StoredRows(Protocol):
    """Where the rows of one file are stored, in a transaction."""

    def register_meters(self, evaluated: EvaluatedFile) -> pl.Series:
        """Give each meter of the file its key; whether each is reliable (Boolean, one value a meter)."""
        ...

    def absent(self) -> Mapping[date, list[str]]:
        """Of retired days that the rows touch, the registered meters whose readings have to be brought back."""
        ...

    def bring_back(self, rows: pl.DataFrame) -> None:
        """Take readings (schema ARCHIVED) of absent meters out of the lake; nothing is counted."""
        ...

    def store(self, batch: pl.DataFrame) -> Stored:
        """Insert evaluated rows (schema READINGS) with their findings and counts; known ones are left alone."""
        ...


class Load(StoredRows, Protocol):
    """The transaction of one file that claimed its content; it is kept whole, or nothing of it is."""

    def quarantine(self, rows: pl.DataFrame) -> int:
        """Keep rejected rows (schema QUARANTINED); how many were kept."""
        ...

    def close(self, ledger: Ledger, ignored_columns: tuple[str, ...], *, to_erase: bool) -> FileResult:
        """Write the file's ledger; raises LedgerMismatch unless it adds up.

        `to_erase`: the file has lines of erased meters, which have to go.
        """
        ...


class Database(Protocol):
    """The database, as loading files needs it.

    All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict.
    """

    def recorded(self, delivery: Delivery) -> FileResult | None:
        """The result of a delivery that ended before, unless it failed."""
        ...

    def is_loaded(self, sha256: str) -> bool:
        """Whether this content is loaded, as far as is known now; `load` tells for sure."""
        ...

    def erased(self) -> pl.DataFrame:
        """All erased meters: schema ERASED."""
        ...

    def prepare_days(self, days: list[date], now: datetime) -> None:
        """Make room for readings of these days, and mark the days as touched."""
        ...

    def load(self, delivery: Delivery, now: datetime) -> AbstractContextManager[Load | None]:
        """The transaction that stores a file; None where another delivery has loaded the content."""
        ...

    def record(self, result: FileResult) -> None:
        """Write the result of a file that was not loaded: its line, an alert, a dead letter."""
        ...


@dataclass(frozen=True, kw_only=True)
class Unwatched:
    """Stored readings that the history rules have not seen.

    `touched` has a row a load, day and meter: `day` (Date), `first` and `last` (Int64 slots of the load on that day),
    `meter` (Int64 key). `newest` is the newest slot of all.
    """

    loads: list[int]
    touched: pl.DataFrame
    newest: int | None


@dataclass(frozen=True, kw_only=True)
class WatchedMeters:
    """Meters in the order of their keys: (meters,) Int64 each; slots, FAR where there is none.

    begins, ends: the first slot of a meter's grid and the first behind it.
    watched_from: what `begins` was when the rules last looked.
    """

    keys: Integers
    begins: Integers
    ends: Integers
    watched_from: Integers

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, chosen: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | Integers | slice") -> "WatchedMeters":
        return WatchedMeters(
            keys=self.keys[chosen],
            begins=self.begins[chosen],
            ends=self.ends[chosen],
            watched_from=self.watched_from[chosen],
        )


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a set of findings is complete for: these meters, by code the slots from `since` on.

    A finding whose last slot is `open_at` or later goes on as far as is known.
    """

    meters: Sequence[int]
    since: Mapping[FindingCode, int]
    open_at: Mapping[FindingCode, int]


class Finding(NamedTuple):
    """A finding as an alert tells it."""

    code: str
    severity: str
    meter_id: str
    window_start: datetime
    detail: str


class FindingCount(NamedTuple):
    """How many findings of one code there are, and how many of them go on."""

    total: int
    open: int


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """What becomes of a score when a meter turns out to be reliable, or not."""

    old_score: int
    old_grade: int
    reliable: bool
    score: int
    grade: int


class History(Protocol):
    """The meters' past in the database, in one transaction that no other watch or settling shares."""

    def watermark(self) -> int | None:
        """The slot up to which the rules have been applied to the whole fleet."""
        ...

    def unwatched(self) -> Unwatched: ...
    def meters(self) -> WatchedMeters: ...
    def refresh_day(self, day: date, meters: Sequence[int]) -> None:
        """Derive the day's values of some meters anew from their current readings."""
        ...

    def grid(self, meters: WatchedMeters, first: int, last: int) -> Grid: ...
    def fleet_days(self, first: int, last: int) -> Days:
        """The days with any reading that lie wholly between two slots."""
        ...

    def replace_findings(self, found: pl.DataFrame, scope: Scope, now: datetime) -> None: ...
    def finish(self, unwatched: Unwatched, watermark: int, today: date) -> None:
        """The loads have been seen; keep the watermark and each meter's status."""
        ...

    def reopen_days(self, spans: Sequence[tuple[date, date]], now: datetime) -> None:
        """Settled days in these spans, their last day included, have to be settled again."""
        ...

    def detected(self, at: datetime) -> dict[str, int]:
        """How many findings were detected at that time, by code."""
        ...

    def unalerted(self, until: datetime) -> list[Finding]:
        """Findings detected by then that no alert has told of."""
        ...

    def mark_alerted(self, until: datetime, now: datetime) -> None: ...
    def raise_alert(self, *, code: str, severity: str, subject: str, message: str, at: datetime) -> None: ...
    def lock_day(self, day: date) -> bool:
        """Keep loads out of a day; whether anything was ever loaded into it."""
        ...

    def absent(self, day: date, changed: pl.DataFrame, min_reliability: float) -> Mapping[date, list[str]]:
        """Of a retired day, the meters (`meter_key`, `reliability`) that are judged otherwise now, to bring back."""
        ...

    def bring_back(self, rows: pl.DataFrame) -> None:
        """Take readings (schema ARCHIVED) of absent meters out of the lake; nothing is counted."""
        ...

    def write_reliability(self, day: date, rows: pl.DataFrame) -> None:
        """Replace a day's `meter_key`, `usable`, `slots`, `reliability`; a meter's own is that of its last day."""
        ...

    def rescore(self, day: date, changes: Sequence[ScoreChange], min_reliability: float) -> int: ...
    def mark_settled(self, day: date, now: datetime) -> None: ...
    def findings_on(self, day: date) -> dict[str, FindingCount]:
        """The findings whose window touches a day, by code."""
        ...


@dataclass(frozen=True, kw_only=True)
class Registered:
    """Which meters, by meter_id, are new, and which that never reported are elsewhere now."""

    new: frozenset[str]
    moved: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Rescheduled:
    """Which meters, by meter_id, have other dates now, and by key from which slot on their grid is another one."""

    meters: frozenset[str]
    again: Mapping[int, int]


class Fleet(History, Protocol):
    """The meters and their past, in one transaction that no other import, watch or settling shares."""

    def register(self, roster: Roster) -> Registered:
        """Add the meters that aren't known. The roster's location counts as long as a meter has no reading."""
        ...

    def reschedule(self, roster: Roster) -> Rescheduled:
        """Give each meter the dates of the roster, as far as it has such columns."""
        ...

    def update_statuses(self, today: date) -> None: ...


class Waiting(Protocol):
    """Landed files that have not ended yet, as people see them."""

    def add(self, file: LandedFile, route: Route, now: datetime) -> None: ...
    def unknown(self, files: Sequence[LandedFile]) -> set[str]:
        """The paths of those that have neither ended nor are waiting."""
        ...

    def overdue(self, before: datetime) -> list[tuple[str, Route]]:
        """Files that should have been taken up by then, and their routes."""
        ...

    def start(self, path: str, now: datetime) -> int:
        """A worker has taken it; how often it failed for a passing reason so far."""
        ...

    def retry(self, path: str, *, attempts: int, error: str, next_at: datetime) -> None: ...
    def crashed(self, path: str, error: str) -> int:
        """A worker died over it; how many did by now."""
        ...

    def end(self, path: str) -> None: ...


class Queue(Protocol):
    """Hands files to workers, each to one at a time, and again when a worker is lost."""

    def put(self, path: str, route: Route) -> None:
        """Putting what is waiting already does nothing."""
        ...


@dataclass(frozen=True, kw_only=True)
class RowChoice:
    """Which quarantined rows; None is no condition. `since` and `until` (not included) are of the quarantining."""

    source_file: str | None = None
    lines: Sequence[int] | None = None
    code: str | None = None
    rule_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WaitingRows:
    """The quarantined rows of one loaded file that were neither replayed nor discarded.

    `rows` has `line_number` (UInt32), `code` and `raw_line` (String) and `raw_bytes` (Binary), by line.
    """

    source_file_id: int
    delivery: Delivery
    rows: pl.DataFrame


class Replay(Protocol):
    """The transaction that replays rows of one file; it is kept whole, or nothing of it is."""

    def open_lines(self) -> pl.Series:
        """Line numbers (UInt32) of the file's rows that still wait; they are held until the end."""
        ...

    def begin(self) -> StoredRows:
        """Where to store those that pass now, as rows of that file."""
        ...

    def close(self, passed: pl.Series, stored: Stored, failed: pl.DataFrame) -> Ledger:
        """Let rows out of the quarantine, note why the others (schema REJECTED) fail now; the file's new ledger.

        Raises LedgerMismatch unless it agrees with the rows that are there.
        """
        ...


class Rejudging(Protocol):
    """The transaction that judges one day's stored readings anew; no other one, and no settling, comes between."""

    def readings(self, flags: int) -> Iterator[pl.DataFrame]:
        """The day's readings with any of these flags (0: all of them), in batches of schema STORED."""
        ...

    def replace(self, changed: pl.DataFrame) -> None:
        """Give readings the values that `rejudge` returned; findings, counts and word for the history rules follow."""
        ...


@dataclass(frozen=True, kw_only=True)
class LoadedDelivery:
    """A loaded file, and when it was processed first."""

    source_file_id: int
    delivery: Delivery
    processed_at: datetime


class Reprocessing(Protocol):
    """The transaction in which a file is processed again; it is kept whole, or nothing of it is."""

    def register_meters(self, evaluated: EvaluatedFile) -> pl.Series:
        """As of `StoredRows`; the days of the file's readings, former and new ones, are held until the end."""
        ...

    def retired_days(self) -> list[date]:
        """Those days of the file's readings whose readings are in the lake."""
        ...

    def absent(self, former: Sequence[str]) -> Mapping[date, list[str]]:
        """As of `StoredRows`; `former` are meter_ids of the file that it may not give any more."""
        ...

    def bring_back(self, rows: pl.DataFrame) -> None: ...
    def stored(self) -> pl.DataFrame:
        """The file's readings: schema OF_FILE."""
        ...

    def quarantined(self) -> pl.DataFrame:
        """The file's rows that are, or were, in the quarantine: schema QUARANTINE."""
        ...

    def replace(self, changed: pl.DataFrame) -> None:
        """Give readings the values that `row_changes` returned."""
        ...

    def supersede(self, gone: pl.DataFrame) -> None:
        """Move readings to those that are superseded."""
        ...

    def add(self, judged: pl.DataFrame) -> int:
        """Store rows (schema READINGS) as the file's; how many weren't known."""
        ...

    def quarantine(self, rows: pl.DataFrame) -> int: ...
    def release(self, lines: pl.Series, recoded: pl.DataFrame) -> None:
        """Let rows out of the quarantine; note why others (schema REJECTED) fail now."""
        ...

    def move_version(self) -> bool:
        """Say that the present version made the file's readings; whether that is new."""
        ...

    def leave(self) -> None:
        """Undo everything: nothing is as much as touched."""
        ...

    def close(self, rows: int) -> Ledger:
        """Write the ledger of a file of so many rows. Raises LedgerMismatch unless it adds up."""
        ...


class Replays(Protocol):
    """What was rejected, and what is done about it.

    All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict.
    """

    def waiting(self, choice: RowChoice) -> Iterator[WaitingRows]:
        """A value a file, one at a time."""
        ...

    def prepare_days(self, days: list[date], now: datetime) -> None: ...
    def erased(self) -> pl.DataFrame:
        """All erased meters: schema ERASED."""
        ...

    def loaded(self, first: date, last: date) -> list[LoadedDelivery]:
        """Loaded files with readings on the local days, or received on them; in the order of processing."""
        ...

    def reprocess(
        self, file: LoadedDelivery, now: datetime, *, dry_run: bool
    ) -> AbstractContextManager[Reprocessing]: ...
    def replay(self, waiting: WaitingRows, now: datetime) -> AbstractContextManager[Replay]: ...
    def days_with(self, flags: int, first: date | None, last: date | None) -> list[date]:
        """The local days with readings that have any of these flags (0: with any reading)."""
        ...

    def rejudge(self, day: date, *, dry_run: bool) -> AbstractContextManager[Rejudging]:
        """Of a day that `prepare_days` has marked, unless it is a dry run: that only reads, and holds nothing."""
        ...


class Channel(Protocol):
    """A way to people: mail, chat, a webhook."""

    @property
    def name(self) -> str:
        """The same at each start, and no secret."""
        ...

    def send(self, message: Message) -> str | None:
        """Send it; what went wrong, None where it was taken. Nothing is raised."""
        ...


class AlertBook(Protocol):
    """The alerts in the database. All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict."""

    def facts(self, since: datetime) -> StoredFacts: ...
    def bad_files(self, since: datetime, limits: Limits) -> list[BadFile]: ...
    def raise_alert(self, condition: Condition, at: datetime) -> None:
        """Open an alert, or count one more occurrence of an open one."""
        ...

    def hold(self, conditions: Sequence[Condition], now: datetime) -> None:
        """Open an alert for each of them that isn't going on already."""
        ...

    def end(self, keys: Sequence[Key], now: datetime) -> None: ...
    def end_dead_letters(self, now: datetime) -> None:
        """Resolve the alerts of dead letters that were replayed or discarded."""
        ...

    def due(self, channel: str, *, told_before: datetime) -> list[Alert]:
        """Open alerts to tell, the most urgent first; those told later than `told_before` have to wait."""
        ...

    def messages(self, channel: str, since: datetime) -> int: ...
    def mark_told(self, channel: str, alerts: Sequence[Alert], now: datetime) -> None:
        """The channel took one message about these."""
        ...
