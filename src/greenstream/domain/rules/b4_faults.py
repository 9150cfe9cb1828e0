"""B4: meters that don't measure what they should, seen over days."""

from fractions import Fraction

import numpy as np

from greenstream.domain.exact import Integers, Mask
from greenstream.domain.history.grid import OUTSIDE, Grid, WindowSums, beyond_deviations, usable_end, window_sums
from greenstream.domain.limits import Limits
from greenstream.domain.readings.schema import UNITS_PER_KW


def stuck(grid: Grid, first: int, limits: Limits) -> tuple[Mask, WindowSums]:
    """B4.1: at slot s, if s−95…s hold at least 87 usable values and their population variance is below 0.01 kW².

    Usable are values of at least 0 and below 50 kW. The window of the finding begins with the first such slot s: a day
    or little less after the meter began to repeat itself.

    Flagged: slots `96 × 1.5 kW` → STUCK_METER
    Flagged: slots `48 × (0.1 kW, 0.25 kW)` → STUCK_METER
    Clean: slots `48 × (1 kW, 1.5 kW)` → no finding

    Returns:
        Where it holds, from column `first` on, and the sums it was judged by; a cut grid should reach back a window.
    """
    limit = Fraction(str(limits.stuck_max_variance)) * UNITS_PER_KW**2
    width = limits.stuck_window_slots
    largest = width**2 * max(usable_end(limits) ** 2 * limit.denominator, limit.numerator)
    sums = window_sums(grid, limits, first=first, width=width, behind=0, largest=largest)
    count = sums.exact(sums.count)
    still = sums.constant(limit.numerator) * count * count > sums.spread() * sums.constant(limit.denominator)
    return (sums.count >= limits.stuck_min_usable) & still & (grid.values[:, first:] != OUTSIDE), sums


def spike(grid: Grid, first: int, limits: Limits) -> tuple[Mask, WindowSums]:
    """B4.2: a reading above mean + 4·std (population) of the usable values of the 672 slots before it.

    There must be at least 96 of those, and they must differ. Readings out of range can be spikes, but are never part
    of a mean. It is reckoned in integers, as (n·x − Σx)² > 16·(n·Σx² − (Σx)²), so that nothing is rounded; an x that no
    mean + 4·std can reach counts as the least of those, so that its square isn't needed.

    Flagged: slots `48 × (1 kW, 1.5 kW), 9 kW` → ERRATIC_SPIKE
    Flagged: slots `48 × (1 kW, 1.5 kW), 60 kW` → ERRATIC_SPIKE
    Clean: slots `48 × (1 kW, 1.5 kW), 2.25 kW` → no finding

    Returns:
        Where it holds, from column `first` on, and the sums it was judged by, as `stuck` does.
    """
    beyond, width = beyond_deviations(limits), limits.spike_window_slots
    sums = window_sums(grid, limits, first=first, width=width, behind=1, largest=(width * beyond) ** 2)
    spread, nothing = sums.spread(), sums.constant(0)
    above = sums.count * np.clip(grid.values[:, first:].astype(np.int64), 0, beyond) - sums.total
    square = sums.exact(above) * sums.exact(above)
    far = (above > 0) & (square > sums.constant(limits.spike_min_deviations**2) * spread)
    return (sums.count >= limits.spike_min_usable) & (spread > nothing) & far, sums


def communication_failure(missing: Integers, slots: Integers, limits: Limits) -> Mask:
    """B4.3: for a local day, more than 20 % of the 672 slots up to its last one are missing.

    A young meter has fewer slots, but must have 96. The finding's window is made of whole days: from the first slot of
    the first such day (of the meter, if later) to the last slot of the last.

    Flagged: slots `537 × 1 kW, 135 × missing` → COMMUNICATION_FAILURE
    Clean: slots `538 × 1 kW, 134 × missing` → no finding

    Args:
        missing: of the window up to each day's last slot, (meters, days) Int64.
        slots: as above.
        limits: the thresholds.
    """
    share = Fraction(str(limits.max_missing_share))
    return (slots >= limits.reliability_min_slots) & (missing * share.denominator > slots * share.numerator)


def reliability(usable: Integers, slots: Integers, limits: Limits) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Reliability: usable slots ÷ slots over the 672 slots up to a day's last; NaN while there are fewer than 96.

    Example: slots `671 × 1 kW, missing` → reliability `0.9985`
    Example: slots `95 × 1 kW` → reliability `unknown`
    """
    share = np.divide(usable, slots, out=np.full(slots.shape, np.nan), where=slots > 0)
    return np.where(slots >= limits.reliability_min_slots, share, np.nan)
