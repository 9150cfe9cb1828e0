"""The history rules over the past of some meters: findings with their windows and the figures behind them."""

import numpy as np
import polars as pl

from greenstream.domain.codes import FindingCode
from greenstream.domain.history.grid import Grid, Past, Runs, WindowSums, cell_runs
from greenstream.domain.history.stretches import longest_window
from greenstream.domain.history.values import Days
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import FINDINGS, UNITS_PER_KW, conform
from greenstream.domain.rules import b2_missing, b3_ranges, b4_faults

FIGURES = 8
"""How many significant digits a finding's figures have."""


def lookback(limits: Limits) -> int:
    """How many slots before the first one of interest the past must begin, so that every rule can judge that one.

    One window, and one local day on which a run of days may have begun; and the shortest run that is a finding.
    """
    windows = longest_window(limits) + 26 * 60 // limits.interval_minutes
    return max(windows, limits.dead_run_slots + 1, limits.missing_run_slots + 1)


def find(past: Past, since: int, days: Days, limits: Limits) -> pl.DataFrame:
    """All findings that touch slot `since` or a later one, and B4.3's of all the days given: schema FINDINGS.

    The past begins `lookback` slots before `since` or earlier, and ends at the watermark.
    """
    missing = b2_missing.consecutive_missing(past, since, limits)
    found = [_run_findings(FindingCode.CONSECUTIVE_MISSING, missing, past, since - limits.missing_run_slots)]
    for grid in past.grids:
        dead = b3_ranges.dead_meter(grid, since, limits)
        found.append(_run_findings(FindingCode.DEAD_METER, dead, past, since - limits.dead_run_slots))
        found.append(_stuck_findings(past, grid, since, limits))
        found.append(_spike_findings(past, grid, since, limits))
    recent = pl.concat(found).filter(pl.col("last") >= since)
    return pl.concat([recent, _communication_findings(past, days.judged_by(past, limits), limits)])


def _run_findings(code: FindingCode, runs: Runs, past: Past, exact_from: int) -> pl.DataFrame:
    return _findings(code, runs, past, exact_from, pl.DataFrame({"run_slots": runs.length}))


def _stuck_findings(past: Past, grid: Grid, since: int, limits: Limits) -> pl.DataFrame:
    first = grid.column(since)
    holds, sums = b4_faults.stuck(grid, first, limits)
    cells = cell_runs(holds)
    return _findings(
        FindingCode.STUCK_METER, cells.of(grid, first), past, since, _figures(sums.at(cells.row, cells.last))
    )


def _spike_findings(past: Past, grid: Grid, since: int, limits: Limits) -> pl.DataFrame:
    first = grid.column(since)
    holds, sums = b4_faults.spike(grid, first, limits)
    row, column = (each.astype(np.int64) for each in np.nonzero(holds))
    slot = column + first + grid.starts[row]
    figures = _figures(sums.at(row, column)).with_columns(kw=pl.Series(grid.values[row, column + first]) / UNITS_PER_KW)
    return _findings(
        FindingCode.ERRATIC_SPIKE, Runs(meter=grid.meters[row], first=slot, last=slot), past, past.start, figures
    )


def _communication_findings(past: Past, days: Days, limits: Limits) -> pl.DataFrame:
    slots = past.slots_before(days.last, limits.reliability_window_slots)
    missing = slots - past.count_before(Grid.present, days.last, limits.reliability_window_slots)
    holds = b4_faults.communication_failure(missing, slots, limits) & (days.last < past.ends[:, None])
    runs = cell_runs(holds, days.adjoining)
    figures = pl.DataFrame({"missing": missing[runs.row, runs.last], "slots": slots[runs.row, runs.last]}).with_columns(
        share=(pl.col("missing") / pl.col("slots")).round_sig_figs(FIGURES)
    )
    exact_from = int(days.first[0]) if len(days.first) else 0
    windows = Runs(meter=runs.row, first=days.first[runs.first], last=days.last[runs.last])
    return _findings(FindingCode.COMMUNICATION_FAILURE, windows, past, exact_from, figures)


def _figures(sums: WindowSums) -> pl.DataFrame:
    """How many values a window holds, their mean in kW, standard deviation in kW and variance in kW²."""
    values = {"usable": sums.count, "total": sums.total, "spread": sums.spread().floats()}
    variance = pl.col("spread") / pl.col("usable").pow(2) / UNITS_PER_KW**2
    return pl.DataFrame(values).select(
        "usable",
        mean_kw=(pl.col("total") / pl.col("usable") / UNITS_PER_KW).round_sig_figs(FIGURES),
        std_kw=variance.sqrt().round_sig_figs(FIGURES),
        variance_kw2=variance.round_sig_figs(FIGURES),
    )


def _findings(code: FindingCode, runs: Runs, past: Past, exact_from: int, figures: pl.DataFrame) -> pl.DataFrame:
    """Put together; a run that begins where the past does, or was looked at from, may have begun earlier."""
    begins = np.maximum(past.begins[runs.meter], 0)
    first = np.maximum(runs.first, begins)
    detail = figures.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return pl.DataFrame(
        {
            "code": pl.repeat(code.value, len(first), eager=True),
            "meter_key": past.keys[runs.meter],
            "first": first,
            "last": runs.last,
            "began_earlier": np.isin(runs.first, [exact_from, past.start]) & (begins < runs.first),
            "detail": detail,
        }
    ).pipe(conform, FINDINGS)
