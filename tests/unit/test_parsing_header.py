"""The first line: delimiter, columns, encoding."""

import pytest
from tests.unit.parsing_support import parse, reason

ROW = "SM-1,2024-03-15 18:45,1 kW"
RECORD = (2, "SM-1", "2024-03-15 18:45", "1 kW", None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(delimiter: str) -> None:
    text = f"meter_id,timestamp,energy_value\n{ROW}".replace(",", delimiter)
    assert parse(text).records == [RECORD]


@pytest.mark.parametrize(
    "header",
    ["METER_ID,Timestamp,energy_VALUE", " meter_id ,\ttimestamp,energy_value ", '"meter_id","timestamp",energy_value'],
)
def test_names_match_without_regard_to_case_blanks_and_quotes(header: str) -> None:
    assert parse(f"{header}\n{ROW}").records == [RECORD]


def test_columns_come_in_any_order() -> None:
    text = "location,energy_value,unit,meter_id,timestamp\nResidential_Zone_7,1,kW,SM-1,2024-03-15 18:45"
    assert parse(text).records == [(2, "SM-1", "2024-03-15 18:45", "1 kW", "Residential_Zone_7")]


def test_other_columns_are_ignored_and_named() -> None:
    parsed = parse('meter_id,Firmware,timestamp,energy_value,"a, b"\nSM-1,9.1,2024-03-15 18:45,1 kW,"x, ""y"""')
    assert parsed.records == [RECORD]
    assert parsed.ignored_columns == ("Firmware", "a, b")


def test_of_a_repeated_column_the_first_counts() -> None:
    parsed = parse("meter_id,timestamp,energy_value,Meter_ID\nSM-1,2024-03-15 18:45,1 kW,SM-9")
    assert parsed.records == [RECORD]
    assert parsed.ignored_columns == ("Meter_ID",)


def test_a_byte_order_mark_is_allowed() -> None:
    assert parse(b"\xef\xbb\xbfmeter_id,timestamp,energy_value\n" + ROW.encode()).records == [RECORD]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_header_without_rows_is_a_file_of_no_rows(end: str) -> None:
    assert parse("meter_id,timestamp,energy_value" + end).rows == 0


@pytest.mark.parametrize(
    "line",
    [b"meter_id,timestamp,energy_value,\xff", "meter_id,timestamp,energy_value".encode("utf-16"), b"meter_id,\x00"],
)
def test_a_header_that_is_no_text_is_of_bad_encoding(line: bytes) -> None:
    assert reason(line + b"\nx") == "BAD_ENCODING"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "meter_id,timestamp",
        "meter_id;timestamp,energy_value",
        "meter,timestamp,energy_value",
        "SM-1,2024-03-15 18:45,1 kW",
        '"meter_id,timestamp,energy_value',
        "sep=;",
        "\ufeff\ufeffmeter_id,timestamp,energy_value",
    ],
)
def test_without_the_three_columns_the_file_is_rejected(line: str) -> None:
    assert reason(f"{line}\nmeter_id,timestamp,energy_value") == "MISSING_COLUMN"
