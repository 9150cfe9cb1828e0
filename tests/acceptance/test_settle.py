"""`greenstream settle`, and the watch at the end of `ingest`, on a fleet of their own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.acceptance.conftest import HEADER, Command, Ended
from tests.support.databases import database

Run = Callable[..., Ended]
START = datetime(2024, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def template(home: Path, dsn: str) -> Iterator[str]:
    """A database that is set up, and empty."""
    with database(dsn, "fleet_template", "template1") as own:
        Command(home, home)("db", "migrate", code=0, DATABASE_URL=own)
        yield "fleet_template"


@pytest.fixture
def run(greenstream: Command, dsn: str, template: str) -> Iterator[Run]:
    """The command on a new database of the shared server."""
    with database(dsn, "fleet", template) as own:
        yield lambda *words, **more: greenstream(*words, **{"DATABASE_URL": own, **more})


def rows(meter: str, first: int, last: int, *, start: datetime = START) -> str:
    """A meter at 1, 2, 1, 2 … kW in some hours."""
    times = (start + timedelta(minutes=15 * n) for n in range(first * 4, last * 4))
    return "".join(f"{meter},{at:%Y-%m-%dT%H:%M}Z,{1 + n % 2} kW,,\n" for n, at in enumerate(times))


@pytest.fixture
def loaded(run: Run, greenstream: Command) -> Run:
    """SM-1 is silent from 8 o'clock on, SM-2 never; March 12 has only its first hours."""
    name = greenstream.file("fleet.csv", HEADER + rows("SM-1", 0, 8) + rows("SM-2", 0, 50))
    found = "new in the meters' history: 1 COMMUNICATION_FAILURE, 1 CONSECUTIVE_MISSING\n"
    assert found in run("ingest", name, code=0).err
    return run


def test_a_day_is_settled_with_its_findings_and_scores(loaded: Run) -> None:
    ended = loaded("settle", "--date", "2024-03-10", "--json", code=0)
    assert ended.json_lines == [
        {
            "date": "2024-03-10",
            "state": "settled",
            "meters": 2,
            "rescored": 32,
            "findings": {
                "COMMUNICATION_FAILURE": {"total": 1, "open": 1},
                "CONSECUTIVE_MISSING": {"total": 1, "open": 1},
            },
        }
    ]
    found = loaded("query", "--json", "SELECT meter_id, reliability FROM meter_metadata ORDER BY 1", code=0).json
    assert [row["reliability"] for row in found] == pytest.approx([1 / 3, 1])
    scores = "SELECT quality_score FROM meter_readings WHERE reading_at < '2024-03-11' GROUP BY 1 ORDER BY 1"
    assert [row["quality_score"] for row in loaded("query", "--json", scores, code=0).json] == [90, 100]


def test_without_dates_all_days_that_are_due_are_settled_once(loaded: Run, greenstream: Command) -> None:
    ended = loaded("settle", code=0)
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0][:4] == ["date", "state", "meters", "rescored"]
    assert [line[:3] for line in lines[2:]] == [[f"2024-03-{day}", "settled", "2"] for day in (10, 11, 12)]
    assert lines[2][4:] == ["COMMUNICATION_FAILURE", "1/1,", "CONSECUTIVE_MISSING", "1/1"]
    again = loaded("settle", "--json", code=0)
    assert again.out == ""
    assert "nothing to settle" in again.err

    loaded("ingest", greenstream.file("late.csv", HEADER + rows("SM-1", 30, 40)), code=0)
    due = loaded("settle", "--json", code=0).json_lines
    assert [line["date"] for line in due] == ["2024-03-11", "2024-03-12"]


def test_days_without_data_and_days_that_are_not_over_are_no_trouble(loaded: Run, greenstream: Command) -> None:
    ended = loaded("settle", "--from", "2024-03-08", "--to", "2024-03-10", "--json", code=0)
    assert [line["state"] for line in ended.json_lines] == ["empty", "empty", "settled"]
    now = datetime.now(UTC).replace(minute=0)
    loaded("ingest", greenstream.file("today.csv", HEADER + rows("SM-2", -1, 0, start=now)), code=0)
    # Just after midnight the hour is one of the day before.
    today = datetime.now(UTC).date().isoformat()
    [line] = loaded("settle", "--date", today, "--json", code=0).json_lines
    assert line["state"] in ("open", "empty")
    assert today not in [line["date"] for line in loaded("settle", "--json", code=0).json_lines]


def test_an_empty_database_has_nothing_to_settle(run: Run) -> None:
    assert "nothing to settle" in run("settle", code=0).err
    assert "no data" in run("settle", "--date", "2024-03-10", code=0).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "2024-02-30"], "no date as YYYY-MM-DD"),
        (["--date", "20240301"], "no date as YYYY-MM-DD"),
        (["--date", "2999-01-01"], "in the future"),
        (["--date", "2024-03-01", "--from", "2024-03-01"], "one or the other"),
        (["--to", "2024-03-01"], "--to needs --from"),
        (["--from", "2024-03-02", "--to", "2024-03-01"], "before"),
    ],
)
def test_wrong_dates_are_wrong_usage(greenstream: Command, words: list[str], said: str) -> None:
    ended = greenstream("settle", *words, code=2)
    [line] = ended.err.splitlines()
    assert said in line
    assert ended.out == ""


def test_several_files_are_looked_at_once_they_are_all_there(run: Run, greenstream: Command) -> None:
    files = [
        greenstream.file("a.csv", HEADER + rows("SM-1", 0, 4)),
        greenstream.file("b.csv", HEADER + rows("SM-1", 10, 20)),
        greenstream.file("c.csv", HEADER + rows("SM-1", 4, 10)),
    ]
    assert "history" not in run("ingest", "--json", *files, code=0).err
    assert run("query", "--json", "SELECT * FROM data_quality_log", code=0).json == []


def test_the_history_can_be_left_to_the_next_time(run: Run, greenstream: Command) -> None:
    first = greenstream.file("a.csv", HEADER + rows("SM-1", 0, 4) + rows("SM-2", 0, 24))
    assert "was left alone" in run("ingest", "--no-watch", first, code=0).err
    assert run("query", "--json", "SELECT * FROM data_quality_log", code=0).json == []
    assert "1 CONSECUTIVE_MISSING" in run("ingest", first, code=0).err
    assert run("ingest", "-q", first, code=0).err == ""


def test_files_stay_loaded_where_the_watch_fails(run: Run, greenstream: Command) -> None:
    own = run("db", "url", code=0).out.strip()
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("ALTER TABLE greenstream.meter_day RENAME TO elsewhere")
    ended = run("ingest", "--json", greenstream.file("a.csv", HEADER + rows("SM-1", 0, 4)), code=1)
    assert ended.json["outcome"] == "loaded"
    [line] = ended.err.splitlines()
    assert line.startswith("error: DatabaseRefused: ")
    assert "the files are loaded" in line
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("ALTER TABLE greenstream.elsewhere RENAME TO meter_day")
    assert run("settle", "--json", code=0).json["state"] == "settled"
