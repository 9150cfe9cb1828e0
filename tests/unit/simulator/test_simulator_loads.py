from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from greenstream.simulator import SimulationPlan
from greenstream.simulator.blocks import Blocks
from greenstream.simulator.faults.registry import ROW_FAULTS
from greenstream.simulator.scenario import Scenario, scenario_of

MONDAY = date(2024, 3, 11)


def kilowatts(scenario: Scenario) -> NDArray[np.float64]:
    """Meters by slots."""
    blocks = Blocks(scenario)
    days = [blocks.cells(range(scenario.plan.meters), day).watts for day in scenario.days]
    return np.concatenate(days, axis=1) / 1000


@pytest.fixture(scope="module")
def week() -> Scenario:
    return scenario_of(SimulationPlan(meters=1500, days=8, start=MONDAY, residential_share=0.7))


@pytest.fixture(scope="module")
def loads(week: Scenario) -> NDArray[np.float64]:
    return kilowatts(week)


def hourly(loads: NDArray[np.float64], day: int) -> NDArray[np.float64]:
    return loads[:, day * 96 : (day + 1) * 96].mean(axis=0).reshape(24, 4).mean(axis=1)


def test_households_peak_in_the_evening_with_a_smaller_peak_in_the_morning(
    week: Scenario, loads: NDArray[np.float64]
) -> None:
    day = hourly(loads[week.fleet.residential], 1)
    assert 17 <= day.argmax() <= 20
    assert 6 <= day[:11].argmax() <= 8
    assert day[:11].max() > day[11:16].min()
    assert day.max() > 2 * day[2:5].mean()


def test_households_rise_later_at_weekends(week: Scenario, loads: NDArray[np.float64]) -> None:
    home = loads[week.fleet.residential]
    workday, saturday = hourly(home, 1), hourly(home, 5)
    assert saturday[6:8].mean() < workday[6:8].mean()
    assert saturday[10:13].mean() > workday[10:13].mean()


def test_businesses_keep_office_hours_and_rest_on_sundays(week: Scenario, loads: NDArray[np.float64]) -> None:
    office = loads[~week.fleet.residential]
    workday, sunday = hourly(office, 1), hourly(office, 6)
    assert workday[9:16].mean() > 3 * workday[0:4].mean()
    assert sunday.max() < 1.3 * sunday.min()
    assert workday[9:16].mean() > 3 * sunday[9:16].mean()


def test_clean_loads_are_positive_below_50_kw_and_of_a_plausible_size(
    week: Scenario, loads: NDArray[np.float64]
) -> None:
    assert loads.min() > 0
    assert loads.max() < 50
    assert 0.4 < loads[week.fleet.residential].mean() < 1.2
    assert 3 < loads[~week.fleet.residential].mean() < 10


def test_neighbouring_slots_are_alike_across_midnight_too(loads: NDArray[np.float64]) -> None:
    ratio = np.log(loads[:, 1:] / loads[:, :-1])
    at_midnight = ratio[:, 95::96]
    assert at_midnight.std() < 1.2 * ratio.std()


def test_clean_readings_are_seldom_spikes_and_clean_meters_seldom_stuck(loads: NDArray[np.float64]) -> None:
    history = np.lib.stride_tricks.sliding_window_view(loads[:, :-1], 672, axis=1)
    limits = history.mean(axis=-1) + 4 * history.std(axis=-1)
    assert (loads[:, 672:] > limits).mean() < 0.001
    days = loads.reshape(len(loads), 8, 96)
    assert (days.var(axis=-1) < 0.01).mean() < 0.005


def test_winter_needs_more_than_spring_and_cooling_fills_summer_afternoons() -> None:
    def mean(start: date) -> NDArray[np.float64]:
        scenario = scenario_of(SimulationPlan(meters=800, days=1, start=start, residential_share=1))
        return hourly(kilowatts(scenario), 0)

    winter, spring, summer = (mean(day) for day in (date(2024, 1, 16), date(2024, 5, 14), date(2024, 7, 16)))
    assert winter.mean() > 1.15 * spring.mean()
    assert summer[13:17].mean() > 1.1 * spring[13:17].mean()


def test_a_meters_load_stays_when_days_and_meters_are_added() -> None:
    small = kilowatts(scenario_of(SimulationPlan(meters=300, days=2)))
    large = kilowatts(scenario_of(SimulationPlan(meters=1200, days=4, regions=3)))
    assert np.array_equal(small, large[:300, : small.shape[1]])


def test_a_days_load_does_not_depend_on_the_day_the_plan_begins() -> None:
    longer = kilowatts(scenario_of(SimulationPlan(meters=50, days=3, start=date(2024, 3, 15))))
    later = kilowatts(scenario_of(SimulationPlan(meters=50, days=1, start=date(2024, 3, 17))))
    assert np.array_equal(longer[:, 192:], later)


def test_row_faults_stay_when_days_are_added() -> None:
    faults = dict.fromkeys(ROW_FAULTS, 0.01)
    short, long = (scenario_of(SimulationPlan(meters=300, days=days, faults=faults)) for days in (1, 3))
    codes = [Blocks(scenario).cells(range(300), scenario.days[0]).codes for scenario in (short, long)]
    assert codes[0].any()
    assert np.array_equal(*codes)
