"""parse: rows that are no records, and rows without a meter."""

import pytest
from tests.rules.rows import read, read_rows, reading

HEADER = "meter_id,timestamp,energy_value\n"
GOOD = "SM-1,2024-03-15 18:45,1 kW"


def codes(line: str) -> list[tuple[int, str, str]]:
    rejected = read(HEADER + line + "\n" + GOOD).quarantined
    return [(row["line_number"], row["rule_id"], row["code"]) for row in rejected]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "SM-1,2024-03-15 18:45",
        GOOD + ",",
        GOOD + ",x",
        '"' + GOOD,
        'SM-"1,2024-03-15 18:45,1 kW',
        '"SM"-1,2024-03-15 18:45,1 kW',
        ' "SM-1",2024-03-15 18:45,1 kW',
        GOOD + "\x00",
        GOOD + "\x7f",
        "SM-1,2024-03-15 18:45,1\rkW",
    ],
)
def test_a_line_that_is_no_record_is_malformed(line: str) -> None:
    assert codes(line) == [(2, "parse", "MALFORMED_ROW")]


@pytest.mark.parametrize(
    "line", [GOOD, '"SM-1","2024-03-15 18:45","1 kW"', 'SM-1,2024-03-15 18:45,"1 ""kW"""', "SM\t1,?,"]
)
def test_a_sound_line_is_not(line: str) -> None:
    assert "MALFORMED_ROW" not in [code for _, _, code in codes(line)]


@pytest.mark.parametrize("meter_id", ["", "  ", "null", "NaN", "N/A", "-", "M" * 65, "電" * 65])
def test_a_row_without_a_usable_meter_id_is_rejected(meter_id: str) -> None:
    [row] = read_rows([(meter_id, "2024-03-15 18:45", "1 kW", "", "")]).quarantined
    assert (row["rule_id"], row["code"]) == ("parse", "MISSING_METER_ID")


@pytest.mark.parametrize("meter_id", ["M" * 64, "電" * 64, "0", "nanny", "SM 4 8", "-1"])
def test_a_meter_id_of_up_to_64_characters_is_kept(meter_id: str) -> None:
    assert reading(meter_id=meter_id)["meter_id"] == meter_id


def test_a_meter_id_is_trimmed_before_it_is_measured() -> None:
    assert reading(meter_id="  " + "M" * 64 + "\t")["meter_id"] == "M" * 64


def test_bytes_that_are_not_text_are_shown_in_hex() -> None:
    [row] = read(HEADER + "SM-1\x01,2024-03-15 18:45,1 kW").quarantined
    assert row["raw_line"] == r"SM-1\x01,2024-03-15 18:45,1 kW"
