"""B1.2: the energy is a number and a unit."""

import pytest
from tests.rules.rows import flags, kw, read, reading

NUMBERS = ("5 kW", "5. kW", ".5 kW", "+5 kW", "-5 kW", "5e0 kW", "5E+1 kW", "007 kW", "5    kW", "5kW")
NO_NUMBERS = (
    "12..5 kW", "abc", "3 250 W", "0x10 W", "1.2.3 kW", "--5 kW", ". kW", "kW", "e5 kW", "1e kW", "1_000 W", "5-3 kW",
    "5 kW 5", "inf kW", "NaN kW", "5 kW.", "٣٢٥٠ W", "3250\u00a0W", "5 k W", "5 %", "1 e3 W", "½ kW", "5²",
)  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_with_a_known_unit_is_clean(text: str) -> None:
    assert not {"INVALID_VALUE", "INVALID_UNIT"} & set(flags(text))


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_anything_else_is_an_invalid_value_without_kw(text: str) -> None:
    assert flags(text) == ("INVALID_VALUE",)
    assert kw(text) is None


@pytest.mark.parametrize("unit", ["W", "w", "kW", "KW", "Watt", "WATT", "Kilowatt", "kiLOwatt"])
def test_units_are_known_in_any_case(unit: str) -> None:
    assert "INVALID_UNIT" not in flags("5", unit)


@pytest.mark.parametrize("text", ["230 Volts", "5 MW", "5 kWh", "5 Watts", "5 e", "5 Ω", "5", "5 kẅ", "-3.5"])
def test_another_unit_or_none_is_an_invalid_unit_without_kw(text: str) -> None:
    assert flags(text) == ("INVALID_UNIT",)
    assert kw(text) is None


@pytest.mark.parametrize("unit", ["null", "-", " ", "N/A"])
def test_a_null_unit_is_no_unit(unit: str) -> None:
    assert flags("3250", unit) == ("INVALID_UNIT",)


def test_a_value_keeps_its_text_and_its_unit() -> None:
    assert reading(energy_value=" 3250 ", unit=" W ")["energy_value"] == "3250 W"
    assert reading(energy_value="12..5 kW")["energy_value"] == "12..5 kW"


@pytest.mark.parametrize(
    "text",
    [
        "1e9 kW",
        "-1e9 kW",
        "1000000000 kW",
        "1e12 W",
        "1e400 W",
        "9" * 250 + " kW",
        "1e99999999999999999999 W",
        "999999999.99995 kW",
        "-999999999999.95 W",
    ],
)
def test_a_billion_kilowatts_and_more_is_an_invalid_value(text: str) -> None:
    assert flags(text) == ("INVALID_VALUE",)
    assert kw(text) is None


@pytest.mark.parametrize("text", ["999999999.9999 kW", "999999999.99994 kW", "-999999999 kW", "999999999999.9 W"])
def test_just_below_a_billion_kilowatts_is_only_out_of_range(text: str) -> None:
    assert flags(text) == ("OUT_OF_RANGE",)


def test_a_huge_number_without_a_known_unit_is_an_invalid_unit() -> None:
    assert flags("1e400 Volts") == ("INVALID_UNIT",)


def test_in_a_comma_file_a_comma_in_a_value_is_not_guessed() -> None:
    assert flags("1,234 W") == ("INVALID_VALUE",)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_decimal_comma_is_understood_with_another_delimiter(delimiter: str) -> None:
    [only] = read(delimiter.join(["meter_id", "timestamp", "energy_value"]) + "\n"
                  + delimiter.join(["SM-1", "2024-03-15 18:45", "3,25 kW"])).readings  # fmt: skip
    assert only["consumption_kw"] == 3.25
    assert only["energy_value"] == "3,25 kW"


def test_thousands_are_not_guessed_with_another_delimiter_either() -> None:
    assert flags("1.234,5 W", delimiter=";") == ("INVALID_VALUE",)
    assert flags("1,234,567 W", delimiter=";") == ("INVALID_VALUE",)
