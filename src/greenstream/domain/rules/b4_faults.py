"""B4: meters that don't measure what they should, seen over days."""

from fractions import Fraction

import numpy as np

from greenstream.domain.grid import Grid, Integers, Mask, WindowSums, window_sums
from greenstream.domain.limits import Limits
from greenstream.domain.schema import UNITS_PER_KW


def stuck(grid: Grid, first: int, limits: Limits) -> tuple[Mask, WindowSums]:
    """B4.1: at slot s, if s−95…s hold at least 87 usable values and their population variance is below 0.01 kW².

    Returns where it holds, from column `first` on, and the sums it was judged by; the grid should reach back a window.

    Flagged: 96 slots at 1.5 kW are STUCK_METER at the last of them.
    Clean: 96 slots that take turns at 1.0 kW and 1.5 kW have no finding.
    """
    sums = window_sums(grid, limits, first=first, width=limits.stuck_window_slots, behind=0)
    limit = Fraction(str(limits.stuck_max_variance)) * UNITS_PER_KW**2
    still = sums.spread() * limit.denominator < limit.numerator * sums.count * sums.count
    return (sums.count >= limits.stuck_min_usable) & still & grid.inside()[:, first:], sums


def spike(grid: Grid, first: int, limits: Limits) -> tuple[Mask, WindowSums]:
    """B4.2: a reading above mean + 4·std (population) of the usable values of the 672 slots before it.

    There must be at least 96 of those. Readings out of range can be spikes, but are never part of a mean. Returns as
    `stuck` does. All in integers, as (n·x − Σx)² > 16·(n·Σx² − (Σx)²), so that nothing is rounded.

    Flagged: 9.0 kW after 96 slots that take turns at 1.0 kW and 1.5 kW is ERRATIC_SPIKE.
    Clean: 2.0 kW after 96 slots that take turns at 1.0 kW and 1.5 kW has no finding.
    """
    sums = window_sums(grid, limits, first=first, width=limits.spike_window_slots, behind=1)
    spread = sums.spread()
    above = sums.count * np.maximum(grid.values[:, first:], 0) - sums.total
    far = (above > 0) & (above * above > limits.spike_min_deviations**2 * spread)
    return (sums.count >= limits.spike_min_usable) & (spread > 0) & far & grid.inside()[:, first:], sums


def communication_failure(missing: Integers, slots: Integers, limits: Limits) -> Mask:
    """B4.3: for a local day, more than 20 % of the 672 slots up to its last one are missing.

    A young meter has fewer slots, but must have 96. Takes the counts of `last_days`, (meters, days) each.

    Flagged: a day at whose end 135 of 672 slots are missing is COMMUNICATION_FAILURE.
    Clean: a day at whose end 134 of 672 slots are missing has no finding.
    """
    share = Fraction(str(limits.max_missing_share))
    return (slots >= limits.reliability_min_slots) & (missing * share.denominator > slots * share.numerator)


def reliability(usable: Integers, slots: Integers, limits: Limits) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Reliability: usable slots ÷ slots over the 672 slots up to a day's last; NaN while there are fewer than 96.

    Example: 671 usable of 672 slots is a reliability of 0.9985.
    """
    share = np.divide(usable, slots, out=np.full(slots.shape, np.nan), where=slots > 0)
    return np.where(slots >= limits.reliability_min_slots, share, np.nan)


def last_days(cells: Mask, grid: Grid, last_slots: Integers, limits: Limits) -> Integers:
    """How many of the chosen cells lie in the 672 slots up to each of some slots: (meters, days) Int64."""
    sums = np.zeros((cells.shape[0], cells.shape[1] + 1), dtype=np.int64)
    np.cumsum(cells, axis=1, out=sums[:, 1:])
    stops = np.clip(last_slots - grid.start + 1, 0, grid.slots)
    counts: Integers = sums[:, stops] - sums[:, np.maximum(stops - limits.reliability_window_slots, 0)]
    return counts
