"""Bringing a database to this version: all of it or nothing, by any number of processes, for one site only."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.support.harness import HEADER, NOW, RETENTION_DAYS, VERSION, Databases, Harness, site_of
from tests.support.nights import Nights

from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.schema import migrate as module
from greenstream.adapters.postgres.schema.version import newest_version, version_at
from greenstream.domain.errors import DatabaseRefused, GreenStreamError, NotSetUp, SettingsError
from greenstream.domain.site import Site
from greenstream.settings import Settings
from greenstream.wiring import Place

FORMER = """
INSERT INTO greenstream.location (location, region) VALUES ('', 'Unknown');
INSERT INTO greenstream.meter (meter_id, location_key) VALUES ('SM-1', 1);
INSERT INTO greenstream.meter_activity VALUES (1, '2024-03-15 10:00Z', '2024-03-15 10:15Z');
INSERT INTO greenstream.source_file
    (path, sha256, size_bytes, outcome, rows, stored, received_at, processed_at, pipeline_version)
VALUES ('raw-data/2024-03-16/a.csv', 'x', 1, 'loaded', 2, 2, '2024-03-16 00:00Z', '2024-03-16 00:01Z', '0.0.9');
INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version) VALUES (1, '2024-03-16 00:01Z', '0.0.9');
CREATE TABLE greenstream.reading_20240315 PARTITION OF greenstream.reading
FOR VALUES FROM ('2024-03-15 00:00Z') TO ('2024-03-16 00:00Z');
INSERT INTO greenstream.reading
    (reading_at, load_id, power, meter_key, location_key, line_number, flags, quality_score, period, season, grade,
     record_id, energy_value)
SELECT at, 1, 10000, 1, 1, line, 0, 100, 2, 1, 0,
    sha256(convert_to('SM-1' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '1 kW', 'UTF8')), '1 kW'
FROM (VALUES ('2024-03-15 10:00Z'::timestamptz, 2), ('2024-03-15 10:15Z', 3)) AS r (at, line);
INSERT INTO greenstream.grade_count VALUES (1, '2024-03-15', 'Unknown', 0, 2);
INSERT INTO greenstream.day (day, dirty_since) VALUES ('2024-03-15', '2024-03-16 00:01Z');
INSERT INTO greenstream.unwatched VALUES (1, '2024-03-15', '2024-03-15 10:00Z', '2024-03-15 10:15Z', '{1}');
"""
"""What version 0005 held of one file."""


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    with databases.database() as dsn:
        yield dsn


def database_of(dsn: str, site: Site | None = None) -> PostgresDatabase:
    return PostgresDatabase(dsn, site or site_of(), version=VERSION)


def bring_up(dsn: str) -> str:
    return database_of(dsn).migrate(now=NOW, retention_days=RETENTION_DAYS)


def test_a_database_of_the_former_version_is_brought_up_with_all_that_is_in_it(empty: str, tmp_path: Path) -> None:
    """Before there was a lake: its days are settled, archived and retired by the next night."""
    with module._upgraded(empty, to="0005") as old:
        module._found_site(old, site_of(), (NOW - timedelta(days=RETENTION_DAYS)).date())
        module._write_words(old)
        old.execute(FORMER)
    assert bring_up(empty) == newest_version()
    harness = Harness(empty, tmp_path, site_of(), NOW + timedelta(days=100))
    try:
        assert harness.one("SELECT count(*) FROM current_readings") == 2
        nights = Nights(harness)
        nights.run()
        assert [row["state"] for row in harness.query("SELECT state FROM days")] == ["retired"]
        assert harness.load("late.csv", HEADER + "SM-1,2024-03-15 10:00,1 kW,\n").ledger.duplicate == 1
        nights.run()
        assert nights.verify(date(2024, 3, 15), raw=False).differences == ()
    finally:
        harness.close()


VERSIONLESS = """
INSERT INTO greenstream.source_file (path, sha256, size_bytes, outcome, received_at, processed_at, pipeline_version)
VALUES
    ('raw-data/2024-03-20/kept.csv', 'a', 1, 'loaded', '2024-03-20 00:00Z', '2024-03-20 00:01Z', '1'),
    ('raw-data/2024-03-20/old.csv', 'b', 1, 'loaded', '2023-11-20 00:00Z', '2024-03-20 00:01Z', '1'),
    ('raw-data/2024-03-20/ahead.csv', 'c', 1, 'loaded', '2024-03-21 00:00Z', '2024-03-20 00:01Z', '1'),
    ('raw-data/2024-03-20/unseen.csv', '', 0, 'failed', '2024-03-20 00:00Z', '2024-03-20 00:01Z', '1'),
    ('raw-data/2024-03-20/long-ago.csv', '', 0, 'forgotten', '2024-03-01 00:00Z', '2024-03-01 00:00Z', '1');
INSERT INTO greenstream.waiting_file (path, size_bytes, received_at, route, queued_at)
VALUES ('raw-data/2024-03-20/waits.csv', 1, '2023-11-20 00:00Z', 'realtime', '2024-03-20 00:00Z');
"""
"""What version 0008 held: a file's own time stood for its coming."""


def test_files_of_before_there_were_versions_are_known_and_came_when_they_were_processed_at_the_latest(
    empty: str, tmp_path: Path
) -> None:
    with module._upgraded(empty, to="0008") as old:
        module._found_site(old, site_of(), (NOW - timedelta(days=RETENTION_DAYS)).date())
        module._write_words(old)
        old.execute(VERSIONLESS)
    bring_up(empty)
    harness = Harness(empty, tmp_path, site_of(), NOW)
    try:
        came = harness.query(
            "SELECT path, received_at FROM source_files UNION SELECT source_file, received_at FROM waiting_files"
        )
        assert {row["path"].rpartition("/")[2]: f"{row['received_at']:%m-%d %H:%M}" for row in came} == {
            "kept.csv": "03-20 00:00",
            "old.csv": "03-20 00:01",
            "ahead.csv": "03-20 00:01",
            "unseen.csv": "03-20 00:00",
            "waits.csv": "03-20 00:00",
        }
        assert harness.query("SELECT path FROM source_files WHERE sha256 = ''") == []
        for name, at in {"kept": (3, 20), "old": (11, 20), "ahead": (3, 21), "waits": (11, 20), "new": (3, 20)}.items():
            harness.drop(f"{name}.csv", "x", datetime(2023 if at[0] == 11 else 2024, *at, tzinfo=UTC))
        landed = list(harness.store.list_landed())
        assert harness.database.waiting().unknown(landed) == {"raw-data/2024-03-20/new.csv"}
    finally:
        harness.close()


def test_four_at_once_take_turns(empty: str) -> None:
    troubles: list[Exception] = []

    def run() -> None:
        try:
            bring_up(empty)
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT count(*) FROM greenstream.site").fetchone() == (1,)


def test_a_crash_midway_leaves_a_database_that_still_has_to_be_migrated(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_write_words", crash)
        with pytest.raises(KeyboardInterrupt):
            bring_up(empty)
    assert version_at(empty) is None
    bring_up(empty)
    assert version_at(empty) == newest_version()


def test_migrating_again_changes_nothing(harness: Harness) -> None:
    harness.load("a.csv", "meter_id,timestamp,energy_value\nSM-1,2024-03-15 18:45:00,1 kW\n")
    before = harness.query("SELECT * FROM meter_readings")
    bring_up(harness.dsn)
    assert harness.query("SELECT * FROM meter_readings") == before


@pytest.mark.parametrize("other", [site_of("Europe/Berlin"), site_of(interval_minutes=30)])
def test_settings_of_another_site_are_refused(harness: Harness, other: Site) -> None:
    path = harness.land("a.csv", "meter_id,timestamp,energy_value\nSM-1,2024-03-15 18:45:00,1 kW\n")
    database = database_of(harness.dsn, other)
    with pytest.raises(SettingsError, match="GREENSTREAM_TIMEZONE"):
        harness.process(path, database=database)
    with pytest.raises(SettingsError, match="GREENSTREAM_TIMEZONE"):
        database.migrate(now=NOW, retention_days=RETENTION_DAYS)
    database.close()
    assert harness.query("SELECT * FROM source_files") == []


def test_a_database_without_tables_is_refused_in_one_line(harness: Harness, empty: str) -> None:
    path = harness.land("a.csv", b"x")
    database = database_of(empty)
    with pytest.raises(GreenStreamError) as caught:
        harness.process(path, database=database)
    database.close()
    assert isinstance(caught.value, DatabaseRefused)
    assert "\n" not in str(caught.value)


def test_a_database_of_a_newer_version_is_refused_and_stays_as_it_is(harness: Harness) -> None:
    harness.execute("UPDATE public.greenstream_version SET version_num = '9999'")
    with pytest.raises(NotSetUp, match="install the newer GreenStream"):
        harness.database.migrate(now=NOW, retention_days=RETENTION_DAYS)
    assert harness.one("SELECT version_num FROM public.greenstream_version") == "9999"


def test_who_sets_up_refuses_a_newer_version_too(harness: Harness) -> None:
    harness.execute("UPDATE public.greenstream_version SET version_num = '9999'")
    place = Place(Settings(home=harness.folder, database_url=harness.dsn), lambda _: None)
    with pytest.raises(NotSetUp, match="install the newer GreenStream"):
        place.set_up()
