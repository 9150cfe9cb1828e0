"""Days of the site's time zone: their partitions, their bounds, and the one for all older days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.harness import HEADER, Databases, Harness, site_of

from greenstream.domain.ledger import Ledger

ZONES = {
    "Europe/Berlin": date(2024, 3, 31),
    "America/Sao_Paulo": date(2018, 11, 4),  # the day began at 01:00
    "America/Havana": date(2024, 11, 3),  # it began twice
    "Australia/Lord_Howe": date(2024, 4, 7),  # half an hour longer
    "Asia/Kathmandu": date(2024, 3, 15),
    "Africa/Cairo": date(2024, 10, 31),
    "Pacific/Apia": date(2011, 12, 31),  # the day after the one that never was
    "America/Scoresbysund": date(2024, 3, 31),
}


def rows_around(day: date, zone: ZoneInfo) -> list[datetime]:
    """All quarters of an hour, in UTC, from the day before to the day after."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(days=1)
    return [first + timedelta(minutes=15) * index for index in range(4 * 24 * 3)]


def partitions(harness: Harness) -> list[dict[str, Any]]:
    return harness.query(
        "SELECT relname AS partition, min(reading_at) AS first, max(reading_at) AS last,"
        " count(*) AS readings FROM greenstream.reading r JOIN pg_class c ON c.oid = r.tableoid GROUP BY 1 ORDER BY 2"
    )


def file_of(instants: list[datetime]) -> str:
    return HEADER + "".join(f"SM-1,{instant:%Y-%m-%dT%H:%M:%SZ},1 kW,\n" for instant in instants)


@pytest.mark.parametrize("timezone", ZONES)
def test_each_local_day_has_a_partition_of_just_its_readings(databases: Databases, timezone: str) -> None:
    zone, day = ZoneInfo(timezone), ZONES[timezone]
    instants = rows_around(day, zone)
    now = instants[-1] + timedelta(hours=1)
    with databases.harness(site_of(timezone), now=now) as harness:
        assert harness.load("a.csv", file_of(instants)).ledger == Ledger(rows=288, stored=288)
        by_day: dict[date, list[datetime]] = {}
        for instant in instants:
            by_day.setdefault(instant.astimezone(zone).date(), []).append(instant)
        assert partitions(harness) == [
            {
                "partition": f"reading_{local:%Y%m%d}",
                "first": min(those),
                "last": max(those),
                "readings": len(those),
            }
            for local, those in sorted(by_day.items())
        ]
        assert [row["day"] for row in harness.query("SELECT day FROM greenstream.day ORDER BY 1")] == sorted(by_day)


def test_days_before_the_retention_window_share_one_partition(harness: Harness) -> None:
    first_daily = harness.one("SELECT first_daily FROM greenstream.site")
    assert first_daily == date(2023, 12, 21)
    midnight = datetime(2023, 12, 21, tzinfo=UTC)
    harness.load("a.csv", file_of([midnight - timedelta(seconds=1), midnight]))
    assert [row["partition"] for row in partitions(harness)] == [
        "reading_older",
        "reading_20231221",
    ]


def test_a_file_of_scattered_dates_since_2010_needs_one_partition_for_the_old_ones(harness: Harness) -> None:
    instants = [datetime(2010, 1, 1, tzinfo=UTC) + timedelta(days=each) for each in range(5190)]
    result = harness.load("a.csv", file_of(instants))
    assert result.ledger == Ledger(rows=5190, stored=5190)
    older = partitions(harness)[0]
    assert older["readings"] == sum(instant < datetime(2023, 12, 21, tzinfo=UTC) for instant in instants)
    harness.assert_adds_up()
