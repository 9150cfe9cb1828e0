"""The history rules and settling agree with the oracle, whatever came in which order and whatever happened between."""

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.oracle.history import final_scores, findings, reliability
from tests.oracle.history_compare import compare_findings
from tests.oracle.history_generators import Settings, random_history, readings_of, shuffled
from tests.oracle.reference import Reading
from tests.support.harness import Databases, Harness, site_of

from greenstream.application.history.detect import Detected, detect_findings
from greenstream.application.history.settle import Settled, settle

Files = list[tuple[str, bytes]]


def watch(harness: Harness) -> Detected:
    with harness.database.history() as history:
        return detect_findings(history, harness.site, harness.clock())


def settle_day(harness: Harness, day: date) -> Settled:
    with harness.database.history() as history:
        return settle(history, harness.lake, harness.site, day, harness.clock())


def local_days(readings: list[Reading], timezone: str) -> list[date]:
    """The days with readings, and those around them."""
    days = {reading.slot.astimezone(ZoneInfo(timezone)).date() for reading in readings}
    return sorted({day + timedelta(days=n) for day in days for n in (-1, 0, 1)})[1:-1]


def log(harness: Harness) -> list[dict[str, object]]:
    return harness.query("SELECT * FROM data_quality_log WHERE window_start IS NOT NULL")


def disagreements(
    harness: Harness, readings: list[Reading], settings: Settings, watermark: datetime | None
) -> list[str]:
    expected = findings(readings, watermark=watermark, timezone=settings.timezone, max_kw=settings.max_kw)
    return compare_findings(expected, log(harness))


def end_of(day: date, timezone: str) -> datetime:
    """The start of the day's last slot."""
    behind = day + timedelta(days=1)
    midnight = datetime(behind.year, behind.month, behind.day, tzinfo=ZoneInfo(timezone))
    return midnight.astimezone(ZoneInfo("UTC")) - timedelta(minutes=15)


@pytest.mark.parametrize("seed", range(8))
def test_findings_after_a_watch_are_those_of_the_oracle(databases: Databases, seed: int) -> None:
    assert watched(databases, *random_history(seed)) == []


@pytest.mark.parametrize(
    ("seed", "resets"), [(20, (8,)), (21, (9, 9)), (22, (10, 25, 60)), (23, (7, 8, 200)), (24, (5170,))]
)
def test_clocks_that_were_reset_make_long_gaps(databases: Databases, seed: int, resets: tuple[int, ...]) -> None:
    assert watched(databases, *random_history(seed, days=9, resets=resets)) == []


@pytest.mark.parametrize(("seed", "scale"), [(30, 2), (31, 4), (32, 120), (33, 4000), (34, 1_000_000)])
def test_powers_are_compared_exactly_whatever_the_limit(databases: Databases, seed: int, scale: int) -> None:
    assert watched(databases, *random_history(seed, days=9, scale=scale)) == []


def watched(databases: Databases, files: Files, settings: Settings) -> list[str]:
    """Where the findings of one watch and the oracle's disagree, on a loaded fleet."""
    with databases.harness(site_of(settings.timezone, max_kw=settings.max_kw), now=settings.now) as harness:
        for name, content in files:
            harness.load(name, content, received_at=settings.now)
        watch(harness)
        return disagreements(harness, readings_of(files, settings), settings, None)


@pytest.mark.parametrize("seed", range(100, 110))
def test_any_order_with_watches_and_settlings_between_ends_the_same(databases: Databases, seed: int) -> None:
    files, settings = random_history(seed, resets=(8, 9, 12, 40)[: seed % 5])
    readings = readings_of(files, settings)
    days = local_days(readings, settings.timezone)
    chance = random.Random(seed)
    with databases.harness(site_of(settings.timezone), now=settings.now) as harness:
        for name, content in shuffled(files, seed):
            harness.load(name, content, received_at=settings.now)
            if chance.random() < 0.5:
                watch(harness)
            if chance.random() < 0.2:
                settle_day(harness, chance.choice(days))
        for day in days:
            settle_day(harness, day)
        last = max(reading.slot for reading in readings).astimezone(ZoneInfo(settings.timezone)).date()
        assert disagreements(harness, readings, settings, end_of(last, settings.timezone)) == []
        assert wrong_scores(harness, readings, days, settings) == []
        assert wrong_reliabilities(harness, readings, days, settings) == []


def wrong_scores(harness: Harness, readings: list[Reading], days: list[date], settings: Settings) -> list[str]:
    expected = {}
    for day in days:
        expected |= final_scores(readings, day, timezone=settings.timezone)
    rows = harness.query("SELECT record_id, quality_score, quality_grade FROM meter_readings")
    got = {row["record_id"]: (row["quality_score"], row["quality_grade"]) for row in rows}
    return [f"{key}: expected {expected.get(key)}, got {got.get(key)}" for key in expected if expected[key] != got[key]]


def wrong_reliabilities(harness: Harness, readings: list[Reading], days: list[date], settings: Settings) -> list[str]:
    """Of the last day on which the fleet has a reading."""
    last = max(day for day in days if reliability(readings, day, timezone=settings.timezone))
    expected = reliability(readings, last, timezone=settings.timezone)
    got = {
        row["meter_id"]: row["reliability"] for row in harness.query("SELECT meter_id, reliability FROM meter_metadata")
    }
    return [
        f"{meter}: expected {share}, got {got[meter]}"
        for meter, share in expected.items()
        if (share is None) != (got[meter] is None) or abs((share or 0) - (got[meter] or 0)) > 1e-12
    ]
