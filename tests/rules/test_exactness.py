"""B4.1 and B4.2 are exact for any power and any limit: they agree with whole numbers of any size."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenstream.domain.history.grid import MISSING, NO_POWER, Grid
from greenstream.domain.limits import Limits
from greenstream.domain.rules.b4_faults import spike, stuck

TOP = 9_999_999_999_999
SMALL = Limits(stuck_window_slots=8, stuck_min_usable=6, spike_window_slots=20, spike_min_usable=5)
MAX_KW = [1, 50, 100, 176, 452, 6_000, 200_000, 10**9, 10**12]


def row(rng: Random, end: int) -> list[int]:
    """Powers that hardly differ, at any height; some on mean + 4·std or next to it; some that can't be used."""
    values: list[int] = []
    base = rng.choice([0, 1, rng.randrange(end), max(end - 2000, 0)])
    while len(values) < 60:
        usable = [value for value in values[-20:] if 0 <= value < end]
        kind = rng.random()
        if kind < 0.1 and usable:
            spread = len(usable) * sum(x * x for x in usable) - sum(usable) ** 2
            edge = (sum(usable) + int(Fraction(16 * spread) ** Fraction(1, 2))) // len(usable)
            values.append(min(max(edge + rng.choice([-1, 0, 1, 2]), 0), TOP))
        elif kind < 0.2:
            values.append(rng.choice([MISSING, NO_POWER, -1, end, end - 1, TOP]))
        elif kind < 0.25:
            base = rng.randrange(end)
        else:
            values.append(min(max(base + rng.randint(-900, 900), 0), TOP))
    return values


def stuck_by_hand(values: list[int], slot: int, end: int, limits: Limits) -> bool:
    usable = [x for x in values[max(slot - limits.stuck_window_slots + 1, 0) : slot + 1] if 0 <= x < end]
    spread = len(usable) * sum(x * x for x in usable) - sum(usable) ** 2
    limit = Fraction(str(limits.stuck_max_variance)) * 10**8
    return len(usable) >= limits.stuck_min_usable and spread < limit * len(usable) ** 2


def spike_by_hand(values: list[int], slot: int, end: int, limits: Limits) -> bool:
    usable = [x for x in values[max(slot - limits.spike_window_slots, 0) : slot] if 0 <= x < end]
    spread = len(usable) * sum(x * x for x in usable) - sum(usable) ** 2
    above = len(usable) * values[slot] - sum(usable)
    enough = len(usable) >= limits.spike_min_usable and spread > 0 and values[slot] >= 0
    return enough and above > 0 and above**2 > limits.spike_min_deviations**2 * spread


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(MAX_KW), st.sampled_from([0, 7, 30, 60]), st.sampled_from([0.01, 0.0123]))
def test_any_powers_and_limits(seed: int, max_kw: int, first: int, variance: float) -> None:
    limits, end = replace(SMALL, max_kw=max_kw, stuck_max_variance=variance), max_kw * 10_000
    rng = Random(seed)
    rows = [row(rng, min(end, TOP)) for _ in range(4)]
    grid = Grid(
        values=np.array(rows, dtype=np.int64),
        meters=np.arange(4),
        starts=np.zeros(4, dtype=np.int64),
        stops=np.full(4, 60),
        is_cut=True,
    )
    for rule, by_hand in ((stuck, stuck_by_hand), (spike, spike_by_hand)):
        holds, _ = rule(grid, first, limits)
        expected = [[by_hand(values, slot, end, limits) for slot in range(first, 60)] for values in rows]
        assert holds.tolist() == expected


@pytest.mark.parametrize("max_kw", MAX_KW)
def test_what_no_deviation_reaches_is_a_spike(max_kw: int) -> None:
    """Half the values as low and half as high as can be: no others are as far apart."""
    end = min(max_kw * 10_000, TOP)
    values = [0] * 18 + [end - 1] + [TOP]
    grid = Grid(
        values=np.array([values], dtype=np.int64),
        meters=np.zeros(1, dtype=np.int64),
        starts=np.zeros(1, dtype=np.int64),
        stops=np.full(1, 20),
        is_cut=True,
    )
    limits = replace(SMALL, max_kw=max_kw)
    holds, _ = spike(grid, 19, limits)
    assert holds[0, 0] == spike_by_hand(values, 19, max_kw * 10_000, limits)
