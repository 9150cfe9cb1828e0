"""The past of some meters, as the history rules look at it: stretches with readings, and nothing in between.

Slots are numbered from 1970-01-01T00:00Z in steps of the interval. Power is an integer of 0.1 W, so that sums are exact
and a result is a function of the set of readings, whatever the order in which they came. A gap that is longer than any
rule looks back is not held, so that a meter's past costs by its readings and not by its years.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from greenstream.domain.exact import DIGIT, Exact, Integers, Mask, fits
from greenstream.domain.limits import DIGIT_BITS, Limits
from greenstream.domain.readings.schema import UNITS_PER_KW

Values = npt.NDArray[np.signedinteger[Any]]

MISSING = -3  # no reading, or a null one
NO_POWER = -2  # a reading without a kW
NEGATIVE = -1  # a negative kW
OUTSIDE = -4  # before a meter's first slot, from its end on, or of another stretch

FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Stretches of meters' slots, one a row.

    values: (rows, slots) Int32, or Int64 where one needs it: 0.1 W, or MISSING, NO_POWER, NEGATIVE, OUTSIDE.
    meters: (rows,) Int64: which of the meters of `Past` each row is of; a meter may have several rows.
    starts: (rows,) Int64: the slot of a row's first column.
    stops: (rows,) Int64: the first slot behind a row's stretch; from there on its cells are OUTSIDE.
    is_cut: whether the rows begin where the past begins, though their meters may have earlier readings. Else each
        begins with a slot that is missing, after a gap longer than any rule looks back.
    """

    values: Values
    meters: Integers
    starts: Integers
    stops: Integers
    is_cut: bool

    @property
    def slots(self) -> int:
        return int(self.values.shape[1])

    def column(self, slot: int) -> int:
        """From which column on the rules have to look, so that all from a slot on is judged."""
        return min(max(slot - int(self.starts[0]), 0), self.slots) if self.is_cut and len(self.starts) else 0

    def beginning_at(self, slot: int) -> "Grid":
        """Without what needn't be looked at before a slot."""
        column = self.column(slot)
        return Grid(
            values=self.values[:, column:],
            meters=self.meters,
            starts=self.starts + column,
            stops=self.stops,
            is_cut=self.is_cut,
        )

    def missing(self) -> Mask:
        missing: Mask = self.values == MISSING
        return missing

    def present(self) -> Mask:
        """Cells with a reading that isn't null."""
        present: Mask = self.values > MISSING
        return present

    def usable(self, limits: Limits) -> Mask:
        """Cells with a kW of at least 0 and below 50."""
        usable: Mask = (self.values >= 0) & (self.values < usable_end(limits))
        return usable


@dataclass(frozen=True, kw_only=True)
class DayValues:
    """What some meters sent on a local day.

    slots: of the day.
    meters: (rows,) Int64: positions among the meters of a `Past`.
    values: (rows, len(slots)), as in `Grid`, but never OUTSIDE.
    """

    slots: range
    meters: Integers
    values: Values


@dataclass(frozen=True, kw_only=True)
class Past:
    """What some meters sent from slot `start` on, up to the one before `stop`.

    keys, begins, ends: (meters,) Int64: a meter's key, the first slot of its grid, and the first behind it.
    """

    grids: Sequence[Grid]
    keys: Integers
    begins: Integers
    ends: Integers
    start: int
    stop: int

    def slots_before(self, lasts: Integers, width: int) -> Integers:
        """How many of the `width` slots up to each of some slots are of a meter's grid: (meters, lasts) Int64."""
        begins, ends = self.begins[:, None], self.ends[:, None]
        slots: Integers = np.clip(lasts + 1, begins, np.maximum(ends, begins)) - np.clip(
            lasts + 1 - width, begins, np.maximum(ends, begins)
        )
        return slots

    def count_before(self, cells: Callable[[Grid], Mask], lasts: Integers, width: int) -> Integers:
        """How many of the chosen cells lie in the `width` slots up to each of some slots: (meters, lasts) Int64."""
        counts = np.zeros((len(self.keys), len(lasts)), dtype=np.int64)
        for grid in self.grids:
            _add_counts(counts, grid, cells(grid), lasts, width)
        return counts


def _add_counts(counts: Integers, grid: Grid, cells: Mask, lasts: Integers, width: int) -> None:
    sums = np.zeros((len(cells), grid.slots + 1), dtype=np.int32)
    np.cumsum(cells, axis=1, out=sums[:, 1:])
    low, high = np.searchsorted(lasts, grid.starts), np.searchsorted(lasts, grid.starts + grid.slots + width)
    row = np.repeat(np.arange(len(cells)), high - low)
    last = np.arange(len(row)) - np.repeat(np.cumsum(high - low) - high, high - low)
    stops = lasts[last] + 1 - grid.starts[row]
    found = sums[row, np.minimum(stops, grid.slots)] - sums[row, np.clip(stops - width, 0, grid.slots)]
    np.add.at(counts, (grid.meters[row], last), found)


@dataclass(frozen=True, kw_only=True)
class WindowSums:
    """Of the usable values in a window before or at each of some slots: how many, their sum, the sum of their squares.

    Each (rows, slots); powers in 0.1 W.
    """

    count: Integers
    total: Integers
    squares: Exact

    def spread(self) -> Exact:
        """count² × the population variance, exactly: count·Σx² − (Σx)²."""
        total = self.exact(self.total)
        return self.exact(self.count) * self.squares - total * total

    def exact(self, numbers: Integers) -> Exact:
        return Exact.of(numbers, wide=self.squares.wide)

    def constant(self, number: int) -> Exact:
        return Exact.constant(number, wide=self.squares.wide)

    def at(self, row: Integers, column: Integers) -> "WindowSums":
        """Of chosen cells."""
        return WindowSums(
            count=self.count[row, column], total=self.total[row, column], squares=self.squares.at(row, column)
        )


def window_sums(grid: Grid, limits: Limits, *, first: int, width: int, behind: int, largest: int) -> WindowSums:
    """Sums over the `width` slots that end `behind` slots before each slot from column `first` on.

    What lies before the grid's first column counts as not usable. `largest` is the largest number that will be made of
    the sums.
    """
    stop = first + 1 - behind
    start = max(stop - width, 0)
    part = Grid(
        values=grid.values[:, start:], meters=grid.meters, starts=grid.starts, stops=grid.stops, is_cut=grid.is_cut
    )
    usable = part.usable(limits)
    powers = np.where(usable, part.values, 0).astype(np.int64)
    sliding = _Sliding(stop=stop - start, width=width, count=grid.slots - first)
    return WindowSums(
        count=sliding.sums(usable.astype(np.int64)),
        total=sliding.sums(powers),
        squares=sliding.squares(powers, largest),
    )


@dataclass(frozen=True, kw_only=True)
class _Sliding:
    """Windows of `width` columns: the first one ends before column `stop`, each of the others a column later."""

    stop: int
    width: int
    count: int

    def sums(self, values: Integers) -> Integers:
        """(rows, count): the first window is added up, the others by what comes in and what goes out."""
        sums = np.empty((len(values), max(self.count, 0)), dtype=np.int64)
        if not sums.size:
            return sums
        sums[:, 0] = values[:, : self.stop].sum(axis=1)
        sums[:, 1:] = values[:, self.stop : self.stop + self.count - 1]
        leaving = self.count - 1 - (self.width - self.stop)
        if leaving > 0:
            sums[:, -leaving:] -= values[:, :leaving]
        return np.cumsum(sums, axis=1, out=sums)

    def squares(self, values: Integers, largest: int) -> Exact:
        if fits(largest):
            return Exact.of(self.sums(values * values), wide=False)
        low, high = values & DIGIT, values >> DIGIT_BITS
        return Exact.of_places((self.sums(low * low), 2 * self.sums(low * high), self.sums(high * high)))


def usable_end(limits: Limits) -> int:
    """From here on powers aren't usable, in 0.1 W."""
    return limits.max_kw * UNITS_PER_KW


def beyond_deviations(limits: Limits) -> int:
    """A power, in 0.1 W, that no mean + n·std (population) of usable values reaches.

    The greatest that there can be is (1 + √(1 + n²)) / 2 of where usable powers end.
    """
    end, deviations = usable_end(limits), limits.spike_min_deviations
    return (end + isqrt((1 + deviations * deviations) * end * end)) // 2 + 2


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Maximal runs of slots for which something holds: the meter's position, first and last slot, (runs,) Int64."""

    meter: Integers
    first: Integers
    last: Integers

    @property
    def length(self) -> Integers:
        length: Integers = self.last - self.first + 1
        return length

    def where(self, chosen: Mask) -> "Runs":
        return Runs(meter=self.meter[chosen], first=self.first[chosen], last=self.last[chosen])

    def joined(self) -> "Runs":
        """Runs of a meter that touch each other are one."""
        order = np.lexsort((self.first, self.meter))
        meter, first, last = self.meter[order], self.first[order], self.last[order]
        begins = np.ones(len(order), dtype=np.bool_)
        begins[1:] = (meter[1:] != meter[:-1]) | (first[1:] != last[:-1] + 1)
        ends = np.append(begins[1:], np.ones(min(len(order), 1), dtype=np.bool_))
        return Runs(meter=meter[begins], first=first[begins], last=last[ends])


@dataclass(frozen=True, kw_only=True)
class CellRuns:
    """Maximal runs of cells: the row, first and last column; (runs,) Int64 each."""

    row: Integers
    first: Integers
    last: Integers

    def of(self, grid: Grid, column: int = 0) -> Runs:
        """As slots of meters; the cells began at a column of the grid."""
        starts = grid.starts[self.row] + column
        return Runs(meter=grid.meters[self.row], first=self.first + starts, last=self.last + starts)


def cell_runs(holds: Mask, adjoining: Mask | None = None) -> CellRuns:
    """The maximal runs in each row of a (rows, columns) mask, broken where a column doesn't adjoin the one before."""
    after, before = holds.copy(), holds.copy()
    goes_on = holds[:, 1:] & holds[:, :-1]
    if adjoining is not None:
        goes_on &= adjoining[1:]
    after[:, 1:] &= ~goes_on
    before[:, :-1] &= ~goes_on
    row, first = np.nonzero(after)
    _, last = np.nonzero(before)
    return CellRuns(row=row.astype(np.int64), first=first.astype(np.int64), last=last.astype(np.int64))


def all_runs(runs: Sequence[Runs]) -> Runs:
    none = np.zeros(0, dtype=np.int64)
    return Runs(
        meter=np.concatenate([none, *(each.meter for each in runs)]),
        first=np.concatenate([none, *(each.first for each in runs)]),
        last=np.concatenate([none, *(each.last for each in runs)]),
    )


def silences(past: Past, since: int) -> Runs:
    """The slots of each meter's grid, from one on, that no stretch holds: before, between and behind its stretches."""
    count = len(past.keys)
    everyone, none = np.arange(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    opens, closes = np.maximum(past.begins, past.start), np.minimum(past.ends, past.stop)
    meter = np.concatenate([everyone, *(grid.meters for grid in past.grids), everyone])
    start = np.concatenate([none - FAR, *(grid.starts for grid in past.grids), closes])
    stop = np.concatenate([opens, *(grid.stops for grid in past.grids), none + FAR])
    order = np.lexsort((start, meter))
    meter, start, stop = meter[order], start[order], stop[order]
    first, last = np.maximum(stop[:-1], since), start[1:] - 1
    gaps = (meter[1:] == meter[:-1]) & (first <= last)
    return Runs(meter=meter[:-1][gaps], first=first[gaps], last=last[gaps])
