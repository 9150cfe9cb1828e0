"""Put meters' days together to the stretches that the history rules look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from greenstream.domain.exact import Integers, Mask
from greenstream.domain.history.grid import MISSING, OUTSIDE, DayValues, Grid, Past, Values
from greenstream.domain.limits import Limits


@dataclass(frozen=True, kw_only=True)
class _Stretches:
    """(stretches,) Int64: whose, the first slot, the first behind the last day with readings, and behind it all."""

    meters: Integers
    starts: Integers
    heard: Integers
    stops: Integers


def longest_window(limits: Limits) -> int:
    """How many slots the rules look back at most."""
    return max(limits.spike_window_slots, limits.reliability_window_slots, limits.stuck_window_slots)


def past_of(
    days: Sequence[DayValues],
    *,
    keys: Integers,
    begins: Integers,
    ends: Integers,
    start: int,
    stop: int,
    limits: Limits,
) -> Past:
    """The past of some meters from slot `start`, the first of a day, up to the one before `stop`.

    Args:
        days: all that the meters sent on each day; `meters` in them are positions in `keys`.
        keys: (meters,) Int64, as are `begins` and `ends`.
        begins: the first slot of each meter's grid.
        ends: the first slot behind it.
        start: where the past begins.
        stop: where it ends.
        limits: the thresholds.
    """
    of_row, found = _stretches(days, start, limits)
    stops = np.minimum(found.stops, np.minimum(ends[found.meters], stop)) if len(found.meters) else found.stops
    found = _Stretches(
        meters=found.meters, starts=found.starts, heard=found.heard, stops=np.maximum(stops, found.starts)
    )
    grids = [
        _grid(days, of_row, found, chosen, begins, is_cut=is_cut)
        for is_cut in (True, False)
        for chosen in _classes(found, (found.starts == start) == is_cut)
    ]
    return Past(grids=grids, keys=keys, begins=begins, ends=ends, start=start, stop=stop)


def _stretches(days: Sequence[DayValues], start: int, limits: Limits) -> tuple[Integers, _Stretches]:
    """Of each meter's day, by day, the stretch it belongs to; and the stretches.

    One ends where no window reaches back any more; behind it are so many missing slots that a run of B4.1 ends in it.
    """
    meters, first, behind = _rows(days)
    order = np.lexsort((first, meters))
    meters, first, behind = meters[order], first[order], behind[order]
    gap = longest_window(limits) + 1
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (meters[1:] != meters[:-1]) | (first[1:] - behind[:-1] >= gap)
    last = np.append(begins[1:], np.ones(min(len(order), 1), dtype=np.bool_))
    of_row = np.empty(len(order), dtype=np.int64)
    of_row[order] = np.cumsum(begins) - 1
    starts = np.where(first[begins] - start < gap, start, first[begins] - 1)
    heard = behind[last]
    stops = heard + limits.stuck_window_slots
    return of_row, _Stretches(meters=meters[begins], starts=starts, heard=heard, stops=stops)


def _rows(days: Sequence[DayValues]) -> tuple[Integers, Integers, Integers]:
    """Of each meter's day: the meter, the day's first slot, the first behind it."""
    counts = [len(day.meters) for day in days]
    meters = np.concatenate([np.zeros(0, dtype=np.int64), *(day.meters for day in days)])
    first = np.repeat(np.array([day.slots.start for day in days], dtype=np.int64), counts)
    behind = np.repeat(np.array([day.slots.stop for day in days], dtype=np.int64), counts)
    return meters, first, behind


def _classes(found: _Stretches, among: Mask) -> Iterator[Integers]:
    """Positions of stretches whose lengths differ by less than a factor of two: an array of them is half full."""
    lengths = np.frexp((found.stops - found.starts).astype(np.float64))[1]
    for length in np.unique(lengths[among & (found.stops > found.starts)]):
        yield np.flatnonzero(among & (found.stops > found.starts) & (lengths == length))


def _grid(
    days: Sequence[DayValues], of_row: Integers, found: _Stretches, chosen: Integers, begins: Integers, *, is_cut: bool
) -> Grid:
    starts, stops, meters = found.starts[chosen], found.stops[chosen], found.meters[chosen]
    room = int((np.maximum(found.heard[chosen], stops) - starts).max())
    row = np.full(len(found.meters), -1, dtype=np.int64)
    row[chosen] = np.arange(len(chosen))
    values = _placed(days, row[of_row], starts, room)[:, : int((stops - starts).max())]
    _blank(values, begins[meters] - starts, stops - starts)
    return Grid(values=values, meters=meters, starts=starts, stops=stops, is_cut=is_cut)


def _placed(days: Sequence[DayValues], rows: Integers, starts: Integers, room: int) -> Values:
    """The values of each day in its row, -1 where it has none here; what else there is, is missing."""
    wide = any(day.values.dtype.itemsize > 4 for day in days)
    values: Values = np.full(len(starts) * room, MISSING, dtype=np.int64 if wide else np.int32)
    done = 0
    for day in days:
        row = rows[done : done + len(day.meters)]
        done += len(day.meters)
        here = row >= 0
        if here.any():
            places = sliding_window_view(values, len(day.slots), writeable=True)
            places[row[here] * room + day.slots.start - starts[row[here]]] = day.values[here]
    return values.reshape(len(starts), room)


def _blank(values: Values, lead: Integers, stop: Integers) -> None:
    """Cells before a row's `lead` and from its `stop` on are of no meter's grid."""
    partial = np.flatnonzero((lead > 0) | (stop < values.shape[1]))
    column = np.arange(values.shape[1])
    rows = values[partial]
    rows[(column < lead[partial, None]) | (column >= stop[partial, None])] = OUTSIDE
    values[partial] = rows
