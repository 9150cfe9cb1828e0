"""B3.1: power in range."""

import pytest
from tests.rules.rows import flags


@pytest.mark.parametrize("text", ["0.0001 kW", "0.00005 kW", "49.9999 kW", "49.99994 kW", "49999.9 W"])
def test_inside_it_is_clean(text: str) -> None:
    assert flags(text) == ()


@pytest.mark.parametrize(
    "text", ["0 kW", "-0 W", "0.00004 kW", "50 kW", "49.99995 kW", "49999.95 W", "-1 kW", "999 kW"]
)
def test_at_the_bounds_and_outside_after_rounding_it_is_out_of_range(text: str) -> None:
    assert flags(text) == ("OUT_OF_RANGE",)


@pytest.mark.parametrize("text", ["abc", "99 Volts", "null"])
def test_without_kw_the_range_is_not_judged(text: str) -> None:
    assert "OUT_OF_RANGE" not in flags(text)
