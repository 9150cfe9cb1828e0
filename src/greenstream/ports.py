"""What the pipeline needs from the outside. Adapters fit these; `wiring` chooses them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from greenstream.domain.evaluate import EvaluatedFile
from greenstream.domain.ledger import Delivery, FileResult, Ledger

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


@dataclass(frozen=True, kw_only=True)
class Stored:
    """How many of a batch's rows are new in the database, and how many were known."""

    stored: int
    duplicate: int


class Load(Protocol):
    """The transaction of one file that claimed its content; it is kept whole, or nothing of it is."""

    def register_meters(self, evaluated: EvaluatedFile) -> pl.Series:
        """Give each meter of the file its key; whether each is reliable (Boolean, one value a meter)."""
        ...

    def store(self, batch: pl.DataFrame) -> Stored:
        """Insert evaluated rows (schema READINGS) with their findings and counts; known ones are left alone."""
        ...

    def quarantine(self, rows: pl.DataFrame) -> int:
        """Keep rejected rows (schema QUARANTINED); how many were kept."""
        ...

    def close(self, ledger: Ledger, ignored_columns: tuple[str, ...]) -> FileResult:
        """Write the file's ledger; raises LedgerMismatch unless it adds up."""
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

    def prepare_days(self, days: list[date], now: datetime) -> None:
        """Make room for readings of these days, and mark the days as touched."""
        ...

    def load(self, delivery: Delivery, now: datetime) -> AbstractContextManager[Load | None]:
        """The transaction that stores a file; None where another delivery has loaded the content."""
        ...

    def record(self, result: FileResult) -> None:
        """Write the result of a file that was not loaded: its line, an alert, a dead letter."""
        ...
