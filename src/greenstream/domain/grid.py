"""The dense meters × slots window that the history rules look at.

Slots are numbered from 1970-01-01T00:00Z in steps of the interval. Power is an integer of 0.1 W, so that sums are exact
and a result is a function of the set of readings, whatever the order in which they came.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greenstream.domain.limits import Limits
from greenstream.domain.schema import UNITS_PER_KW

Values = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

MISSING = -3  # no reading, or a null one
NO_POWER = -2  # a reading without a kW
NEGATIVE = -1  # a negative kW
CLIP = 200 * UNITS_PER_KW
"""Powers are cut here: no mean + 4·std of usable values reaches it, and squares of sums stay within 64 bits."""

FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The values of some meters from slot `start` on.

    values: (meters, slots) Int32: 0.1 W, or MISSING, NO_POWER, NEGATIVE.
    meters: (meters,) Int64 keys.
    begins, ends: (meters,) Int64 slots: the first of a meter's grid, and the first behind it.
    """

    values: Values
    meters: Integers
    begins: Integers
    ends: Integers
    start: int

    @property
    def slots(self) -> int:
        return int(self.values.shape[1])

    def inside(self) -> Mask:
        """Which cells belong to their meter's grid."""
        slot: Integers = np.arange(self.start, self.start + self.slots)
        after, before = slot >= self.begins[:, None], slot < self.ends[:, None]
        inside: Mask = after & before
        return inside

    def missing(self) -> Mask:
        missing: Mask = (self.values == MISSING) & self.inside()
        return missing

    def usable(self, limits: Limits) -> Mask:
        """Cells with a kW of at least 0 and below 50, of the meter's own grid."""
        usable: Mask = (self.values >= 0) & (self.values < limits.max_kw * UNITS_PER_KW) & self.inside()
        return usable


@dataclass(frozen=True, kw_only=True)
class WindowSums:
    """Of the usable values in a window before or at each of some slots: how many, their sum, the sum of their squares.

    Each (meters, slots) Int64; powers in 0.1 W.
    """

    count: Integers
    total: Integers
    squares: Integers

    def spread(self) -> Integers:
        """count² × the population variance, exactly: count·Σx² − (Σx)²."""
        spread: Integers = self.count * self.squares - self.total * self.total
        return spread


def window_sums(grid: Grid, limits: Limits, *, first: int, width: int, behind: int) -> WindowSums:
    """Sums over the `width` slots that end `behind` slots before each slot from column `first` on.

    What lies before the grid's first column counts as not usable.
    """
    usable = grid.usable(limits)
    powers = np.where(usable, grid.values, 0).astype(np.int64)
    return WindowSums(
        count=_sliding(usable.astype(np.int64), first, width, behind),
        total=_sliding(powers, first, width, behind),
        squares=_sliding(powers * powers, first, width, behind),
    )


def _sliding(values: Integers, first: int, width: int, behind: int) -> Integers:
    sums = np.zeros((values.shape[0], values.shape[1] + 1), dtype=np.int64)
    np.cumsum(values, axis=1, out=sums[:, 1:])
    stops = np.arange(first, values.shape[1]) + 1 - behind
    sliding: Integers = sums[:, np.maximum(stops, 0)] - sums[:, np.maximum(stops - width, 0)]
    return sliding


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Maximal runs of cells for which something holds: the row of the meter, first and last slot; (runs,) each."""

    row: Integers
    first: Integers
    last: Integers

    @property
    def length(self) -> Integers:
        length: Integers = self.last - self.first + 1
        return length

    def where(self, chosen: Mask) -> "Runs":
        return Runs(row=self.row[chosen], first=self.first[chosen], last=self.last[chosen])


def runs_of(holds: Mask, start: int) -> Runs:
    """The maximal runs in each row of a (meters, slots) mask whose first column is slot `start`."""
    edges = np.diff(np.pad(holds, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(edges == 1)
    _, stop = np.nonzero(edges == -1)
    return Runs(row=row.astype(np.int64), first=first + start, last=stop - 1 + start)
