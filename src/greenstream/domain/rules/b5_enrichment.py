"""B5: what a reading is worth and where it belongs."""

import polars as pl

from greenstream.domain.limits import Limits
from greenstream.domain.schema import CUSTOMER_CLASSES, GRADES, PERIODS, SEASONS, UNKNOWN_REGION

LOCATION = rf"^({'|'.join(CUSTOMER_CLASSES)})_(Zone)_([0-9]{{1,6}})$"


def period(local: pl.Expr, limits: Limits) -> pl.Expr:
    """B5.1: the tariff period by local time, as a position in PERIODS; starts belong, ends don't.

    Example: `2024-03-15 18:45:00` is peak.
    Example: `2024-03-16 18:45:00` is standard.
    Example: `2024-03-15 23:00:00` is off_peak.
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
    """B5.2: the season by local month, as a position in SEASONS: winter is December to February, and so on.

    Example: `2024-03-15 18:45:00` is spring.
    Example: `2024-12-01 00:00:00` is winter.
    """
    assert SEASONS[0] == "winter"
    return (local.dt.month() % 12 // 3).cast(pl.UInt8)


def quality_score(
    *, measured: pl.Expr, inferred: pl.Expr, invalid: pl.Expr, in_range: pl.Expr, reliable: pl.Expr, limits: Limits
) -> pl.Expr:
    """B5.3: points for a reading with its own timestamp, for its units, for its range and for its meter, as UInt8.

    Example: `3250 W` scores 100.
    Example: `60 kW` scores 80.
    Example: `230 Volts` scores 50.
    """
    return (
        _points(measured & ~inferred, limits.score_reading)
        + _points(~invalid, limits.score_units)
        + _points(in_range, limits.score_range)
        + _points(reliable, limits.score_reliability)
    ).cast(pl.UInt8)


def grade(score: pl.Expr, limits: Limits) -> pl.Expr:
    """B5.3: the score as a position in GRADES: A from 90, B from 75, C from 60, else F.

    Example: `3250 W` is graded A.
    Example: `60 kW` is graded B.
    Example: `230 Volts` is graded F.
    """
    assert GRADES == ("A", "B", "C", "F")
    bounds = (limits.grade_a, limits.grade_b, limits.grade_c)
    return pl.sum_horizontal((score < bound).cast(pl.UInt8) for bound in bounds).cast(pl.UInt8)


def customer_class(location: pl.Expr) -> pl.Expr:
    """Location: `<Class>_Zone_<n>` names the customer class, exactly Residential or Commercial; else null.

    Example: `Residential_Zone_7` is a Residential customer.
    Example: `residential_Zone_7` is of no known class.
    """
    return location.str.extract(LOCATION, 1)


def region(location: pl.Expr) -> pl.Expr:
    """Location: `<Class>_Zone_<n>` lies in region `Zone<n>`, n as written; anything else in Unknown.

    Example: `Residential_Zone_7` lies in Zone7.
    Example: `Harbour` lies in Unknown.
    """
    return pl.concat_str(location.str.extract(LOCATION, 2), location.str.extract(LOCATION, 3)).fill_null(UNKNOWN_REGION)


def _points(condition: pl.Expr, points: int) -> pl.Expr:
    return condition.cast(pl.UInt8) * pl.lit(points, dtype=pl.UInt8)


def _code(labels: tuple[str, ...], label: str) -> pl.Expr:
    return pl.lit(labels.index(label), dtype=pl.UInt8)
