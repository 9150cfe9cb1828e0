"""The record everybody looks at first, through all rules at once."""

from datetime import UTC, datetime

from tests.rules.rows import read

SAMPLE = "meter_id,timestamp,energy_value,location\nSM-48291,2024-03-15 18:45:00,3250 W,Residential_Zone_7\n"


def test_the_sample_record() -> None:
    [only] = read(SAMPLE).readings
    assert only["meter_id"] == "SM-48291"
    assert only["reading_at"] == datetime(2024, 3, 15, 18, 45, tzinfo=UTC)
    assert (only["energy_value"], only["consumption_kw"]) == ("3250 W", 3.25)
    assert (only["period"], only["season"]) == ("peak", "spring")
    assert (only["customer_class"], only["region"]) == ("Residential", "Zone7")
    assert (only["flags"], only["quality_score"], only["quality_grade"]) == ((), 100, "A")


def test_flags_come_in_a_fixed_order() -> None:
    rows = "meter_id,timestamp,energy_value\nA,2024-03-15 18:30,1 kW\nA,?,99 kW\nA,?,abc\nA,?,\nA,?,5 MW"
    assert [row["flags"] for row in read(rows).readings[1:]] == [
        ("TIMESTAMP_INFERRED", "OUT_OF_RANGE"),
        ("INVALID_VALUE", "TIMESTAMP_INFERRED"),
        ("MISSING_READING", "TIMESTAMP_INFERRED"),
        ("INVALID_UNIT", "TIMESTAMP_INFERRED"),
    ]
