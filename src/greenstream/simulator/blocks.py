"""A block of meters on a day: loads, with the faults decided cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from greenstream.simulator.faults.registry import ROW_FAULTS, WINDOW_FAULTS, Effect, Run
from greenstream.simulator.fleet import BLOCK
from greenstream.simulator.histories import MARGIN, Window, bursts
from greenstream.simulator.loads import block_watts
from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.randomness import Purpose, small_words
from greenstream.simulator.scenario import Scenario
from greenstream.simulator.timeline import Day

FREE, BUSY, ABSENT = 0, 1, 2
"""Codes of cells: undisturbed; part of a window or next to one, so that row faults keep off; no row."""

CLOCKS = tuple(name for name, fault in WINDOW_FAULTS.items() if fault.span.run is Run.CLOCK)
CODED = (*ROW_FAULTS, *CLOCKS)
FIRST_CODE = 3
CODE_OF = {name: FIRST_CODE + i for i, name in enumerate(CODED)}
DROPPED = (ABSENT, *(CODE_OF[name] for name, fault in ROW_FAULTS.items() if fault.effect is Effect.DROP))


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Meters (rows) by slots of a day (columns): watts (int32) and codes (uint8)."""

    watts: NDArray[np.int32]
    codes: NDArray[np.uint8]


class Blocks:
    """Makes the cells of any meters on any day.

    Keeps the last blocks and the last cells: neighbouring batches share them.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._world = scenario
        self._block = lru_cache(maxsize=2)(self._make_block)
        self._cells = lru_cache(maxsize=1)(self._make_cells)

    def cells(self, meters: range, day: Day) -> Cells:
        return self._cells(meters, day.index)

    def _make_cells(self, meters: range, day: int) -> Cells:
        numbers = range(meters.start // BLOCK, (meters.stop - 1) // BLOCK + 1)
        parts = [_cut(self._block(number, day), number, meters) for number in numbers]
        return Cells(watts=np.concatenate([p.watts for p in parts]), codes=np.concatenate([p.codes for p in parts]))

    def _make_block(self, number: int, index: int) -> Cells:
        scenario, day = self._world, self._world.days[index]
        watts = block_watts(scenario.fleet, number, day, scenario.plan.seed)
        cells = Cells(watts=watts, codes=np.zeros(watts.shape, dtype=np.uint8))
        _place_windows(scenario, number, day, cells)
        _scatter_row_faults(scenario.plan, number, day, cells.codes)
        return cells


def _cut(cells: Cells, number: int, meters: range) -> Cells:
    part = slice(max(meters.start - number * BLOCK, 0), meters.stop - number * BLOCK)
    return Cells(watts=cells.watts[part], codes=cells.codes[part])


def _place_windows(scenario: Scenario, number: int, day: Day, cells: Cells) -> None:
    windows = scenario.windows
    begin, end = np.searchsorted(windows.meter, [number * BLOCK, (number + 1) * BLOCK])
    near = windows.where(np.arange(begin, end))
    touches = (near.last + MARGIN >= day.first_slot) & (near.first - MARGIN < day.first_slot + day.slots)
    for window in near.where(touches):
        row = window.meter - number * BLOCK
        _place(scenario.plan.seed, window, day, Cells(watts=cells.watts[row], codes=cells.codes[row]))


def _place(seed: int, window: Window, day: Day, row: Cells) -> None:
    """Puts one window on its meter's row of the day."""
    begin, end = (max(slot - day.first_slot, 0) for slot in (window.first, window.last + 1))
    # A null or a gap right beside a silence would lengthen it.
    row.codes[max(window.first - 1 - day.first_slot, 0) : max(window.last + 2 - day.first_slot, 0)] = BUSY
    run = window.fault.span.run
    if run is Run.VALUE:
        row.watts[begin:end] = window.value
    elif run is Run.ABSENT:
        row.codes[begin:end] = ABSENT
    elif run is Run.CLOCK:
        row.codes[begin:end] = CODE_OF[window.fault.name]
    else:
        missing = bursts(seed, window)[max(day.first_slot - window.first, 0) :][: day.slots - begin]
        row.codes[begin : begin + len(missing)][missing] = ABSENT


def _scatter_row_faults(plan: SimulationPlan, number: int, day: Day, codes: NDArray[np.uint8]) -> None:
    limits = _limits(plan)
    if limits[-1] == 0:
        return
    draws = small_words(plan.seed, (Purpose.ROW_FAULTS, number, day.date.toordinal()), BLOCK * day.slots, "u4")
    flat, drawn = codes.reshape(-1), draws[: codes.size]
    hit = np.flatnonzero((drawn < limits[-1]) & (flat == FREE))
    flat[hit] = FIRST_CODE + np.searchsorted(limits, drawn[hit], side="right")


def _limits(plan: SimulationPlan) -> NDArray[np.uint64]:
    """Cumulated rates of the row faults, as shares of a 32-bit word's range."""
    rates: Sequence[float] = [plan.rate(name) for name in ROW_FAULTS]
    return np.minimum(np.cumsum(rates) * 2.0**32, 2.0**32).astype(np.uint64)
