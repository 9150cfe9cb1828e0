"""B4.2: a reading far above the week before it."""

from functools import partial

import pytest
from tests.rules.slots import figures, findings, windows

spikes = partial(windows, "ERRATIC_SPIKE")
DAY = "48 × (1 kW, 1.5 kW)"  # mean 1.25 kW, standard deviation 0.25 kW


def test_a_reading_above_mean_and_four_deviations_is_a_spike() -> None:
    assert spikes(f"{DAY}, 2.2501 kW, 1 kW") == [(96, 96)]


def test_a_reading_at_mean_and_four_deviations_is_clean() -> None:
    assert spikes(f"{DAY}, 2.25 kW, 1 kW") == []


def test_95_usable_values_before_it_are_too_few() -> None:
    assert spikes("47 × (1 kW, 1.5 kW), 1 kW, 9 kW") == []
    assert spikes("47 × (1 kW, 1.5 kW), 1 kW, missing, 9 kW") == []


def test_96_usable_values_are_enough_wherever_they_lie() -> None:
    assert spikes("100 × missing, 48 × (1 kW, missing, 1.5 kW), 9 kW") == [(244, 244)]


def test_without_any_spread_there_is_no_spike() -> None:
    assert spikes("96 × 1 kW, 9 kW") == []


@pytest.mark.parametrize("value", ["50 kW", "60 kW", "999 kW"])
def test_a_reading_out_of_range_can_be_a_spike_but_is_never_part_of_a_mean(value: str) -> None:
    assert spikes(f"{DAY}, {value}, 2.2501 kW") == [(96, 96), (97, 97)]


def test_a_usable_spike_is_part_of_the_mean_of_the_next_one() -> None:
    assert spikes(f"{DAY}, 9 kW, 4 kW") == [(96, 96)]


@pytest.mark.parametrize("value", ["missing", "no kW", "-1 kW", "0 kW", "0.2 kW"])
def test_nothing_far_below_is_a_spike(value: str) -> None:
    assert spikes(f"{DAY}, {value}") == []


def test_it_looks_back_672_slots_and_no_further() -> None:
    assert spikes("40 kW, 96 × (1 kW, 1.5 kW), 479 × missing, 3 kW, 3 kW") == [(673, 673)]


def test_a_young_meter_is_judged_once_it_has_96_values() -> None:
    assert spikes(f"40 × not yet, {DAY}, 9 kW") == [(136, 136)]


def test_the_figures_are_those_of_the_week_before() -> None:
    found = figures("ERRATIC_SPIKE", f"{DAY}, 9 kW")
    assert found == {"kw": 9, "usable": 96, "mean_kw": 1.25, "std_kw": 0.25, "variance_kw2": 0.0625}


def test_meters_are_judged_each_by_itself() -> None:
    assert findings(f"{DAY}, 9 kW", f"{DAY}, 1 kW")["meter_key"].to_list() == [0]
