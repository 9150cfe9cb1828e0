"""The database, as loading files needs it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from greenstream.domain.evaluate import EvaluatedFile
from greenstream.domain.ledger import Delivery, FileResult, Ledger
from greenstream.ports.landing import LandedFile


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

    def recorded(self, file: LandedFile) -> FileResult | None:
        """The result of a delivery that ended before, as this version of the path, unless it failed."""
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
