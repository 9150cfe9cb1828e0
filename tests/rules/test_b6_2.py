"""B6.2: record id."""

import hashlib

import pytest
from tests.rules.rows import read, reading

KNOWN = "94c80d433ed95d02340740bc2829980abb5ff0d27df139dd4e0cc2993741e00a"


def record_id(**cells: str) -> str:
    return str(reading(**cells)["record_id"])


def test_the_known_answer() -> None:
    assert record_id() == KNOWN


@pytest.mark.parametrize(
    "cells",
    [
        {"meter_id": " SM-48291\t"},
        {"timestamp": "2024-03-15T18:45"},
        {"timestamp": "2024-03-15 18:45:00.999Z"},
        {"timestamp": "2024-03-15T19:45:00+01:00"},
        {"timestamp": "2024-03-15 14:45", "timezone": "America/New_York"},
        {"energy_value": "3250", "unit": "W"},
        {"energy_value": "3250 W", "unit": "kW"},
        {"location": "elsewhere"},
    ],
)
def test_the_same_reading_in_other_clothes_has_the_same_id(cells: dict[str, str]) -> None:
    assert record_id(**cells) == KNOWN


@pytest.mark.parametrize(
    "cells",
    [
        {"meter_id": "sm-48291"},
        {"timestamp": "2024-03-15 18:45:01"},
        {"energy_value": "3250W"},
        {"energy_value": "3.25 kW"},
        {"energy_value": "3250 w"},
    ],
)
def test_another_text_has_another_id(cells: dict[str, str]) -> None:
    assert record_id(**cells) != KNOWN


def test_a_null_energy_is_hashed_as_nothing() -> None:
    expected = hashlib.sha256(b"SM-482912024-03-15 18:45:00").hexdigest()
    assert record_id(energy_value="n/a", unit="W") == expected


def test_an_inferred_timestamp_is_hashed_as_inferred() -> None:
    text = "meter_id,timestamp,energy_value\nSM-48291,2024-03-15 18:30,1 kW\nSM-48291,?,3250 W"
    assert read(text).readings[1]["record_id"] == KNOWN


def test_the_local_time_of_a_repeated_hour_gives_two_ids() -> None:
    text = "meter_id,timestamp,energy_value\n" + "SM-48291,2024-10-27 02:30,3250 W\n" * 2
    first, second = read(text, timezone="Europe/Berlin").readings
    assert first["record_id"] != second["record_id"]


def test_letters_outside_ascii_are_hashed_as_utf_8() -> None:
    expected = hashlib.sha256("zähler-電2024-03-15 18:45:003250 W".encode()).hexdigest()
    assert record_id(meter_id="zähler-電") == expected
