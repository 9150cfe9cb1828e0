"""Where the faults that last are: decided for the whole plan, so that they cross days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from greenstream.simulator.faults.registry import WINDOW_FAULTS, Integers, Run, Span, WindowFault
from greenstream.simulator.fleet import Fleet
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.randomness import Purpose, uniform
from greenstream.simulator.timeline import Day

NAMES = tuple(WINDOW_FAULTS)
MARGIN = 4
"""Slots between two windows of one meter, at least."""

BURST_SLOTS = 6
BURST_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Window:
    """A fault of a meter from one slot to another, both in it."""

    fault: WindowFault
    meter: int
    first: int
    last: int
    value: int


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Parallel int64 arrays, in order of meter and first slot.

    `kind` counts in NAMES, `first` and `last` are plan-wide slots (both in the window), `value` is the kind's.
    """

    kind: Integers
    meter: Integers
    first: Integers
    last: Integers
    value: Integers

    def __len__(self) -> int:
        return len(self.meter)

    def __iter__(self) -> Iterator[Window]:
        columns = (getattr(self, f.name).tolist() for f in fields(self))
        for kind, meter, first, last, value in zip(*columns, strict=True):
            fault = WINDOW_FAULTS[NAMES[kind]]
            yield Window(fault=fault, meter=meter, first=first, last=last, value=value)

    def where(self, chosen: NDArray[np.bool_] | Integers) -> "Windows":
        return Windows(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def windows_of(plan: SimulationPlan, fleet: Fleet, days: Sequence[Day]) -> Windows:
    drawn = [_draw(plan, fleet, days, number) for number in range(len(NAMES))]
    joined = Windows(**{f.name: np.concatenate([getattr(w, f.name) for w in drawn]) for f in fields(Windows)})
    return _apart(joined.where(np.lexsort((joined.first, joined.meter))))


def bursts(seed: int, window: Window) -> NDArray[np.bool_]:
    """Which slots of a communication failure are missing: two fifths, never the first burst's."""
    slots = window.last - window.first + 1
    count = -(-slots // BURST_SLOTS)
    chance = uniform(seed, (Purpose.BURSTS, window.meter, window.first), count)
    chance[0] = 1.0
    missing = np.zeros(count, dtype=np.bool_)
    missing[np.argsort(chance, kind="stable")[: round(BURST_SHARE * count)]] = True
    return np.repeat(missing, BURST_SLOTS)[:slots]


def window_truth(seed: int, windows: Windows, instants: Integers) -> pl.DataFrame:
    """A row per window, aside from clock faults, whose rows speak for themselves (they are lines)."""
    rows = [
        (w.fault.name, w.meter, int(instants[w.first]), int(instants[w.last]), _detail(seed, w))
        for w in windows
        if w.fault.span.run is not Run.CLOCK
    ]
    schema = {"fault": pl.String, "meter": pl.Int64, "start": pl.Int64, "end": pl.Int64, "detail": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _detail(seed: int, window: Window) -> str:
    span = window.fault.span
    missing = int(bursts(seed, window).sum()) if span.run is Run.BURSTS else 0
    return span.detail.format(value=window.value, missing=missing, slots=window.last - window.first + 1)


def _draw(plan: SimulationPlan, fleet: Fleet, days: Sequence[Day], number: int) -> Windows:
    fault = WINDOW_FAULTS[NAMES[number]]
    rate = plan.rate(fault.name)
    wanted = max(1, round(rate * plan.meters * plan.days)) if rate > 0 else 0
    u = uniform(plan.seed, (Purpose.WINDOWS, number), 4 * wanted).reshape(4, wanted)
    meter = (u[0] * plan.meters).astype(np.int64)
    first, last = _spans(plan, days, fault.span, u[1], u[2])
    value = fault.value(u[3], fleet.size[meter].astype(np.int64))
    kind = np.full(wanted, number, dtype=np.int64)
    drawn = Windows(kind=kind, meter=meter, first=first, last=last, value=value)
    return drawn.where(first <= last)


def _spans(
    plan: SimulationPlan, days: Sequence[Day], span: Span, where: NDArray[np.float64], how: NDArray[np.float64]
) -> tuple[Integers, Integers]:
    """First and last slots; last before first where the plan is too short for the fault."""
    if span.run is Run.BURSTS:
        return _whole_days(days, where)
    total = days[-1].first_slot + days[-1].slots
    shortest, longest = (max(span.slots, plan.slots_in(hours)) for hours in span.hours)
    # Short ones are commoner. The first slot stays free: a meter's history begins with its first reading.
    length = shortest + (how**2 * (min(longest, total - 1) - shortest + 1)).astype(np.int64)
    first = 1 + (where * (total - length)).astype(np.int64)
    fits = shortest <= total - 1
    return first, np.where(fits, first + length - 1, first - 1)


def _whole_days(days: Sequence[Day], where: NDArray[np.float64]) -> tuple[Integers, Integers]:
    length = min(7, len(days))
    begin = (where * (len(days) - length + 1)).astype(np.int64)
    starts = np.array([d.first_slot for d in days])
    ends = np.array([d.first_slot + d.slots - 1 for d in days])
    first = starts[begin]
    return first, ends[begin + length - 1] if length > 1 else first - 1


def _apart(windows: Windows) -> Windows:
    """Drops every window that touches one before it (dropped or not) of its meter."""
    if len(windows) == 0:
        return windows
    # Meters are laid end to end on one axis, so that one running maximum serves all of them.
    span = int(windows.last.max()) + MARGIN + 2
    reached = np.maximum.accumulate(windows.meter * span + windows.last)
    clear = windows.meter * span + windows.first > np.concatenate([[-1], reached[:-1] + MARGIN])
    return windows.where(clear)
