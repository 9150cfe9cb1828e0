"""B3.2: more than 96 slots in a row at exactly 0 kW."""

from datetime import date
from functools import partial

import pytest
from tests.rules.slots import figures, windows

runs = partial(windows, "DEAD_METER")


def test_ninety_seven_zeros_are_a_dead_meter() -> None:
    assert runs("1 kW, 97 × 0 kW, 1 kW") == [(1, 97)]


def test_ninety_six_zeros_are_clean() -> None:
    assert runs("1 kW, 96 × 0 kW, 1 kW") == []


@pytest.mark.parametrize("other", ["0.0001 kW", "-1 kW", "no kW", "missing"])
def test_anything_but_zero_ends_a_run(other: str) -> None:
    assert runs(f"90 × 0 kW, {other}, 90 × 0 kW") == []


@pytest.mark.parametrize(("day", "length"), [(date(2024, 3, 31), 92), (date(2024, 10, 27), 100)])
def test_a_run_is_of_slots_however_long_the_day(day: date, length: int) -> None:
    found = runs(f"{length} × 0 kW, 5 × 0 kW, 1 kW", day=day, timezone="Europe/Berlin")
    assert found == [(0, length + 4)]


def test_a_day_of_hundred_slots_at_zero_is_long_enough_and_one_of_ninety_two_is_not() -> None:
    assert runs("100 × 0 kW, 1 kW", day=date(2024, 10, 27), timezone="Europe/Berlin") == [(0, 99)]
    assert runs("92 × 0 kW, 1 kW", day=date(2024, 3, 31), timezone="Europe/Berlin") == []


def test_a_meter_can_be_dead_from_its_first_slot_on() -> None:
    assert runs("10 × not yet, 97 × 0 kW") == [(10, 106)]


def test_the_figures_are_the_length_of_the_run() -> None:
    assert figures("DEAD_METER", "100 × 0 kW, 1 kW") == {"run_slots": 100}
