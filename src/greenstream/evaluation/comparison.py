"""What was injected and what was found, as the scores compare them."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from greenstream.domain.readings.schema import conform
from greenstream.domain.reports.findings import LocatedFinding
from greenstream.domain.site import Site
from greenstream.evaluation.scoring import FOUND, TRUTH, Scores, score

VALUE = r"^(?:energy_value '|constant at )([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)"
"""How `detail` tells the value that a fault puts in place of the right one."""


def compare(truth: Path, found: Sequence[LocatedFinding], fleet_first: int, site: Site) -> Scores:
    """Score what was found by a simulation's truth.csv. Slots are of the site; `fleet_first` is the fleet's first."""
    return score(
        injected(truth, site.limits.interval_minutes * 60),
        pl.DataFrame(found, schema=FOUND, orient="row"),
        fleet_first,
        site,
    )


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


def _slot(column: str, slot_seconds: int) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.epoch("s") // slot_seconds
