"""Many at once: files are loaded once, conflicts pass, nobody waits for who is not in the way."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.support.harness import HEADER, Harness
from tests.support.worker import barrier, job_of, run_at_once

from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.domain.errors import DatabaseUnavailable, RetryableError, TransactionConflict
from greenstream.domain.ledger import FileResult, Outcome

SLOT = timedelta(minutes=15)


def rows_of(meters: range, day: int, slots: range, power: int = 1) -> list[str]:
    start = datetime(2024, 3, day, tzinfo=UTC)
    return [
        f"SM-{meter},{start + SLOT * slot:%F %T},{power} kW,Residential_Zone_{meter % 3}\n"
        for meter in meters
        for slot in slots
    ]


def file_of(rows: list[str]) -> str:
    return HEADER + "".join(rows)


@pytest.mark.parametrize("workers", [2, 4])
def test_many_on_one_file_load_it_once(harness: Harness, workers: int) -> None:
    path = harness.land("a.csv", file_of(rows_of(range(50), 15, range(40))))
    start = barrier(workers)
    reports = run_at_once([job_of(harness, path, barrier=start) for _ in range(workers)])
    assert sorted(report.outcomes[0] for report in reports) == ["duplicate"] * (workers - 1) + ["loaded"]
    assert [report.troubles for report in reports] == [()] * workers
    assert harness.sums() == (2000, 2000, 0, 0)
    harness.assert_adds_up()


def test_the_same_content_under_four_names_at_once_is_loaded_once(harness: Harness) -> None:
    content = file_of(rows_of(range(50), 15, range(40)))
    start = barrier(4)
    jobs = [job_of(harness, harness.land(f"{number}.csv", content), barrier=start) for number in range(4)]
    reports = run_at_once(jobs)
    assert sorted(report.outcomes[0] for report in reports) == ["duplicate"] * 3 + ["loaded"]
    outcomes = [row["outcome"] for row in harness.query("SELECT outcome FROM source_files ORDER BY outcome")]
    assert outcomes == ["duplicate"] * 3 + ["loaded"]
    harness.assert_adds_up()


@pytest.mark.parametrize("seed", range(3))
def test_overlapping_files_with_new_meters_days_and_places_all_come_in(harness: Harness, seed: int) -> None:
    rng = Random(seed)
    paths = [[harness.land(f"{worker}-{number}.csv", overlapping(rng)) for number in range(4)] for worker in range(4)]
    start = barrier(4)
    reports = run_at_once([job_of(harness, *mine, barrier=start, batch_rows=37) for mine in paths])
    assert {outcome for report in reports for outcome in report.outcomes} == {"loaded"}
    assert {trouble.split(":")[0] for report in reports for trouble in report.troubles} <= {"TransactionConflict"}
    assert harness.one("SELECT count(*) FROM meter_readings") == 12 * 3 * 8 * 2
    harness.assert_adds_up()


def overlapping(rng: Random) -> str:
    """All files together hold 12 meters on 3 days in 8 slots with 2 values each; each of them most of that."""
    rows = [row for day in (15, 16, 17) for power in (1, 2) for row in rows_of(range(12), day, range(8), power)]
    rng.shuffle(rows)
    return file_of([*rows, f"SM-0,2024-03-15 00:00:00,1 kW,Residential_Zone_0,{rng.random()}\n"])


def in_thread(work: Callable[[], FileResult]) -> tuple[threading.Thread, list[FileResult | Exception]]:
    results: list[FileResult | Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except RetryableError as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def wait_until_somebody_waits(harness: Harness) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(harness.dsn, autocommit=True) as connection:
        while connection.execute(waiting).fetchone() == (0,):
            connection.execute("SELECT pg_sleep(0.01)")


def test_a_load_waits_for_a_lock_and_then_goes_on(harness: Harness) -> None:
    path = harness.land("a.csv", file_of(rows_of(range(3), 15, range(3))))
    with psycopg.connect(harness.dsn) as connection:
        connection.execute("LOCK TABLE greenstream.reading IN ACCESS EXCLUSIVE MODE")
        thread, results = in_thread(lambda: harness.process(path))
        wait_until_somebody_waits(harness)
    thread.join()
    assert [result.outcome for result in results if isinstance(result, FileResult)] == [Outcome.LOADED]


def impatient(harness: Harness) -> PostgresDatabase:
    """A database whose statements wait for no lock."""
    dsn = make_conninfo(harness.dsn, options="-c lock_timeout=50ms")
    return PostgresDatabase(dsn, harness.site, version="1")


def test_a_lock_that_lasts_too_long_is_an_outage_that_passes(harness: Harness) -> None:
    path = harness.land("a.csv", file_of(rows_of(range(3), 15, range(3))))
    database = impatient(harness)
    with psycopg.connect(harness.dsn) as connection:
        connection.execute("LOCK TABLE greenstream.meter IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable):
            harness.process(path, database=database)
    assert harness.process(path, database=database).outcome is Outcome.LOADED
    database.close()


def test_a_new_day_waits_for_no_reader_and_no_loader(harness: Harness) -> None:
    harness.load("a.csv", file_of(rows_of(range(3), 15, range(3))))
    path = harness.land("b.csv", file_of(rows_of(range(3, 6), 16, range(3))))
    database = impatient(harness)
    with psycopg.connect(harness.dsn) as reader, psycopg.connect(harness.dsn) as loader:
        reader.execute("SELECT count(*) FROM current_readings")
        loader.execute("UPDATE greenstream.reading SET quality_score = quality_score")
        loader.execute("SELECT FROM greenstream.day FOR SHARE")
        assert harness.process(path, database=database).outcome is Outcome.LOADED
    database.close()


def test_a_file_of_the_same_day_and_other_meters_waits_for_no_loader(harness: Harness) -> None:
    harness.load("a.csv", file_of(rows_of(range(3), 15, range(3))))
    path = harness.land("b.csv", file_of(rows_of(range(3, 6), 15, range(3))))
    database = impatient(harness)
    with psycopg.connect(harness.dsn) as loader:
        loader.execute("SELECT FROM greenstream.day FOR SHARE")
        assert harness.process(path, database=database).outcome is Outcome.LOADED
    database.close()


def test_a_partition_dropped_since_it_was_last_used_is_made_again(harness: Harness) -> None:
    harness.load("a.csv", file_of(rows_of(range(3), 15, range(3))))
    harness.execute("DROP TABLE greenstream.reading_20240315")
    path = harness.land("b.csv", file_of(rows_of(range(4), 15, range(3))))
    with pytest.raises(TransactionConflict):
        harness.process(path)
    assert harness.process(path).outcome is Outcome.LOADED


def test_a_day_settled_while_a_file_starts_is_a_conflict_that_passes(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.land("a.csv", file_of(rows_of(range(3), 15, range(3))))
    register = PostgresLoad.register_meters

    def settled_first(load: PostgresLoad, *args: Any) -> object:
        harness.execute("UPDATE greenstream.day SET dirty_since = NULL")
        return register(load, *args)

    with monkeypatch.context() as patched:
        patched.setattr(PostgresLoad, "register_meters", settled_first)
        with pytest.raises(TransactionConflict):
            harness.process(path)
    assert harness.process(path).outcome is Outcome.LOADED


def test_a_meter_moved_by_two_files_at_once_is_where_its_newest_reading_says(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older reading from elsewhere commits while a newer one, from where the meter was, is on its way."""
    harness.load("a.csv", HEADER + "SM-1,2024-03-15 00:00:00,1 kW,Residential_Zone_1\n")
    older = harness.land("older.csv", HEADER + "SM-1,2024-03-15 01:00:00,1 kW,Residential_Zone_2\n")
    newer = harness.land("newer.csv", HEADER + "SM-1,2024-03-15 02:00:00,1 kW,Residential_Zone_1\n")
    close = PostgresLoad.close

    def overtaken(load: PostgresLoad, *args: Any) -> object:
        monkeypatch.setattr(PostgresLoad, "close", close)
        other = harness.connect()
        harness.process(older, database=other)
        other.close()
        return close(load, *args)

    monkeypatch.setattr(PostgresLoad, "close", overtaken)
    harness.process(newer)
    assert harness.one("SELECT location FROM meter_metadata") == "Residential_Zone_1"


def test_files_after_a_conflict_are_counted_right(harness: Harness) -> None:
    """The way by staging, many times on one connection, which prepares what it runs often."""
    for number in range(12):
        result = harness.load(f"{number}.csv", file_of(rows_of(range(3), 15, range(number, number + 2))))
        assert result.ledger.stored == (6 if number == 0 else 3)
    harness.assert_adds_up()
