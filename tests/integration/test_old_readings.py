"""Readings years before the others, and powers beyond 32 bits: exact, and no more work than they are worth."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.oracle.history import reliability
from tests.oracle.reference import Reading, evaluate_file
from tests.support.harness import HEADER, NOW, Databases, Harness, site_of

from greenstream.application.history.detect import detect_findings
from greenstream.application.history.settle import settle

DATA = Path(__file__).parents[1] / "data"
STEP = timedelta(minutes=15)
START = datetime(2024, 3, 8, tzinfo=UTC)
OLD = date(2010, 1, 5)


def watch(harness: Harness) -> None:
    with harness.database.history() as history:
        detect_findings(history, harness.site, harness.clock())


def settle_due(harness: Harness) -> list[date]:
    watch(harness)
    due = harness.database.due_days(date(2024, 3, 20))
    for day in due:
        with harness.database.history() as history:
            settle(history, harness.lake, harness.site, day, harness.clock())
    return due


def usual(meters: int, days: int) -> str:
    return HEADER + "".join(
        f"SM-{meter},{START + n * STEP:%Y-%m-%dT%H:%M}Z,{1 + n % 3} kW,Residential_Zone_1\n"
        for n in range(96 * days)
        for meter in range(meters)
    )


def reset(meters: range) -> str:
    return HEADER + "".join(f"SM-{meter},{OLD}T12:00Z,1 kW,Residential_Zone_1\n" for meter in meters)


def findings(harness: Harness, code: str) -> list[tuple[str, datetime, datetime, object]]:
    rows = harness.query(
        "SELECT meter_id, window_start, window_end, detail FROM data_quality_log WHERE code = %s ORDER BY 1, 2", code
    )
    return [(row["meter_id"], row["window_start"], row["window_end"], row["detail"]) for row in rows]


def test_a_gap_of_fourteen_years_is_one_finding(harness: Harness) -> None:
    harness.load("a.csv", (DATA / "reset-to-2010.csv").read_bytes())
    watch(harness)
    (finding,) = findings(harness, "CONSECUTIVE_MISSING")
    first, last = datetime(2010, 1, 5, 12, 15, tzinfo=UTC), datetime(2024, 3, 15, 18, 30, tzinfo=UTC)
    assert finding == ("SM-48291", first, last, {"run_slots": (last - first) // STEP + 1})


def test_an_old_reading_reopens_the_days_that_it_changes_and_no_others(harness: Harness) -> None:
    harness.load("a.csv", usual(3, 10))
    days = [date(2024, 3, day) for day in range(8, 18)]
    assert settle_due(harness) == days
    harness.load("b.csv", reset(range(2, 5)))
    # SM-2 has more slots for a week; what is known of SM-3 and SM-4 by now is from the last day.
    assert settle_due(harness) == [OLD, *days[:8], days[-1]]
    assert settle_due(harness) == []
    harness.load("c.csv", reset(range(5, 6)))
    assert settle_due(harness) == [OLD, days[-1]]


def test_what_is_known_of_a_meter_is_the_same_in_any_order(databases: Databases) -> None:
    files = [usual(3, 10), reset(range(2, 5))]
    readings: list[Reading] = []
    for text in files:
        readings += evaluate_file("a.csv", text.encode(), received_at=NOW, now=NOW).readings
    expected = reliability(readings, date(2024, 3, 17))
    for order in (files, files[::-1]):
        with databases.harness() as harness:
            for number, text in enumerate(order):
                harness.load(f"{number}.csv", text)
                settle_due(harness)
            shares = {row["meter_id"]: row["reliability"] for row in harness.query("SELECT * FROM meter_metadata")}
            assert shares == pytest.approx(expected)


def test_powers_beyond_32_bits_are_kept_exactly(harness: Harness) -> None:
    text = usual(2, 2) + "SM-0,2024-03-10T00:00Z,999999999.9999 kW,\nSM-1,2024-03-10T00:00Z,214748.3648 kW,\n"
    harness.load("a.csv", text)
    watch(harness)
    harness.load("b.csv", HEADER + "SM-0,2024-03-10T00:30Z,7 kW,\n")
    watch(harness)
    spikes = harness.query(
        "SELECT meter_id, detail ->> 'kw' AS kw FROM data_quality_log WHERE code = 'ERRATIC_SPIKE' ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in spikes] == [
        ("SM-0", "7.0000"),
        ("SM-0", "999999999.9999"),
        ("SM-1", "214748.3648"),
    ]
    values = "SELECT length(slot_values) / 96 AS bytes FROM greenstream.meter_day WHERE day = '2024-03-10' ORDER BY 1"
    assert [row["bytes"] for row in harness.query(values)] == [8, 8]


def test_a_large_customer_is_judged_by_the_limit_that_is_set(databases: Databases) -> None:
    with databases.harness(site_of(max_kw=6000)) as harness:
        harness.load("a.csv", (DATA / "large-customer.csv").read_bytes())
        watch(harness)
        assert [(meter, detail["kw"]) for meter, _, _, detail in findings(harness, "ERRATIC_SPIKE")] == [("LC-7", 2000)]
        assert findings(harness, "STUCK_METER") == []
