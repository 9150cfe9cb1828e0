"""What hits every file makes no dead letter: files wait, people are told once, and work resumes by itself."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.chaos.disk import failing
from tests.support.events import keeping, named
from tests.support.harness import HEADER, NOW, VERSION, Harness
from tests.support.roles import login
from tests.support.turns import turn_on

from greenstream.adapters.postgres.alerts import connect_alerts
from greenstream.adapters.postgres.base.errors import translated
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.application.alerts import check_alerts
from greenstream.application.loading import attempt
from greenstream.application.loading.attempt import Later, after_crash, note_outage, take_turn
from greenstream.application.loading.outages import LASTING, PROBE_SECONDS, SILENT, Outages, StoreProbe, is_outage
from greenstream.domain.alerts.values import Outage
from greenstream.domain.errors import (
    OUTAGES,
    DatabaseRefused,
    DatabaseUnavailable,
    DataRefused,
    DayBusy,
    GreenStreamError,
    LakeDamaged,
    ServerError,
    SettingsError,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    TransactionConflict,
)
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.routing import Route
from greenstream.entrypoints.cli.console import Console
from greenstream.entrypoints.cli.ingest import Run
from greenstream.entrypoints.service import supervisor
from greenstream.entrypoints.service.landing_watch import LandingWatch
from greenstream.entrypoints.service.metrics import Metrics
from greenstream.entrypoints.service.route_worker import RouteWorker
from greenstream.entrypoints.service.supervisor import Part, Supervisor
from greenstream.settings import Settings
from greenstream.wiring import Place

GOOD = HEADER + "SM-1,2024-03-15 18:45:00,3 kW,Residential_Zone_7\n"
PATIENCE = 60.0

CLASSES = {
    "08006": DatabaseUnavailable,
    "0A000": DatabaseRefused,
    "21000": DataRefused,
    "22003": DataRefused,
    "22021": DataRefused,
    "23502": DataRefused,
    "23503": TransactionConflict,
    "23505": TransactionConflict,
    "23514": TransactionConflict,
    "25006": DatabaseUnavailable,
    "25P03": DatabaseUnavailable,
    "28000": DatabaseRefused,
    "28P01": DatabaseRefused,
    "3D000": DatabaseRefused,
    "3F000": DatabaseRefused,
    "40001": TransactionConflict,
    "40P01": TransactionConflict,
    "42501": DatabaseRefused,
    "42703": DatabaseRefused,
    "42P01": DatabaseRefused,
    "53100": DatabaseUnavailable,
    "53300": DatabaseUnavailable,
    "54000": DataRefused,
    "55P03": DatabaseUnavailable,
    "57014": DatabaseUnavailable,
    "57P01": DatabaseUnavailable,
    "58030": DatabaseUnavailable,
    "P0001": DatabaseRefused,
    "XX001": DatabaseRefused,
}
FAULTS = [
    DatabaseUnavailable("away"),
    DatabaseRefused("password authentication failed"),
    SettingsError("another time zone"),
    ServerError("no such programs"),
    StorageFull("no space"),
]


def test_what_the_server_says_is_of_one_file_or_of_all_by_its_class(harness: Harness) -> None:
    raising = sql.SQL("DO $$ BEGIN RAISE EXCEPTION 'said' USING ERRCODE = {}; END $$")
    found: dict[str, type[GreenStreamError]] = {}
    with psycopg.connect(harness.dsn, autocommit=True) as connection:
        for sqlstate in CLASSES:
            with pytest.raises(GreenStreamError, match=r"^loading: said; ") as caught, translated("loading"):
                connection.execute(raising.format(sql.Literal(sqlstate)))
            found[sqlstate] = caught.type
    assert found == CLASSES


def test_a_value_that_is_not_even_sent_is_of_one_file(harness: Harness) -> None:
    with psycopg.connect(harness.dsn) as connection, pytest.raises(DataRefused), translated("loading"):
        connection.execute("SELECT %s::text", ["a\0b"])


# one file


class Turn:
    """A worker's turns at one file that was queued, and whose processing raises what it is told."""

    def __init__(self, harness: Harness, *faults: BaseException, store_answers: bool = True) -> None:
        self.harness = harness
        self.faults = list(faults)
        self.store_answers = store_answers
        self.path = harness.land("a.csv", GOOD)
        harness.database.waiting().add(harness.store.head(self.path), Route.REALTIME, NOW)

    def process(self, path: str) -> FileResult:
        if self.faults:
            raise self.faults.pop(0)
        return self.harness.process(path)

    def take(self) -> FileResult | Later | None:
        return take_turn(self.path, self.tools())

    def tools(self) -> attempt.Turn:
        return turn_on(self.harness, self.process, store_answers=lambda: self.store_answers)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_an_outage_however_long_counts_nothing_and_ends_no_file(harness: Harness, fault: GreenStreamError) -> None:
    turn = Turn(harness, *[fault] * 9)
    for _ in range(9):
        with pytest.raises(type(fault)):
            turn.take()
    assert harness.query("SELECT state, attempts, error FROM waiting_files") == [
        {"state": "retrying", "attempts": 0, "error": f"{fault.code}: {fault}"}
    ]
    ended = turn.take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.LOADED
    assert harness.query("SELECT * FROM dead_letters") == []


def test_a_day_that_is_being_settled_however_long_counts_nothing_and_ends_no_file(harness: Harness) -> None:
    turn = Turn(harness, *[DayBusy("a day was settled at this moment")] * 9)
    for _ in range(9):
        assert isinstance(turn.take(), Later)
    assert harness.query("SELECT state, attempts FROM waiting_files") == [{"state": "retrying", "attempts": 0}]
    ended = turn.take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.LOADED


def test_a_worker_that_lost_the_database_over_a_file_did_not_die_over_it(harness: Harness) -> None:
    turn, waiting = Turn(harness), harness.database.waiting()
    for _ in range(9):
        waiting.start(turn.path, NOW)
        note_outage(turn.path, DatabaseUnavailable("away"), waiting, harness.clock)
        assert after_crash(turn.path, turn.tools()) is None
    assert harness.query("SELECT state, error FROM waiting_files") == [
        {"state": "retrying", "error": "DatabaseUnavailable: away"}
    ]
    assert isinstance(turn.take(), FileResult)
    note_outage(turn.path, DatabaseUnavailable("away"), waiting, harness.clock)  # too late: it has ended
    assert harness.query("SELECT * FROM waiting_files") == []


@pytest.mark.parametrize("fault", [StorageUnavailable("EIO"), StorageRefused("no permission")], ids=lambda f: f.code)
def test_a_store_that_answers_nobody_keeps_the_file_waiting(harness: Harness, fault: GreenStreamError) -> None:
    turn = Turn(harness, *[fault] * 9, store_answers=False)
    for _ in range(9):
        with pytest.raises(type(fault)):
            turn.take()
    assert isinstance(turn.take(), FileResult)
    assert harness.query("SELECT * FROM dead_letters") == []


@pytest.mark.parametrize("fault", [StorageRefused("no permission"), DataRefused("22003"), LakeDamaged("gone")])
def test_what_a_sound_system_refuses_is_a_dead_letter_at_once(harness: Harness, fault: GreenStreamError) -> None:
    ended = Turn(harness, fault).take()
    assert isinstance(ended, FileResult)
    assert ended.outcome is Outcome.FAILED
    assert harness.query("SELECT error, attempts FROM dead_letters") == [
        {"error": f"{fault.code}: {fault}", "attempts": 1}
    ]


def test_a_bug_that_a_file_brings_out_ends_that_file_and_not_the_worker(harness: Harness) -> None:
    ended = Turn(harness, KeyError("channel")).take()
    assert isinstance(ended, FileResult)
    assert harness.one("SELECT error FROM dead_letters") == "KeyError: 'channel'"
    assert "Traceback" in harness.one("SELECT traceback FROM greenstream.dead_letter")


@contextmanager
def role(harness: Harness, kind: LiteralString) -> Iterator[str]:
    """A role of the server's, which may read our tables; its name."""
    name = f"app_{os.getpid()}_{time.monotonic_ns()}"
    with login(harness.dsn, name, kind):
        run(harness, "GRANT USAGE ON SCHEMA greenstream TO {name}", name)
        run(harness, "GRANT SELECT ON ALL TABLES IN SCHEMA greenstream, public TO {name}", name)
        yield name


def run(harness: Harness, statement: LiteralString, name: str) -> None:
    with psycopg.connect(harness.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(name=sql.Identifier(name)))


def let_in(harness: Harness, name: str, statement: LiteralString) -> None:
    """Let a role in, or keep it out and end its connections."""
    run(harness, statement, name)
    harness.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", name)


def test_rights_that_are_missing_keep_a_file_waiting(harness: Harness) -> None:
    path = harness.land("a.csv", GOOD)
    with role(harness, "NOSUPERUSER") as name:
        database = PostgresDatabase(make_conninfo(harness.dsn, user=name), harness.site, version=VERSION)
        with pytest.raises(DatabaseRefused, match="permission denied"):
            harness.process(path, database=database)
        database.close()
    assert harness.query("SELECT * FROM source_files") == []
    assert harness.process(path).outcome is Outcome.LOADED


def test_a_value_that_the_database_refuses_ends_its_file_only(harness: Harness) -> None:
    harness.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'index row size 2712 exceeds btree maximum' USING ERRCODE = 'program_limit_exceeded'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON greenstream.quarantined_row FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    assert harness.load("a.csv", GOOD + "bad\n").outcome is Outcome.FAILED
    assert harness.load("b.csv", GOOD).outcome is Outcome.LOADED


def test_a_full_disk_keeps_a_rejected_file_waiting(harness: Harness) -> None:
    path = harness.land("a.txt", GOOD)
    with failing(1, 28), pytest.raises(StorageFull):
        harness.process(path)
    assert harness.query("SELECT * FROM source_files") == []
    assert harness.process(path).outcome is Outcome.REJECTED


# the store is asked


def test_the_store_tells_a_fault_of_one_file_from_one_of_all(harness: Harness) -> None:
    probe = StoreProbe(check=harness.store.check, seconds=time.monotonic)
    assert not is_outage(StorageRefused("a.csv"), probe.answers)
    assert not is_outage(KeyError("a.csv"), probe.answers)
    with failing(1, 13):
        assert is_outage(StorageRefused("a.csv"), StoreProbe(check=harness.store.check, seconds=time.monotonic).answers)
    assert all(is_outage(error, probe.answers) for error in FAULTS)
    assert not is_outage(TransactionConflict("deadlock"), probe.answers)


def test_the_store_is_not_asked_for_each_file() -> None:
    asked, seconds = list[float](), [0.0]

    def check() -> None:
        asked.append(seconds[0])
        if seconds[0] < 3 * PROBE_SECONDS:
            raise StorageRefused("no permission")

    probe = StoreProbe(check=check, seconds=lambda: seconds[0])
    for tenth in range(50):
        seconds[0] = tenth * PROBE_SECONDS / 10
        assert probe.answers() == (tenth >= 30)
    assert asked == [0, PROBE_SECONDS, 2 * PROBE_SECONDS, 3 * PROBE_SECONDS, 4 * PROBE_SECONDS]


# people are told


def test_an_outage_is_remembered_from_its_first_to_its_last_fault() -> None:
    outages, last = Outages(), NOW + LASTING
    assert outages.note(DatabaseUnavailable("a"), NOW)
    assert not outages.note(DatabaseUnavailable("b"), NOW + timedelta(seconds=5))
    assert outages.note(DatabaseRefused("c"), NOW + timedelta(seconds=9))
    assert outages.lasting() == []
    assert not outages.note(DatabaseUnavailable("d"), last)
    expected = Outage(subject="database", since=NOW, last_at=last, error="DatabaseUnavailable: d")
    outages.told(last + SILENT)
    assert outages.lasting() == [expected]
    outages.told(last + SILENT + timedelta(seconds=1))
    assert outages.lasting() == []
    assert outages.note(DatabaseUnavailable("e"), last + 2 * SILENT)


def test_each_kind_of_outage_has_its_subject_and_a_conflict_is_none() -> None:
    subjects = {}
    for error in (*FAULTS, StorageUnavailable("x"), StorageRefused("x"), TransactionConflict("x")):
        outages = Outages()
        outages.note(error, NOW)
        outages.note(error, NOW + LASTING)
        subjects[type(error)] = [each.subject for each in outages.lasting()]
    assert subjects.pop(TransactionConflict) == []
    assert {name for (name,) in subjects.values()} == {"store", "database", "settings"}
    assert set(OUTAGES) < set(subjects)


def test_an_outage_is_one_alert_that_ends_once_nobody_tells_of_it(harness: Harness) -> None:
    outages = Outages()

    def check(at: datetime, *, noted: bool) -> list[dict[str, Any]]:
        if noted:
            outages.note(StorageRefused("raw-data can't be read"), at)
        with connect_alerts(harness.dsn) as book, book.checking():
            check_alerts(book, (), outages.lasting(), harness.site, at)
        outages.told(at)
        return harness.query("SELECT subject, message, resolved_at FROM greenstream.alert WHERE code = 'OUTAGE'")

    minutes = [NOW + timedelta(minutes=number) for number in range(9)]
    assert check(minutes[0], noted=True) == []
    (told,) = check(minutes[1], noted=True)
    assert told["message"].endswith("work resumes by itself: StorageRefused: raw-data can't be read")
    assert told["resolved_at"] is None
    assert [check(at, noted=True) for at in minutes[2:5]] == [[told]] * 3
    assert [check(at, noted=False) for at in minutes[5:7]] == [[told]] * 2
    assert [check(at, noted=False) for at in minutes[7:]] == [[told | {"resolved_at": minutes[7]}]] * 2


def test_an_alert_that_another_process_held_ends_as_well(harness: Harness) -> None:
    outage = Outage(subject="database", since=NOW, last_at=NOW + LASTING, error="DatabaseRefused: no")
    with connect_alerts(harness.dsn) as book:
        check_alerts(book, (), [outage], harness.site, NOW + LASTING)
        check_alerts(book, (), (), harness.site, NOW + LASTING + SILENT)
        assert harness.one("SELECT count(*) FROM greenstream.alert WHERE resolved_at IS NULL") == 1
        check_alerts(book, (), (), harness.site, NOW + LASTING + 2 * SILENT)
    assert harness.one("SELECT count(*) FROM greenstream.alert WHERE resolved_at IS NULL") == 0


# by hand


def test_ingest_says_what_holds_and_leaves_what_landed(harness: Harness, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(GOOD)
    with role(harness, "NOSUPERUSER") as name:
        settings = Settings(home=harness.folder, database_url=make_conninfo(harness.dsn, user=name))
        place = Place(settings, lambda _: None)
        ingest = Run(Console(quiet=True), place, json=False)
        with pytest.raises(DatabaseRefused, match=r"permission denied.*a\.csv has landed as raw-data/.* stays there"):
            ingest.all([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
        place.close()
    assert harness.query("SELECT * FROM dead_letters") == []
    (landed,) = harness.store.list_landed()
    assert harness.process(landed.path).outcome is Outcome.LOADED


# the service


@contextmanager
def serving(harness: Harness, dsn: str) -> Iterator[list[dict[str, Any]]]:
    """Intake and a worker, as in `up`, in threads of this process; what they log."""
    events, stop, metrics = list[dict[str, Any]](), threading.Event(), Metrics(CollectorRegistry())
    log, settings = keeping(events), Settings(home=harness.folder, database_url=dsn)
    parts: list[Part] = [
        LandingWatch(stop, log),
        RouteWorker(Route.REALTIME, threading.Event(), stop, log, metrics),
    ]
    running = Supervisor(parts, lambda: Place(settings, lambda _: None), stop, log, Outages())
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield events
    finally:
        stop.set()
        thread.join()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def outcomes(harness: Harness) -> list[str]:
    return [row["outcome"] for row in harness.query("SELECT outcome FROM source_files ORDER BY path")]


def today_file(harness: Harness, name: str) -> None:
    folder = harness.folder / "raw-data" / f"{datetime.now(UTC):%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(GOOD + f"{name},2024-03-15 18:45:00,3 kW,\n")


def test_a_login_that_is_refused_for_a_while_costs_no_file(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_SECONDS", 1.0)
    monkeypatch.setattr(supervisor, "DATABASE_PAUSE_SECONDS", 0.5)
    with role(harness, "SUPERUSER") as name, serving(harness, make_conninfo(harness.dsn, user=name)) as events:
        today_file(harness, "a.csv")
        until(lambda: outcomes(harness) == ["loaded"])
        let_in(harness, name, "ALTER ROLE {name} NOLOGIN")
        today_file(harness, "b.csv")
        until(lambda: any("not permitted to log in" in each["error"] for each in named(events, "waiting")))
        let_in(harness, name, "ALTER ROLE {name} LOGIN")
        until(lambda: outcomes(harness) == ["loaded", "loaded"])
    assert harness.query("SELECT * FROM dead_letters") == []
    assert len(named(events, "waiting")) <= 2  # refused, and out of reach: each once
