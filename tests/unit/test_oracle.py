"""The oracle against answers worked out by hand: files, rows, energies, scores."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import zstandard
from tests.oracle.reference import Evaluation, current, evaluate_file, period, place, record_id, store

NOW = datetime(2024, 3, 20, tzinfo=UTC)
HEADER = "meter_id,timestamp,energy_value,unit,location"
MINIMAL = b"meter_id,timestamp,energy_value\nSM-1,2024-03-15 10:00,5 kW\n"


def evaluate(content: str | bytes, name: str = "readings.csv", **settings: Any) -> Evaluation:
    data = content.encode() if isinstance(content, str) else content
    return evaluate_file(name, data, **{"received_at": NOW, "now": NOW, **settings})


def energy(value: str, unit: str = "", delimiter: str = ",") -> tuple[str | None, Decimal | None, tuple[str, ...]]:
    cells = ("SM-1", "2024-03-15 10:00", f'"{value}"', f'"{unit}"', "")
    [reading] = evaluate(f"{HEADER.replace(',', delimiter)}\n{delimiter.join(cells)}").readings
    return reading.energy_value, reading.consumption_kw, reading.flags


def quarantine_codes(content: str | bytes, **settings: Any) -> list[tuple[int, str, str]]:
    return [(row.line_number, row.rule_id, row.code) for row in evaluate(content, **settings).quarantined]


def test_known_record_id() -> None:
    known = "94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a"
    assert record_id("SM-48291", datetime(2024, 3, 15, 18, 45, tzinfo=UTC), "3250 W") == known


def test_the_sample_record() -> None:
    header = "meter_id,timestamp,energy_value,location"
    evaluation = evaluate(f"{header}\nSM-48291,2024-03-15 18:45:00,3250 W,Residential_Zone_7\n")
    [reading] = evaluation.readings
    assert (reading.consumption_kw, reading.period, reading.season) == (Decimal("3.25"), "peak", "spring")
    assert (reading.region, reading.customer_class) == ("Zone7", "Residential")
    assert (reading.quality_score, reading.quality_grade, reading.flags) == (100, "A", ())
    assert reading.record_id.startswith("94c80d43")
    assert (reading.line_number, evaluation.rows) == (2, 1)


def zst(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("readings.txt", b"", "BAD_EXTENSION"),
        ("readings.gz", MINIMAL, "BAD_EXTENSION"),
        ("readings.csv", b"", "EMPTY_FILE"),
        ("readings.csv.gz", gzip.compress(b"", mtime=0), "EMPTY_FILE"),
        ("readings.csv.zst", zst(b""), "EMPTY_FILE"),
        ("readings.csv", MINIMAL * 5, "TOO_LARGE"),
        ("readings.csv.gz", gzip.compress(MINIMAL * 20, mtime=0), "TOO_LARGE"),
        ("readings.csv.zst", zst(MINIMAL * 20), "TOO_LARGE"),
        ("readings.csv.gz", gzip.compress(MINIMAL, mtime=0)[:-1], "CORRUPT_ARCHIVE"),
        ("readings.csv.gz", gzip.compress(MINIMAL, mtime=0) + b"trailing", "CORRUPT_ARCHIVE"),
        ("readings.csv.gz", MINIMAL, "CORRUPT_ARCHIVE"),
        ("readings.csv.zst", zst(MINIMAL)[:-1], "CORRUPT_ARCHIVE"),
        ("readings.csv.zst", zst(MINIMAL) + b"trailing", "CORRUPT_ARCHIVE"),
        ("readings.csv", b"meter_id,timestamp,energy_value,\xff\n", "BAD_ENCODING"),
        ("readings.csv", b"meter_id,timestamp,energy_value\x00\n", "BAD_ENCODING"),
        ("readings.csv", "meter_id,timestamp,energy_value".encode("utf-16"), "BAD_ENCODING"),
        ("readings.csv", b"meter_id,timestamp\n", "MISSING_COLUMN"),
        ("readings.csv", b"\n" + MINIMAL, "MISSING_COLUMN"),
        ("readings.csv", b"\xef\xbb\xbf", "MISSING_COLUMN"),
        ("readings.csv", b'meter_id,timestamp,energy_value,"x\n', "MISSING_COLUMN"),
        ("readings.csv", b"meter_id,timestamp,energy_value", None),
        ("readings.CSV", b"\xef\xbb\xbf" + MINIMAL, None),
        ("readings.Csv.Gz", gzip.compress(MINIMAL[:40], mtime=0) + gzip.compress(MINIMAL[40:], mtime=0), None),
        ("readings.csv.ZST", zst(MINIMAL[:40]) + zst(MINIMAL[40:]), None),
    ],
)  # fmt: skip
def test_file_checks(name: str, content: bytes, reason: str | None) -> None:
    assert evaluate(content, name, max_bytes=200, max_decompressed_bytes=500).reason == reason


@pytest.mark.parametrize(
    "header",
    [
        "meter_id,timestamp,energy_value",
        " METER_ID ; Timestamp;\tEnergy_Value ",
        "meter_id\ttimestamp\tenergy_value",
        '"meter_id"|"timestamp"|"energy_value"',
    ],
)
def test_every_delimiter_is_found_from_the_header(header: str) -> None:
    delimiter = next(each for each in ",;|\t" if each in header)
    row = delimiter.join(("SM-1", "2024-03-15 10:00", "5 kW"))
    assert [each.meter_id for each in evaluate(f"{header}\r\n{row}\r").readings] == ["SM-1"]


def test_of_a_repeated_column_the_first_counts() -> None:
    content = "Phase,meter_id,Meter_ID,timestamp,energy_value,Phase\nL1,SM-1,SM-2,2024-03-15 10:00,5 kW,L2"
    evaluation = evaluate(content)
    assert evaluation.ignored_columns == ("Phase", "Meter_ID")
    assert [each.meter_id for each in evaluation.readings] == ["SM-1"]


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    evaluation = evaluate(MINIMAL + b"\n \t\r\n\r\nSM-2,2024-03-15 10:00,5 kW\n\n")
    assert (evaluation.rows, [each.line_number for each in evaluation.readings]) == (2, [2, 6])


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        (b"SM-1,2024-03-15 10:00", "SM-1,2024-03-15 10:00"),
        (b"SM-1,2024-03-15 10:00,5 kW,", "SM-1,2024-03-15 10:00,5 kW,"),
        (b'"SM-1,2024-03-15 10:00,5 kW\r', '"SM-1,2024-03-15 10:00,5 kW'),
        (b'SM"1,2024-03-15 10:00,5 kW', 'SM"1,2024-03-15 10:00,5 kW'),
        (b'SM-1, "2024-03-15 10:00",5 kW', 'SM-1, "2024-03-15 10:00",5 kW'),
        (b'"SM-1" ,2024-03-15 10:00,5 kW', '"SM-1" ,2024-03-15 10:00,5 kW'),
        (b"SM-\xc3\xa4\xff\xe2\x82,2024-03-15 10:00,5 kW", "SM-ä\\xff\\xe2\\x82,2024-03-15 10:00,5 kW"),
        (b"SM\\1\x7f,\t2024-03-15 10:00,5\x00kW", "SM\\1\\x7f,\t2024-03-15 10:00,5\\x00kW"),
        (b"SM-1,2024-03-15 10:00,5 kW\r\r", "SM-1,2024-03-15 10:00,5 kW\\x0d"),
    ],
)
def test_a_malformed_row_is_kept_whole(line: bytes, raw: str) -> None:
    evaluation = evaluate(MINIMAL + line + b"\n")
    [row] = evaluation.quarantined
    assert (row.line_number, row.raw_line, row.rule_id, row.code) == (3, raw, "parse", "MALFORMED_ROW")
    assert len(evaluation.readings) == 1


def test_quotes_are_undone_and_fields_trimmed() -> None:
    content = f'{HEADER}\n"SM ""1"", east" ,x\n" SM ""1"", east\t",2024-03-15 10:00,"5 kW",\t W\t,""\n'
    [reading] = evaluate(content).readings
    assert (reading.meter_id, reading.energy_value, reading.location) == ('SM "1", east', "5 kW", None)


@pytest.mark.parametrize("meter", ["", " ", "null", "NONE", "NaN", "na", "N/A", "-", "ß" * 65])
def test_a_row_without_a_meter_is_rejected_before_its_timestamp_is_judged(meter: str) -> None:
    content = f"meter_id,timestamp,energy_value\n{meter},corrupt,5 kW"
    assert quarantine_codes(content) == [(2, "parse", "MISSING_METER_ID")]


def test_a_meter_of_64_characters_is_one() -> None:
    assert len(evaluate(f"meter_id,timestamp,energy_value\n{'ß' * 64},2024-03-15 10:00,5 kW").readings) == 1


@pytest.mark.parametrize(
    ("value", "unit", "text", "kw"),
    [
        ("3250 W", "", "3250 W", "3.25"),
        ("3250", "w", "3250 w", "3.25"),
        ("3250 W", "kW", "3250 W", "3.25"),
        ("3.25", " Kilowatt ", "3.25 Kilowatt", "3.25"),
        ("3250  WATT", "null", "3250  WATT", "3.25"),
        ("+.5kW", "", "+.5kW", "0.5"),
        ("5.", "kW", "5. kW", "5"),
        ("3.25e3W", "", "3.25e3W", "3.25"),
        ("325E-2", "kW", "325E-2 kW", "3.25"),
        ("2.49999 kW", "", "2.49999 kW", "2.5"),
        ("2.49995 kW", "", "2.49995 kW", "2.5"),
        ("2.49994999 kW", "", "2.49994999 kW", "2.4999"),
        ("0.00005 kW", "", "0.00005 kW", "0.0001"),
        ("1234.55 W", "", "1234.55 W", "1.2346"),
        ("49.99994 kW", "", "49.99994 kW", "49.9999"),
    ],
)
def test_a_sane_energy(value: str, unit: str, text: str, kw: str) -> None:
    assert energy(value, unit) == (text, Decimal(kw), ())


@pytest.mark.parametrize(
    ("value", "kw"),
    [
        ("0 kW", "0"),
        ("0.00004999 kW", "0"),
        ("-0.00004 kW", "0"),
        ("-0.00005 kW", "-0.0001"),
        ("50 kW", "50"),
        ("49.99995 kW", "50"),
        ("999999999.99991 kW", "999999999.9999"),
        ("-5 W", "-0.005"),
        ("1e-99999999999999999999 W", "0"),
        ("0e99999999999999999999 W", "0"),
    ],
)
def test_an_energy_out_of_range_keeps_its_kw(value: str, kw: str) -> None:
    assert energy(value) == (value, Decimal(kw), ("OUT_OF_RANGE",))


INVALID_VALUES = [
    "12..5 kW", "abc", "3 250 W", "0x10 W", "1,234 W", "3,25 kW", "kW", ". kW", "1e+ W", "3250\tW", "3250\u00a0W",
    "٣ W", "5 kW/h", "5²", "1e9 kW", "-1e12 W", "1e99999999999999999999 W", "null W",
]  # fmt: skip


@pytest.mark.parametrize("value", INVALID_VALUES)
def test_an_invalid_value_has_no_kw(value: str) -> None:
    assert energy(value) == (value, None, ("INVALID_VALUE",))


@pytest.mark.parametrize("value", ["5", "5 Volts", "5 MW", "5kWh", "5e", "5e3", "1e12 Volts", "5 Ω", "0"])
def test_an_invalid_unit_has_no_kw(value: str) -> None:
    assert energy(value) == (value, None, ("INVALID_UNIT",))


@pytest.mark.parametrize("value", ["", "null", "None", "NAN", "na", "n/A", "-"])
def test_a_null_energy_is_missing_and_nothing_else(value: str) -> None:
    assert energy(value, "Volts") == (None, None, ("MISSING_READING",))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_decimal_comma_is_understood_where_commas_dont_delimit(delimiter: str) -> None:
    assert energy("3,25", "kW", delimiter) == ("3,25 kW", Decimal("3.25"), ())
    assert energy("1.234,5 W", "", delimiter) == ("1.234,5 W", None, ("INVALID_VALUE",))


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("Commercial_Zone_007", ("Zone007", "Commercial")),
        ("Residential_Zone_123456", ("Zone123456", "Residential")),
        ("Residential_Zone_1234567", ("Unknown", None)),
        ("residential_Zone_7", ("Unknown", None)),
        ("Residential_Zone_7\n", ("Unknown", None)),
        ("Industrial_Zone_7", ("Unknown", None)),
        ("Residential_Zone_٧", ("Unknown", None)),
        (None, ("Unknown", None)),
    ],
)
def test_locations(location: str | None, expected: tuple[str, str | None]) -> None:
    assert place(location) == expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2024-03-15T16:59:59", "standard"),
        ("2024-03-15T17:00:00", "peak"),
        ("2024-03-15T20:59:59", "peak"),
        ("2024-03-15T21:00:00", "standard"),
        ("2024-03-16T18:00:00", "standard"),
        ("2024-03-17T18:00:00", "standard"),
        ("2024-03-15T22:59:59", "standard"),
        ("2024-03-15T23:00:00", "off_peak"),
        ("2024-03-16T05:59:59", "off_peak"),
        ("2024-03-16T06:00:00", "standard"),
    ],
)
def test_periods(local: str, expected: str) -> None:
    assert period(datetime.fromisoformat(local)) == expected


def test_period_and_season_are_local() -> None:
    content = "meter_id,timestamp,energy_value\nSM-1,2024-02-29T23:30Z,5 kW\nSM-1,2024-02-29T22:30Z,5 kW"
    later, earlier = evaluate(content, timezone="Europe/Berlin").readings
    assert (later.period, later.season) == ("off_peak", "spring")
    assert (earlier.period, earlier.season) == ("off_peak", "winter")


def test_seasons() -> None:
    rows = [f"SM-{month},2023-{month:02d}-10 12:00,5 kW" for month in range(1, 13)]
    readings = evaluate("\n".join(["meter_id,timestamp,energy_value", *rows])).readings
    assert [each.season for each in readings] == (
        ["winter"] * 2 + ["spring"] * 3 + ["summer"] * 3 + ["fall"] * 3 + ["winter"]
    )


@pytest.mark.parametrize(
    ("value", "reliability", "score", "grade"),
    [
        ("5 kW", {}, 100, "A"),
        ("5 kW", {"SM-1": None}, 100, "A"),
        ("5 kW", {"SM-1": 0.951}, 100, "A"),
        ("5 kW", {"SM-1": 0.95}, 90, "A"),
        ("50 kW", {}, 80, "B"),
        ("50 kW", {"SM-1": 0.5}, 70, "C"),
        ("abc", {}, 50, "F"),
        ("5 MW", {"SM-1": 0.0}, 40, "F"),
        ("null", {}, 40, "F"),
        ("null", {"SM-1": 0.0}, 30, "F"),
    ],
)
def test_scores(value: str, reliability: dict[str, float | None], score: int, grade: str) -> None:
    content = f"meter_id,timestamp,energy_value\nSM-1,2024-03-15 10:00,{value}"
    [reading] = evaluate(content, reliability=reliability).readings
    assert (reading.quality_score, reading.quality_grade) == (score, grade)


def test_a_known_record_is_a_duplicate_and_another_value_a_correction() -> None:
    rows = ("10:00,5 kW", "10:00:00.9,5 kW", "10:00,6 kW", "10:05,abc")
    evaluation = evaluate("\n".join(["meter_id,timestamp,energy_value", *(f"SM-1,2024-03-15 {r}" for r in rows)]))
    stored = store([evaluation, evaluation])
    assert (len(stored.readings), stored.duplicates) == (3, 5)
    [now_current] = current(stored.readings).values()
    assert now_current.energy_value == "6 kW"


def test_a_reading_as_read_is_current_before_an_inferred_one() -> None:
    inferred = evaluate("meter_id,timestamp,energy_value\nSM-1,2024-03-15 09:45,1 kW\nSM-1,,2 kW").readings[1]
    [read] = evaluate("meter_id,timestamp,energy_value\nSM-1,2024-03-15 10:00,3 kW").readings
    assert inferred.slot == read.slot
    assert list(current([read, inferred]).values()) == [read]
    assert list(current([inferred, read]).values()) == [read]
