"""B2.2 and wall times: those that occur twice in autumn, and those that don't exist in spring."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rules.rows import fates, fates_of

BERLIN = {"timezone": "Europe/Berlin"}  # 2024-10-27: 02:00 to 03:00 twice, at 00:00Z and at 01:00Z
NEW_YORK = {"timezone": "America/New_York"}  # 2024-11-03: 01:00 to 02:00 twice, at 05:00Z and at 06:00Z
LORD_HOWE = {"timezone": "Australia/Lord_Howe"}  # 2024-04-07: 01:30 to 02:00 twice, at 14:30Z and at 15:00Z


def landed(*when: int, **options: Any) -> dict[str, Any]:
    at = datetime(*when, tzinfo=UTC)
    return {"received_at": at, "now": at + timedelta(minutes=1), **options}


@pytest.mark.parametrize(
    ("wall", "earlier", "later", "options"),
    [
        ("2024-10-27 02:30", "2024-10-27 00:30", "2024-10-27 01:30", BERLIN),
        ("2024-11-03 01:15", "2024-11-03 05:15", "2024-11-03 06:15", NEW_YORK),
        ("2024-04-07 01:45", "2024-04-06 14:45", "2024-04-06 15:15", LORD_HOWE),
    ],
)
def test_a_wall_time_a_meter_has_twice_is_the_earlier_then_the_later_instant(
    wall: str, earlier: str, later: str, options: dict[str, Any]
) -> None:
    assert fates(wall, wall, **options) == [earlier, later]
    assert fates(wall, **options) == [earlier]


def test_all_further_ones_are_the_later_instant() -> None:
    assert [fate[-5:] for fate in fates(*["2024-10-27 02:30"] * 3, **BERLIN)] == ["00:30", "01:30", "01:30"]


def test_a_night_in_order_runs_through_both_hours() -> None:
    hour = ["2024-10-27 02:00", "2024-10-27 02:15", "2024-10-27 02:30", "2024-10-27 02:45"]
    night = fates("2024-10-27 01:45", *hour, *hour, "2024-10-27 03:00", **BERLIN)
    assert [fate[-5:] for fate in night] == [
        "23:45", "00:00", "00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "02:00",
    ]  # fmt: skip


def test_in_a_descending_sequence_the_order_counts_from_the_end() -> None:
    night = fates("2024-10-27 03:00", "2024-10-27 02:30", "2024-10-27 02:30", "2024-10-27 01:45", **BERLIN)
    assert [fate[-5:] for fate in night] == ["02:00", "01:30", "00:30", "23:45"]


def test_each_meter_counts_by_itself() -> None:
    rows = [("A", "2024-10-27 02:30"), ("B", "2024-10-27 02:30"), ("A", "2024-10-27 02:30")]
    assert [fate[-5:] for fate in fates_of(rows, **BERLIN)] == ["00:30", "00:30", "01:30"]


@pytest.mark.parametrize(
    ("received", "expected"),
    [((0, 31), "00:30"), ((1, 29), "00:30"), ((1, 30), "01:30"), ((4, 30), "01:30"), ((4, 31), "00:30")],
)
def test_a_single_one_is_the_later_instant_within_three_hours_of_landing(
    received: tuple[int, int], expected: str
) -> None:
    [fate] = fates("2024-10-27 02:30", **landed(2024, 10, 27, *received, **BERLIN))
    assert fate[-5:] == expected


def test_an_offset_leaves_no_doubt() -> None:
    late = fates("2024-10-27 02:30+01:00", "2024-10-27 02:30+02:00", **landed(2024, 10, 27, 2, 0, **BERLIN))
    assert [fate[-5:] for fate in late] == ["01:30", "00:30"]


def test_a_wall_time_with_an_offset_is_no_second_occurrence() -> None:
    assert fates("2024-10-27 02:30", "2024-10-27T02:30+01:00", **BERLIN)[0][-5:] == "00:30"


@pytest.mark.parametrize(
    ("before", "gone", "after", "expected", "options"),
    [
        ("2024-03-31 01:45", "2024-03-31 02:00", "2024-03-31 03:15", "~2024-03-31 01:00", BERLIN),
        ("2024-03-10 01:45", "2024-03-10 02:00", "2024-03-10 03:15", "~2024-03-10 07:00", NEW_YORK),
        ("2024-10-06 01:45", "2024-10-06 02:15", "2024-10-06 02:45", "~2024-10-05 15:30", LORD_HOWE),
    ],
)
def test_a_wall_time_that_does_not_exist_is_inferred(
    before: str, gone: str, after: str, expected: str, options: dict[str, Any]
) -> None:
    assert fates(before, gone, after, **options)[1] == expected


def test_a_clock_that_did_not_change_leaves_rows_that_fit_nowhere() -> None:
    night = ("2024-03-31 01:45", "2024-03-31 02:00", "2024-03-31 02:15", "2024-03-31 03:00")
    assert fates(*night, **BERLIN)[1:3] == ["TIMESTAMP_UNRECOVERABLE"] * 2


def test_in_utc_every_wall_time_occurs_once() -> None:
    assert fates("2024-10-27 02:30", "2024-10-27 02:30") == ["2024-10-27 02:30"] * 2
