"""A database that is away, full, or not ours."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from psycopg.conninfo import make_conninfo
from tests.integration.embedded_support import scratch
from tests.support.harness import HEADER, VERSION, Databases, Harness

from greenstream.adapters.postgres.embedded import EmbeddedServer
from greenstream.adapters.postgres.loading.database import PostgresDatabase
from greenstream.adapters.postgres.loading.load import PostgresLoad
from greenstream.adapters.queues.procrastinate_queue import FileQueue, FileWorker, hand_back_lost
from greenstream.domain.errors import DatabaseRefused, DatabaseUnavailable, GreenStreamError
from greenstream.domain.ledger import Ledger, Outcome
from greenstream.domain.routing import Route

GOOD = HEADER + "".join(f"SM-{n},2024-03-15 18:45:00,{n} kW,Residential_Zone_7\n" for n in range(9)) + "bad\n"


@pytest.fixture
def own_server() -> Iterator[EmbeddedServer]:
    """A server that a test may stop."""
    with scratch() as folder:
        server = EmbeddedServer(folder / "home", shared_dir=folder / "shared")
        yield server
        server.stop("immediate")


@pytest.fixture
def own(own_server: EmbeddedServer) -> Iterator[Harness]:
    databases = Databases(own_server.ensure_running().dsn, own_server.home / "harnesses")
    with databases.harness() as harness:
        yield harness
        own_server.ensure_running()


def said(harness: Harness, path: str, database: PostgresDatabase | None = None) -> GreenStreamError:
    """The error of processing a file: one line."""
    with pytest.raises(GreenStreamError) as caught:
        harness.process(path, database=database)
    assert "\n" not in str(caught.value)
    return caught.value


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "/nonexistent"])
def test_a_closed_port_is_a_database_that_is_away(harness: Harness, host: str) -> None:
    database = PostgresDatabase(f"host={host} port={closed_port()} dbname=x user=x", harness.site, version=VERSION)
    assert isinstance(said(harness, harness.land("a.csv", GOOD), database), DatabaseUnavailable)


def test_a_queue_whose_database_stays_away_is_away() -> None:
    """For longer than each waits for its connections, so all are asked at once."""
    dsn = f"host=127.0.0.1 port={closed_port()} dbname=x user=x"
    asked: list[Callable[[], object]] = [
        lambda: FileQueue(dsn).put("raw-data/2024-03-15/a.csv", Route.REALTIME),
        lambda: FileWorker(dsn, Route.REALTIME, lambda _: None).run(),
        lambda: hand_back_lost(dsn, lambda *_: False),
    ]
    with ThreadPoolExecutor() as threads:
        errors = [each.exception() for each in [threads.submit(ask) for ask in asked]]
    assert [type(error) for error in errors] == [DatabaseUnavailable] * len(asked)


@pytest.mark.parametrize("wrong", [{"dbname": "no_such_database"}, {"user": "no_such_role"}])
def test_a_wrong_role_or_database_is_refused(harness: Harness, wrong: dict[str, str]) -> None:
    database = PostgresDatabase(make_conninfo(harness.dsn, **wrong), harness.site, version=VERSION)
    error = said(harness, harness.land("a.csv", GOOD), database)
    assert isinstance(error, DatabaseRefused)
    assert next(iter(wrong.values())) in str(error)


def test_a_server_stopped_between_files_is_waited_for(own: Harness, own_server: EmbeddedServer) -> None:
    own.load("a.csv", GOOD)
    path = own.land("b.csv", GOOD + "SM-1,2024-03-15 19:00:00,1 kW,\n")
    own_server.stop()
    for _ in range(3):
        assert isinstance(said(own, path), DatabaseUnavailable)
    own_server.ensure_running()
    assert own.process(path).ledger == Ledger(rows=11, stored=1, duplicate=9, rejected=1)
    own.assert_adds_up()


def test_a_server_stopped_amid_a_file_leaves_nothing_of_it(
    own: Harness, own_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own.land("a.csv", GOOD)
    quarantine = PostgresLoad.quarantine

    def stopped(load: PostgresLoad, *args: object) -> object:
        own_server.stop("immediate")
        return quarantine(load, *args)

    with monkeypatch.context() as patched:
        patched.setattr(PostgresLoad, "quarantine", stopped)
        assert isinstance(said(own, path), DatabaseUnavailable)
    assert isinstance(said(own, path), DatabaseUnavailable)
    own_server.ensure_running()
    assert own.query("SELECT * FROM source_files") == []
    assert own.query("SELECT * FROM dead_letters") == []
    assert own.process(path).outcome is Outcome.LOADED
    own.assert_adds_up()


def connected(own: Harness) -> PostgresDatabase:
    """A connection of its own, once the server has let go of one that has ended."""
    database = own.connect()
    for _ in range(100):
        with suppress(DatabaseUnavailable):
            database.is_loaded("00" * 32)
            return database
        time.sleep(0.1)
    raise AssertionError("no connection to be had")


def test_a_server_that_has_no_connection_left_is_away_for_now(own: Harness, own_server: EmbeddedServer) -> None:
    own.execute("ALTER SYSTEM SET max_connections = 4")
    own.execute("ALTER SYSTEM SET superuser_reserved_connections = 0")
    own.execute("ALTER SYSTEM SET autovacuum_worker_slots = 1")
    own.execute("ALTER SYSTEM SET max_wal_senders = 0")
    own.close()
    own_server.stop()
    own_server.ensure_running()
    others = [connected(own) for _ in range(4)]
    path = own.drop("a.csv", GOOD)
    assert isinstance(said(own, path), DatabaseUnavailable)
    for other in others:
        other.close()
    assert own.process(path).outcome is Outcome.LOADED


def test_a_read_only_database_is_away_for_now(harness: Harness) -> None:
    """So is a standby after a failover, or a managed server whose disk is nearly full."""
    path = harness.land("a.csv", GOOD)
    harness.process(harness.land("first.csv", HEADER))
    database = PostgresDatabase(
        make_conninfo(harness.dsn, options="-c default_transaction_read_only=on"), harness.site, version=VERSION
    )
    assert isinstance(said(harness, path, database), DatabaseUnavailable)
    database.close()
    assert harness.one("SELECT count(*) FROM dead_letters") == 0


def test_a_full_disk_leaves_nothing_half_done_and_the_file_loads_later(harness: Harness) -> None:
    harness.execute(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER fill BEFORE INSERT ON greenstream.quarantined_row FOR EACH ROW EXECUTE FUNCTION fill()"
    )
    path = harness.land("a.csv", GOOD)
    error = said(harness, path)
    assert isinstance(error, DatabaseUnavailable)
    assert "No space left on device" in str(error)
    assert harness.query("SELECT * FROM source_files") == []
    assert harness.query("SELECT * FROM meter_readings") == []
    harness.execute("DROP TRIGGER fill ON greenstream.quarantined_row")
    assert harness.process(path).outcome is Outcome.LOADED
    harness.assert_adds_up()
