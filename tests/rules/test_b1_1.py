"""B1.1: W to kW."""

import pytest
from tests.rules.rows import kw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3250 W", 3.25),
        ("3250 watt", 3.25),
        ("1 w", 0.001),
        ("3.25 kW", 3.25),
        ("3.25 KILOWATT", 3.25),
        ("3250.5W", 3.2505),
    ],
)
def test_watts_are_divided_by_1000_and_kilowatts_stay(text: str, expected: float) -> None:
    assert kw(text) == expected


def test_the_unit_column_counts_where_the_value_has_none() -> None:
    assert kw("3250", "W") == 3.25
    assert kw("3250", "kilowatt") == 3250


def test_the_unit_in_the_value_goes_before_the_unit_column() -> None:
    assert kw("3250 W", "kW") == 3.25


def test_an_exponent_is_not_a_unit() -> None:
    assert kw("3.25e3 W") == 3.25
    assert kw("3.25E3W") == 3.25
    assert kw("325e-2", "kW") == 3.25
