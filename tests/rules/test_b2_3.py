"""B2.3: more than 4 missing slots in a row."""

from datetime import date
from functools import partial

import pytest
from tests.rules.slots import figures, windows

runs = partial(windows, "CONSECUTIVE_MISSING")


def test_five_missing_slots_are_a_run() -> None:
    assert runs("1 kW, 5 × missing, 1 kW") == [(1, 5)]


def test_four_missing_slots_are_clean() -> None:
    assert runs("1 kW, 4 × missing, 1 kW") == []


def test_the_run_is_as_long_as_it_lasts_and_is_found_while_it_is_open() -> None:
    assert runs("1 kW, 20 × missing") == [(1, 20)]


def test_each_run_is_a_finding_of_its_own() -> None:
    assert runs("1 kW, 5 × missing, 1 kW, 6 × missing, 1 kW") == [(1, 5), (7, 12)]


@pytest.mark.parametrize("reading", ["0 kW", "-1 kW", "99 kW", "no kW"])
def test_any_reading_that_is_not_null_ends_a_run(reading: str) -> None:
    assert runs(f"1 kW, 4 × missing, {reading}, 4 × missing, 1 kW") == []


def test_a_run_crosses_midnight() -> None:
    assert runs("93 × 1 kW, 6 × missing, 1 kW") == [(93, 98)]


@pytest.mark.parametrize(("day", "length"), [(date(2024, 3, 31), 92), (date(2024, 10, 27), 100)])
def test_a_day_of_another_length_is_no_longer_a_gap(day: date, length: int) -> None:
    meter = f"{length - 2} × 1 kW, 4 × missing, {length} × 1 kW"
    assert runs(meter, day=day, timezone="Europe/Berlin") == []


def test_slots_before_a_meters_first_one_are_not_missing() -> None:
    assert runs("40 × not yet, 1 kW, 4 × missing") == []


def test_slots_from_a_meters_end_on_are_not_missing() -> None:
    assert runs("1 kW, 20 × missing", ends=5) == []


def test_the_figures_are_the_length_of_the_run() -> None:
    assert figures("CONSECUTIVE_MISSING", "1 kW, 7 × missing, 1 kW") == {"run_slots": 7}
