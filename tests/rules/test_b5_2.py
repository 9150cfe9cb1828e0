"""B5.2: season."""

import pytest
from tests.rules.rows import reading


def season(timestamp: str, timezone: str = "UTC") -> str:
    return str(reading(timestamp=timestamp, timezone=timezone)["season"])


def test_each_month_has_its_season() -> None:
    seasons = [season(f"2023-{month:02d}-15 12:00") for month in range(1, 13)]
    assert seasons == ["winter"] * 2 + ["spring"] * 3 + ["summer"] * 3 + ["fall"] * 3 + ["winter"]


@pytest.mark.parametrize(
    ("last", "before", "first", "after"),
    [
        ("2024-02-29 23:59:59", "winter", "2024-03-01 00:00", "spring"),
        ("2024-05-31 23:59:59", "spring", "2024-06-01 00:00", "summer"),
        ("2024-08-31 23:59:59", "summer", "2024-09-01 00:00", "fall"),
        ("2024-11-30 23:59:59", "fall", "2024-12-01 00:00", "winter"),
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_it_changes_at_local_midnight(last: str, before: str, first: str, after: str, timezone: str) -> None:
    assert (season(last, timezone), season(first, timezone)) == (before, after)


def test_local_time_decides() -> None:
    assert season("2024-02-29T23:30Z", "Europe/Berlin") == "spring"
    assert season("2024-03-01T04:59Z", "America/New_York") == "winter"
