"""The database, as loading files needs it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

import polars as pl

from greenstream.domain.formats.quarantine import LongRow
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import Delivery, FileResult, Ledger, Stored
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.domain.routing import Route


class StoredRows(Protocol):
    """Where the rows of one file are stored, in a transaction."""

    def register_meters(self, evaluated: EvaluatedFile) -> pl.Series:
        """Give each meter of the file its key; whether each is reliable (Boolean, one value a meter)."""
        ...

    def absent(self) -> Mapping[date, list[str]]:
        """Of retired days that the rows touch, the registered meters whose readings have to be rehydrated."""
        ...

    def rehydrate(self, rows: pl.DataFrame) -> None:
        """Take readings (schema ARCHIVED) of absent meters out of the lake; nothing is counted."""
        ...

    def store(self, batch: pl.DataFrame) -> Stored:
        """Insert evaluated rows (schema READINGS) with their findings and counts; known ones are left alone."""
        ...


class Load(StoredRows, Protocol):
    """The transaction of one file that claimed its content; it is kept whole, or nothing of it is."""

    def quarantine(self, batches: Iterable[pl.DataFrame | LongRow]) -> int:
        """Keep rejected rows (frames of schema QUARANTINED, as `quarantined_rows` gives them); how many were kept."""
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

    def recorded(self, file: LandedFile) -> FileResult | None:
        """The result of a delivery that ended before, as this version of the path, unless it failed."""
        ...

    def new_of(self, files: Sequence[LandedFile]) -> list[LandedFile]:
        """Those of some versions that the ledger has no line of."""
        ...

    def delivery(self, file: LandedFile, sha256: str | None, now: datetime) -> Delivery:
        """The delivery that a version of a path with this content is, `received_at` as it was when first seen.

        It is the path's newest one where that has the same content and `modified_at`, or where an erasure left it so:
        that takes over the version. `sha256` is None where the content is too large to be read, or can't be.
        """
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


class Waiting(Protocol):
    """Landed files that have not ended yet, as people see them."""

    def add(self, file: LandedFile, route: Route, now: datetime) -> datetime | None:
        """When the file came that lay under the path before and was waiting, too; None where there was none."""
        ...

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
    def outage(self, path: str, *, error: str, next_at: datetime) -> None:
        """A worker had to let it go for no fault of its own: nothing is counted."""
        ...

    def crashed(self, path: str, error: str) -> int:
        """Its worker is gone; how many died over it by now."""
        ...

    def end(self, path: str) -> None: ...


class Queue(Protocol):
    """Hands files to workers, each to one at a time, and again when a worker is lost."""

    def put(self, path: str, route: Route) -> None:
        """Putting what is waiting already does nothing."""
        ...
