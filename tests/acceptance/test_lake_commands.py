"""`nightly`, `archive`, `verify` and `query --lake`, as people call them."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from psycopg.conninfo import make_conninfo
from tests.acceptance.conftest import Command, Ended
from tests.support.databases import database

Run = Callable[..., Ended]
ROWS = (
    "meter_id,timestamp,energy_value,location\n"
    "SM-1,2026-03-02 10:00:00,3250 W,Residential_Zone_7\n"
    "SM-1,2026-03-02 10:15:00,12 kW,Residential_Zone_7\n"
    "SM-2,2026-03-02 10:00:00,,Commercial_Zone_8\n"
)
FOREVER = {f"{name}RETENTION_DAYS": "36500" for name in ("", "FINDINGS_", "LEDGER_", "QUARANTINE_")}
OBJECT = "analytics/year=2026/month=03/region=Zone7/2026-03-02.parquet"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def run(greenstream: Command, dsn: str, store: Path) -> Iterator[Run]:
    """The command on a new database of the shared server, and a store of its own."""
    with database(dsn, "lake", "template1") as own:
        place = {"DATABASE_URL": own, "STORAGE": store.as_uri(), **FOREVER}
        greenstream("ingest", greenstream.file("a.csv", ROWS), code=0, **place)
        yield lambda *words, **more: greenstream(*words, **{**place, **more})


def test_a_night_is_planned_done_and_then_there_is_nothing_to_do(run: Run, store: Path) -> None:
    plan = run("nightly", "--dry-run", "--json", code=0).json_lines
    assert plan == [{"step": "settle", "date": "2026-03-02"}, {"step": "archive", "date": "2026-03-02"}]
    assert not (store / "analytics").exists()
    settled, archived = run("nightly", "--json", code=0).json_lines
    assert (settled["step"], settled["date"], settled["state"]) == ("settle", "2026-03-02", "settled")
    assert (archived["step"], archived["readings"], archived["written"]) == ("archive", 3, 5)
    again = run("nightly", code=0)
    assert (again.out, again.err.strip().split(":")[0]) == ("", "nothing to do")
    one = run("nightly", "--date", "2026-03-02", code=0)
    assert "0 objects written" in one.out


def test_retention_is_shown_before_and_said_afterwards(run: Run, store: Path) -> None:
    run("nightly", code=0)
    plan = run("nightly", "--dry-run", code=0, RETENTION_DAYS="90").out
    assert "database: 2026-03-02" in plan
    (gone,) = run("nightly", "--json", code=0, RETENTION_DAYS="90").json_lines
    assert (gone["step"], gone["layer"], gone["subject"]) == ("retire", "database", "2026-03-02")
    assert (gone["amount"], gone["unit"], gone["kept_because"]) == (3, "readings", None)
    assert run("query", "SELECT count(*) FROM meter_readings", "--json", code=0).json == [{"count": 0}]
    assert run("query", "--lake", "SELECT count(*) AS n FROM meter_readings", "--json", code=0).json == [{"n": 3}]
    assert run("query", "SELECT subject, amount FROM deletions", "--json", code=0).json == [
        {"subject": "2026-03-02", "amount": 3}
    ]


def test_a_damaged_lake_holds_retention_up_and_is_said(run: Run, store: Path) -> None:
    run("nightly", code=0)
    (store / OBJECT).unlink()
    refused = run("nightly", code=1, RETENTION_DAYS="90")
    assert "kept: " in refused.out
    assert OBJECT in refused.err
    assert refused.err.count("\n") == 1
    assert run("query", "SELECT count(*) FROM meter_readings", "--json", code=0).json == [{"count": 3}]
    run("archive", "--date", "2026-03-02", code=0)
    run("nightly", code=0, RETENTION_DAYS="90")


def test_archive_settles_what_is_over_and_refuses_what_is_not(run: Run, greenstream: Command) -> None:
    (done,) = run("archive", "--date", "2026-03-02", "--json", code=0).json_lines
    assert (done["state"], done["readings"]) == ("archived", 3)
    assert "nothing to archive" in run("archive", code=0).err
    (none,) = run("archive", "--date", "2026-01-01", "--json", code=0).json_lines
    assert none["state"] == "empty"
    now = datetime.now(UTC)
    run("ingest", greenstream.file("now.csv", f"meter_id,timestamp,energy_value\nSM-1,{now:%Y-%m-%dT%H:%MZ},1 kW\n"))
    refused = run("archive", "--date", f"{now:%Y-%m-%d}", code=1)
    assert "not over yet" in refused.err
    assert refused.err.count("\n") == 1


def test_verify_names_what_differs_in_one_line_each(run: Run, store: Path) -> None:
    run("nightly", code=0)
    assert run("verify", "--json", code=0).json_lines == [
        {"date": "2026-03-02", "readings": 3, "objects": 4, "files": 1, "replaced": 0, "differences": [], "notes": []}
    ]
    content = bytearray((store / OBJECT).read_bytes())
    content[100] ^= 1
    (store / OBJECT).write_bytes(content)
    found = run("verify", "--date", "2026-03-02", code=1)
    assert OBJECT in found.err
    assert all(line.startswith("error: ") for line in found.err.splitlines())
    run("archive", "--date", "2026-03-02", code=0)
    run("verify", code=0)


def test_the_lake_answers_in_each_format(run: Run) -> None:
    run("nightly", code=0)
    sql = "SELECT meter_id, consumption_kw, reading_at, flags FROM current_readings ORDER BY meter_id, reading_at"
    assert run("query", "--lake", sql, code=0).out.splitlines()[2].split() == (
        ["SM-1", "3.2500", "2026-03-02", "10:00:00+00", "{}"]
    )
    assert run("query", "--lake", sql, "--format", "csv", code=0).out.splitlines() == [
        "meter_id,consumption_kw,reading_at,flags",
        "SM-1,3.2500,2026-03-02 10:00:00+00,{}",
        "SM-1,12.0000,2026-03-02 10:15:00+00,{}",
        "SM-2,,2026-03-02 10:00:00+00,{MISSING_READING}",
    ]
    rows = run("query", "--lake", sql, "--json", code=0).json
    assert rows[2] == {
        "meter_id": "SM-2",
        "consumption_kw": None,
        "reading_at": "2026-03-02T10:00:00+00:00",
        "flags": ["MISSING_READING"],
    }


def test_the_lakes_record_ids_are_those_of_the_database(run: Run) -> None:
    run("nightly", code=0)
    sql = "SELECT record_id FROM meter_readings ORDER BY 1"
    assert run("query", "--lake", sql, code=0).out == run("query", sql, code=0).out


def test_an_answer_as_parquet(run: Run, tmp_path: Path) -> None:
    run("nightly", code=0)
    run("query", "--lake", "SELECT * FROM meter_days", "-f", "parquet", "-o", str(tmp_path / "days.parquet"), code=0)
    assert pl.read_parquet(tmp_path / "days.parquet")["meter_id"].to_list() == ["SM-1", "SM-2"]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'x.csv'",
        "CREATE TABLE x (a INT)",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SET enable_external_access = true",
        "SELECT nothing FROM meter_readings",
        "",
    ],
)
def test_the_lake_is_only_read(run: Run, sql: str) -> None:
    refused = run("query", "--lake", sql, code=1)
    assert refused.out == ""
    assert refused.err.startswith("error: InvalidQuery: ")
    assert refused.err.count("\n") == 1


def test_an_empty_lake_has_its_relations(greenstream: Command, store: Path) -> None:
    for relation in ("meter_readings", "current_readings", "meter_days", "load_curves"):
        asked = greenstream("query", "--lake", f"SELECT * FROM {relation}", "--json", code=0, STORAGE=store.as_uri())
        assert asked.json == []


def test_two_nights_at_once_are_one_after_the_other(run: Run, greenstream: Command, dsn: str, store: Path) -> None:
    place = {"DATABASE_URL": make_conninfo(dsn, dbname="lake"), "STORAGE": store.as_uri(), **FOREVER}
    both = [greenstream.start("nightly", "--json", **place) for _ in range(2)]
    said = [json.loads(line) for each in both for line in io.BytesIO(each.communicate()[0]).readlines()]
    assert [each.returncode for each in both] == [0, 0]
    assert sorted(each["step"] for each in said) == ["archive", "settle"]
    run("verify", code=0)


def test_reprocess_plans_does_and_then_finds_nothing(run: Run) -> None:
    span = ("--from", "2026-03-01", "--to", "2026-03-03", "--json")
    (plan,) = run("reprocess", *span, "--dry-run", code=0, MAX_KW="10").json_lines
    assert plan["changed"] == [{"from": "OK", "to": "OUT_OF_RANGE", "count": 1}]
    sql = "SELECT flags FROM meter_readings WHERE consumption_kw = 12"
    assert run("query", sql, "--json", code=0).json == [{"flags": []}]
    assert run("reprocess", *span, code=0, MAX_KW="10").json_lines == [plan]
    assert run("query", sql, "--json", code=0).json == [{"flags": ["OUT_OF_RANGE"]}]
    (again,) = run("reprocess", *span, code=0, MAX_KW="10").json_lines
    assert again == {**plan, "changed": []}
    assert "--from" in run("reprocess", code=2).err


def test_a_raw_file_that_is_gone_is_said(run: Run, store: Path) -> None:
    (raw,) = (store / "raw-data").rglob("a.csv")
    raw.unlink()
    refused = run("reprocess", "--from", "2026-03-02", "--to", "2026-03-02", code=1)
    assert "no longer in the landing zone" in refused.err
