"""B4.1: a day's values that hardly vary."""

from functools import partial

import pytest
from tests.rules.slots import figures, windows

stuck = partial(windows, "STUCK_METER")


def test_a_value_that_stays_is_stuck_from_the_87th_on() -> None:
    assert stuck("87 × 1.5 kW") == [(86, 86)]


def test_86_usable_values_are_too_few() -> None:
    assert stuck("86 × 1.5 kW, 10 × missing") == []


def test_87_usable_values_of_96_slots_are_enough_wherever_they_lie() -> None:
    assert stuck("9 × no kW, 87 × 1.5 kW, 9 kW") == [(95, 95)]
    assert stuck("87 × 1.5 kW, 9 × missing, 9 kW") == [(86, 95)]


def test_a_variance_of_exactly_a_hundredth_is_clean() -> None:
    assert stuck("48 × (1 kW, 5 kW), 48 × (1 kW, 1.2 kW)") == []


def test_a_variance_below_a_hundredth_is_stuck() -> None:
    assert stuck("48 × (1 kW, 5 kW), 48 × (1 kW, 1.1998 kW)") == [(191, 191)]


def test_what_varies_is_clean() -> None:
    assert stuck("200 × (1 kW, 1.5 kW)") == []


def test_it_holds_until_the_window_has_seen_enough_of_something_else() -> None:
    assert stuck("96 × 1 kW, 20 × 2 kW") == [(86, 95)]


@pytest.mark.parametrize("outside", ["50 kW", "99 kW", "-1 kW", "no kW", "missing"])
def test_values_that_are_not_usable_are_not_looked_at(outside: str) -> None:
    assert stuck(f"90 × 1 kW, {outside}") == [(86, 90)]


def test_zeros_are_constant_as_well() -> None:
    assert stuck("96 × 0 kW, 9 kW") == [(86, 95)]


def test_a_run_crosses_midnight() -> None:
    assert stuck("50 × (1 kW, 5 kW), 96 × 1 kW, 50 × (1 kW, 5 kW)") == [(195, 196)]


def test_a_young_meter_needs_as_many_values() -> None:
    assert stuck("40 × not yet, 86 × 1 kW") == []
    assert stuck("40 × not yet, 87 × 1 kW") == [(126, 126)]


def test_the_figures_are_those_of_the_last_slot() -> None:
    found = figures("STUCK_METER", "48 × (1 kW, 5 kW), 48 × (1 kW, 1.1998 kW)")
    assert found == {"usable": 96, "mean_kw": 1.0999, "std_kw": 0.0999, "variance_kw2": 0.00998001}
