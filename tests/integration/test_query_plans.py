"""Queries people ask reach the index, touch only the days asked for, and skip the joins they don't need."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import pytest
from tests.support.harness import HEADER, Databases, Harness

RELATIONS = ("meter_readings", "current_readings")
DAYS = 6
METERS = 300


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Harness]:
    """Days of a small fleet, as many as make partitions matter."""
    with databases.harness() as harness:
        start = datetime(2024, 3, 7, tzinfo=UTC)
        for day in range(DAYS):
            harness.load(f"{day}.csv", file_of(start + timedelta(days=day)))
        harness.execute("VACUUM ANALYZE")
        yield harness


def file_of(day: datetime) -> str:
    return HEADER + "".join(
        f"SM-{meter},{day + timedelta(minutes=15 * slot):%Y-%m-%dT%H:%M:%SZ},{meter + slot} W,Residential_Zone_1\n"
        for meter in range(METERS)
        for slot in range(96)
    )


def nodes(harness: Harness, statement: LiteralString) -> list[dict[str, Any]]:
    """All nodes of the plan that ran."""
    (row,) = harness.query("EXPLAIN (ANALYZE, FORMAT JSON) " + statement)
    plan = row["QUERY PLAN"]
    return _flat((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def _flat(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *[each for child in node.get("Plans", []) for each in _flat(child)]]


def reading_scans(plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The scans of partitions of readings that really ran."""
    return [node for node in plan if "reading_2" in node.get("Relation Name", "") and node["Actual Loops"] > 0]


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_meters_readings_come_by_the_index(filled: Harness, relation: str) -> None:
    plan = nodes(filled, f"SELECT * FROM {relation} WHERE meter_id = 'SM-7' AND reading_at >= '2024-03-10 00:00Z'")
    scans = reading_scans(plan)
    assert scans
    assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Bitmap Heap Scan", "Index Only Scan"}
    assert plan[0]["Actual Rows"] == 96 * 3


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_time_span_touches_its_days_alone(filled: Harness, relation: str) -> None:
    plan = nodes(
        filled,
        f"SELECT * FROM {relation} WHERE reading_at >= '2024-03-10 06:00Z' AND reading_at < '2024-03-10 07:00Z'",
    )
    assert {scan["Relation Name"] for scan in reading_scans(plan)} == {"reading_20240310"}
    assert plan[0]["Actual Rows"] == METERS * 4


def test_one_meters_newest_reading_reads_that_meter_alone(filled: Harness) -> None:
    plan = nodes(filled, "SELECT * FROM meter_readings WHERE meter_id = 'SM-7' ORDER BY reading_at DESC LIMIT 1")
    assert sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in reading_scans(plan)) <= 96 * DAYS


def test_counting_readings_joins_nothing(filled: Harness) -> None:
    plan = nodes(filled, "SELECT count(*) FROM meter_readings")
    assert not [node for node in plan if "Join" in node["Node Type"] or node["Node Type"] == "Nested Loop"]
    assert plan[0]["Actual Rows"] == 1


def test_counting_current_readings_joins_no_words_and_compares_within_slots(filled: Harness) -> None:
    plan = nodes(filled, "SELECT count(*) FROM current_readings")
    touched = {node.get("Relation Name", "") for node in plan}
    assert not touched & {"word", "flag_set", "meter", "location", "source_file"}
    compared = sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in reading_scans(plan))
    assert compared <= METERS * DAYS * 96 * 2


@pytest.mark.parametrize("table", ["alert", "dead_letter", "quarantined_row", "window_finding"])
def test_what_is_open_is_asked_in_the_plan_itself_so_that_indexes_serve(filled: Harness, table: str) -> None:
    plan = filled.query(f"EXPLAIN SELECT FROM greenstream.{table} t WHERE greenstream.is_open(t)")
    assert not [row for row in plan if "is_open" in str(row)]
