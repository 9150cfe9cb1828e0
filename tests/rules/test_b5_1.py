"""B5.1: tariff period."""

import pytest
from tests.rules.rows import reading

FRIDAY, SATURDAY, SUNDAY, MONDAY = "2024-03-15", "2024-03-16", "2024-03-17", "2024-03-18"


def period(timestamp: str, timezone: str = "UTC") -> str:
    return str(reading(timestamp=timestamp, timezone=timezone)["period"])


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("00:00", "off_peak"), ("05:59:59", "off_peak"), ("06:00", "standard"), ("16:59:59", "standard"),
        ("17:00", "peak"), ("20:59:59", "peak"), ("21:00", "standard"), ("22:59:59", "standard"), ("23:00", "off_peak"),
    ],
)  # fmt: skip
def test_starts_belong_and_ends_do_not(time: str, expected: str) -> None:
    assert period(f"{FRIDAY} {time}") == expected


def test_the_weekend_has_no_peak() -> None:
    assert [period(f"{day} 18:45") for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY)] == [
        "peak", "standard", "standard", "peak",
    ]  # fmt: skip
    assert period(f"{SUNDAY} 23:00") == "off_peak"


def test_local_time_decides() -> None:
    assert period(f"{FRIDAY}T16:30Z") == "standard"
    assert period(f"{FRIDAY}T16:30Z", "Europe/Berlin") == "peak"
    assert period(f"{FRIDAY}T23:30Z", "Asia/Kathmandu") == "off_peak"


def test_the_local_weekday_decides() -> None:
    assert period(f"{SUNDAY}T22:30Z", "Asia/Tokyo") == "standard"
    assert period(f"{MONDAY}T08:30Z", "Asia/Tokyo") == "peak"
    assert period(f"{SATURDAY}T00:30Z", "America/Los_Angeles") == "peak"


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2024-10-28T15:59Z", "standard"), ("2024-10-28T16:00Z", "peak"),
        ("2024-10-25T14:59Z", "standard"), ("2024-10-25T15:00Z", "peak"),
        ("2024-10-27T04:59Z", "off_peak"), ("2024-10-27T05:00Z", "standard"),
        ("2024-03-31T03:59Z", "off_peak"), ("2024-03-31T04:00Z", "standard"),
    ],
)  # fmt: skip
def test_the_edges_move_with_the_clock(instant: str, expected: str) -> None:
    assert period(instant, "Europe/Berlin") == expected
