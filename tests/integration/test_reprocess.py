"""Files through a newer pipeline: afterwards all is as if it had been there from the start."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.test_lake import LONG_AFTER, lake_rows
from tests.integration.test_replay import context
from tests.support.harness import HEADER, VERSION, Databases, Harness, site_of
from tests.support.nights import Nights

from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.application.corrections.replay import replay_rows
from greenstream.application.corrections.reprocess import ReprocessedFile, reprocess
from greenstream.application.loading.process_file import process_file
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.site import Site

FIRST, LAST = date(2024, 3, 1), date(2024, 3, 31)
NEWER = "2.0.0"
STRICTER = site_of(max_kw=10, earliest_reading=datetime(2024, 3, 12, tzinfo=UTC), infer_max_rows=1)
LAXER = site_of(max_kw=100, infer_max_rows=8, max_meter_id_chars=100)
LONG_ID = "SM-" + "9" * 80


def again(
    harness: Harness, site: Site, *, dry_run: bool = False, version: str = NEWER, files: int | None = None
) -> list[ReprocessedFile]:
    """What it tells; with `files`, it is broken off after so many."""
    newer = PostgresDatabase(harness.dsn, site, version=version)
    try:
        with_newer = context(harness, harness.now + timedelta(hours=1), site=site, dry_run=dry_run)
        with_newer = type(with_newer)(**{**vars(with_newer), "replays": newer.replays()})
        return list(islice(reprocess(FIRST, LAST, with_newer), files))
    finally:
        newer.close()


FILES = {
    "a.csv": "SM-1,2024-03-11 10:00,5 kW,Residential_Zone_1\nSM-1,2024-03-15 10:00,30 kW,Residential_Zone_1\n"
    "SM-2,2024-03-15 10:00,60 kW,Residential_Zone_2\n"
    f"{LONG_ID},2024-03-15 10:00,1 kW,Residential_Zone_2\n",
    "b.csv": "SM-3,2024-03-15 10:00,1 kW,\n" + "".join(f"SM-3,lost,1.{number} kW,\n" for number in range(1, 5)),
    "c.csv": "SM-1,2024-03-15 10:00,30 kW,Residential_Zone_1\nSM-1,2024-03-15 10:15,7 Volts,Residential_Zone_1\n",
    "d.csv": "SM-4,2024-03-11 10:00,1 kW,\n",
}


def load(harness: Harness, files: dict[str, str], site: Site, version: str) -> None:
    """As another site or version would."""
    database = PostgresDatabase(harness.dsn, site, version=version)
    for name, rows in files.items():
        path = harness.land(name, HEADER + rows, received_at=harness.now)
        process_file(
            path, landing=harness.store, database=database, lake=harness.lake, site=site, clock=lambda: harness.now
        )
    database.close()


def everything(harness: Harness) -> dict[str, list[dict[str, Any]]]:
    """What must not depend on when the newer pipeline came."""
    return {
        "readings": harness.query("SELECT * FROM meter_readings ORDER BY record_id, source_file"),
        "current": harness.query("SELECT record_id FROM current_readings ORDER BY 1"),
        "files": harness.query(
            "SELECT path, outcome, rows, stored, duplicate, rejected, pipeline_version FROM source_files ORDER BY 1"
        ),
        "quarantine": harness.query(
            "SELECT source_file, line_number, raw_line, rule_id, code FROM quarantined_rows"
            " WHERE replayed_at IS NULL ORDER BY 1, 2"
        ),
        "flags": harness.query(
            "SELECT rule_id, code, meter_id, record_id, detail FROM data_quality_log WHERE window_start IS NULL"
            " ORDER BY 1, 2, 3, 4"
        ),
        "grades": harness.query(
            "SELECT day, region, grade, sum(readings) AS n FROM greenstream.grade_count GROUP BY 1, 2, 3"
            " HAVING sum(readings) > 0 ORDER BY 1, 2, 3"
        ),
    }


@pytest.fixture
def twin(databases: Databases) -> Iterator[Harness]:
    with databases.harness() as twin:
        yield twin


@pytest.mark.parametrize("site", [STRICTER, LAXER], ids=["stricter", "laxer"])
def test_afterwards_all_is_as_if_the_newer_one_had_been_there_from_the_start(
    harness: Harness, twin: Harness, site: Site
) -> None:
    load(harness, FILES, harness.site, VERSION)
    load(twin, FILES, site, NEWER)
    assert everything(harness) != everything(twin)
    done = again(harness, site)
    assert all(each.trouble is None for each in done)
    harness.assert_adds_up()
    assert everything(harness) == everything(twin)
    assert [each for each in again(harness, site) if each.is_other] == []


@pytest.mark.parametrize("files", range(1, 2 * len(FILES)))
def test_broken_off_between_two_files_it_goes_on(harness: Harness, twin: Harness, files: int) -> None:
    load(harness, FILES, harness.site, VERSION)
    load(twin, FILES, STRICTER, NEWER)
    assert again(harness, STRICTER, files=files)
    harness.assert_adds_up()
    again(harness, STRICTER)
    assert everything(harness) == everything(twin)


def test_a_dry_run_tells_the_same_and_changes_nothing(harness: Harness) -> None:
    load(harness, FILES, harness.site, VERSION)
    before = everything(harness), harness.query("SELECT * FROM greenstream.day ORDER BY 1")
    planned = again(harness, STRICTER, dry_run=True)
    assert (everything(harness), harness.query("SELECT * FROM greenstream.day ORDER BY 1")) == before
    done = again(harness, STRICTER)
    assert planned == [replace(ours, ledger=plan.ledger) for ours, plan in zip(done, planned, strict=False)]
    assert any(each.superseded for each in planned)


def test_what_is_no_longer_produced_is_kept_apart(harness: Harness) -> None:
    load(harness, FILES, harness.site, VERSION)
    again(harness, STRICTER)
    gone = harness.query(
        "SELECT meter_id, reading_at, superseded_by, source_file FROM superseded_readings ORDER BY 1, 2"
    )
    assert [(row["meter_id"], row["superseded_by"]) for row in gone] == [
        ("SM-1", NEWER),
        ("SM-3", NEWER),
        ("SM-3", NEWER),
        ("SM-3", NEWER),
        ("SM-4", NEWER),
    ]


def test_days_have_to_be_settled_again_only_if_something_changed(harness: Harness) -> None:
    load(harness, FILES, harness.site, VERSION)
    nights = Nights(harness)
    nights.run()
    assert harness.database.due_days(nights.today) == []
    again(harness, harness.site, version=VERSION)
    assert harness.database.due_days(nights.today) == []
    again(harness, harness.site)
    assert harness.database.due_days(nights.today) == [date(2024, 3, 11), date(2024, 3, 15)]
    nights.run()
    assert set(lake_rows(harness)["pipeline_version"]) == {NEWER}
    assert nights.verify(date(2024, 3, 15)).differences == ()


def test_rows_that_a_person_replayed_stay(harness: Harness) -> None:
    future = "SM-1,2024-04-01 10:00:00,2 kW,Residential_Zone_1\n"
    load(harness, {"a.csv": future + "SM-1,2024-03-15 10:00,3 kW,\n"}, harness.site, VERSION)
    list(replay_rows(RowChoice(), context(harness)))
    assert harness.one("SELECT count(*) FROM meter_readings") == 2
    again(harness, STRICTER)
    assert harness.one("SELECT count(*) FROM meter_readings") == 2
    harness.assert_adds_up()


def test_a_raw_file_that_is_gone_is_trouble_of_that_file_alone(harness: Harness) -> None:
    load(harness, FILES, harness.site, VERSION)
    (harness.folder / "raw-data/2024-03-20/a.csv").unlink()
    (harness.folder / "raw-data/2024-03-20/b.csv").write_text("other")
    done = {each.source_file[-5:]: each for each in again(harness, STRICTER)}
    assert "no longer" in str(done["a.csv"].trouble)
    assert "checksum" in str(done["b.csv"].trouble)
    assert done["c.csv"].trouble is None
    harness.assert_adds_up()


def test_retired_days_come_back_change_and_go_again(harness: Harness) -> None:
    harness.now = LONG_AFTER
    nights = Nights(harness)
    load(harness, FILES, harness.site, VERSION)
    nights.run()
    assert harness.one("SELECT count(*) FROM meter_readings") == 0
    done = again(harness, STRICTER)
    assert sum(each.changed for each in done) > 0
    nights.run()
    assert harness.one("SELECT count(*) FROM meter_readings") == 0
    rows = lake_rows(harness)
    assert set(rows["pipeline_version"]) == {NEWER}
    assert rows.filter(rows["meter_id"] == "SM-2")["flags"].to_list() == [["OUT_OF_RANGE"]]
    assert rows.filter(rows["meter_id"] == "SM-1")["flags"].to_list() == [["OUT_OF_RANGE"], ["INVALID_UNIT"]]


def test_a_reading_that_another_line_gives_now_stays(harness: Harness, twin: Harness) -> None:
    """The last line counts no more, so time runs forward: the second lost line gets the first one's place."""
    lost = "SM-1,lost,2 kW,\n"
    files = {"a.csv": f"{lost}SM-1,2024-03-15 10:00,1 kW,\n{lost}SM-1,2024-03-11 10:00,1 kW,\n"}
    load(harness, files, harness.site, VERSION)
    load(twin, files, STRICTER, NEWER)
    again(harness, STRICTER)
    harness.assert_adds_up()
    assert everything(harness) == everything(twin)
    assert [each for each in again(harness, STRICTER) if each.is_other] == []


def test_back_and_forth_ends_where_it_began(harness: Harness) -> None:
    load(harness, FILES, harness.site, VERSION)
    before = everything(harness)
    for site in (STRICTER, LAXER, STRICTER):
        again(harness, site)
    again(harness, harness.site, version=VERSION)
    harness.assert_adds_up()
    assert everything(harness) == before


# Values of lost rows are each file's own: of a row that is inferred in one file and read in another, what came first
# stays, and by a newer pipeline another may have been first.
LINES = st.lists(
    st.builds(
        "SM-{},{} kW,Residential_Zone_1\n".format,
        st.integers(1, 2),
        st.builds(
            "{},{}".format,
            st.sampled_from(["2024-03-15 10:00", "2024-03-15 10:15", "2024-03-15 10:30", "2024-03-11 10:00"]),
            st.sampled_from(["1", "20", "60", "x"]),
        )
        | st.sampled_from(["lost,2.FILE", "lost,20.FILE"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=timedelta(seconds=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(LINES, min_size=1, max_size=3, unique_by=tuple), site=st.sampled_from([STRICTER, LAXER]))
def test_whatever_the_files_hold(databases: Databases, files: list[list[str]], site: Site) -> None:
    named = {f"{number}.csv": "".join(lines).replace("FILE", str(number)) for number, lines in enumerate(files)}
    with databases.harness() as harness, databases.harness() as twin:
        load(harness, named, harness.site, VERSION)
        load(twin, named, site, NEWER)
        again(harness, site)
        harness.assert_adds_up()
        ours, theirs = everything(harness), everything(twin)
        for each in (ours, theirs):  # which of two files a shared row is stored with may differ
            for row in each["readings"]:
                row.pop("source_file")
        assert ours == theirs
