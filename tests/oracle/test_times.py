"""The oracle's timestamps against answers worked out by hand: formats, repeated hours, B2.2."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from tests.oracle.generators import timestamp_texts
from tests.oracle.reference import Evaluation, evaluate_file

DAY = "2024-03-15"
NOW = datetime(2024, 12, 1, tzinfo=UTC)
X = "corrupt"
LOST = "TIMESTAMP_UNRECOVERABLE"
OUTSIDE = "TIMESTAMP_OUT_OF_RANGE"


def evaluate(rows: list[tuple[str, str]], **settings: Any) -> Evaluation:
    lines = ["meter_id,timestamp,energy_value", *(f"{meter},{stamp},5 kW" for meter, stamp in rows)]
    return evaluate_file("a.csv", "\n".join(lines).encode(), **{"received_at": NOW, "now": NOW, **settings})


def fates(rows: list[tuple[str, str]], **settings: Any) -> list[str]:
    """Per row: its time of day in UTC, with `?` after it where inferred, or the code of its rejection."""
    evaluation = evaluate(rows, **settings)
    found = {row.line_number: row.code for row in evaluation.quarantined}
    for reading in evaluation.readings:
        mark = "?" if "TIMESTAMP_INFERRED" in reading.flags else ""
        found[reading.line_number] = f"{reading.reading_at:%H:%M}{mark}"
    return [found[line] for line in sorted(found)]


def of_one_meter(stamps: str, day: str = DAY, **settings: Any) -> list[str]:
    """The fates of rows given as times of day, `x` for an unreadable one and `old` for one of 1970."""
    texts = {"x": X, "old": "1970-01-01 00:00"}
    return fates([("SM-1", texts.get(each, f"{day} {each}")) for each in stamps.split()], **settings)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-03-15 18:45", "2024-03-15T17:45:00"),
        ("2024-03-15T18:45:59", "2024-03-15T17:45:59"),
        ("2024-03-15 18:45:59.999999999999", "2024-03-15T17:45:59"),
        ("2024-03-15T18:45Z", "2024-03-15T18:45:00"),
        ("2024-03-15 18:45:00.5+05:45", "2024-03-15T13:00:00"),
        ("2024-03-15T00:00-23:59", "2024-03-15T23:59:00"),
        ("2024-02-29 00:00", "2024-02-28T23:00:00"),
        (" 2024-06-15 00:00\t", "2024-06-14T22:00:00"),
    ],
)
def test_readable_timestamps(text: str, utc: str) -> None:
    [reading] = evaluate([("SM-1", text)], timezone="Europe/Berlin").readings
    assert reading.reading_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert reading.flags == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "n/a", DAY, f"{DAY} 24:00", f"{DAY} 18:60", f"{DAY} 18:45:60", f"{DAY}t18:45", f"{DAY}T18:45z",
        f"{DAY}  18:45", f"{DAY} 18:45:00.", f"{DAY} 18:45 Z", f"{DAY} 18:45+0100", f"{DAY} 18:45+24:00",
        f"{DAY} 18:45+01:60", f"{DAY} 8:45", "2023-02-29 10:00", "0000-01-01 00:00", "15/03/2024 18:45",
        "1710528300", "٢٠٢٤-03-15 18:45", f"{DAY} 18:45:00\u00a0",
    ],
)  # fmt: skip
def test_no_other_format_is_guessed(text: str) -> None:
    assert fates([("SM-1", text)]) == [LOST]


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("1970-01-01 00:00", OUTSIDE),
        ("2009-12-31 23:59:59.9", OUTSIDE),
        ("2010-01-01 00:00", "00:00"),
        ("0001-01-01 00:00+14:00", OUTSIDE),
        ("9999-12-31 23:59-14:00", OUTSIDE),
        ("2024-12-01 00:05:00.9", "00:05"),
        ("2024-12-01 00:05:01", OUTSIDE),
    ],
)
def test_the_valid_range(text: str, fate: str) -> None:
    evaluation = evaluate([("SM-1", text)])
    assert fates([("SM-1", text)]) == [fate]
    assert [row.rule_id for row in evaluation.quarantined] == (["B3.3"] if fate == OUTSIDE else [])


@pytest.mark.parametrize(("minutes", "slot"), [(15, "18:45"), (30, "18:30"), (60, "18:00"), (5, "18:55")])
def test_the_slot_is_the_instant_floored(minutes: int, slot: str) -> None:
    [reading] = evaluate([("SM-1", f"{DAY} 18:59:59")], interval_minutes=minutes).readings
    assert f"{reading.slot:%H:%M}" == slot


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        # Both neighbours exist.
        ("10:00 x 10:30", "10:00 10:15? 10:30"),
        ("10:07 x x 10:59", "10:07 10:15? 10:30? 10:59"),
        ("10:00 x x x x x x 11:45", "10:00 10:15? 10:30? 10:45? 11:00? 11:15? 11:30? 11:45"),
        ("10:30 x 10:00", "10:30 10:15? 10:00"),
        ("10:00 x 10:45", f"10:00 {LOST} 10:45"),
        ("10:00 x 10:15", f"10:00 {LOST} 10:15"),
        ("10:00 x 10:00", f"10:00 {LOST} 10:00"),
        ("12:00 x 12:30 10:00", "12:00 12:15? 12:30 10:00"),
        # A readable row out of range is never inferred, yet counts as a row in between.
        ("10:00 old x 10:45", f"10:00 {OUTSIDE} 10:30? 10:45"),
        ("10:00 old x 10:30", f"10:00 {OUTSIDE} {LOST} 10:30"),
        ("10:00 old old old x", f"10:00 {OUTSIDE} {OUTSIDE} {OUTSIDE} 11:00?"),
        # One neighbour exists.
        ("10:00 10:15 x x x x x", f"10:00 10:15 10:30? 10:45? 11:00? 11:15? {LOST}"),
        ("x x x x x 11:15 11:30", f"{LOST} 10:15? 10:30? 10:45? 11:00? 11:15 11:30"),
        ("10:30 10:15 x", "10:30 10:15 10:00?"),
        ("x 10:30 10:15", "10:45? 10:30 10:15"),
        ("x 10:07 x", "09:45? 10:07 10:15?"),
        ("10:01 10:00 x", "10:01 10:00 10:15?"),
        ("10:30 10:00 10:15 x", "10:30 10:00 10:15 10:00?"),
        # None exists.
        ("x", LOST),
        ("x old", f"{LOST} {OUTSIDE}"),
    ],
)
def test_inference_from_the_sequence(stamps: str, expected: str) -> None:
    assert of_one_meter(stamps) == expected.split()


def test_an_inferred_row_is_flagged_scored_and_named_for_its_slot() -> None:
    inferred = evaluate([("SM-1", f"{DAY} 10:07:08"), ("SM-1", X)]).readings[1]
    assert inferred.reading_at == inferred.slot == datetime(2024, 3, 15, 10, 15, tzinfo=UTC)
    assert (inferred.flags, inferred.quality_score, inferred.quality_grade) == (("TIMESTAMP_INFERRED",), 60, "C")


def test_an_inferred_timestamp_is_subject_to_the_valid_range() -> None:
    assert of_one_meter("10:00 x", now=datetime(2024, 3, 15, 10, 5, tzinfo=UTC)) == ["10:00", OUTSIDE]
    assert of_one_meter("10:00 x", now=datetime(2024, 3, 15, 10, 10, tzinfo=UTC)) == ["10:00", "10:15?"]


def test_other_meters_and_rows_without_a_meter_take_no_part() -> None:
    rows = [("A", f"{DAY} 10:00"), ("B", f"{DAY} 07:00"), ("null", X), ("A", X), ('A"', X), ("A", f"{DAY} 10:30")]
    assert fates(rows) == ["10:00", "07:00", "MISSING_METER_ID", "10:15?", "MALFORMED_ROW", "10:30"]


def test_a_meter_without_a_readable_row_takes_the_slot_of_the_snapshot() -> None:
    rows = [("A", f"{DAY} 10:02"), ("B", X), ("C", f"{DAY} 10:14"), ("D", "1970-01-01 00:00"), ("B", "")]
    assert fates(rows) == ["10:02", "10:00?", "10:14", OUTSIDE, "10:00?"]
    assert fates([*rows, ("E", f"{DAY} 10:15")]) == ["10:02", LOST, "10:14", OUTSIDE, LOST, "10:15"]


AUTUMN = {"day": "2024-10-27", "timezone": "Europe/Berlin"}
NIGHT = "01:45 02:00 02:15 02:30 02:45 02:00 02:15 02:30 02:45 03:00"
NIGHT_UTC = "23:45 00:00 00:15 00:30 00:45 01:00 01:15 01:30 01:45 02:00"


def test_the_repeated_hour_in_an_ascending_sequence() -> None:
    assert of_one_meter(NIGHT, **AUTUMN) == NIGHT_UTC.split()


def test_the_repeated_hour_in_a_descending_sequence() -> None:
    assert of_one_meter(" ".join(reversed(NIGHT.split())), **AUTUMN) == NIGHT_UTC.split()[::-1]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ("02:30 02:30 02:30", "00:30 01:30 01:30"),
        ("03:00 02:30 02:30 02:30", "02:00 01:30 01:30 00:30"),
        ("02:30 02:30:00.7", "00:30 01:30"),
        ("02:30 02:30:01", "00:30 00:30"),
        ("02:30 02:30+02:00", "00:30 00:30"),
        ("02:30+01:00 02:30", "01:30 00:30"),
        ("01:45 02:15 02:30 02:15", "23:45 00:15 00:30 01:15"),
        ("02:45 02:00 x 02:30 02:00", "00:45 01:00 00:45? 00:30 00:00"),
    ],
)
def test_repeated_wall_times(stamps: str, expected: str) -> None:
    assert of_one_meter(stamps, **AUTUMN) == expected.split()


def test_wall_times_repeat_within_a_meter_only() -> None:
    rows = [("A", "2024-10-27 02:30"), ("B", "2024-10-27 02:30")]
    assert fates(rows, timezone="Europe/Berlin") == ["00:30", "00:30"]


@pytest.mark.parametrize(
    ("seconds_after_later", "utc"), [(-1, "00:30"), (0, "01:30"), (10800, "01:30"), (10801, "00:30")]
)
def test_a_single_repeated_wall_time_is_the_later_one_just_after_it(seconds_after_later: int, utc: str) -> None:
    landed = datetime(2024, 10, 27, 1, 30, tzinfo=UTC) + timedelta(seconds=seconds_after_later)
    assert of_one_meter("02:30", received_at=landed, **AUTUMN) == [utc]


def test_wall_times_that_do_not_exist_are_unreadable() -> None:
    spring = {"day": "2024-03-31", "timezone": "Europe/Berlin"}
    assert of_one_meter("01:45 02:00", **spring) == ["00:45", "01:00?"]
    assert of_one_meter("01:45 02:00 03:15", **spring) == ["00:45", "01:00?", "01:15"]
    assert of_one_meter("01:45 02:59:59 03:00", **spring) == ["00:45", LOST, "01:00"]


def test_lord_howe_repeats_half_an_hour() -> None:
    settings = {"day": "2024-04-07", "timezone": "Australia/Lord_Howe"}
    found = of_one_meter("01:15 01:30 01:45 01:30 01:45 02:00", **settings)
    assert found == ["14:15", "14:30", "14:45", "15:00", "15:15", "15:30"]


def test_new_york_loses_an_hour_in_march() -> None:
    assert fates([("A", "2024-03-10 02:30")], timezone="America/New_York") == [LOST]


@given(timestamp_texts())
def test_every_text_is_read_or_rejected(text: str) -> None:
    row = ("SM-1", '"' + text.replace('"', '""') + '"')
    [fate] = fates([row], timezone="America/New_York")
    assert fate in (LOST, OUTSIDE) or len(fate) == 5
