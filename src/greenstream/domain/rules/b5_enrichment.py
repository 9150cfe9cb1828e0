"""B5: what a reading is worth and where it belongs."""

import polars as pl

from greenstream.domain.codes import CUSTOMER_CLASSES, GRADES, PERIODS, SEASONS, UNKNOWN_REGION
from greenstream.domain.limits import Limits

LOCATION = rf"^({'|'.join(CUSTOMER_CLASSES)})_(Zone)_([0-9]{{1,6}})$"


def period(local: pl.Expr, limits: Limits) -> pl.Expr:
    """B5.1: the tariff period by local time; starts belong, ends don't.

    `peak` is 17:00–21:00 from Monday to Friday, `off_peak` 23:00–06:00 every day, `standard` the rest.

    Example: timestamp `2024-03-15 18:45:00` → period `peak`
    Example: timestamp `2024-03-16 18:45:00` → period `standard`
    Example: timestamp `2024-03-15 23:00:00` → period `off_peak`

    Returns:
        A position in PERIODS.
    """
    hour = local.dt.hour()
    working_day = local.dt.weekday() <= 5
    peak = working_day & (hour >= limits.peak_start_hour) & (hour < limits.peak_end_hour)
    off_peak = (hour >= limits.off_peak_start_hour) | (hour < limits.off_peak_end_hour)
    return (
        pl.when(peak)
        .then(_code(PERIODS, "peak"))
        .when(off_peak)
        .then(_code(PERIODS, "off_peak"))
        .otherwise(_code(PERIODS, "standard"))
    )


def season(local: pl.Expr) -> pl.Expr:
    """B5.2: the season by local month.

    `winter` is December to February, `spring` March to May, `summer` June to August, `fall` September to November.

    Example: timestamp `2024-03-15 18:45:00` → season `spring`
    Example: timestamp `2024-12-01 00:00:00` → season `winter`

    Returns:
        A position in SEASONS.
    """
    assert SEASONS[0] == "winter"
    return (local.dt.month() % 12 // 3).cast(pl.UInt8)


def quality_score(
    *, measured: pl.Expr, inferred: pl.Expr, valid: pl.Expr, in_range: pl.Expr, reliable: pl.Expr, limits: Limits
) -> pl.Expr:
    """B5.3: points for a reading with its own timestamp, for its units, for its range and for its meter.

    Example: energy_value `3250 W` → quality_score `100`
    Example: energy_value `60 kW` → quality_score `80`
    Example: energy_value `230 Volts` → quality_score `50`
    Example: energy_value `null` → quality_score `40`

    Returns:
        UInt8, 0 to 100.
    """
    return (
        _points(measured & ~inferred, limits.score_reading)
        + _points(valid, limits.score_units)
        + _points(in_range, limits.score_range)
        + _points(reliable, limits.score_reliability)
    ).cast(pl.UInt8)


def grade(score: pl.Expr, limits: Limits) -> pl.Expr:
    """B5.3: the grade of a score: A from 90, B from 75, C from 60, else F.

    Example: energy_value `3250 W` → quality_grade `A`
    Example: energy_value `60 kW` → quality_grade `B`
    Example: energy_value `230 Volts` → quality_grade `F`

    Returns:
        A position in GRADES.
    """
    assert GRADES == ("A", "B", "C", "F")
    bounds = (limits.grade_a, limits.grade_b, limits.grade_c)
    return pl.sum_horizontal((score < bound).cast(pl.UInt8) for bound in bounds).cast(pl.UInt8)


def customer_class(location: pl.Expr) -> pl.Expr:
    """location: `<Class>_Zone_<n>` names the customer class, exactly Residential or Commercial; else null.

    Example: location `Residential_Zone_7` → customer_class `Residential`
    Example: location `residential_Zone_7` → customer_class `null`
    """
    return location.str.extract(LOCATION, 1)


def region(location: pl.Expr) -> pl.Expr:
    """location: `<Class>_Zone_<n>` lies in region `Zone<n>`; anything else lies in `Unknown`.

    `<n>` is of 1 to 6 digits, and kept as written.

    Example: location `Residential_Zone_7` → region `Zone7`
    Example: location `Harbour` → region `Unknown`
    """
    return pl.concat_str(location.str.extract(LOCATION, 2), location.str.extract(LOCATION, 3)).fill_null(UNKNOWN_REGION)


def _points(condition: pl.Expr, points: int) -> pl.Expr:
    return condition.cast(pl.UInt8) * pl.lit(points, dtype=pl.UInt8)


def _code(labels: tuple[str, ...], label: str) -> pl.Expr:
    return pl.lit(labels.index(label), dtype=pl.UInt8)
