"""The meters: who they are, how much they draw, how they write it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from greenstream.simulator.plan import SimulationPlan
from greenstream.simulator.randomness import Purpose, lognormal_table, uniform

BLOCK = 1000
"""Meters that share a random stream. Streams are drawn whole, so a growing fleet keeps its meters."""

FIRST_METER = 10_000
MAX_CLEAN_WATTS = 48_000

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A value per meter in each array; watts where not said otherwise.

    `size` scales the daily shape, `base` (0–1) is the share of it that runs day and night, `shift` moves the
    shape by that many quarters of an hour, `heating`, `cooling` and `appliance` add to it, `style` is the
    way it writes energy (see `energy_texts.STYLES`), `region` counts from 1.
    """

    residential: NDArray[np.bool_]
    size: Floats
    base: Floats
    shift: NDArray[np.int64]
    heating: Floats
    cooling: Floats
    appliance: Floats
    style: NDArray[np.int64]
    region: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def ids(self) -> pl.Series:
        numbers = pl.Series(np.arange(FIRST_METER, FIRST_METER + len(self), dtype=np.int64))
        return pl.select(pl.format("SM-{}", numbers)).to_series()

    @cached_property
    def locations(self) -> pl.Series:
        classes = pl.Series(self.residential).replace_strict(
            [True, False], ["Residential", "Commercial"], return_dtype=pl.String
        )
        return pl.select(pl.format("{}_Zone_{}", classes, pl.Series(self.region))).to_series()

    @cached_property
    def ceiling(self) -> NDArray[np.int64]:
        """Roughly the highest clean load of each meter, in watts."""
        highest = self.size * 3 + self.heating + self.cooling + self.appliance
        capped: NDArray[np.int64] = np.minimum(highest, MAX_CLEAN_WATTS).astype(np.int64)
        return capped


def fleet_of(plan: SimulationPlan) -> Fleet:
    blocks = range(-(-plan.meters // BLOCK))
    draws = [uniform(plan.seed, (Purpose.FLEET, b), 9 * BLOCK).reshape(9, BLOCK) for b in blocks]
    u = np.concatenate(draws, axis=1)[:, : plan.meters]
    residential = u[0] < plan.residential_share
    return Fleet(
        residential=residential,
        size=_sizes(residential, u[1]),
        base=np.where(residential, 0.10 + 0.15 * u[2], 0.15 + 0.20 * u[2]).astype(np.float32),
        shift=np.floor(u[3] * 9).astype(np.int64) - 4,
        heating=np.where(residential & (u[4] < 0.30), 400 + 900 * u[5], 0).astype(np.float32),
        cooling=np.where(residential & (u[6] < 0.40), 300 + 600 * u[5], 0).astype(np.float32),
        appliance=(500 + 600 * u[7]).astype(np.float32),
        style=_styles(u[8]),
        region=_regions(plan),
    )


def _sizes(residential: NDArray[np.bool_], u: NDArray[np.float64]) -> Floats:
    """Lognormal: median 420 W for a household, 5 kW for a business, whose peak stays below 50 kW."""
    index = (u * 4096).astype(np.int64)
    home = 420 * lognormal_table(0.45, 4096)[index]
    business = np.minimum(5_000 * lognormal_table(0.65, 4096)[index], 14_000)
    return np.where(residential, home, business).astype(np.float32)


def _styles(u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Half of the fleet writes watts, most of the rest kilowatts; a few spell the unit out."""
    return np.searchsorted([0.50, 0.70, 0.90, 0.95], u, side="right").astype(np.int64)


def _regions(plan: SimulationPlan) -> NDArray[np.int64]:
    return np.arange(plan.meters, dtype=np.int64) * plan.regions // plan.meters + 1
