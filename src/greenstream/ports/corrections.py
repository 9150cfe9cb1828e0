"""What was rejected or stored before, and is judged anew."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

import polars as pl

from greenstream.domain.corrections.values import LoadedDelivery, RowChoice, ToErase, WaitingRows
from greenstream.domain.formats.quarantine import LongRow
from greenstream.domain.lake.lifetimes import Deletion
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import Delivery, Ledger, Stored
from greenstream.domain.readings.judge import EvaluatedFile
from greenstream.ports.loading import StoredRows


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

    def deliveries(self, load_ids: Sequence[int]) -> Mapping[int, Delivery]:
        """The deliveries that some loads, by their `load_id`, are of."""
        ...

    def replace(self, changed: pl.DataFrame) -> None:
        """Give readings the values that `rejudge` returned; findings, counts and work for the history rules follow."""
        ...


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

    def rehydrate(self, rows: pl.DataFrame) -> None: ...
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

    def quarantine(self, batches: Iterable[pl.DataFrame | LongRow]) -> int: ...
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

    def waiting(self, choice: RowChoice, *, texts: bool) -> Iterator[WaitingRows]:
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


class Erasures(Protocol):
    """Erased meters. All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict."""

    def erased(self) -> pl.DataFrame:
        """All of them: schema ERASED."""
        ...

    def begin(self, meter_id: str, reason: str, now: datetime) -> int | None:
        """Begin, or go on with one that was broken off; its number, None where no such meter is known."""
        ...

    def days(self, erasure: int) -> list[date]:
        """The days on which the lake may have readings of it."""
        ...

    def rewriting(self, path: str, *, old: str, new: str) -> None:
        """The bytes of a raw file, by their SHA-256, are about to be replaced by others."""
        ...

    def rewritten(self, was: LandedFile, now: LandedFile, *, old: str, new: str) -> None:
        """A raw file has those bytes, and that version, now; each delivery that had the former ones follows."""
        ...

    def rewriting_broken_off(self) -> list[tuple[str, str]]:
        """Paths whose rewriting began, but isn't known to have ended, and the SHA-256 of the new bytes."""
        ...

    def new_of(self, files: Sequence[LandedFile]) -> list[LandedFile]:
        """Those of some versions that the ledger has no line of."""
        ...

    def forget_rewriting(self, path: str) -> None: ...

    def delete(self, meter_id: str) -> list[Deletion]:
        """Delete all that the database has of it."""
        ...

    def complete(self, erasure: int, now: datetime) -> None: ...
    def to_erase(self) -> Iterator[ToErase]:
        """Files in which erased lines came again."""
        ...

    def done_with(self, source_file_id: int) -> None: ...
