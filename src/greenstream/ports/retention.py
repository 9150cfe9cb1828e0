"""Days on their way out of the database, and what is deleted for good."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import polars as pl

from greenstream.domain.archive import Checksum
from greenstream.domain.ledger import Delivery
from greenstream.ports.landing import LandedFile


@dataclass(frozen=True, kw_only=True)
class DayFacts:
    """What has happened to a local day so far."""

    day: date
    dirty_since: datetime | None = None
    settled_at: datetime | None = None
    archived_at: datetime | None = None
    retired_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Settled, and nothing came since."""
        return self.settled_at is not None and self.dirty_since is None

    @property
    def is_archived(self) -> bool:
        if self.settled_at is None or self.archived_at is None:
            return False
        return self.is_final and self.archived_at >= self.settled_at


class DaySnapshot(Protocol):
    """A day's readings in the database as they were at one moment."""

    def facts(self) -> DayFacts | None:
        """None where the day is unknown."""
        ...

    def meters(self) -> pl.DataFrame:
        """All meters that have begun by then: `meter_key` (Int64) and schema EXPECTED."""
        ...

    def keys(self) -> frozenset[int]:
        """The meters whose readings of the day are in the database, all of them or none of them each."""
        ...

    def held(self, keys: Sequence[int]) -> pl.DataFrame:
        """The readings of some meters: schema HELD."""
        ...

    def superseded(self) -> int:
        """How many of the day's readings were superseded since it was archived."""
        ...

    def checksums(self) -> Mapping[str, Checksum]:
        """Of the readings in the database, by region."""
        ...

    def id_heads(self) -> Iterator["np.ndarray[tuple[int], np.dtype[np.uint64]]"]:
        """The first 8 bytes of the record_ids in the database, in pieces."""
        ...


@dataclass(frozen=True, kw_only=True)
class LoadedFile:
    """A file whose rows were stored, as it was then; `may_be_gone` where retention let its raw file go."""

    delivery: Delivery
    processed_at: datetime
    may_be_gone: bool


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How many days each layer keeps what it has; the lake keeps all."""

    readings: int
    findings: int
    quarantine: int
    ledger: int


class Layer(StrEnum):
    """Where something was deleted."""

    RAW = "raw"
    DATABASE = "database"
    FINDINGS = "findings"
    QUARANTINE = "quarantine"
    LEDGER = "ledger"
    LAKE = "lake"


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Something deleted for good: how much of what (readings, rows or bytes), and why it was allowed."""

    layer: Layer
    subject: str
    amount: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class LandedCopy:
    """A raw file that may go by its age, and the days it has readings on that the database still answers for.

    Attributes:
        delivery: the newest one under its path, whose raw file it is.
        kept_by: such days; empty where each is retired and nothing came since.
        days: all days on which it, or an earlier delivery of the same bytes, has readings.
    """

    source_file_id: int
    delivery: Delivery
    is_rejected: bool
    days: tuple[date, ...]
    kept_by: tuple[date, ...]


class Retiring(Protocol):
    """The transaction in which a day leaves the database; nobody loads into it meanwhile."""

    def facts(self) -> DayFacts: ...
    def snapshot(self) -> DaySnapshot: ...
    def retire(self, deletion: Deletion, now: datetime) -> None:
        """Let go of the day's readings, and note it."""
        ...


class Archives(Protocol):
    """Days on their way from the database into the lake.

    All methods raise DatabaseUnavailable, DatabaseRefused or TransactionConflict.
    """

    def to_archive(self) -> list[date]:
        """Days that are settled and have changed since they were archived; oldest first."""
        ...

    def snapshot(self, day: date) -> AbstractContextManager[DaySnapshot]: ...
    def mark_archived(self, facts: DayFacts, now: datetime) -> None:
        """The day is in the lake as it was settled then."""
        ...

    def erased(self) -> pl.DataFrame:
        """All erased meters: schema ERASED."""
        ...

    def days(self) -> list[date]:
        """All days that ever had a reading; oldest first."""
        ...

    def loaded_on(self, day: date) -> list[LoadedFile]:
        """The files with stored readings of a day."""
        ...

    def to_retire(self, before: date) -> list[DayFacts]:
        """Days before one with readings in the database that retention may look at; oldest first."""
        ...

    def retiring(self, day: date) -> AbstractContextManager[Retiring]: ...
    def join_older(self, before: date) -> int:
        """Let go of the empty partitions of retired days; how many."""
        ...

    def landed_before(self, before: datetime) -> Iterator[LandedCopy]:
        """Raw files whose newest delivery came before a moment and ended, not known to be deleted; oldest first."""
        ...

    def forget_landed(self, source_file_ids: Sequence[int], now: datetime) -> None:
        """The raw files of these deliveries, and so of earlier ones under their paths, are deleted."""
        ...

    def forget_replaced(self, before: datetime, now: datetime) -> None:
        """Deliveries that came before a moment, and a later one under their path, have no raw file of their own."""
        ...

    def expire(self, layer: Layer, before: datetime, *, dry_run: bool) -> int:
        """Delete findings, ledger lines or quarantined rows from before; how many."""
        ...

    def note(self, deletions: Sequence[Deletion], now: datetime) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ToErase:
    """A file of the ledger whose raw file holds lines that were erased before.

    `cleaned` is a loaded delivery that was of the same content, until they were erased from it.
    """

    source_file_id: int
    delivery: Delivery
    processed_at: datetime
    cleaned: Delivery | None


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

    def forget_rewriting(self, path: str) -> None: ...

    def delete(self, meter_id: str) -> list[Deletion]:
        """Delete all that the database has of it."""
        ...

    def complete(self, erasure: int, now: datetime) -> None: ...
    def to_erase(self) -> Iterator[ToErase]:
        """Files in which erased lines came again."""
        ...

    def done_with(self, source_file_id: int) -> None: ...
