"""`greenstream query`."""

import csv
import io
import signal
import time
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import Command
from tests.support.roles import login

VALUES = """
    SELECT 7 AS n, 1.50::numeric AS kw, NULL AS nothing, 'a,"b"' || chr(10) || '%' AS words, true AS yes,
           '2024-03-15 18:45+01'::timestamptz AS at, ARRAY['x', NULL] AS list, '{"a": [1]}'::jsonb AS detail;
"""


def test_json_is_an_array_of_objects_with_the_right_types(greenstream: Command) -> None:
    [found] = greenstream("query", "--json", VALUES, code=0).json
    assert found == {
        "n": 7,
        "kw": 1.5,
        "nothing": None,
        "words": 'a,"b"\n%',
        "yes": True,
        "at": "2024-03-15T17:45:00+00:00",
        "list": ["x", None],
        "detail": {"a": [1]},
    }


def test_csv_has_a_header_and_quotes(greenstream: Command) -> None:
    out = greenstream("query", "--format", "csv", VALUES, code=0).out
    header, row = csv.reader(io.StringIO(out))
    assert header == ["n", "kw", "nothing", "words", "yes", "at", "list", "detail"]
    assert row[:4] == ["7", "1.50", "", 'a,"b"\n%']


def test_a_table_shows_all_rows_whole_and_nothing_a_terminal_obeys(greenstream: Command) -> None:
    out = greenstream("query", "SELECT n, repeat('x', 300) || chr(27) FROM generate_series(1, 12000) n", code=0).out
    assert len(out.splitlines()) == 12_003
    assert "x" * 300 + "\\x1b" in out
    assert out.splitlines()[-1] == "(12,000 rows)"


def test_parquet_keeps_types(greenstream: Command) -> None:
    out = greenstream.folder / "out.parquet"
    sql = "SELECT n, n * 0.0001::numeric(20, 4) AS kw, now() AS at FROM generate_series(1, 7000) n"
    assert greenstream("query", sql, "--format", "parquet", "--output", "out.parquet", code=0).out == ""
    with out.open("wb") as stdout, greenstream.start("query", sql, "-f", "parquet", stdout=stdout) as process:
        assert process.wait() == 0
    frame = pl.read_parquet(out)
    assert frame.height == 7000
    assert frame.schema["at"] == pl.Datetime("us", "UTC")
    assert frame["n"].sum() == 7000 * 7001 // 2


def test_a_failing_query_leaves_no_output_file(greenstream: Command) -> None:
    sql = "SELECT 1 / (6000 - n) AS n FROM generate_series(1, 7000) n"
    for form in ("table", "csv", "json", "parquet"):
        ended = greenstream("query", sql, "--format", form, "--output", "out", code=1)
        assert ended.err == "error: InvalidQuery: division by zero\n"
    assert list(greenstream.folder.iterdir()) == []


@pytest.mark.parametrize(("form", "nothing"), [("json", "[]\n"), ("csv", "n\n"), ("table", "n\n─\n(0 rows)\n")])
def test_no_rows_are_a_whole_answer(greenstream: Command, form: str, nothing: str) -> None:
    assert greenstream("query", "SELECT 1 AS n WHERE false", "--format", form, code=0).out == nothing


@pytest.mark.parametrize(
    "sql",
    [
        "drop table greenstream.meter",
        "select 1; drop table greenstream.meter",
        "select 1) to stdout; drop table greenstream.meter; copy (select 1",
        "copy greenstream.meter to program 'cat >&2'",
        "with gone as (delete from greenstream.meter returning 1) select * from gone",
        "/* /* */ explain */ do $$ begin delete from greenstream.meter; end $$",
        "explain analyze delete from greenstream.meter",
        "select setval('greenstream.meter_meter_key_seq', 1)",
        "select pg_read_file('/etc/passwd')",
        "select * into greenstream.copy from greenstream.meter",
        "select * from greenstream.meter for update",
        "do $$ begin delete from greenstream.meter; end $$",
        "commit",
    ],
)
def test_what_does_more_than_read_is_refused_in_one_line(greenstream: Command, sql: str) -> None:
    ended = greenstream("query", sql, "--format", "csv", code=1)
    assert ended.out == ""
    [line] = ended.err.splitlines()
    assert line.startswith("error: InvalidQuery: ")


def test_a_syntax_error_says_where_it_is(greenstream: Command) -> None:
    ended = greenstream("query", "SELECT meter_id\n  FRM meter_readings", code=1)
    assert ended.err == 'error: InvalidQuery: syntax error at or near "meter_readings" (line 2, column 7)\n'


@pytest.mark.parametrize(
    ("sql", "form"),
    [
        ("explain select 1", "table"),
        ("explain select 1", "csv"),
        ("show timezone", "json"),
        ("values (1)", "csv"),
        ("table days", "json"),
        ("(select 1) union (select 2)", "json"),
    ],
)
def test_every_statement_that_reads_works(greenstream: Command, sql: str, form: str) -> None:
    assert greenstream("query", sql, "--format", form, code=0).out


def test_sql_comes_from_stdin_too(greenstream: Command) -> None:
    assert greenstream("query", "-", "--json", stdin="-- a comment\nSELECT 10 % 3 AS n; ", code=0).json == [{"n": 1}]


def test_columns_of_one_name_are_not_lost_silently(greenstream: Command) -> None:
    assert "called n" in greenstream("query", "SELECT 1 AS n, 2 AS n", "--json", code=1).err


def test_wrong_usage_is_code_2(greenstream: Command) -> None:
    assert greenstream("query", code=2).out == ""
    assert greenstream("query", "SELECT 1", "--format", "xml", code=2).out == ""
    assert greenstream("query", "SELECT 1", "--format", "csv", "--json", code=2).out == ""
    assert greenstream("query", "SELECT 1", "--output", "absent/file", code=2).out == ""


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_reader_that_leaves_ends_it_quietly(greenstream: Command, form: str) -> None:
    sql = "SELECT * FROM generate_series(1, 1000000)"
    with greenstream.start("query", sql, "--format", form) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_full_disk_is_one_line(greenstream: Command) -> None:
    with Path("/dev/full").open("wb") as full:
        process = greenstream.start("query", "SELECT 1", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1
    assert err.decode().splitlines() == ["error: OSError: [Errno 28] No space left on device"]


def test_an_interrupt_ends_the_query_on_the_server_too(greenstream: Command, dsn: str) -> None:
    process = greenstream.start("query", "SELECT pg_sleep(100) AS interrupted", "--format", "csv")
    with psycopg.connect(dsn, autocommit=True) as connection:
        _await_sleepers(connection, 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        _await_sleepers(connection, 0)
    assert process.returncode == 130
    assert err.decode() == "error: interrupted\n"


def test_a_query_that_is_killed_ends_on_the_server_too(greenstream: Command, dsn: str) -> None:
    process = greenstream.start("query", "SELECT pg_sleep(100) AS killed")
    with psycopg.connect(dsn, autocommit=True) as connection:
        _await_sleepers(connection, 1)
        asking = "SELECT usename FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        assert connection.execute(asking).fetchone() == ("greenstream_reader",)
        process.kill()
        killed = time.monotonic()
        process.communicate()
        _await_sleepers(connection, 0)
    assert time.monotonic() - killed < 10


@pytest.mark.parametrize(("form", "place"), [("table", ()), ("csv", ()), ("json", ()), ("parquet", ("-o", "out"))])
def test_an_answer_of_more_rows_than_are_allowed_is_an_error(
    greenstream: Command, form: str, place: tuple[str, ...]
) -> None:
    sql = "SELECT * FROM generate_series(1, 7001)"
    [line] = greenstream("query", sql, "-f", form, *place, code=1, QUERY_MAX_ROWS="7000").err.splitlines()
    assert line.startswith("error: InvalidQuery: the answer has more than 7,000 rows:")
    assert "GREENSTREAM_QUERY_MAX_ROWS" in line
    assert list(greenstream.folder.iterdir()) == []


def test_a_database_of_yours_is_asked_as_the_reader_that_is_named(greenstream: Command, dsn: str) -> None:
    with login(dsn, "analyst"):
        greenstream("db", "grant", "analyst", code=0, DATABASE_URL=dsn)
        theirs = make_conninfo(dsn, user="analyst")
        [found] = greenstream("query", "--json", "SELECT session_user AS name", code=0, READER_URL=theirs).json
        refused = greenstream("query", "TABLE greenstream.site", code=1, READER_URL=theirs)
    assert found == {"name": "analyst"}
    assert refused.err.startswith("error: InvalidQuery: permission denied for schema greenstream")


def test_a_grant_says_what_it_gave_and_whom_it_does_not_know(greenstream: Command, dsn: str) -> None:
    with login(dsn, "auditor"):
        lines = greenstream("db", "grant", "auditor", code=0).out.splitlines()
        assert greenstream("db", "grant", "auditor", "--json", code=0).json == {"role": "auditor", "granted": lines}
    assert "SELECT on meter_readings" in lines
    [line] = greenstream("db", "grant", "auditor", code=1).err.splitlines()
    assert line.startswith("error: NotFound: there is no role auditor: make one first")


def _await_sleepers(connection: psycopg.Connection[tuple[object, ...]], count: int) -> None:
    """Return when so many queries sleep; the test's run limit ends it otherwise."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    while connection.execute(sql).fetchone() != (count,):
        time.sleep(0.05)


def test_a_closed_port_is_one_line(greenstream: Command) -> None:
    ended = greenstream("query", "SELECT 1", DATABASE_URL="postgresql://greenstream@127.0.0.1:1/greenstream", code=1)
    [line] = ended.err.splitlines()
    assert line.startswith("error: DatabaseUnavailable: ")
