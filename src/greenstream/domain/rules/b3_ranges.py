"""B3: values and timestamps inside their ranges."""

from datetime import datetime, timedelta

import polars as pl

from greenstream.domain.history.grid import Grid, Runs, cell_runs
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import UNITS_PER_KW


def out_of_range(power: pl.Expr, limits: Limits) -> pl.Expr:
    """B3.1: kW must be above 0 and below 50, after rounding; judged only where there is a kW.

    Flagged: energy_value `50 kW` → OUT_OF_RANGE
    Flagged: energy_value `0 kW` → OUT_OF_RANGE
    Clean: energy_value `49.9999 kW` → no flag
    """
    inside = (power > limits.min_kw * UNITS_PER_KW) & (power < limits.max_kw * UNITS_PER_KW)
    return (~inside).fill_null(value=False)


def timestamp_in_range(instant: pl.Expr, now: datetime, limits: Limits) -> pl.Expr:
    """B3.3: an instant from 2010 on, and at most 5 minutes ahead of the time of processing.

    Rejected: timestamp `1970-01-01 00:15:00` → TIMESTAMP_OUT_OF_RANGE
    Clean: timestamp `2024-03-15 18:45:00` → no flag

    Returns:
        Boolean; null stays null.
    """
    latest = now + timedelta(minutes=limits.max_future_minutes)
    return (instant >= limits.earliest_reading) & (instant <= latest)


def dead_meter(grid: Grid, since: int, limits: Limits) -> Runs:
    """B3.2: a run of more than 96 slots (24 h) at exactly 0 kW.

    A missing slot ends the run, for it isn't known to be 0.

    Flagged: slots `97 × 0 kW` → DEAD_METER
    Clean: slots `96 × 0 kW` → no finding

    Returns:
        The runs that reach slot `since` or end later, and some that don't. One that begins before those 97 slots that
        end with `since` may be given from there on only.
    """
    seen = grid.beginning_at(since - limits.dead_run_slots)
    runs = cell_runs(seen.values == 0).of(seen)
    return runs.where(runs.length > limits.dead_run_slots)
