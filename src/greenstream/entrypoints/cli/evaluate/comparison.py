"""What was injected and what was found, as the scores compare them."""

from pathlib import Path

import polars as pl

from greenstream.adapters.postgres.base.lookup import looking, rows
from greenstream.domain.readings.schema import conform
from greenstream.domain.site import day_slots
from greenstream.evaluation.scoring import FOUND, TRUTH, Scores, score
from greenstream.simulator import SimulationPlan
from greenstream.wiring import Place

VALUE = r"^(?:energy_value '|constant at )([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)"
"""How `detail` tells the value that a fault puts in place of the right one."""


def scores_of(place: Place, plan: SimulationPlan, truth: Path) -> Scores:
    """Score the findings in the system's database by a simulation's truth.csv."""
    site = place.site
    fleet_first = day_slots(plan.start, plan.timezone, plan.interval_minutes).start
    return score(injected(truth, plan.interval_seconds), found(place.dsn, plan.interval_seconds), fleet_first, site)


def injected(truth: Path, slot_seconds: int) -> pl.DataFrame:
    """The faults of a truth.csv: schema TRUTH."""
    value, unit = (pl.col("detail").str.extract(VALUE, group) for group in (1, 2))
    kilo = unit.str.to_lowercase().str.starts_with("k")
    return (
        pl.read_csv(truth, infer_schema=False)
        .with_columns(
            pl.col("line_number").cast(pl.Int64),
            first=_slot("window_start", slot_seconds),
            last=_slot("window_end", slot_seconds),
            kw=value.cast(pl.Float64) / pl.when(kilo).then(1).otherwise(1000),
            missing=pl.col("detail").str.extract(r"^([0-9]+) of [0-9]+ slots missing").cast(pl.Int64),
        )
        .pipe(conform, TRUTH)
    )


def found(dsn: str, slot_seconds: int) -> pl.DataFrame:
    """All findings of a database: schema FOUND. Raises DatabaseUnavailable or DatabaseRefused."""
    with looking(dsn) as connection:
        return pl.DataFrame(rows(connection, "reports.evaluate_findings", slot_seconds=slot_seconds), schema=FOUND)


def _slot(column: str, slot_seconds: int) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.epoch("s") // slot_seconds
