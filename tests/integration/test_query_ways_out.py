"""A person's SQL as the reader of the embedded server: it reads what is published, and every way out is closed."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.support.harness import NOW, UTC_SITE, Databases, Harness
from tests.support.roles import login

from greenstream.adapters.postgres.base.connection import connect
from greenstream.adapters.postgres.base.roles import READER
from greenstream.adapters.postgres.reports.reader import connect_reader
from greenstream.adapters.postgres.schema.migrate import _upgraded, migrate
from greenstream.adapters.postgres.schema.rights import RELATIONS, admit_reader, grant_reading, readers
from greenstream.domain.errors import InvalidQuery, NotFound
from greenstream.domain.limits import QueryLimits
from greenstream.entrypoints.cli.doctor.access import reader
from greenstream.settings import Settings
from greenstream.wiring import Place

LIMITS = QueryLimits(seconds=20, rows=20_000, memory_mb=64, temp_mb=64)
ROOT = Path(__file__).parents[2]

WAYS_OUT = r"""
SELECT set_config('role', 'greenstream', false)
SELECT set_config('session_authorization', 'greenstream', false)
SELECT set_config('statement_timeout', '0', false)
SELECT set_config('transaction_read_only', 'off', false)
SELECT * FROM ts_stat('SELECT set_config(''role'', ''greenstream'', false)::tsvector')
SELECT * FROM ts_stat('SELECT pg_read_file(''/etc/passwd'')::tsvector')
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, pg_read_file(''/etc/passwd'')::tsquery')
SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, '')
SELECT query_to_xml('DELETE FROM alerts', true, true, '')
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('/etc/passwd')
SELECT * FROM pg_ls_dir('/')
SELECT * FROM pg_stat_file('/etc/passwd')
SELECT * FROM pg_ls_logdir()
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_promote()
SELECT pg_backup_start('x')
SELECT pg_stat_reset()
SELECT pg_log_backend_memory_contexts(pg_backend_pid())
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/x')
SELECT lo_create(1)
SELECT lo_creat(-1)
SELECT lo_from_bytea(0, 'x')
SELECT pg_advisory_lock(1)
SELECT pg_advisory_lock_shared(1, 2)
SELECT pg_advisory_xact_lock(1)
SELECT pg_try_advisory_lock(hashtext('greenstream nightly'))
SELECT pg_advisory_unlock_all()
SELECT pg_notify('procrastinate_queue#realtime', 'x')
SELECT pg_logical_emit_message(false, 'x', 'y')
SELECT pg_export_snapshot()
SELECT pg_create_physical_replication_slot('x')
SELECT pg_replication_origin_create('x')
SELECT pg_import_system_collations('public')
SELECT * FROM dblink('', 'SELECT 1') AS t (x int)
SELECT * FROM pg_authid
TABLE pg_shadow
SELECT * FROM pg_hba_file_rules
SELECT * FROM pg_largeobject
SELECT current_setting('data_directory')
SHOW hba_file
SELECT * FROM greenstream.site
SELECT * FROM greenstream.source_file
SELECT * FROM greenstream_queue.procrastinate_jobs
SELECT * FROM public.greenstream_version
SELECT nextval('greenstream.meter_meter_key_seq')
SELECT setval('greenstream.meter_meter_key_seq', 1)
SELECT * FROM alerts FOR UPDATE
SELECT * FROM alerts FOR KEY SHARE
SELECT 1 INTO TEMP x
WITH x AS (DELETE FROM alerts RETURNING 1) SELECT * FROM x
WITH x AS (INSERT INTO dead_letters DEFAULT VALUES RETURNING 1) SELECT * FROM x
SELECT 1; SELECT 2
SELECT 1; COMMIT; DROP TABLE greenstream.meter
SELECT 1) TO STDOUT; COPY (SELECT 1
/* /* */ EXPLAIN */ DROP TABLE greenstream.meter
COMMIT
ROLLBACK AND CHAIN
RESET ROLE
SET ROLE greenstream
SET SESSION AUTHORIZATION DEFAULT
RESET ALL
DISCARD ALL
LISTEN x
NOTIFY x
COPY alerts TO PROGRAM 'cat'
COPY (SELECT 1) TO '/tmp/x'
ALTER SYSTEM SET work_mem = '1GB'
ALTER ROLE greenstream_reader SUPERUSER
CREATE TEMP TABLE x ()
CREATE EXTENSION dblink
DO $$ BEGIN PERFORM 1; END $$
CALL x()
LOCK TABLE alerts
PREPARE x AS SELECT 1
EXECUTE x
FETCH 1 FROM greenstream_query
CLOSE ALL
LOAD 'x'
VACUUM
CHECKPOINT
EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1
EXPLAIN ANALYZE DELETE FROM alerts
EXPLAIN ANALYZE SELECT pg_read_file('/etc/passwd')
EXPLAIN SELECT 1; DROP TABLE greenstream.meter
""".strip().splitlines()


@pytest.fixture(scope="module")
def served(databases: Databases) -> Iterator[Harness]:
    """A database whose reader was admitted."""
    with databases.harness() as harness:
        admit_reader(harness.dsn, temp_mb=LIMITS.temp_mb)
        yield harness


def rows(
    harness: Harness, text: str, limits: QueryLimits = LIMITS, *, user: str = READER
) -> list[tuple[str | None, ...]]:
    with connect_reader(make_conninfo(harness.dsn, user=user)) as asking, asking.ask(text, limits) as answer:
        return [row for batch in answer.texts() for row in batch]


def refusal(harness: Harness, text: str, limits: QueryLimits = LIMITS, *, user: str = READER) -> str:
    """What is said of it, in a line."""
    with pytest.raises(InvalidQuery) as refused:
        rows(harness, text, limits, user=user)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def state(harness: Harness) -> list[Any]:
    """All that a way out would have changed: locks, sessions, relations, large objects, roles, settings, log files."""
    return [
        harness.query("SELECT locktype, objid FROM pg_locks WHERE locktype = 'advisory'"),
        harness.query("SELECT oid FROM pg_largeobject_metadata"),
        harness.query("SELECT slot_name FROM pg_replication_slots"),
        harness.query("SELECT oid, relname, relacl::text FROM pg_class WHERE relkind IN ('r', 'v', 'S') ORDER BY oid"),
        harness.query("SELECT rolname, rolsuper, rolconfig::text FROM pg_roles ORDER BY 1"),
        harness.query("SELECT extname FROM pg_extension ORDER BY 1"),
        harness.query("SELECT pg_conf_load_time(), pg_postmaster_start_time()"),
        harness.query("SELECT last_value, is_called FROM greenstream.meter_meter_key_seq"),
        harness.query("SELECT count(*) FROM alerts"),
    ]


def test_every_way_out_is_refused_and_leaves_the_server_as_it_was(served: Harness) -> None:
    before = state(served)
    with psycopg.connect(served.dsn, autocommit=True) as ours:
        ours.execute('LISTEN "procrastinate_queue#realtime"')
        for statement in WAYS_OUT:
            refusal(served, statement)
        assert list(ours.notifies(timeout=0)) == []
    assert state(served) == before


def test_a_login_of_its_own_has_no_way_back(served: Harness) -> None:
    """What the command doesn't let through, asked by whoever connects as this role."""
    tries = """RESET ROLE; SET ROLE greenstream; SET SESSION AUTHORIZATION greenstream; SET temp_file_limit = -1;
        CREATE TABLE public.x (); CREATE TEMP TABLE x (); CREATE SCHEMA x; ALTER ROLE greenstream_reader CREATEDB;
        DELETE FROM alerts; SELECT pg_advisory_lock(1)"""
    with psycopg.connect(served.dsn, user=READER, autocommit=True) as theirs:
        theirs.execute("SET default_transaction_read_only = off")
        refused = 0
        for statement in tries.split(";"):
            try:
                theirs.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                refused += 1
        assert refused == len(tries.split(";")) - 1  # RESET ROLE does nothing
        assert theirs.execute("SELECT current_user, session_user").fetchone() == (READER, READER)


def test_it_reads_all_that_is_published_and_nothing_else(served: Harness) -> None:
    for relation in RELATIONS:
        assert rows(served, f"SELECT count(*) FROM {relation}") == [("0",)]
    seen = "SELECT table_name FROM information_schema.tables WHERE table_schema !~ '^(pg_catalog|information_schema)$'"
    assert sorted(row[0] for row in rows(served, seen) if row[0]) == sorted(RELATIONS)
    page = (ROOT / "docs/reference/relations.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == sorted(RELATIONS)


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_it_gets_into_no_other_database(served: Harness, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(served.dsn, user=READER, dbname=database)


def test_its_connections_leave_room_for_ours(served: Harness) -> None:
    with psycopg.connect(served.dsn) as ours:
        row = ours.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
    assert row == (20,)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("SELECT pg_sleep(60)", "SECONDS"),
        ("EXPLAIN ANALYZE SELECT pg_sleep(60)", "SECONDS"),
        ("SELECT * FROM generate_series(1, 20001)", "ROWS"),
        ("SELECT n FROM generate_series(1, 10000000) AS t (n) ORDER BY random()", "TEMP_MB"),
    ],
)
def test_what_wants_more_than_a_limit_names_it(served: Harness, text: str, setting: str) -> None:
    limits = LIMITS if setting != "SECONDS" else QueryLimits(seconds=1, rows=1, memory_mb=64, temp_mb=64)
    assert refusal(served, text, limits).endswith(f"or raise GREENSTREAM_QUERY_MAX_{setting}")


@pytest.mark.parametrize("form", ["texts", "values", "json_rows", "csv"])
def test_an_answer_is_whole_or_an_error_in_each_form(served: Harness, form: str) -> None:
    def read(count: int) -> int:
        text = f"SELECT n FROM generate_series(1, {count}) AS t (n)"
        with connect_reader(make_conninfo(served.dsn, user=READER)) as asking, asking.ask(text, LIMITS) as answer:
            pieces = getattr(answer, form)()
            return sum(piece.count(b"\n") if form == "csv" else len(piece) for piece in pieces)

    assert read(LIMITS.rows) == LIMITS.rows + (form == "csv")
    with pytest.raises(InvalidQuery, match="20,000 rows"):
        read(LIMITS.rows + 1)


def test_a_query_that_lifts_the_servers_limit_is_ended_by_us(harness: Harness) -> None:
    """In a database of yours anybody may call set_config; it works from the second batch of rows on."""
    text = "SELECT CASE WHEN n = 1 THEN set_config('statement_timeout', '0', false) WHEN n > 5000 THEN"
    text += " pg_sleep(0.1)::text END FROM generate_series(1, 9000) AS t (n)"
    began = time.monotonic()
    limits = QueryLimits(seconds=2, rows=20_000, memory_mb=64, temp_mb=64)
    assert "longer than 2 s" in refusal(harness, text, limits, user="greenstream")
    assert time.monotonic() - began < 10


def test_a_reader_that_stops_reading_holds_no_locks_for_ever(served: Harness) -> None:
    limits = QueryLimits(seconds=1, rows=20_000, memory_mb=64, temp_mb=64)
    slow = pytest.raises(InvalidQuery, match="its reading included")
    dsn = make_conninfo(served.dsn, user=READER)
    with slow, connect_reader(dsn) as asking, asking.ask("SELECT * FROM generate_series(1, 9000)", limits) as answer:
        for _ in answer.texts():
            time.sleep(1.5)
    assert served.one("SELECT count(*) FROM pg_stat_activity WHERE usename = 'greenstream_reader'") == 0


def test_the_reader_is_put_right_when_something_is_missing(served: Harness) -> None:
    served.execute("REVOKE SELECT ON public.alerts FROM greenstream_reader")
    served.execute("ALTER ROLE greenstream_reader CREATEDB")
    served.execute("GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC")
    admit_reader(served.dsn, temp_mb=32)
    assert rows(served, "SELECT count(*), current_setting('temp_file_limit') FROM alerts") == [("0", "32MB")]
    assert "permission denied" in refusal(served, "SELECT pg_advisory_lock(1)")
    assert served.one("SELECT rolcreatedb FROM pg_roles WHERE rolname = 'greenstream_reader'") is False
    admit_reader(served.dsn, temp_mb=LIMITS.temp_mb)


def test_two_that_admit_the_reader_at_once_do_not_meet(harness: Harness) -> None:
    failures: list[BaseException] = []

    def admit() -> None:
        try:
            admit_reader(harness.dsn, temp_mb=LIMITS.temp_mb)
        except BaseException as error:  # pytest would only warn of it
            failures.append(error)

    threads = [threading.Thread(target=admit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def analyst(harness: Harness) -> Iterator[str]:
    """A role of somebody's own, with an odd name."""
    name = sql.Identifier('an "analyst"')
    with psycopg.connect(harness.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {}").format(name))
        yield 'an "analyst"'
        admin.execute(sql.SQL("DROP OWNED BY {}; DROP ROLE {}").format(name, name))


def test_a_grant_gives_the_relations_and_nothing_else_however_often(harness: Harness, analyst: str) -> None:
    first = grant_reading(harness.dsn, analyst)
    assert grant_reading(harness.dsn, analyst) == first
    assert [right for right in first if right.startswith("SELECT on ")] == [f"SELECT on {name}" for name in RELATIONS]
    given = harness.query(
        "SELECT table_schema, table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE grantee = %s ORDER BY 2",
        analyst,
    )
    assert [tuple(row.values()) for row in given] == [("public", name, "SELECT") for name in RELATIONS]


def test_who_reads_all_relations_reads_those_of_a_later_version_too(databases: Databases, analyst: str) -> None:
    with databases.database() as dsn:
        with _upgraded(dsn, "0005") as older:
            older.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(analyst)))
            older.execute(f"GRANT SELECT ON public.meter_readings TO {READER}")
        migrate(dsn, UTC_SITE, now=NOW, retention_days=90)
        with connect(dsn) as connection:
            assert readers(connection) == [analyst]


def test_a_role_that_is_not_there_is_named(harness: Harness) -> None:
    with pytest.raises(NotFound, match="there is no role nobody_of_ours: make one first"):
        grant_reading(harness.dsn, "nobody_of_ours")


def test_the_server_ends_what_it_does_for_a_client_that_is_gone(harness: Harness) -> None:
    with connect(harness.dsn) as connection:
        assert connection.execute("SHOW client_connection_check_interval").fetchone() == ("2s",)


def test_the_doctor_tells_what_a_query_could_do(harness: Harness) -> None:
    def found(reader_url: str | None = None) -> tuple[str, str]:
        settings = Settings(home=harness.folder, database_url=harness.dsn, reader_url=reader_url)
        [finding] = reader(Place(settings, lambda _: None), "greenstream")
        return finding.level, finding.found

    assert found() == ("warning", "`query` has the rights of greenstream: only its transaction keeps it from writing")
    with login(harness.dsn, "patient") as role, psycopg.connect(harness.dsn, autocommit=True) as admin:
        grant_reading(harness.dsn, role)
        theirs = make_conninfo(harness.dsn, user=role)
        assert found(theirs) == ("warning", "a query of patient may fill the disk with temporary files")
        admin.execute("ALTER ROLE patient SET temp_file_limit = '4GB'")
        assert found(theirs) == ("ok", "`query` connects as patient, which can only read")
        admin.execute("ALTER ROLE patient CREATEROLE; GRANT DELETE ON meter_readings TO patient")
        level, said = found(theirs)
    assert (level, said.partition(": ")[2]) == ("warning", "may create roles, may write meter_readings")
