"""What is told of a day beside its readings: each meter's energy, each region's load curve.

Only current readings count, and for power and energy only usable ones: a kW of at least 0 and below the range's end.
"""

from datetime import date, timedelta

import polars as pl

from greenstream.domain.codes import GRADES
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import (
    ARCHIVED,
    CURVE_PARTS,
    LOAD_CURVES,
    METER_DAYS,
    UNITS_PER_KW,
    conform,
)


def meter_days(day: date, rows: pl.DataFrame, expected: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """METER_DAYS of some meters (schema EXPECTED) and all of their readings of a day (schema ARCHIVED), by meter."""
    current = _usable(rows.filter("is_current"), limits)
    by_meter = (
        current.group_by("meter_id")
        .agg(
            pl.col("region", "customer_class", "location").sort_by("reading_at").last(),
            power=pl.col("usable_power").sum(),
            usable=pl.col("usable_power").count(),
            peak=pl.col("usable_power").max(),
            peak_at=pl.col("reading_at")
            .sort_by("usable_power", "reading_at", descending=[True, False], nulls_last=True)
            .first(),
            readings=pl.col("consumption_kw").count(),
            mean_score=pl.col("quality_score").mean(),
            **{f"grade_{grade.lower()}": (pl.col("quality_grade") == grade).sum() for grade in GRADES},
        )
        .with_columns(seen=pl.lit(value=True))
    )
    counts = ("usable", "readings", *(f"grade_{grade.lower()}" for grade in GRADES))
    places = ("location", "customer_class", "region")
    return (
        expected.join(by_meter, on="meter_id", how="full", coalesce=True, suffix="_then")
        .with_columns(
            pl.col(*counts).fill_null(0),
            *(pl.when(pl.col("seen")).then(f"{place}_then").otherwise(place).alias(place) for place in places),
            pl.col("slots").fill_null(0),
            day=pl.lit(day),
            kwh=pl.when(pl.col("usable") > 0).then(_kwh(pl.col("power"), limits)),
            peak_kw=pl.col("peak") / UNITS_PER_KW,
            peak_at=pl.when(pl.col("peak").is_not_null()).then("peak_at"),
        )
        .with_columns(
            completeness=pl.when(pl.col("slots") > 0).then((pl.col("usable") / pl.col("slots")).clip(upper_bound=1.0))
        )
        .sort("meter_id")
        .pipe(conform, METER_DAYS)
    )


def curve_parts(rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """CURVE_PARTS of some meters' readings (schema ARCHIVED)."""
    slot = pl.col("reading_at").dt.truncate(timedelta(minutes=limits.interval_minutes))
    return (
        _usable(rows.filter("is_current"), limits)
        .filter(pl.col("usable_power").is_not_null())
        .group_by("region", slot_at=slot)
        .agg(meters=pl.len(), power=pl.col("usable_power").sum())
        .pipe(conform, CURVE_PARTS)
    )


def load_curves(parts: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """LOAD_CURVES of a day from all of its CURVE_PARTS, by region and slot."""
    totals = parts.group_by("region", "slot_at").agg(pl.col("meters", "power").sum())
    return (
        totals.with_columns(
            total_kw=pl.col("power") / UNITS_PER_KW,
            mean_kw=pl.col("power") / UNITS_PER_KW / pl.col("meters"),
            kwh=_kwh(pl.col("power"), limits),
        )
        .sort("region", "slot_at")
        .pipe(conform, LOAD_CURVES)
    )


def _usable(rows: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """ARCHIVED with `usable_power` (Int64, 0.1 W; null where the reading isn't usable)."""
    assert set(ARCHIVED) <= set(rows.columns)
    power = (pl.col("consumption_kw") * UNITS_PER_KW).cast(pl.Int64)
    fine = (power >= 0) & (power < limits.max_kw * UNITS_PER_KW)
    return rows.with_columns(usable_power=pl.when(fine).then(power))


def _kwh(power: pl.Expr, limits: Limits) -> pl.Expr:
    """A reading is the mean power of its interval; sums are of integers, so their order doesn't matter."""
    return power * limits.interval_minutes / (60 * UNITS_PER_KW)
