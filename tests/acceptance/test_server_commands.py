"""`greenstream status`, `db` and `down`, and what all commands share."""

import subprocess
import sys

import psycopg
import pytest
from tests.acceptance.conftest import HEADER, Command
from tests.support.databases import another_database

from greenstream import __version__

COMMANDS = [["ingest"], ["query"], ["status"], ["db", "url"], ["db", "migrate"], ["down"]]


def test_status_sums_up_what_came_in(greenstream: Command) -> None:
    rows = "U-1,2024-03-16 18:45:00,1 kW,,\nU-2,2024-03-16 18:45:00,99 kW,,\nbroken\n"
    greenstream("ingest", greenstream.file("status.csv", HEADER + rows), greenstream.file("status.txt", ""))
    found = greenstream("status", "--json", code=0).json
    assert found["server"]["kind"] == "embedded"
    assert found["server"]["running"] is True
    assert found["rows"]["rows"] == sum(found["rows"][fate] for fate in ("stored", "duplicate", "rejected")) >= 3
    assert {"day": "2024-03-16", "readings": 2} in found["days"]
    assert found["flags"]["OUT_OF_RANGE"] >= 1
    assert found["quarantined"]["MALFORMED_ROW"] >= 1
    assert found["alerts"]["FILE_REJECTED"] >= 1
    assert found["last_file"]["source_file"].endswith("/status.txt")
    assert found["last_file"]["outcome"] == "rejected"
    assert "it adds up" in greenstream("status", code=0).out


def test_a_new_home_is_reported_set_up_reported_stopped_and_reported(new_greenstream: Command) -> None:
    before = new_greenstream("status", "--json", code=1).json
    assert (before["server"]["running"], before["server"]["initialised"]) == (False, False)
    assert not new_greenstream.home.exists()
    assert "not set up yet" in new_greenstream("status", code=1).out
    new_greenstream("down", code=0)

    first, second = (new_greenstream("db", "migrate", "--json", code=0).json for _ in range(2))
    assert first["from"] is None
    assert second == {"from": first["to"], "to": first["to"]}
    with psycopg.connect(new_greenstream("db", "url", code=0).out.strip()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert new_greenstream("down", code=0).out == ""
    after = new_greenstream("status", "--json", code=0).json
    assert (after["server"]["running"], after["server"]["initialised"]) == (False, True)
    assert "was not running" in new_greenstream("down", code=0).err


def test_a_database_of_yours_is_reported_but_never_stopped(greenstream: Command, dsn: str) -> None:
    assert greenstream("status", "--json", DATABASE_URL=dsn, code=0).json["server"]["kind"] == "yours"
    assert "nothing to stop" in greenstream("down", DATABASE_URL=dsn, code=0).err
    assert greenstream("query", "SELECT 1", code=0)


def test_status_reports_a_database_of_yours_that_is_away(greenstream: Command) -> None:
    found = greenstream("status", "--json", DATABASE_URL="postgresql://x@127.0.0.1:1/x", code=0).json
    assert found["server"]["running"] is False
    assert found["server"]["error"].startswith("DatabaseUnavailable: ")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_has_help_with_an_example(greenstream: Command, words: list[str]) -> None:
    out = greenstream.script(*words, "--help", code=0).out
    assert f"greenstream {' '.join(words)}" in out.partition("Example:")[2]
    assert "--quiet" in out


def test_the_version_is_said(greenstream: Command) -> None:
    assert greenstream.script("--version", code=0).out == f"greenstream {__version__}\n"


def test_what_is_forked_ends_as_the_script_does(greenstream: Command) -> None:
    """Most tests run the command forked, as importing it takes longer than what it does."""
    for words in (["--help"], ["nonsense"], ["db", "url"], ["query", "SELECT nothing"], ["ingest", "absent"]):
        forked, script = greenstream(*words), greenstream.script(*words)
        assert (forked.code, forked.err) == (script.code, script.err)
        assert forked.out == script.out


@pytest.mark.parametrize("words", [[], ["db"], ["nonsense"], ["status", "--nonsense"], ["ingest"], ["ingest", ""]])
def test_wrong_usage_is_code_2_and_says_nothing_on_stdout(greenstream: Command, words: list[str]) -> None:
    ended = greenstream.script(*words, code=2)
    assert ended.out == ""
    assert ended.err


def test_a_wrong_setting_is_named_in_one_line(greenstream: Command) -> None:
    ended = greenstream("status", TIMEZONE="Mars", code=1)
    [line] = ended.err.splitlines()
    assert line.startswith("error: SettingsError: ")
    assert "GREENSTREAM_TIMEZONE='Mars'" in line


def test_debug_shows_where_an_error_came_from(greenstream: Command) -> None:
    process = greenstream.start("query", "drop table x", DEBUG="1")
    _, err = process.communicate()
    assert b"Traceback" in err
    assert process.returncode == 1


def test_help_does_without_the_libraries_that_are_slow_to_import() -> None:
    code = (
        "import sys; from greenstream.entrypoints.cli.app import run; run(['--help']); "
        "print(sorted({'polars', 'alembic', 'psycopg', 'rich', 'pydantic'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"


def test_a_database_of_yours_where_nothing_was_set_up_says_who_does(greenstream: Command, dsn: str) -> None:
    with another_database(dsn) as url:
        ended = greenstream("status", "--json", DATABASE_URL=url, code=1)
        assert ended.json["version"] is None
        assert "db migrate" in ended.err
        assert "db migrate" in greenstream("alerts", "list", DATABASE_URL=url, code=1).err
