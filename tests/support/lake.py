"""Days in a lake without a database, written as `archive` writes them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl

from greenstream.adapters.lake.objects import ObjectLake
from greenstream.adapters.storage import open_store
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import ARCHIVED, LOAD_CURVES, METER_DAYS, conform
from greenstream.domain.site import Site

SITE = Site(timezone="UTC", limits=Limits())
PROCESSED = datetime(2026, 3, 10, 3, 0, 0, 123_456, tzinfo=UTC)


def readings(day: date, *, regions: Sequence[str] = ("Zone1", "Zone2"), slots: int = 4) -> pl.DataFrame:
    """A meter a region with so many readings (schema ARCHIVED).

    The first has microseconds, flags and no kW, and is not current; the others have kW 1.5, 2.5, …
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = [
        {
            "meter_id": f"SM-{region}",
            "reading_at": start + timedelta(minutes=15 * slot, microseconds=0 if slot else 250_000),
            "energy_value": f"{slot}.5 kW" if slot else None,
            "consumption_kw": Decimal(f"{slot}.5") if slot else None,
            "location": f"Residential_{region}",
            "customer_class": "Residential",
            "period": "off_peak",
            "season": "spring",
            "flags": [] if slot else ["MISSING_READING", "TIMESTAMP_INFERRED"],
            "quality_score": 100 if slot else 40,
            "quality_grade": "A" if slot else "F",
            "processed_timestamp": PROCESSED,
            "pipeline_version": "1.2.3",
            "source_file": "raw-data/2026-03-10/a.csv",
            "is_current": slot > 0,
            "region": region,
        }
        for region in regions
        for slot in range(slots)
    ]
    return pl.DataFrame(rows, schema=ARCHIVED)


def write_day(root: str, day: date, rows: pl.DataFrame) -> None:
    """Put a day's objects and its manifest into the store at `root`; its aggregates are of the right columns."""
    days = rows.group_by("meter_id", "region", maintain_order=True).agg(
        day=pl.lit(day),
        customer_class=pl.col("customer_class").first(),
        location=pl.col("location").first(),
        kwh=pl.col("consumption_kw").cast(pl.Float64).sum() / 4,
        readings=pl.col("consumption_kw").count(),
    )
    curves = rows.filter("is_current").group_by("region", slot_at="reading_at", maintain_order=True)
    with ObjectLake(open_store(root), version="1.2.3").writing(day) as writer:
        writer.add(rows)
        writer.add_meter_days(_filled(days, METER_DAYS))
        writer.finish(_filled(curves.agg(meters=pl.len()), LOAD_CURVES), SITE)


def _filled(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Rows with all columns of `schema`, null where they have none."""
    missing = [name for name in schema if name not in rows.columns]
    return rows.with_columns(pl.lit(None).alias(name) for name in missing).pipe(conform, schema)
