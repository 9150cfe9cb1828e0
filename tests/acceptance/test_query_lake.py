"""`greenstream query --lake`, where no database was ever set up."""

import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.acceptance.conftest import Command, Ended
from tests.contract.storage_fixtures import BUCKET, running_s3_server
from tests.support.lake import readings, write_day

DAY = date(2026, 3, 2)
OBJECT = "analytics/year=2026/month=03/region=Zone1/2026-03-02.parquet"
BOTH = r"""
    SELECT 7 AS n, CAST(1.5 AS numeric(6, 2)) AS kw, CAST(NULL AS text) AS nothing, '' AS empty,
           'a,"b' || chr(10) || '%' AS words, true AS yes, TIMESTAMPTZ '2024-03-15 18:45:00.5+01' AS at,
           TIMESTAMP '2024-03-15 18:45:00' AS wall, DATE '2024-03-15' AS day,
           ARRAY['x', NULL, 'a b', '"\', '', 'null', 'a,b', '{'] AS list, ARRAY['A'] AS flags
"""
ENDLESS = "SELECT sum(hash(i)) FROM range(1000000000000) AS t(i)"

Ask = Callable[..., Ended]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command with a home that holds a day of the lake and nothing else."""
    write_day(str(tmp_path / "home"), DAY, readings(DAY))
    (tmp_path / "work").mkdir()
    return Command(tmp_path / "home", tmp_path / "work")


@pytest.fixture
def ask(command: Command) -> Ask:
    return lambda *words, **more: command("query", "--lake", *words, **more)


def test_values_look_as_from_the_database(ask: Ask, greenstream: Command) -> None:
    assert ask(BOTH, "--format", "csv", code=0).out == greenstream("query", BOTH, "--format", "csv", code=0).out
    assert ask(BOTH, "--json", code=0).json == greenstream("query", BOTH, "--json", code=0).json


def test_no_database_is_started(ask: Ask, command: Command) -> None:
    before = sorted(command.home.iterdir())
    found = ask("-", "--json", stdin="-- a comment\nSELECT count(*) AS n FROM current_readings; ", code=0)
    assert found.json == [{"n": 6}]
    assert sorted(command.home.iterdir()) == before


def test_writing_is_refused_in_one_line(ask: Ask, command: Command) -> None:
    before = (command.home / OBJECT).read_bytes()
    sql = f"WITH x AS (COPY (SELECT 1) TO '{command.home / OBJECT}') SELECT 1"
    ended = ask(sql, "--format", "csv", code=1)
    assert (ended.out, ended.err.count("\n")) == ("", 1)
    assert ended.err.startswith("error: InvalidQuery: ")
    assert (command.home / OBJECT).read_bytes() == before


@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_a_failing_query_leaves_no_output_file(ask: Ask, command: Command, form: str) -> None:
    sql = "SELECT CASE WHEN n = 6000 THEN CAST('x' || n AS INT) ELSE n END AS n FROM range(7000) AS t(n)"
    ended = ask(sql, "--format", form, "--output", "out", code=1)
    [line] = ended.err.splitlines()
    assert line.startswith("error: InvalidQuery: ")
    assert list(command.folder.iterdir()) == []


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_reader_that_leaves_ends_it_quietly(command: Command, form: str) -> None:
    with command.start("query", "--lake", "SELECT * FROM range(1000000000)", "--format", form) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.parametrize("form", ["table", "parquet"])
@pytest.mark.parametrize(
    "query",
    ["SELECT sum(hash(i)) FROM range(1000000000000) AS t(i)", "SELECT i FROM range(1000000000000) AS t(i) WHERE i < 0"],
)
def test_an_interrupt_ends_it_and_leaves_nothing(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, form: str
) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    monkeypatch.setenv("TMPDIR", str(spill))
    with command.start("query", "--lake", query, "--format", form) as process:
        while not any(spill.iterdir()):
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # into the query itself
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.decode() == "error: interrupted\n"
    assert list(spill.iterdir()) == []


def test_a_damaged_object_is_one_line(ask: Ask, command: Command) -> None:
    (command.home / OBJECT).write_bytes(b"")
    [line] = ask("SELECT sum(consumption_kw) FROM meter_readings", code=1).err.splitlines()
    assert line.startswith("error: LakeDamaged: ")


def test_a_lake_on_s3_is_read_where_it_lies(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        write_day(f"s3://{BUCKET}/site=1", DAY, readings(DAY))
        sql = "SELECT region, month, sum(consumption_kw) AS kw FROM current_readings GROUP BY ALL ORDER BY ALL"
        found = ask(sql, "--format", "csv", code=0, STORAGE=f"s3://{BUCKET}/site=1")
        assert found.out == "region,month,kw\nZone1,3,7.5000\nZone2,3,7.5000\n"
        [line] = ask("SELECT 1", code=1, STORAGE="s3://absent").err.splitlines()
    assert line.startswith("error: StorageRefused: s3://absent: there is no such bucket;")
