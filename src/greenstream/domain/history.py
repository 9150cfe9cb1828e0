"""The history rules over a grid: findings with their windows and the figures behind them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from greenstream.domain.grid import Grid, Integers, Mask, Runs, WindowSums, runs_of
from greenstream.domain.limits import Limits
from greenstream.domain.rules import b2_missing, b3_ranges, b4_faults
from greenstream.domain.schema import FINDINGS, UNITS_PER_KW, FindingCode, conform

FIGURES = 8
"""How many significant digits a finding's figures have."""


@dataclass(frozen=True, kw_only=True)
class Days:
    """Local days that are over by the watermark and on which the fleet has any reading, in order: (days,) slots."""

    first: Integers
    last: Integers
    adjoining: Mask  # whether the day before is the one before in this list

    def judged_by(self, grid: Grid, limits: Limits) -> "Days":
        """Those whose whole window lies in the grid's slots."""
        seen = (self.last - limits.reliability_window_slots + 1 >= grid.start) & (self.last < grid.start + grid.slots)
        adjoining = self.adjoining[seen]
        adjoining[:1] = False
        return Days(first=self.first[seen], last=self.last[seen], adjoining=adjoining)


def lookback(limits: Limits) -> int:
    """How many slots before the first one of interest a grid must hold, so that every rule can judge that one.

    One window, and one local day on which a run of days may have begun.
    """
    longest = max(limits.spike_window_slots, limits.reliability_window_slots, limits.stuck_window_slots)
    return longest + 26 * 60 // limits.interval_minutes


def find(grid: Grid, since: int, days: Days, limits: Limits) -> pl.DataFrame:
    """All findings that touch slot `since` or a later one, and B4.3's of all the days given: schema FINDINGS.

    The grid begins `lookback` slots before `since` and ends at the watermark.
    """
    found = [
        _run_findings(FindingCode.CONSECUTIVE_MISSING, b2_missing.consecutive_missing(grid, limits), grid, grid.start),
        _run_findings(FindingCode.DEAD_METER, b3_ranges.dead_meter(grid, limits), grid, grid.start),
        _stuck_findings(grid, limits),
        _spike_findings(grid, since, limits),
    ]
    recent = pl.concat(found).filter(pl.col("last") >= since)
    return pl.concat([recent, _communication_findings(grid, days.judged_by(grid, limits), limits)])


def _run_findings(code: FindingCode, runs: Runs, grid: Grid, exact_from: int) -> pl.DataFrame:
    return _findings(code, runs, grid, exact_from, pl.DataFrame({"run_slots": runs.length}))


def _stuck_findings(grid: Grid, limits: Limits) -> pl.DataFrame:
    """The rule is exact once its own window lies inside the grid's."""
    first = min(limits.stuck_window_slots - 1, grid.slots)
    holds, sums = b4_faults.stuck(grid, first, limits)
    runs = runs_of(holds, grid.start + first)
    figures = _figures(sums, runs.row, runs.last - grid.start - first)
    return _findings(FindingCode.STUCK_METER, runs, grid, grid.start + first, figures)


def _spike_findings(grid: Grid, since: int, limits: Limits) -> pl.DataFrame:
    first = max(since - grid.start, 0)
    holds, sums = b4_faults.spike(grid, first, limits)
    row, column = (each.astype(np.int64) for each in np.nonzero(holds))
    slot = column + first + grid.start
    figures = _figures(sums, row, column).with_columns(kw=_kw(pl.Series(grid.values[row, column + first])))
    return _findings(FindingCode.ERRATIC_SPIKE, Runs(row=row, first=slot, last=slot), grid, grid.start, figures)


def _communication_findings(grid: Grid, days: Days, limits: Limits) -> pl.DataFrame:
    missing = b4_faults.last_days(grid.missing(), grid, days.last, limits)
    slots = b4_faults.last_days(grid.inside(), grid, days.last, limits)
    holds = b4_faults.communication_failure(missing, slots, limits) & (days.last < grid.ends[:, None])
    runs = _runs_of_days(holds, days)
    figures = pl.DataFrame({"missing": missing[runs.row, runs.last], "slots": slots[runs.row, runs.last]}).with_columns(
        share=(pl.col("missing") / pl.col("slots")).round_sig_figs(FIGURES)
    )
    exact_from = int(days.first[0]) if len(days.first) else 0
    windows = Runs(row=runs.row, first=days.first[runs.first], last=days.last[runs.last])
    return _findings(FindingCode.COMMUNICATION_FAILURE, windows, grid, exact_from, figures)


def _runs_of_days(holds: Mask, days: Days) -> Runs:
    """Runs of days as positions in `days`, broken where a day in between is left out."""
    parts = np.flatnonzero(~days.adjoining)
    bounds = [*parts.tolist(), len(days.first)]
    pieces = [runs_of(holds[:, start:stop], start) for start, stop in pairwise(bounds)]
    return Runs(
        row=np.concatenate([np.zeros(0, dtype=np.int64), *(p.row for p in pieces)]),
        first=np.concatenate([np.zeros(0, dtype=np.int64), *(p.first for p in pieces)]),
        last=np.concatenate([np.zeros(0, dtype=np.int64), *(p.last for p in pieces)]),
    )


def _figures(sums: WindowSums, row: Integers, column: Integers) -> pl.DataFrame:
    """How many values a window holds, their mean in kW, standard deviation in kW and variance in kW²."""
    count, total = sums.count[row, column], sums.total[row, column]
    squared_units = UNITS_PER_KW**2
    spread = count * sums.squares[row, column] - total * total
    values = {"usable": count, "total": total, "spread": spread}
    variance = pl.col("spread") / pl.col("usable").pow(2) / squared_units
    return pl.DataFrame(values).select(
        "usable",
        mean_kw=(pl.col("total") / pl.col("usable") / UNITS_PER_KW).round_sig_figs(FIGURES),
        std_kw=variance.sqrt().round_sig_figs(FIGURES),
        variance_kw2=variance.round_sig_figs(FIGURES),
    )


def _kw(powers: pl.Series) -> pl.Series:
    return powers / UNITS_PER_KW


def _findings(code: FindingCode, runs: Runs, grid: Grid, exact_from: int, figures: pl.DataFrame) -> pl.DataFrame:
    """Put together; a run that begins at the first exact slot, and not with its meter, may have begun earlier."""
    begins = np.maximum(grid.begins[runs.row], 0)
    first = np.maximum(runs.first, begins)
    detail = figures.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return pl.DataFrame(
        {
            "code": pl.repeat(code.value, len(first), eager=True),
            "meter_key": grid.meters[runs.row],
            "first": first,
            "last": runs.last,
            "began_earlier": (runs.first == exact_from) & (begins < exact_from),
            "detail": detail,
        }
    ).pipe(conform, FINDINGS)
