"""A roster of meters: those that never reported are known, retired ones are expected no more, whenever it comes."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.oracle.history import final_scores, findings, reliability
from tests.oracle.history_compare import compare_findings
from tests.oracle.history_generators import random_history, readings_of, shuffled
from tests.oracle.history_grid import slots_of
from tests.support.harness import HEADER, Databases, Harness, site_of

from greenstream.application.history.detect import detect_findings
from greenstream.application.history.import_meters import Imported, import_meters
from greenstream.application.history.settle import settle
from greenstream.domain.formats.roster import read_roster

STEP = timedelta(minutes=15)
START = datetime(2024, 3, 10, tzinfo=UTC)
TODAY = date(2024, 3, 20)


def watch(harness: Harness) -> None:
    with harness.database.history() as history:
        detect_findings(history, harness.site, harness.clock())


def settle_due(harness: Harness) -> list[date]:
    """Settle what is due; which days those were."""
    watch(harness)
    due = harness.database.due_days(harness.now.astimezone(ZoneInfo(harness.site.timezone)).date())
    for day in due:
        with harness.database.history() as history:
            settle(history, harness.lake, harness.site, day, harness.clock())
    return due


def take_roster(
    harness: Harness, *lines: str, header: str = "meter_id,location,commissioned,decommissioned"
) -> Imported:
    text = "\n".join([header, *lines, ""])
    roster = read_roster("roster.csv", text.encode(), harness.site.limits)
    return import_meters(roster, harness.database.fleet, harness.site, harness.clock())


def hours(meter: str, first: int, last: int) -> str:
    """Lines of a meter at 1, 2, 1, 2 … kW in some hours since START."""
    slots = range(first * 4, last * 4)
    return "".join(f"{meter},{START + n * STEP:%Y-%m-%dT%H:%M}Z,{1 + n % 2} kW,Residential_Zone_1\n" for n in slots)


def missing(harness: Harness, meter: str) -> list[tuple[datetime, datetime, datetime | None]]:
    rows = harness.query(
        "SELECT window_start, window_end, resolved_at FROM data_quality_log"
        " WHERE code = 'CONSECUTIVE_MISSING' AND meter_id = %s ORDER BY window_start",
        meter,
    )
    return [(row["window_start"], row["window_end"], row["resolved_at"]) for row in rows]


def metadata(harness: Harness) -> dict[str, tuple[str, str | None]]:
    """Status and location of each meter."""
    rows = harness.query("SELECT meter_id, status, location FROM meter_metadata")
    return {row["meter_id"]: (row["status"], row["location"]) for row in rows}


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


@pytest.mark.parametrize("seed", range(200, 204))
def test_a_roster_counts_the_same_before_between_and_after_the_files(databases: Databases, seed: int) -> None:
    files, settings = random_history(seed)
    readings = readings_of(files, settings)
    zone, chance = ZoneInfo(settings.timezone), random.Random(seed)
    days = sorted({reading.slot.astimezone(zone).date() for reading in readings})
    meters = sorted({reading.meter_id for reading in readings})
    retired = {meter: chance.choice(days) for meter in chance.sample(meters, 3)}
    deliveries = shuffled(files, seed)
    moment = chance.choice([0, len(deliveries) // 2, len(deliveries) - 1])
    with databases.harness(site_of(settings.timezone), now=settings.now) as harness:
        for number, (name, content) in enumerate(deliveries):
            if chance.random() < 0.3:
                take_roster(harness, *roster_lines({meter: chance.choice(days) for meter in retired}))
            if number == moment:
                take_roster(harness, *roster_lines(retired))
            harness.load(name, content, received_at=settings.now)
            if number < moment or chance.random() < 0.5:
                chance.choice([watch, settle_due])(harness)
        take_roster(harness, *roster_lines(retired))
        settle_due(harness)
        last = slots_of(days[-1], zone, STEP)[-1]
        expected = findings(readings, watermark=last, timezone=settings.timezone, decommissioned=retired)
        assert compare_findings(expected, harness.query("SELECT * FROM data_quality_log")) == []
        options = {"timezone": settings.timezone, "decommissioned": retired}
        scores: dict[str, tuple[int, str]] = {}
        for day in days:
            scores |= final_scores(readings, day, **options)
        stored = harness.query("SELECT record_id, quality_score, quality_grade FROM meter_readings")
        assert {row["record_id"]: (row["quality_score"], row["quality_grade"]) for row in stored} == scores
        shares = {row["meter_id"]: row["reliability"] for row in harness.query("SELECT * FROM meter_metadata")}
        assert shares == pytest.approx(reliability(readings, days[-1], **options))


def roster_lines(retired: Mapping[str, date]) -> list[str]:
    return [f"{meter},,,{day}" for meter, day in retired.items()]


def test_a_meter_that_fell_silent_is_missing_until_its_retirement(harness: Harness) -> None:
    harness.load("a.csv", HEADER + hours("SM-1", 0, 20) + hours("SM-2", 0, 60))
    watch(harness)
    assert missing(harness, "SM-1") == [(at(20), at(60) - STEP, None)]
    assert metadata(harness)["SM-1"][0] == "silent"
    take_roster(harness, "SM-1,,,2024-03-11")
    assert missing(harness, "SM-1") == [(at(20), at(24) - STEP, at(24))]
    assert metadata(harness)["SM-1"][0] == "active"
    harness.load("b.csv", HEADER + hours("SM-2", 60, 90))
    watch(harness)
    assert missing(harness, "SM-1") == [(at(20), at(24) - STEP, at(24))]


def test_a_retirement_taken_back_or_moved_moves_the_finding(harness: Harness) -> None:
    harness.load("a.csv", HEADER + hours("SM-1", 0, 20) + hours("SM-2", 0, 90))
    ends = {"2024-03-11": at(24), "2024-03-12": at(48), "2024-03-13": at(72), "": at(90)}
    for day in ("2024-03-12", "2024-03-11", "", "2024-03-13", "9999-12-31"):
        take_roster(harness, f"SM-1,,,{day}")
        end = ends.get(day, at(90))
        assert missing(harness, "SM-1") == [(at(20), end - STEP, None if end == at(90) else end)]


def test_a_meter_retired_before_it_ever_fell_silent_has_no_finding(harness: Harness) -> None:
    harness.load("a.csv", HEADER + hours("SM-1", 0, 20) + hours("SM-2", 0, 60))
    watch(harness)
    take_roster(harness, "SM-1,,,1900-01-01")
    assert missing(harness, "SM-1") == []


def test_a_retirement_to_come_ends_the_finding_when_it_comes(harness: Harness) -> None:
    harness.load("a.csv", HEADER + hours("SM-1", 0, 10) + hours("SM-2", 0, 20))
    take_roster(harness, "SM-1,,,2024-03-11")
    assert missing(harness, "SM-1") == [(at(10), at(20) - STEP, None)]
    harness.load("b.csv", HEADER + hours("SM-2", 20, 50))
    watch(harness)
    assert missing(harness, "SM-1") == [(at(10), at(24) - STEP, at(24))]


def test_meters_that_never_reported_are_silent_from_their_commissioning_to_their_retirement(harness: Harness) -> None:
    done = take_roster(
        harness,
        f"due,Residential_Zone_3,{TODAY},",
        f"later,Residential_Zone_3,{TODAY + timedelta(1)},",
        "undated,Residential_Zone_3,,",
        f"retired,Residential_Zone_3,2024-01-01,{TODAY}",
        f"retiring,Residential_Zone_3,2024-01-01,{TODAY + timedelta(1)}",
    )
    assert (done.lines, done.registered, done.changed, done.unchanged) == (5, 5, 0, 0)
    silent = {meter for meter, (status, _) in metadata(harness).items() if status == "silent"}
    assert silent == {"due", "retiring"}
    harness.load("a.csv", HEADER + hours("due", 0, 1))
    watch(harness)
    assert metadata(harness)["due"] == ("active", "Residential_Zone_1")


def test_a_location_of_the_roster_counts_until_the_first_reading(harness: Harness) -> None:
    take_roster(harness, "SM-1,Commercial_Zone_8,,", "SM-2,Commercial_Zone_8,,")
    done = take_roster(harness, "SM-1,Commercial_Zone_9,,", "SM-2,,,")
    assert (done.registered, done.changed) == (0, 2)
    assert metadata(harness) == {"SM-1": ("active", "Commercial_Zone_9"), "SM-2": ("active", None)}
    take_roster(harness, "SM-2", header="meter_id")
    harness.load("a.csv", HEADER + hours("SM-1", 0, 1))
    assert take_roster(harness, "SM-1,Commercial_Zone_7,,").changed == 0
    assert metadata(harness)["SM-1"] == ("active", "Residential_Zone_1")


def test_importing_again_changes_nothing(harness: Harness) -> None:
    harness.load("a.csv", HEADER + hours("SM-1", 0, 20) + hours("SM-2", 0, 60))
    lines = ("SM-1,,2024-03-01,2024-03-11", "SM-3,Commercial_Zone_8,2024-03-01,")
    first = take_roster(harness, *lines)
    assert (first.registered, first.changed, first.found) == (1, 1, {"CONSECUTIVE_MISSING": 1})
    settle_due(harness)
    before = harness.query("SELECT * FROM data_quality_log"), harness.query("SELECT * FROM meter_metadata")
    again = take_roster(harness, *lines)
    assert (again.registered, again.changed, again.unchanged, again.found) == (0, 0, 2, {})
    assert settle_due(harness) == []
    assert before == (harness.query("SELECT * FROM data_quality_log"), harness.query("SELECT * FROM meter_metadata"))


def test_a_roster_says_nothing_about_columns_it_lacks(harness: Harness) -> None:
    take_roster(harness, "SM-1,,2024-01-01,2024-02-01")
    assert take_roster(harness, "SM-1;2024-01-02", header="METER_ID; Commissioned ").changed == 1
    (meter,) = harness.query("SELECT commissioned, decommissioned FROM greenstream.meter")
    assert meter == {"commissioned": date(2024, 1, 2), "decommissioned": date(2024, 2, 1)}


def test_late_readings_make_the_days_due_that_look_back_on_them(harness: Harness) -> None:
    days = [date(2024, 3, day) for day in range(10, 20)]
    harness.load("a.csv", HEADER + hours("SM-1", 0, 40) + hours("SM-1", 48, 240))
    assert settle_due(harness) == days
    assert settle_due(harness) == []
    harness.load("b.csv", HEADER + hours("SM-1", 40, 41))
    assert settle_due(harness) == days[1:9]
    harness.load("c.csv", HEADER + hours("SM-2", 200, 201))
    assert settle_due(harness) == days[8:]
    assert settle_due(harness) == []
