"""B2.2: an unreadable timestamp inferred from the sequence."""

from datetime import UTC, datetime

import pytest
from tests.rules.rows import fates, fates_of, read, reading

LOST = "TIMESTAMP_UNRECOVERABLE"
OUTSIDE = "TIMESTAMP_OUT_OF_RANGE"


def test_between_two_readable_rows_the_slot_fits_both() -> None:
    assert fates("18:30", "?", "19:00") == ["18:30", "~18:45", "19:00"]
    assert fates("18:30", "?", "?", "?", "19:30") == ["18:30", "~18:45", "~19:00", "~19:15", "19:30"]


def test_between_two_there_is_no_limit_to_the_distance() -> None:
    assert fates("12:00", *["?"] * 11, "15:00")[6] == "~13:30"


def test_a_gap_between_two_makes_the_row_unrecoverable() -> None:
    assert fates("18:30", "?", "19:15") == ["18:30", LOST, "19:15"]


def test_a_repeated_slot_around_it_makes_the_row_unrecoverable() -> None:
    assert fates("18:30", "?", "18:30") == ["18:30", LOST, "18:30"]
    assert fates("18:30", "?", "18:45") == ["18:30", LOST, "18:45"]


def test_a_descending_sequence_runs_backward() -> None:
    assert fates("19:00", "?", "18:30") == ["19:00", "~18:45", "18:30"]
    assert fates("19:00", "18:45", "?", "?") == ["19:00", "18:45", "~18:30", "~18:15"]
    assert fates("?", "19:00", "18:45") == ["~19:15", "19:00", "18:45"]


def test_between_two_the_direction_is_theirs_and_not_the_meters() -> None:
    assert fates("12:00", "19:00", "?", "18:30", "20:00")[2] == "~18:45"


def test_with_one_neighbour_it_may_be_four_rows_away() -> None:
    assert fates("18:00", *["?"] * 5) == ["18:00", "~18:15", "~18:30", "~18:45", "~19:00", LOST]
    assert fates(*["?"] * 5, "18:00") == [LOST, "~17:00", "~17:15", "~17:30", "~17:45", "18:00"]


def test_rows_of_other_meters_do_not_count_as_between() -> None:
    rows = [("A", "18:30"), ("B", "02:00"), ("A", "?"), ("B", "02:15"), ("A", "19:00")]
    assert fates_of(rows)[2] == "~18:45"


def test_the_inferred_time_is_the_start_of_the_slot() -> None:
    assert fates("18:31:07", "?", "19:02") == ["18:31:07", "~18:45", "19:02"]


def test_a_meter_without_readable_rows_takes_the_slot_of_the_snapshot() -> None:
    assert fates_of([("A", "18:46"), ("B", "?"), ("C", "18:59")]) == ["18:46", "~18:45", "18:59"]


def test_without_a_snapshot_it_is_unrecoverable() -> None:
    assert fates_of([("A", "18:46"), ("B", "?"), ("C", "19:00")])[1] == LOST
    assert fates("?", "?") == [LOST, LOST]


def test_all_rows_of_a_lost_meter_take_the_slot_of_the_snapshot() -> None:
    assert fates_of([("A", "18:46"), ("B", "?"), ("B", "?")])[1:] == ["~18:45", "~18:45"]


def test_inferred_rows_do_not_make_a_snapshot() -> None:
    assert fates_of([("A", "18:45"), ("A", "?"), ("B", "?")]) == ["18:45", "~19:00", "~18:45"]


def test_an_out_of_range_row_is_rejected_and_counts_as_a_row_between() -> None:
    assert fates("18:30", "1970-01-01 00:00", "?", "19:15") == ["18:30", OUTSIDE, "~19:00", "19:15"]


def test_an_out_of_range_row_is_no_neighbour() -> None:
    assert fates("1970-01-01 00:00", "?") == [OUTSIDE, LOST]


def test_an_inferred_timestamp_is_subject_to_b3_3() -> None:
    now = datetime(2024, 3, 15, 18, 30, tzinfo=UTC)
    assert fates("18:30", "?", now=now, received_at=now) == ["18:30", OUTSIDE]
    assert fates("2010-01-01 00:00", "2010-01-01 00:15", "x")[2] == "~2010-01-01 00:30"
    assert fates("x", "2010-01-01 00:00", "2010-01-01 00:15")[0] == OUTSIDE


def test_rows_without_a_meter_take_no_part() -> None:
    rows = [("A", "18:30"), ("", "18:40"), ("null", "?"), ("A", "?"), ("A", "19:00")]
    assert fates_of(rows) == ["18:30", "MISSING_METER_ID", "MISSING_METER_ID", "~18:45", "19:00"]


def test_malformed_rows_take_no_part() -> None:
    lines = ["A,2024-03-15 18:30,1 kW", "A,x", "A,?,1 kW", "A,2024-03-15 19:00,1 kW"]
    result = read("\n".join(["meter_id,timestamp,energy_value", *lines]))
    assert [row["flags"] for row in result.readings] == [(), ("TIMESTAMP_INFERRED",), ()]


@pytest.mark.parametrize("text", ["", "null", "15/03/2024 18:45", "2024-02-30 18:45", "2024-03-15 24:00", "2024-03-15"])
def test_null_and_other_formats_are_unreadable_not_guessed(text: str) -> None:
    assert fates("18:30", text, "19:00")[1] == "~18:45"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-15T18:45", "18:45"),
        ("2024-03-15 18:45:30.987654321", "18:45:30"),
        ("2024-03-15 18:45Z", "18:45"),
        ("2024-03-15T18:45:00-05:30", "2024-03-16 00:15"),
        ("2024-03-15 18:45:00+14:00", "04:45"),
    ],
)
def test_timestamps_of_the_one_format_are_read(text: str, expected: str) -> None:
    assert fates(text) == [expected]


def test_an_inferred_row_carries_the_flag_and_its_instant() -> None:
    text = "meter_id,timestamp,energy_value\nA,2024-03-15 18:30,1 kW\nA,?,1 kW"
    flagged = read(text).readings[1]
    assert flagged["flags"] == ("TIMESTAMP_INFERRED",)
    assert reading()["flags"] == ()


def test_the_step_is_the_sites_interval() -> None:
    assert fates("18:00", "?", "19:00", interval_minutes=30) == ["18:00", "~18:30", "19:00"]
