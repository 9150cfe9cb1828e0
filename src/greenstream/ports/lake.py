"""The lake's objects."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

import numpy as np
import polars as pl

from greenstream.domain.lake.archive import Checksum
from greenstream.domain.lake.lifetimes import DayFacts, Deletion, LandedCopy, Layer, LoadedFile
from greenstream.domain.lake.manifest import LakeFile, Manifest, ReadingsFile, Written
from greenstream.domain.ledger import Outcome
from greenstream.domain.site import Site


class DayWriter(Protocol):
    """A day on its way into the lake: nothing is seen of it until `finish`."""

    @property
    def rows(self) -> int:
        """How many readings were added."""
        ...

    def add(self, rows: pl.DataFrame) -> None:
        """Readings of the next meters, by meter_id: schema ARCHIVED, in its order."""
        ...

    def keep(self, file: ReadingsFile) -> None:
        """Leave a region's object as it is in the lake; nothing is added of that region."""
        ...

    def add_meter_days(self, rows: pl.DataFrame) -> None:
        """METER_DAYS of the next meters, by meter_id."""
        ...

    def finish(self, load_curves: pl.DataFrame, site: Site) -> Written:
        """Replace the objects whose content differs, each atomically, and then the manifest."""
        ...


class DayReader(Protocol):
    """A day's readings in the lake, checked against its manifest."""

    def meter_days(self) -> pl.DataFrame:
        """Schema METER_DAYS."""
        ...

    def load_curves(self) -> pl.DataFrame:
        """Schema LOAD_CURVES."""
        ...

    def regions_of(self, meter_id: str) -> frozenset[str]:
        """Those in which a meter has readings."""
        ...

    def meters(self, source_file: str | None = None) -> frozenset[str]:
        """Those with readings, or with readings of one file."""
        ...

    def of(self, meters: Sequence[str]) -> pl.DataFrame:
        """Their readings: schema ARCHIVED, in its order."""
        ...


class Rehydrating(Protocol):
    """A transaction that holds retired days, into which readings are rehydrated from the lake."""

    def rehydrate(self, rows: pl.DataFrame) -> None:
        """Readings (schema ARCHIVED) of meters that were found to be absent."""
        ...


class Lake(Protocol):
    """The lake's objects. All methods raise NotFound, StorageUnavailable, StorageRefused or LakeDamaged."""

    def manifest(self, day: date) -> Manifest | None: ...
    def reading(self, day: date) -> AbstractContextManager[DayReader]:
        """The readings of a day that is in the lake. Raises LakeDamaged where it isn't."""
        ...

    def strays(self, manifest: Manifest) -> list[str]:
        """Objects of readings of a manifest's day that it doesn't name."""
        ...

    def check(self, file: LakeFile) -> None:
        """Raise LakeDamaged unless the object is there, byte by byte as it was written."""
        ...

    def batches(self, file: ReadingsFile) -> Iterator[pl.DataFrame]:
        """An object's readings (schema ARCHIVED) in its order, after a check of its bytes."""
        ...

    def writing(self, day: date) -> AbstractContextManager[DayWriter]: ...


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


class Retiring(Protocol):
    """The transaction in which a day leaves the database; nobody loads into it meanwhile."""

    def facts(self) -> DayFacts: ...
    def snapshot(self) -> DaySnapshot: ...
    def retire(self, deletion: Deletion, now: datetime) -> None:
        """Delete the day's readings, and note it."""
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
        """Join the empty partitions of retired days with that of older ones; how many."""
        ...

    def landed_before(self, before: datetime) -> Iterator[LandedCopy]:
        """Raw files whose newest delivery came before a moment and ended, not known to be deleted; oldest first."""
        ...

    def newest_delivery(self, path: str) -> tuple[int, Outcome] | None:
        """The ledger's number of what came last under a path, and how it ended; None where nothing did."""
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
