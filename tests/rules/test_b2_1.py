"""B2.1: a missing reading."""

import pytest
from tests.rules.rows import flags, kw, reading

NULLS = ("", " ", "null", "NULL", "None", "NaN", "na", "N/A", "-", "\t-\t", "nOnE")


@pytest.mark.parametrize("text", NULLS)
def test_a_null_energy_is_missing_and_nothing_else_is_judged(text: str) -> None:
    assert flags(text, "Volts") == ("MISSING_READING",)
    assert kw(text) is None


def test_a_measured_energy_is_not_missing() -> None:
    assert flags("3250 W") == ()
    assert flags("0 W") == ("OUT_OF_RANGE",)


def test_a_unit_does_not_make_an_energy_of_nothing() -> None:
    assert reading(energy_value="-", unit="kW")["energy_value"] is None


def test_a_null_token_with_a_unit_behind_it_is_a_broken_value() -> None:
    assert flags("null W") == ("INVALID_VALUE",)
    assert flags("- W") == ("INVALID_VALUE",)
