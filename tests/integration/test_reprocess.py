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
from tests.support.bed import HEADER, VERSION, Bed, Databases, site_of
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
    bed: Bed, site: Site, *, dry_run: bool = False, version: str = NEWER, files: int | None = None
) -> list[ReprocessedFile]:
    """What it tells; with `files`, it is broken off after so many."""
    newer = PostgresDatabase(bed.dsn, site, version=version)
    try:
        with_newer = context(bed, bed.now + timedelta(hours=1), site=site, dry_run=dry_run)
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


def load(bed: Bed, files: dict[str, str], site: Site, version: str) -> None:
    """As another site or version would."""
    database = PostgresDatabase(bed.dsn, site, version=version)
    for name, rows in files.items():
        path = bed.land(name, HEADER + rows, received_at=bed.now)
        process_file(path, landing=bed.store, database=database, lake=bed.lake, site=site, clock=lambda: bed.now)
    database.close()


def everything(bed: Bed) -> dict[str, list[dict[str, Any]]]:
    """What must not depend on when the newer pipeline came."""
    return {
        "readings": bed.query("SELECT * FROM meter_readings ORDER BY record_id, source_file"),
        "current": bed.query("SELECT record_id FROM current_readings ORDER BY 1"),
        "files": bed.query(
            "SELECT path, outcome, rows, stored, duplicate, rejected, pipeline_version FROM source_files ORDER BY 1"
        ),
        "quarantine": bed.query(
            "SELECT source_file, line_number, raw_line, rule_id, code FROM quarantined_rows"
            " WHERE replayed_at IS NULL ORDER BY 1, 2"
        ),
        "flags": bed.query(
            "SELECT rule_id, code, meter_id, record_id, detail FROM data_quality_log WHERE window_start IS NULL"
            " ORDER BY 1, 2, 3, 4"
        ),
        "grades": bed.query(
            "SELECT day, region, grade, sum(readings) AS n FROM greenstream.grade_count GROUP BY 1, 2, 3"
            " HAVING sum(readings) > 0 ORDER BY 1, 2, 3"
        ),
    }


@pytest.fixture
def twin(databases: Databases) -> Iterator[Bed]:
    with databases.bed() as twin:
        yield twin


@pytest.mark.parametrize("site", [STRICTER, LAXER], ids=["stricter", "laxer"])
def test_afterwards_all_is_as_if_the_newer_one_had_been_there_from_the_start(bed: Bed, twin: Bed, site: Site) -> None:
    load(bed, FILES, bed.site, VERSION)
    load(twin, FILES, site, NEWER)
    assert everything(bed) != everything(twin)
    done = again(bed, site)
    assert all(each.trouble is None for each in done)
    bed.assert_adds_up()
    assert everything(bed) == everything(twin)
    assert [each for each in again(bed, site) if each.is_other] == []


@pytest.mark.parametrize("files", range(1, 2 * len(FILES)))
def test_broken_off_between_two_files_it_goes_on(bed: Bed, twin: Bed, files: int) -> None:
    load(bed, FILES, bed.site, VERSION)
    load(twin, FILES, STRICTER, NEWER)
    assert again(bed, STRICTER, files=files)
    bed.assert_adds_up()
    again(bed, STRICTER)
    assert everything(bed) == everything(twin)


def test_a_dry_run_tells_the_same_and_changes_nothing(bed: Bed) -> None:
    load(bed, FILES, bed.site, VERSION)
    before = everything(bed), bed.query("SELECT * FROM greenstream.day ORDER BY 1")
    planned = again(bed, STRICTER, dry_run=True)
    assert (everything(bed), bed.query("SELECT * FROM greenstream.day ORDER BY 1")) == before
    done = again(bed, STRICTER)
    assert planned == [replace(ours, ledger=plan.ledger) for ours, plan in zip(done, planned, strict=False)]
    assert any(each.superseded for each in planned)


def test_what_is_no_longer_produced_is_kept_apart(bed: Bed) -> None:
    load(bed, FILES, bed.site, VERSION)
    again(bed, STRICTER)
    gone = bed.query("SELECT meter_id, reading_at, superseded_by, source_file FROM superseded_readings ORDER BY 1, 2")
    assert [(row["meter_id"], row["superseded_by"]) for row in gone] == [
        ("SM-1", NEWER),
        ("SM-3", NEWER),
        ("SM-3", NEWER),
        ("SM-3", NEWER),
        ("SM-4", NEWER),
    ]


def test_days_have_to_be_settled_again_only_if_something_changed(bed: Bed) -> None:
    load(bed, FILES, bed.site, VERSION)
    nights = Nights(bed)
    nights.run()
    assert bed.database.due_days(nights.today) == []
    again(bed, bed.site, version=VERSION)
    assert bed.database.due_days(nights.today) == []
    again(bed, bed.site)
    assert bed.database.due_days(nights.today) == [date(2024, 3, 11), date(2024, 3, 15)]
    nights.run()
    assert set(lake_rows(bed)["pipeline_version"]) == {NEWER}
    assert nights.verify(date(2024, 3, 15)).differences == ()


def test_rows_that_a_person_replayed_stay(bed: Bed) -> None:
    future = "SM-1,2024-04-01 10:00:00,2 kW,Residential_Zone_1\n"
    load(bed, {"a.csv": future + "SM-1,2024-03-15 10:00,3 kW,\n"}, bed.site, VERSION)
    list(replay_rows(RowChoice(), context(bed)))
    assert bed.one("SELECT count(*) FROM meter_readings") == 2
    again(bed, STRICTER)
    assert bed.one("SELECT count(*) FROM meter_readings") == 2
    bed.assert_adds_up()


def test_a_raw_file_that_is_gone_is_trouble_of_that_file_alone(bed: Bed) -> None:
    load(bed, FILES, bed.site, VERSION)
    (bed.folder / "raw-data/2024-03-20/a.csv").unlink()
    (bed.folder / "raw-data/2024-03-20/b.csv").write_text("other")
    done = {each.source_file[-5:]: each for each in again(bed, STRICTER)}
    assert "no longer" in str(done["a.csv"].trouble)
    assert "checksum" in str(done["b.csv"].trouble)
    assert done["c.csv"].trouble is None
    bed.assert_adds_up()


def test_retired_days_come_back_change_and_go_again(bed: Bed) -> None:
    bed.now = LONG_AFTER
    nights = Nights(bed)
    load(bed, FILES, bed.site, VERSION)
    nights.run()
    assert bed.one("SELECT count(*) FROM meter_readings") == 0
    done = again(bed, STRICTER)
    assert sum(each.changed for each in done) > 0
    nights.run()
    assert bed.one("SELECT count(*) FROM meter_readings") == 0
    rows = lake_rows(bed)
    assert set(rows["pipeline_version"]) == {NEWER}
    assert rows.filter(rows["meter_id"] == "SM-2")["flags"].to_list() == [["OUT_OF_RANGE"]]
    assert rows.filter(rows["meter_id"] == "SM-1")["flags"].to_list() == [["OUT_OF_RANGE"], ["INVALID_UNIT"]]


def test_a_reading_that_another_line_gives_now_stays(bed: Bed, twin: Bed) -> None:
    """The last line counts no more, so time runs forward: the second lost line gets the first one's place."""
    lost = "SM-1,lost,2 kW,\n"
    files = {"a.csv": f"{lost}SM-1,2024-03-15 10:00,1 kW,\n{lost}SM-1,2024-03-11 10:00,1 kW,\n"}
    load(bed, files, bed.site, VERSION)
    load(twin, files, STRICTER, NEWER)
    again(bed, STRICTER)
    bed.assert_adds_up()
    assert everything(bed) == everything(twin)
    assert [each for each in again(bed, STRICTER) if each.is_other] == []


def test_back_and_forth_ends_where_it_began(bed: Bed) -> None:
    load(bed, FILES, bed.site, VERSION)
    before = everything(bed)
    for site in (STRICTER, LAXER, STRICTER):
        again(bed, site)
    again(bed, bed.site, version=VERSION)
    bed.assert_adds_up()
    assert everything(bed) == before


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
    with databases.bed() as bed, databases.bed() as twin:
        load(bed, named, bed.site, VERSION)
        load(twin, named, site, NEWER)
        again(bed, site)
        bed.assert_adds_up()
        ours, theirs = everything(bed), everything(twin)
        for each in (ours, theirs):  # which of two files a shared row is stored with may differ
            for row in each["readings"]:
                row.pop("source_file")
        assert ours == theirs
