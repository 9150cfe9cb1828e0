"""Bringing a database to this version: all of it or nothing, by any number of processes, for one site only."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from tests.support.bed import NOW, RETENTION_DAYS, VERSION, Bed, Databases, site_of

from greenstream.adapters.postgres import migrate as module
from greenstream.adapters.postgres.database import PostgresDatabase
from greenstream.domain.errors import DatabaseRefused, GreenStreamError, SettingsError
from greenstream.domain.evaluate import Site


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    with databases.database() as dsn:
        yield dsn


def database_of(dsn: str, site: Site | None = None) -> PostgresDatabase:
    return PostgresDatabase(dsn, site or site_of(), version=VERSION)


def bring_up(dsn: str) -> str:
    return database_of(dsn).migrate(now=NOW, retention_days=RETENTION_DAYS)


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
    database = database_of(empty)
    assert not database.is_current()
    database.close()
    bring_up(empty)
    database = database_of(empty)
    assert database.is_current()
    database.close()


def test_migrating_again_changes_nothing(bed: Bed) -> None:
    bed.load("a.csv", "meter_id,timestamp,energy_value\nSM-1,2024-03-15 18:45:00,1 kW\n")
    before = bed.query("SELECT * FROM meter_readings")
    bring_up(bed.dsn)
    assert bed.query("SELECT * FROM meter_readings") == before


@pytest.mark.parametrize("other", [site_of("Europe/Berlin"), site_of(interval_minutes=30)])
def test_settings_of_another_site_are_refused(bed: Bed, other: Site) -> None:
    path = bed.land("a.csv", "meter_id,timestamp,energy_value\nSM-1,2024-03-15 18:45:00,1 kW\n")
    database = database_of(bed.dsn, other)
    with pytest.raises(SettingsError, match="GREENSTREAM_TIMEZONE"):
        bed.process(path, database=database)
    with pytest.raises(SettingsError, match="GREENSTREAM_TIMEZONE"):
        database.migrate(now=NOW, retention_days=RETENTION_DAYS)
    database.close()
    assert bed.query("SELECT * FROM source_files") == []


def test_a_database_without_tables_is_refused_in_one_line(bed: Bed, empty: str) -> None:
    path = bed.land("a.csv", b"x")
    database = database_of(empty)
    with pytest.raises(GreenStreamError) as caught:
        bed.process(path, database=database)
    database.close()
    assert isinstance(caught.value, DatabaseRefused)
    assert "\n" not in str(caught.value)
