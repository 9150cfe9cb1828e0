"""The lake's objects."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl

from greenstream.domain.evaluate import Site
from greenstream.domain.manifest import LakeFile, Manifest, ReadingsFile


@dataclass(frozen=True, kw_only=True)
class Written:
    """What writing a day to the lake did; `changed` are the keys of the objects whose content differs."""

    manifest: Manifest
    changed: tuple[str, ...]


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


class Thawing(Protocol):
    """A transaction that holds retired days, into which readings are brought back from the lake."""

    def bring_back(self, rows: pl.DataFrame) -> None:
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
