"""B1.3: kW rounded to 4 decimals, ties away from zero, on the number as written."""

import pytest
from tests.rules.rows import kw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.49999 kW", 2.5),
        ("2.49994999 kW", 2.4999),
        ("2.49995 kW", 2.5),
        ("0.00005 kW", 0.0001),
        ("-0.00005 kW", -0.0001),
        ("0.00004999999999999999999999999999999 kW", 0.0),
        ("1234.55 W", 1.2346),
        ("1234.45 W", 1.2345),
        ("0.05 W", 0.0001),
        ("0.049 W", 0.0),
        ("1.00015 kW", 1.0002),
        ("2.5e-5 kW", 0.0),
        ("5e-5 kW", 0.0001),
        ("1e-99999999999999999999 kW", 0.0),
        ("5" + "0" * 30 + "e-30 kW", 5.0),
    ],
)
def test_it_rounds_half_away_from_zero(text: str, expected: float) -> None:
    assert kw(text) == expected


def test_a_negative_zero_is_zero() -> None:
    assert str(kw("-0 W")) == "0.0"
    assert str(kw("-0.00001 kW")) == "0.0"
