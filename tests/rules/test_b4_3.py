"""B4.3: more than a fifth of a week missing."""

from datetime import date
from functools import partial

from tests.rules.slots import figures, windows

failures = partial(windows, "COMMUNICATION_FAILURE")


def test_135_of_672_missing_slots_are_a_failure_on_that_day() -> None:
    assert failures("537 × 1 kW, 135 × missing") == [(576, 671)]


def test_134_of_672_missing_slots_are_clean() -> None:
    assert failures("538 × 1 kW, 134 × missing") == []


def test_a_young_meter_is_judged_by_the_slots_it_has() -> None:
    assert failures("76 × 1 kW, 20 × missing") == [(0, 95)]
    assert failures("77 × 1 kW, 19 × missing") == []


def test_a_meter_of_95_slots_is_too_young() -> None:
    assert failures("not yet, 1 kW, 94 × missing") == []


def test_a_failure_begins_with_the_meter_where_that_is_later_than_the_day() -> None:
    assert failures("40 × not yet, 1 kW, 151 × missing") == [(96, 191)]
    assert failures("96 × not yet, 1 kW, 95 × missing") == [(96, 191)]


def test_days_one_after_another_are_one_run_that_lasts_as_long_as_the_week_is_bad() -> None:
    assert failures("672 × 1 kW, 136 × missing, 56 × 1 kW, 864 × 1 kW") == [(768, 1343)]


def test_a_day_that_is_not_over_is_not_judged() -> None:
    assert failures("96 × 1 kW, 95 × missing") == []


def test_a_day_without_any_reading_of_the_fleet_is_not_judged() -> None:
    meter, lost_day = "96 × 1 kW, 288 × missing", date(2024, 3, 17)
    assert failures(meter) == [(96, 383)]
    assert failures(meter, without=(lost_day,)) == [(96, 191), (288, 383)]


def test_what_comes_without_a_kw_has_come() -> None:
    assert failures("537 × 1 kW, 135 × no kW") == []


def test_seven_days_with_a_short_one_are_the_668_slots_of_a_young_meter() -> None:
    spring = partial(failures, day=date(2024, 3, 30), timezone="Europe/Berlin")
    assert spring("534 × 1 kW, 134 × missing") == [(572, 667)]
    assert spring("535 × 1 kW, 133 × missing") == []


def test_seven_days_with_a_long_one_are_four_slots_more_than_the_window() -> None:
    autumn = partial(failures, day=date(2024, 10, 26), timezone="Europe/Berlin")
    assert autumn("4 × 1 kW, missing, 537 × 1 kW, 134 × missing") == [(580, 675)]
    assert autumn("4 × missing, 538 × 1 kW, 134 × missing") == []


def test_a_short_day_is_too_young_by_itself_and_a_long_one_is_not() -> None:
    assert failures("92 × missing, 96 × 1 kW", day=date(2024, 3, 31), timezone="Europe/Berlin") == [(92, 187)]
    assert failures("1 kW, 99 × missing", day=date(2024, 10, 27), timezone="Europe/Berlin") == [(0, 99)]


def test_the_figures_are_those_of_the_last_day() -> None:
    assert figures("COMMUNICATION_FAILURE", "504 × 1 kW, 168 × missing") == {
        "missing": 168,
        "slots": 672,
        "share": 0.25,
    }
