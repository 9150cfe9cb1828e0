"""What can be asked of one GreenStream, with a real database behind it."""

from datetime import UTC, date, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.support.harness import HEADER, NOW, Harness

from greenstream.adapters.postgres.reports.connection import reading
from greenstream.adapters.postgres.reports.status import PostgresStatus
from greenstream.application.reports.json import to_json
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.errors import NotFound, SettingsError
from greenstream.domain.ledger import Ledger
from greenstream.domain.reports.status import DayReadings
from greenstream.settings import Settings
from greenstream.wiring import Place

GOOD = "SM-1,2024-03-15 18:45,3250 W,Residential_Zone_7\nSM-2,2024-03-16 18:45,99 kW,\n"
BAD = "SM-3,1970-01-01 00:00,1 kW,\nmalformed\n"


def place_of(harness: Harness, **settings: object) -> Place:
    return Place(Settings(home=harness.folder, database_url=harness.dsn, **settings), lambda _: None)


@pytest.fixture
def place(harness: Harness) -> Place:
    harness.process(harness.land("a.csv", HEADER + GOOD + BAD))
    harness.process(harness.land("b.txt", "no readings"))
    return place_of(harness)


def test_the_status_of_what_is_stored(place: Place) -> None:
    status = place.reports.status()
    assert (status.server.kind, status.server.running, status.server.error) == ("yours", True, None)
    stored = status.stored
    assert stored is not None
    assert stored.rows == Ledger(rows=4, stored=2, duplicate=0, rejected=2)
    assert stored.files == {"loaded": 1, "rejected": 1}
    assert stored.quarantined == {"MALFORMED_ROW": 1, "TIMESTAMP_OUT_OF_RANGE": 1}
    assert stored.flags == {"OUT_OF_RANGE": 1}
    assert stored.days == [
        DayReadings(day=date(2024, 3, 16), readings=1),
        DayReadings(day=date(2024, 3, 15), readings=1),
    ]
    assert stored.last_file is not None
    assert stored.last_file.processed_at > NOW


def test_the_status_of_nothing(harness: Harness) -> None:
    with reading(harness.dsn) as connection:
        _, stored = PostgresStatus(connection).stored()
    assert stored.last_file is stored.newest_reading_at is stored.watermark is None
    assert stored.latency.files == 0
    assert to_json(stored)


def test_a_file_in_trouble_is_told_with_its_times(harness: Harness) -> None:
    path = harness.land("a.csv", HEADER + GOOD)
    with psycopg.connect(harness.dsn) as connection:
        connection.execute(
            "UPDATE greenstream.waiting_file SET queued_at = %s, attempts = 2, error = 'away', next_at = now() + '1m'",
            [NOW],
        )
    with reading(harness.dsn) as connection:
        _, stored = PostgresStatus(connection).stored()
    (file,) = stored.troubled
    assert (file.source_file, file.attempts, file.error, file.queued_at) == (path, 2, "away", NOW)
    assert file.started_at is None
    assert file.next_at is not None
    assert file.next_at > datetime.now(UTC)
    assert set(stored.waiting) == {"retrying"}


def test_a_database_that_is_away_is_what_a_status_reports(harness: Harness) -> None:
    place = Place(Settings(home=harness.folder, database_url="postgresql://x@127.0.0.1:1/x"), lambda _: None)
    status = place.reports.status()
    assert status.stored is None
    assert (status.server.error or "").startswith("DatabaseUnavailable: ")


@pytest.mark.parametrize(("version", "mend"), [("0001", "greenstream db migrate"), ("9999", "install the newer")])
def test_a_database_of_another_version_is_not_read_but_named(harness: Harness, version: str, mend: str) -> None:
    with psycopg.connect(harness.dsn) as connection:
        connection.execute("UPDATE greenstream_version SET version_num = %s", [version])
    status = place_of(harness).reports.status()
    assert (status.version, status.stored, status.is_set_up) == (version, None, True)
    assert (status.server.running, mend in (status.server.error or "")) == (True, True)
    assert status.server.size_bytes


def test_an_embedded_server_that_does_not_run_is_not_started(harness: Harness) -> None:
    status = Place(Settings(home=harness.folder / "home"), lambda _: None).reports.status()
    assert (status.server.running, status.server.initialised, status.stored) == (False, False, None)


def test_meters_are_all_or_those_of_a_status(place: Place) -> None:
    assert [meter.meter_id for meter in place.reports.meters()] == ["SM-1", "SM-2"]
    assert place.reports.meters("faulty") == []
    first = place.reports.meters()[0]
    assert first.last_seen_at == datetime(2024, 3, 15, 18, 45, tzinfo=UTC)
    assert (first.region, first.customer_class) == ("Zone7", "Residential")


def test_rejected_rows_are_counted_all_and_shown_some(place: Place) -> None:
    found = place.reports.quarantine(RowChoice(), limit=1, chars=4)
    assert sum(found.counts.values()) == 2
    assert [row.raw_line for row in found.rows] == ["SM-3"]
    [row] = place.reports.quarantined_row(found.rows[0].source_file, 5)
    assert bytes.fromhex(row.raw_bytes).decode() == row.raw_line == "malformed"


def test_what_is_not_there_is_said_to_be_not_found(place: Place) -> None:
    with pytest.raises(NotFound, match="no row of a, line 1, was ever rejected"):
        place.reports.quarantined_row("a", 1)
    with pytest.raises(NotFound, match="there is no dead letter 9"):
        place.reports.dead_letter(9)


def test_alerts_are_those_that_are_open(place: Place) -> None:
    assert [alert.code for alert in place.reports.alerts()] == ["FILE_REJECTED"]


def test_settings_of_another_site_are_refused(harness: Harness) -> None:
    with pytest.raises(SettingsError, match="set up for time zone UTC"):
        place_of(harness, timezone="Europe/Berlin").reports.meters()


def test_nothing_can_be_written(harness: Harness) -> None:
    with reading(harness.dsn) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("UPDATE greenstream.site SET timezone = 'UTC'")


def test_a_connection_of_another_zone_answers_in_utc(harness: Harness) -> None:
    harness.process(harness.land("b.txt", "no readings"))
    with reading(make_conninfo(harness.dsn, options="-c timezone=Asia/Tokyo")) as connection:
        _, stored = PostgresStatus(connection).stored()
    assert stored.last_file is not None
    assert str(stored.last_file.processed_at.tzinfo) == "UTC"
