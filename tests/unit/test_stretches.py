"""A meter's past costs by its readings, and is the same as if all slots between them were held."""

import numpy as np

from greenstream.domain.history.grid import FAR, DayValues, Past, silences
from greenstream.domain.history.stretches import past_of
from greenstream.domain.limits import Limits
from greenstream.domain.rules.b2_missing import consecutive_missing

LIMITS = Limits()
YEARS = 17 * 365
METERS = 100


def day(number: int, meters: list[int]) -> DayValues:
    """A reading of 1 kW in the first slot of a day."""
    values = np.full((len(meters), 96), -3, dtype=np.int32)
    values[:, 0] = 10_000
    return DayValues(slots=range(number * 96, number * 96 + 96), meters=np.array(meters, dtype=np.int64), values=values)


def past(days: list[DayValues], begins: list[int], stop: int) -> Past:
    return past_of(
        days,
        keys=np.arange(len(begins), dtype=np.int64),
        begins=np.array(begins, dtype=np.int64) * 96,
        ends=np.full(len(begins), FAR),
        start=-9 * 96,
        stop=stop,
        limits=LIMITS,
    )


def cells(past: Past) -> int:
    return sum(grid.values.size for grid in past.grids)


def test_a_reading_years_ago_costs_a_few_days_of_slots() -> None:
    now = day(YEARS, list(range(METERS)))
    usual = past([now], [YEARS] * METERS, YEARS * 96 + 1)
    reset = past([day(0, list(range(METERS))), now], [0] * METERS, YEARS * 96 + 1)
    assert cells(reset) - cells(usual) <= METERS * 12 * 96


def test_readings_at_different_times_cost_no_more() -> None:
    dates = [day(60 * meter, [meter]) for meter in range(METERS)]
    now = day(YEARS, list(range(METERS)))
    assert cells(past([*dates, now], [60 * meter for meter in range(METERS)], YEARS * 96 + 1)) <= METERS * 13 * 96


def test_a_gap_of_years_is_one_run() -> None:
    runs = consecutive_missing(past([day(0, [0]), day(YEARS, [0])], [0], YEARS * 96 + 1), -1, LIMITS)
    assert (runs.first.tolist(), runs.last.tolist()) == ([1], [YEARS * 96 - 1])


def test_a_meter_without_a_reading_in_sight_is_silent_from_end_to_end() -> None:
    runs = silences(past([], [-20], 500), -9 * 96)
    assert (runs.first.tolist(), runs.last.tolist()) == ([-9 * 96], [499])
