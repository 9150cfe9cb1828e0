"""The lake as frames, for notebooks and programs.

    from greenstream import lake

    lake.scan("2026-03-01", "2026-03-31", region="Zone7").filter("is_current")

Days are local days of the site, both of them included. Nothing is read before the frame is collected, and then only
the objects of these days and regions, of them only the columns and rows that are asked for.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from greenstream import __version__
from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.storage import open_store
from greenstream.domain.lake.keys import MANIFEST_ZONE
from greenstream.domain.lake.manifest import LakeFile, Manifest, ReadingsFile
from greenstream.domain.readings.schema import LAKE, LOAD_CURVES, METER_DAYS, PARTITIONS
from greenstream.settings import load_settings

__all__ = ["load_curves", "meter_days", "scan"]

MANIFESTS_AT_ONCE = 16

Day = date | str
Store = str | Path | None


def scan(first: Day, last: Day, region: str | Iterable[str] | None = None, *, storage: Store = None) -> pl.LazyFrame:
    """Readings from one local day to another, with `year`, `month` and `region`.

    Args:
        first: the first day, a date or `YYYY-MM-DD`.
        last: the last one, included.
        region: one name or several; without, all.
        storage: another store than the settings say: a folder, `file:///…` or `s3://bucket/prefix`.

    Raises:
        ValueError: a day that is none, or the last before the first.
        SettingsError, StorageUnavailable, StorageRefused, LakeDamaged: as the store has it. What goes wrong later,
            while a frame is collected, Polars raises.
    """
    wanted = None if region is None else {region} if isinstance(region, str) else set(region)
    root, manifests = _manifests(first, last, storage)
    files = [file for each in manifests for file in each.readings if wanted is None or file.region in wanted]
    return _readings(root, files).select(*LAKE.names(), *PARTITIONS.names())


def meter_days(first: Day, last: Day, *, storage: Store = None) -> pl.LazyFrame:
    """A row a meter and day, from one local day to another; arguments and errors as of `scan`."""
    root, manifests = _manifests(first, last, storage)
    return _scan(root, [each.meter_days for each in manifests], METER_DAYS)


def load_curves(first: Day, last: Day, *, storage: Store = None) -> pl.LazyFrame:
    """A row a region and slot, from one local day to another; arguments and errors as of `scan`."""
    root, manifests = _manifests(first, last, storage)
    return _scan(root, [each.load_curves for each in manifests], LOAD_CURVES)


def _readings(root: str, files: list[ReadingsFile]) -> pl.LazyFrame:
    if not files:
        return pl.LazyFrame(schema={**LAKE, **PARTITIONS})
    if "=" not in unquote(root):
        return _parquet(root, files, hive_partitioning=True, hive_schema=PARTITIONS)
    # Polars would take partition columns from the root, too: s3://bucket/site=1
    parts = groupby(sorted(files, key=_partition), _partition)
    frames = [_parquet(root, part).with_columns(_constants(partition)) for partition, part in parts]
    return pl.concat(frames)


def _partition(file: ReadingsFile) -> tuple[str, ...]:
    """The values of PARTITIONS, as the key has them."""
    return tuple(part.partition("=")[2] for part in file.path.split("/")[1:-1])


def _constants(partition: tuple[str, ...]) -> list[pl.Expr]:
    texts = zip(PARTITIONS.items(), partition, strict=True)
    return [pl.lit(text).cast(dtype).alias(name) for (name, dtype), text in texts]


def _scan(root: str, files: list[LakeFile], schema: pl.Schema) -> pl.LazyFrame:
    return _parquet(root, files) if files else pl.LazyFrame(schema=schema)


def _parquet(
    root: str, files: Iterable[LakeFile], *, hive_partitioning: bool = False, hive_schema: pl.Schema | None = None
) -> pl.LazyFrame:
    """An endpoint is given with its scheme, so http:// is somebody's decision."""
    return pl.scan_parquet(
        [f"{root}/{file.path}" for file in files],
        glob=False,
        hive_partitioning=hive_partitioning,
        hive_schema=hive_schema,
        storage_options={"aws_allow_http": "true"} if root.startswith("s3://") else None,
    )


def _manifests(first: Day, last: Day, storage: Store) -> tuple[str, list[Manifest]]:
    """The root of the store, and what the lake has of the days, in their order."""
    start, stop = _day(first), _day(last)
    if stop < start:
        raise ValueError(f"the last day {stop} is before the first one {start}")
    url = _url(storage or load_settings().storage_url)
    store = open_store(url)
    lake = ObjectLake(store, version=__version__)
    days = [start + timedelta(days=number) for number in range((stop - start).days + 1)]
    with ThreadPoolExecutor(MANIFESTS_AT_ONCE) as readers:
        found = list(readers.map(lake.manifest, days))
    manifests = [manifest for manifest in found if manifest is not None]
    if not manifests:
        list(store.folders(MANIFEST_ZONE))  # a bucket that isn't there says so to no other request
    return url, manifests


def _url(storage: str | Path) -> str:
    """A folder's path may have signs that a URL escapes."""
    given = str(storage)
    return given.rstrip("/") if "://" in given else Path(given).absolute().as_uri()


def _day(day: Day) -> date:
    if isinstance(day, datetime):
        if day.tzinfo is None and day == datetime(day.year, day.month, day.day):  # noqa: DTZ001 - a day as pandas has it
            return day.date()
        raise ValueError(f"{day} is an instant, which lies on a day only by a time zone: give the local day, a date")
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise ValueError(f"{day!r} is no date as YYYY-MM-DD") from error
