"""The lake as frames, for notebooks and programs.

    from greenstream import lake

    lake.scan("2026-03-01", "2026-03-31", region="Zone7").filter("is_current")

Days are local days of the site, both of them included. Nothing is read before the frame is collected, and then only
the objects of these days and regions, of them only the columns and rows that are asked for.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import polars as pl

from greenstream import __version__
from greenstream.adapters.lake import ObjectLake
from greenstream.adapters.storage import open_store
from greenstream.domain.lake import LAKE, LOAD_CURVES, METER_DAYS
from greenstream.domain.manifest import LakeFile, Manifest
from greenstream.settings import load_settings

__all__ = ["load_curves", "meter_days", "scan"]

PARTITIONS = pl.Schema({"year": pl.Int32(), "month": pl.Int32(), "region": pl.String()})
MANIFESTS_AT_ONCE = 16

Day = date | str


def scan(
    first: Day, last: Day, region: str | Iterable[str] | None = None, *, storage: str | None = None
) -> pl.LazyFrame:
    """Readings from one local day to another, with `year`, `month` and `region`.

    Args:
        first: the first day, a date or `YYYY-MM-DD`.
        last: the last one, included.
        region: one name or several; without, all.
        storage: another store than the settings say: `file:///…` or `s3://bucket/prefix`.

    Raises:
        ValueError: a day that is none, or the last before the first.
        SettingsError, StorageUnavailable, StorageRefused, LakeDamaged: as the store has it.
    """
    wanted = None if region is None else {region} if isinstance(region, str) else set(region)
    root, manifests = _manifests(first, last, storage)
    files = [file for each in manifests for file in each.readings if wanted is None or file.region in wanted]
    if not files:
        return pl.LazyFrame(schema={**LAKE, **PARTITIONS})
    frame = pl.scan_parquet(
        [f"{root}/{file.path}" for file in files],
        hive_partitioning=True,
        hive_schema=PARTITIONS,
        storage_options=_options(root),
    )
    return frame.select(*LAKE.names(), *PARTITIONS.names())


def meter_days(first: Day, last: Day, *, storage: str | None = None) -> pl.LazyFrame:
    """A row a meter and day, from one local day to another; arguments and errors as of `scan`."""
    root, manifests = _manifests(first, last, storage)
    return _scan(root, [each.meter_days for each in manifests], METER_DAYS)


def load_curves(first: Day, last: Day, *, storage: str | None = None) -> pl.LazyFrame:
    """A row a region and slot, from one local day to another; arguments and errors as of `scan`."""
    root, manifests = _manifests(first, last, storage)
    return _scan(root, [each.load_curves for each in manifests], LOAD_CURVES)


def _scan(root: str, files: list[LakeFile], schema: pl.Schema) -> pl.LazyFrame:
    if not files:
        return pl.LazyFrame(schema=schema)
    paths = [f"{root}/{file.path}" for file in files]
    return pl.scan_parquet(paths, hive_partitioning=False, storage_options=_options(root))


def _manifests(first: Day, last: Day, storage: str | None) -> tuple[str, list[Manifest]]:
    """The root of the store, and what the lake has of the days, in their order."""
    start, stop = _day(first), _day(last)
    if stop < start:
        raise ValueError(f"the last day {stop} is before the first one {start}")
    url = (storage or load_settings().storage_url).rstrip("/")
    lake = ObjectLake(open_store(url), version=__version__)
    days = [start + timedelta(days=number) for number in range((stop - start).days + 1)]
    with ThreadPoolExecutor(MANIFESTS_AT_ONCE) as readers:
        found = list(readers.map(lake.manifest, days))
    return url, [manifest for manifest in found if manifest is not None]


def _day(day: Day) -> date:
    if isinstance(day, datetime):
        return day.date()
    try:
        return date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError as error:
        raise ValueError(f"{day!r} is no date as YYYY-MM-DD") from error


def _options(root: str) -> dict[str, str] | None:
    """An endpoint is given with its scheme, so http:// is somebody's decision."""
    return {"aws_allow_http": "true"} if root.startswith("s3://") else None
